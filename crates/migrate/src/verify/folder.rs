//! Folders themselves: which are on one side alone, what they are for, whether their owner subscribed, and whether their UIDs go on where
//! the old server's ended.

use std::collections::{HashMap, HashSet};

use anser_base::{Result, Text};
use anser_wire::imap::mailbox_from_wire;

use super::known::KnownFolder;
use super::{FolderProof, Look, NAMED};
use crate::imap::Imap;
use crate::role;
use crate::source::Folder;
use crate::trouble::Trouble;

/// Folders as this server lists them, by their paths.
pub(super) struct Shown(HashMap<String, Folder>);

impl Shown {
    pub async fn of(here: &mut Imap) -> Result<Self, Trouble> {
        let all = here.folders().await?.into_iter().filter(Folder::is_selectable);
        Ok(Self(all.map(|folder| (mailbox_from_wire(&folder.name, false), folder)).collect()))
    }

    /// Those that are none of these, in their order.
    pub fn besides(&self, taken: HashSet<&str>) -> Vec<String> {
        let mut alone: Vec<String> = self.0.keys().filter(|path| !taken.contains(path.as_str())).cloned().collect();
        alone.sort_unstable();
        alone.truncate(NAMED);
        alone
    }

    /// Whether any has this use.
    fn has_role(&self, role: &str) -> bool {
        self.0.values().any(|folder| told_role(folder).as_deref() == Some(role))
    }
}

/// What a folder is for: told by its attributes, else by its name where that stands at the top.
fn role_of(folder: &Folder, path: &str) -> Option<String> {
    let by_name = || role::of_name(Some(path).filter(|path| !path.contains('/'))?).map(|role| role.as_str().to_owned());
    told_role(folder).or_else(by_name)
}

/// What its attributes tell.
fn told_role(folder: &Folder) -> Option<String> {
    role::of_attributes(&folder.attributes).map(|role| role.as_str().to_owned())
}

impl Look<'_> {
    /// Holds a folder of the source against its mailbox here; messages apart.
    pub(super) async fn hold_stands(
        &mut self,
        folder: &Folder,
        ours: &KnownFolder,
        one: &mut FolderProof,
    ) -> Result<()> {
        (one.there.role, one.there.subscribed) = (role_of(folder, &ours.path), folder.subscribed);
        let Some(shown) = self.shown.0.get(&ours.path) else {
            let mailbox = ours.ledger.mailbox;
            let is_there = self.store.read(self.account, move |tx| tx.has_mailbox(mailbox)).await?;
            let (class, why) = match is_there {
                false => ("removed", Text::new("its owner removed the folder here", "用户已在本机删除该文件夹")),
                true => ("unexplained", Text::new("the folder is not shown here", "该文件夹在本机未列出")),
            };
            self.proof.note_beside(&one.folder, 1, class, &why);
            return Ok(());
        };
        (one.shown.role, one.shown.subscribed) = (told_role(shown), shown.subscribed);
        let is_inbox = ours.path == "INBOX";
        let mut found = Vec::new();
        if let Some(role) = one.there.role.clone().filter(|role| one.shown.role.as_ref() != Some(role)) {
            let is_told = told_role(folder).is_some();
            match self.shown.has_role(&role) {
                true if is_told => found.push((
                    "changed",
                    Text::new(format!("another folder here is for {role}"), format!("本机另有 {role} 文件夹")),
                )),
                // Of two folders whose names say the same one gets the use.
                true => {}
                false => found.push((
                    "unexplained",
                    Text::new(
                        format!("it is for {role} there, and no folder is here"),
                        format!("旧服务器上为 {role} 文件夹，本机没有"),
                    ),
                )),
            }
        }
        if one.there.subscribed != one.shown.subscribed && !is_inbox {
            found.push((
                "changed",
                match one.there.subscribed {
                    true => Text::new("its owner subscribed to it there, not here", "旧服务器上已订阅，本机未订阅"),
                    false => Text::new("its owner subscribed to it here, not there", "本机已订阅，旧服务器上未订阅"),
                },
            ));
        }
        found.extend(numbers(ours, one));
        for (class, why) in found {
            self.proof.note_beside(&one.folder, 1, class, &why);
        }
        Ok(())
    }
}

/// What is promised of UIDs where they are kept: the same UIDVALIDITY, and none is given again that the old server has given.
fn numbers(ours: &KnownFolder, one: &FolderProof) -> Option<(&'static str, Text)> {
    let (there, shown, base) = (&one.there, &one.shown, &ours.ledger);
    if !base.keeps_uids || shown.uidvalidity == 0 {
        return None;
    }
    if shown.uidvalidity != base.uidvalidity {
        let words = Text::new(
            format!("UIDVALIDITY is {} here, and was to be {}", shown.uidvalidity, base.uidvalidity),
            format!("本机 UIDVALIDITY 为 {}，应为 {}", shown.uidvalidity, base.uidvalidity),
        );
        return Some(("unexplained", words));
    }
    if there.uidvalidity != base.uidvalidity {
        return Some(("changed", Text::new("the old server numbered the folder anew", "旧服务器已更换 UIDVALIDITY")));
    }
    (shown.uidnext < base.uidnext).then(|| {
        let words = Text::new(
            format!("UIDNEXT is {} here: UIDs below {} were given by the old server", shown.uidnext, base.uidnext),
            format!("本机 UIDNEXT 为 {}：旧服务器已用到 {}", shown.uidnext, base.uidnext),
        );
        ("unexplained", words)
    })
}
