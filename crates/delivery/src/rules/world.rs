//! What scripts may ask of the house: mailboxes and their annotations, messages seen before, lists of people.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

use anser_base::{Address, BlobId, MailboxId};
use anser_directory::{Account, Directory, Resolution};
use anser_sieve::{Program, World};
use anser_store::{ACCOUNT_ITSELF, Key, MailTx, Mailbox, Role, Store};
use tokio::runtime::Handle;

/// The list of everybody who has an address here (RFC 6134 §2.6: the user's default address book).
pub(super) const EVERYBODY: &str = "urn:ietf:params:sieve:addrbook:default";

/// The scripts that others include: whether global, and their names.
pub(super) type Included = HashMap<(bool, String), Arc<Program>>;

/// Answers from the store and the directory. Lives on a thread that may block.
pub(super) struct House<'a> {
    pub store: &'a Store,
    pub directory: &'a Directory,
    pub account: &'a Account,
    pub included: Included,
    pub runtime: Handle,
    pub mailboxes: OnceCell<Vec<(String, Mailbox)>>,
}

impl House<'_> {
    fn read<R: Send + 'static>(
        &self,
        work: impl FnMut(&mut MailTx<'_, '_>) -> anser_base::Result<R> + Send + 'static,
    ) -> Option<R> {
        let found = self.runtime.block_on(self.store.read(self.account.id, work));
        found.inspect_err(|error| tracing::warn!(error = error.chain(), "a rule's question has no answer")).ok()
    }

    fn mailboxes(&self) -> &[(String, Mailbox)] {
        self.mailboxes.get_or_init(|| self.read(named_mailboxes).unwrap_or_default())
    }

    fn by_name(&self, name: &str) -> Option<&Mailbox> {
        let name = canonical(name);
        self.mailboxes().iter().find(|(path, _)| *path == name).map(|(_, mailbox)| mailbox)
    }

    /// An annotation by its whole name, `/private` or `/shared` in front.
    fn annotation(&self, mailbox: Option<&str>, entry: &str) -> Option<String> {
        let (entry, is_private) = match entry.split_at_checked("/private".len()) {
            Some((head, rest)) if head.eq_ignore_ascii_case("/private") => (rest, true),
            _ => (entry.get("/shared".len()..).filter(|_| entry.to_ascii_lowercase().starts_with("/shared"))?, false),
        };
        let place = match mailbox {
            Some(name) => self.by_name(name)?.id,
            None if is_private => ACCOUNT_ITSELF,
            None => return self.of_server(entry),
        };
        let owner = is_private.then_some(self.account.id);
        let entry = entry.to_lowercase();
        let found = self.read(move |tx| tx.annotations(place, owner))?;
        found.into_iter().find(|(name, _)| *name == entry).and_then(|(_, value)| String::from_utf8(value).ok())
    }

    fn of_server(&self, entry: &str) -> Option<String> {
        let found = self.runtime.block_on(self.directory.annotations(self.account.tenant)).ok()?;
        found
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(entry))
            .and_then(|(_, v)| String::from_utf8(v).ok())
    }
}

impl World for House<'_> {
    fn mailbox_exists(&self, name: &str) -> bool {
        self.by_name(name).is_some()
    }

    fn mailbox_id_exists(&self, id: &str) -> bool {
        object_id(id).is_some_and(|id| self.mailboxes().iter().any(|(_, mailbox)| mailbox.id == id))
    }

    fn special_use_exists(&self, mailbox: Option<&str>, special_use: &str) -> bool {
        let Some(role) = role_named(special_use) else { return false };
        match mailbox {
            Some(name) => self.by_name(name).is_some_and(|mailbox| mailbox.role == Some(role)),
            None => self.mailboxes().iter().any(|(_, mailbox)| mailbox.role == Some(role)),
        }
    }

    fn metadata(&self, mailbox: Option<&str>, entry: &str) -> Option<String> {
        self.annotation(mailbox, entry)
    }

    fn is_duplicate(&self, handle: &str, id: &str) -> bool {
        let key = duplicate_key(handle, id);
        self.read(move |tx| tx.is_remembered(&key)).unwrap_or_default()
    }

    fn list_exists(&self, list: &str) -> bool {
        list == EVERYBODY || self.runtime.block_on(group(self.directory, self.account, list)).is_some()
    }

    fn list_contains(&self, list: &str, value: &str) -> bool {
        let Some(address) = Address::parse(value) else { return false };
        if list == EVERYBODY {
            let found = self.runtime.block_on(self.directory.resolve(&address));
            return found.is_ok_and(|found| matches!(found, Resolution::Account(_) | Resolution::Group(_)));
        }
        let members = self.runtime.block_on(group(self.directory, self.account, list)).unwrap_or_default();
        members.iter().any(|member| member.key() == address.key())
    }

    fn script(&self, is_global: bool, name: &str) -> Option<Arc<Program>> {
        self.included.get(&(is_global, name.to_owned())).cloned()
    }
}

/// The members of a group of the house that a list's name means: its address, alone or as `mailto:`.
pub(super) async fn group(directory: &Directory, near: &Account, list: &str) -> Option<Vec<Address>> {
    let address = Address::parse(list.strip_prefix("mailto:").unwrap_or(list))?;
    let found = directory.resolve(&address).await.ok()?;
    let Resolution::Group(group) = found else { return None };
    let own = group.accounts.iter().filter(|account| account.tenant == near.tenant);
    Some(own.map(|account| account.address.clone()).chain(group.outside.iter().cloned()).collect())
}

/// Every mailbox with its path.
fn named_mailboxes(tx: &mut MailTx<'_, '_>) -> anser_base::Result<Vec<(String, Mailbox)>> {
    let all = tx.mailboxes()?;
    all.into_iter().map(|mailbox| Ok((tx.path(mailbox.id)?.join("/"), mailbox))).collect()
}

/// A mailbox's path as it is stored: `INBOX` in capitals.
pub(super) fn canonical(name: &str) -> String {
    match name.split_at_checked("INBOX".len()) {
        Some((head, rest)) if head.eq_ignore_ascii_case("INBOX") && (rest.is_empty() || rest.starts_with('/')) => {
            format!("INBOX{rest}")
        }
        _ => name.to_owned(),
    }
}

/// The mailbox that an object id (RFC 8474 §4.1) names, as the IMAP door writes it.
pub(super) fn object_id(id: &str) -> Option<MailboxId> {
    id.strip_prefix('F').and_then(|number| number.parse().ok()).map(MailboxId)
}

/// The role of a special-use attribute (RFC 6154), backslash and all.
pub(super) fn role_named(special_use: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.attribute().is_some_and(|known| known.eq_ignore_ascii_case(special_use)))
}

/// What a message that `duplicate` saw is remembered by.
pub(super) fn duplicate_key(handle: &str, id: &str) -> Key {
    key(&["duplicate", handle, id])
}

/// A hash of words, in which no two lists of words are the same.
pub(super) fn key(words: &[&str]) -> Key {
    let joined: String = words.iter().map(|word| format!("{}:{word}", word.len())).collect();
    BlobId::of(joined.as_bytes()).0
}
