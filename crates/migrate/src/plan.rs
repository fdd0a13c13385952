//! Which mailbox here takes which folder of the old server. Decided once, when a folder is first seen, and kept in the ledger.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anser_base::{MailboxId, Result};
use anser_store::{LedgerFolder, LedgerKey, MailTx, Role};

use crate::name;
use crate::own::Choice;
use crate::profile::Profile;
use crate::role;
use crate::source::{Folder, Space};

/// Folders that are asked how full they are, to find out which of several has a use.
const RIVALS: usize = 64;
/// Names that are tried beside one that is taken.
const BESIDES: usize = 1_000;

/// What is around the folders of a source.
#[derive(Clone, Copy)]
pub struct Namespace<'a> {
    /// What their names begin with, such as `INBOX.`.
    pub prefix: &'a [u8],
    /// Of the source.
    pub profile: &'a Profile,
    /// The mailbox here that takes all of them.
    pub one: Option<MailboxId>,
    /// How many messages folders hold of which the list does not tell it, by their names.
    pub counts: &'a HashMap<Vec<u8>, u64>,
    /// What their owner chose.
    pub choice: &'a Choice,
}

impl Namespace<'_> {
    fn path_of(self, folder: &Folder) -> Vec<String> {
        self.path_of_name(&folder.name, folder.delimiter)
    }

    fn path_of_name(self, name: &[u8], delimiter: Option<u8>) -> Vec<String> {
        name::path_of(self.profile.lift(name, delimiter), delimiter, self.prefix)
    }

    fn count_of(self, folder: &Folder) -> Option<u64> {
        let told = folder.standing.map(|standing| standing.messages);
        told.or_else(|| self.counts.get(&folder.name).copied())
    }

    /// Folders that may have a use which others may have as well, and of which it is not told how many messages they hold: the fuller one
    /// has it. None when all of them have their mailboxes already.
    pub fn rivals(self, folders: &[Folder], known: &HashSet<Vec<u8>>) -> Vec<Vec<u8>> {
        let paths: Vec<Vec<String>> = folders.iter().map(|folder| self.path_of(folder)).collect();
        let mut of_role: Vec<(Role, Vec<&Folder>)> = Vec::new();
        for (at, role, _) in candidates(self.choice, folders, &paths) {
            match of_role.iter_mut().find(|(known, _)| *known == role) {
                Some((_, all)) => all.push(&folders[at]),
                None => of_role.push((role, vec![&folders[at]])),
            }
        }
        let is_open = |all: &Vec<&Folder>| all.len() > 1 && all.iter().any(|folder| !known.contains(&folder.name));
        let rivals = of_role.into_iter().filter(|(_, all)| is_open(all)).flat_map(|(_, all)| all);
        rivals.filter(|folder| self.count_of(folder).is_none()).take(RIVALS).map(|folder| folder.name.clone()).collect()
    }
}

/// A folder and where it goes.
#[derive(Clone, Debug)]
pub struct Planned {
    /// At the source.
    pub folder: Folder,
    /// The levels that its mailbox has here, when it is made.
    pub path: Vec<String>,
    /// In the ledger.
    pub ledger: LedgerFolder,
}

/// Finds or makes the mailbox of each folder that holds messages and that its owner does not leave out. Those that have a use of their own
/// come first, so that they get the mailbox of that use.
pub fn plan(
    tx: &mut MailTx<'_, '_>,
    source: u64,
    namespace: Namespace<'_>,
    folders: &[Folder],
) -> Result<Vec<Planned>> {
    follow_names(tx, source, namespace, folders)?;
    let known = tx.ledger_folders(source)?;
    let mut next = known.iter().map(|folder| folder.key.folder).max().unwrap_or(0) + 1;
    let mut taken: BTreeSet<MailboxId> = known.iter().map(|folder| folder.mailbox).collect();
    // The newest row of a name counts: after UIDVALIDITY changed there is more than one.
    let mut known: BTreeMap<Vec<u8>, LedgerFolder> =
        known.into_iter().map(|folder| (folder.name.clone(), folder)).collect();
    let paths: Vec<Vec<String>> = folders.iter().map(|folder| namespace.path_of(folder)).collect();
    let roles = roles_of(namespace, folders, &paths);
    let mut planned = Vec::new();
    for at in order(folders, &roles, &paths) {
        let folder = &folders[at];
        // It is there still, under its name: it only does not come.
        if namespace.choice.leaves_out(&folder.name) {
            continue;
        }
        let ledger = match known.remove(&folder.name) {
            Some(ledger) if folder.id != 0 && ledger.id != folder.id => {
                let told = LedgerFolder { id: folder.id, ..ledger };
                tx.put_ledger_folder(&told)?;
                told
            }
            Some(ledger) => ledger,
            None => {
                let mailbox = match namespace.one {
                    Some(one) => one,
                    None => place(tx, folder, &paths[at], roles.get(&at).copied(), &taken)?,
                };
                taken.insert(mailbox);
                let key = LedgerKey { source, folder: next };
                next += 1;
                let ledger = LedgerFolder {
                    key,
                    name: folder.name.clone(),
                    mailbox,
                    uidvalidity: 0,
                    uidnext: 0,
                    modseq: 0,
                    messages: 0,
                    keeps_uids: false,
                    state: 0,
                    mark: Vec::new(),
                    id: folder.id,
                };
                tx.put_ledger_folder(&ledger)?;
                ledger
            }
        };
        planned.push(Planned { folder: folder.clone(), path: paths[at].clone(), ledger });
    }
    Ok(planned)
}

/// Gives a folder that got another name at the source this name in the ledger; and its mailbox here, as long as that is where the move has
/// put it and nothing else has the name.
fn follow_names(tx: &mut MailTx<'_, '_>, source: u64, namespace: Namespace<'_>, folders: &[Folder]) -> Result<()> {
    let known = tx.ledger_folders(source)?;
    for (folder, before) in renamed(folders, &known) {
        // Those as well that it was before UIDVALIDITY changed: else what gets its old name later would be taken for it.
        for ledger in known.iter().filter(|ledger| ledger.name == before.name) {
            tx.put_ledger_folder(&LedgerFolder { name: folder.name.clone(), ..ledger.clone() })?;
        }
        let old = namespace.path_of_name(&before.name, folder.delimiter);
        let new = namespace.path_of(folder);
        let is_where_it_was = tx.has_mailbox(before.mailbox)? && tx.path(before.mailbox)? == old;
        if namespace.one.is_none() && is_where_it_was && !new.starts_with(&old) {
            take_name(tx, before.mailbox, &new)?;
        }
    }
    Ok(())
}

/// Folders whose names nobody knows, and what they are in the ledger by their ids, from the top down. Not where the name before still
/// names that folder, or may do so.
fn renamed<'a>(folders: &'a [Folder], known: &'a [LedgerFolder]) -> Vec<(&'a Folder, &'a LedgerFolder)> {
    let names: HashSet<&[u8]> = known.iter().map(|ledger| &ledger.name[..]).collect();
    // The newest of each.
    let mut by_id: HashMap<u64, &LedgerFolder> = known.iter().map(|ledger| (ledger.id, ledger)).collect();
    let listed: HashMap<&[u8], u64> = folders.iter().map(|folder| (&folder.name[..], folder.id)).collect();
    let is_another = |ledger: &LedgerFolder| {
        let is_inbox = ledger.name.eq_ignore_ascii_case(b"INBOX");
        !is_inbox && listed.get(&ledger.name[..]).is_none_or(|id| *id != 0 && *id != ledger.id)
    };
    let new = |folder: &&Folder| folder.is_selectable() && folder.id != 0 && !names.contains(&folder.name[..]);
    let found = folders.iter().filter(new).filter_map(|folder| Some((folder, by_id.remove(&folder.id)?)));
    let mut found: Vec<_> = found.filter(|(_, ledger)| is_another(ledger)).collect();
    found.sort_by_key(|(folder, _)| folder.name.len());
    found
}

fn is_inbox(path: &[String]) -> bool {
    path.len() == 1 && path[0] == "INBOX"
}

/// The inbox, then those with a role, then the others from the top down.
fn order(folders: &[Folder], roles: &BTreeMap<usize, Role>, paths: &[Vec<String>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..folders.len()).filter(|at| folders[*at].is_selectable()).collect();
    order.sort_by_key(|at| {
        let path = &paths[*at];
        (!is_inbox(path), !roles.contains_key(at), path.len(), path)
    });
    order
}

/// Where folders that hold messages are in their list, the levels that each would have here, and what each would be for, in the order in
/// which [`plan`] finds their mailboxes.
pub fn foreseen(namespace: Namespace<'_>, folders: &[Folder]) -> Vec<(usize, Vec<String>, Option<Role>)> {
    let paths: Vec<Vec<String>> = folders.iter().map(|folder| namespace.path_of(folder)).collect();
    let roles = roles_of(namespace, folders, &paths);
    let role = |at: usize| if is_inbox(&paths[at]) { Some(Role::Inbox) } else { roles.get(&at).copied() };
    order(folders, &roles, &paths).into_iter().map(|at| (at, paths[at].clone(), role(at))).collect()
}

/// What tells the role of a folder; the later one outweighs the earlier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Name,
    Attribute,
    Choice,
}

/// The folder that gets each role: by choice before by attribute before by name, the fuller one of several.
fn roles_of(namespace: Namespace<'_>, folders: &[Folder], paths: &[Vec<String>]) -> BTreeMap<usize, Role> {
    let mut best: Vec<(Role, usize, (Told, u64))> = Vec::new();
    for (at, role, told) in candidates(namespace.choice, folders, paths) {
        let rank = (told, namespace.count_of(&folders[at]).unwrap_or(0));
        match best.iter_mut().find(|(known, ..)| *known == role) {
            Some(known) if known.2 < rank => *known = (role, at, rank),
            Some(_) => {}
            None => best.push((role, at, rank)),
        }
    }
    best.into_iter().map(|(role, at, _)| (at, role)).collect()
}

/// Folders of the user's own that come and may have a role, and what tells it.
fn candidates(choice: &Choice, folders: &[Folder], paths: &[Vec<String>]) -> impl Iterator<Item = (usize, Role, Told)> {
    let may =
        |folder: &Folder| folder.is_selectable() && folder.space == Space::Own && !choice.leaves_out(&folder.name);
    let selectable = folders.iter().zip(paths).enumerate().filter(move |(_, (folder, _))| may(folder));
    selectable.filter_map(|(at, (folder, path))| {
        if let Some(chosen) = choice.role_of(&folder.name).filter(|_| !is_inbox(path)) {
            return chosen.map(|role| (at, role, Told::Choice));
        }
        let told = role::of_attributes(&folder.attributes).map(|role| (at, role, Told::Attribute));
        let named = path.first().filter(|_| path.len() == 1).and_then(|name| role::of_name(name));
        told.or(named.map(|role| (at, role, Told::Name)))
    })
}

fn place(
    tx: &mut MailTx<'_, '_>,
    folder: &Folder,
    path: &[String],
    role: Option<Role>,
    taken: &BTreeSet<MailboxId>,
) -> Result<MailboxId> {
    let id = match role.map(|role| tx.mailbox_with_role(role)).transpose()?.flatten() {
        Some(used) if !taken.contains(&used.id) => {
            if used.total == 0 && used.uidnext == 1 {
                take_name(tx, used.id, path)?;
            }
            used.id
        }
        _ => {
            let id = at_path(tx, path, taken)?;
            if let Some(role) = role
                && tx.mailbox(id)?.role.is_none()
                && tx.mailbox_with_role(role)?.is_none()
            {
                tx.set_role(id, Some(role))?;
            }
            id
        }
    };
    let mailbox = tx.mailbox(id)?;
    if mailbox.total == 0 && mailbox.uidnext == 1 && mailbox.role != Some(Role::Inbox) {
        tx.subscribe(id, folder.subscribed)?;
    }
    Ok(id)
}

/// The mailbox of a folder that has news: made again when its owner removed it here.
pub fn again(tx: &mut MailTx<'_, '_>, ledger: &LedgerFolder, path: &[String]) -> Result<LedgerFolder> {
    if tx.has_mailbox(ledger.mailbox)? {
        return Ok(ledger.clone());
    }
    let mailbox = at_path(tx, path, &BTreeSet::new())?;
    let again = LedgerFolder { mailbox, keeps_uids: false, ..ledger.clone() };
    tx.put_ledger_folder(&again)?;
    Ok(again)
}

/// An unused mailbox of the house's own takes the name that its use has at the source, so that its owner finds it again.
fn take_name(tx: &mut MailTx<'_, '_>, id: MailboxId, path: &[String]) -> Result<()> {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    if tx.mailbox_at(&names)?.is_some() {
        return Ok(());
    }
    let Some((name, above)) = path.split_last() else { return Ok(()) };
    let parent = if above.is_empty() { None } else { Some(at_path(tx, above, &BTreeSet::new())?) };
    tx.rename_mailbox(id, parent, name)
}

/// The mailbox at a path, made with those above it; one beside it when it takes another folder already.
fn at_path(tx: &mut MailTx<'_, '_>, path: &[String], taken: &BTreeSet<MailboxId>) -> Result<MailboxId> {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    let mut parent = None;
    for depth in 1..names.len() {
        parent = Some(match tx.mailbox_at(&names[..depth])? {
            Some(mailbox) => mailbox.id,
            None => tx.create_mailbox(parent, names[depth - 1], None)?.id,
        });
    }
    let last = names.last().copied().unwrap_or("INBOX");
    for number in 1..BESIDES {
        let name = if number == 1 { last.to_owned() } else { format!("{last} ({number})") };
        let whole: Vec<&str> = names[..names.len().saturating_sub(1)].iter().copied().chain([name.as_str()]).collect();
        match tx.mailbox_at(&whole)? {
            Some(found) if taken.contains(&found.id) => {}
            Some(found) => return Ok(found.id),
            None => return Ok(tx.create_mailbox(parent, &name, None)?.id),
        }
    }
    Err(anser_base::Error::exists("too many folders of one name", "同名文件夹过多"))
}
