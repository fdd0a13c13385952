//! The folders of the other mailbox, before and after they came: what is in each, where it goes, and what its owner chose.

use std::collections::HashMap;

use anser_base::{Result, Text};
use anser_directory::Account;
use anser_store::{LedgerFolder, MailTx, Role};

use super::choice::Choice;
use super::rows::Own;
use super::{mine, words};
use crate::Migrate;
use crate::name::chosen_by;
use crate::pass::{Rule, whole};
use crate::plan::{Namespace, foreseen};
use crate::profile;
use crate::source::Folder;
use crate::trouble::Trouble;

/// Folders that are told of.
const TOLD: usize = 1_000;
/// Folders that are counted one by one, where the list does not tell how many messages each holds.
const COUNTED: usize = 200;

/// A folder of the other mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderView {
    /// Its name there, by which it is chosen about; octets that are no UTF-8 stand as U+FFFD.
    pub name: String,
    /// Where it goes here, or went.
    pub path: Vec<String>,
    /// Messages there; `None` where the server does not tell.
    pub messages: Option<u64>,
    /// What it is for here.
    pub role: Option<Role>,
    /// Whether its owner leaves it out.
    pub skip: bool,
    /// Whether a mailbox here takes it already: what it is for stays.
    pub is_here: bool,
}

/// The folders, and why they cannot be told where they cannot.
pub type Folders = (Vec<FolderView>, Option<Text>);

impl Migrate {
    /// Asks the other server of an account's own move for its folders, at most 1,000. What it refuses is told in words.
    /// [`anser_base::Class::NotFound`].
    pub async fn own_folders(&self, account: &Account, id: u64) -> Result<Folders> {
        let owner = account.id;
        let own = self.read(move |tx| mine(tx, owner, id)).await?;
        let asked = Box::pin(self.ask_folders(own));
        match self.in_time(asked).await {
            Ok(folders) => Ok((folders, None)),
            Err(trouble) => Ok((Vec::new(), Some(words::trouble(&trouble)))),
        }
    }

    async fn ask_folders(&self, own: Own) -> Result<Vec<FolderView>, Trouble> {
        let (mailbox, mut origin) = self.look(own.account, own.of).await?;
        let prefix = origin.personal_prefix().await?;
        let mut folders = origin.folders().await?;
        folders.truncate(TOLD);
        let mut counts = HashMap::new();
        let unknown = folders.iter().filter(|folder| folder.is_selectable() && folder.standing.is_none());
        for folder in unknown.take(COUNTED) {
            if let Some(count) = origin.count(&folder.name).await? {
                counts.insert(folder.name.clone(), count);
            }
        }
        origin.leave().await;
        let of = own.of;
        let source = self.read(move |tx| crate::rows::sources(tx, of)).await?.pop().ok_or_else(super::missing)?;
        let (login, target, choice) = (mailbox.id, own.target, own.choice);
        let store = &self.inner.deps.store;
        store.ensure(own.account).await?;
        let tell = move |tx: &mut MailTx<'_, '_>| {
            let profile = profile::of_source(&source);
            let namespace = Namespace { prefix: &prefix, profile, one: target, counts: &counts, choice: &choice };
            let known = tx.ledger_folders(login)?;
            // The newest row of a name counts.
            let here = |folder: &Folder| known.iter().rev().find(|known| known.name == folder.name);
            // Of those that are not the user's own nothing is chosen: a pass leaves them out.
            let whole = whole(&known);
            let may_come = |folder: &&Folder| Rule::default().lets_in(folder.space, whole.contains(&folder.name[..]));
            let folders: Vec<Folder> = folders.iter().filter(may_come).cloned().collect();
            let mut all = Vec::new();
            for (at, path, role) in foreseen(namespace, &folders) {
                let folder = &folders[at];
                let view = view_of(folder, path, role, &choice, counts.get(&folder.name).copied());
                all.push(match here(folder) {
                    Some(here) => as_it_went(tx, view, here)?,
                    None => view,
                });
            }
            Ok(all)
        };
        Ok(store.read(own.account, tell).await?)
    }
}

fn view_of(
    folder: &Folder,
    path: Vec<String>,
    role: Option<Role>,
    choice: &Choice,
    counted: Option<u64>,
) -> FolderView {
    FolderView {
        name: chosen_by(&folder.name).into_owned(),
        path,
        messages: folder.standing.map(|standing| standing.messages).or(counted),
        role,
        skip: choice.leaves_out(&folder.name),
        is_here: false,
    }
}

fn as_it_went(tx: &mut MailTx<'_, '_>, view: FolderView, here: &LedgerFolder) -> Result<FolderView> {
    if !tx.has_mailbox(here.mailbox)? {
        return Ok(view);
    }
    let (path, role) = (tx.path(here.mailbox)?, tx.mailbox(here.mailbox)?.role);
    Ok(FolderView { path, role, is_here: true, ..view })
}
