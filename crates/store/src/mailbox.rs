//! The mailbox tree: create, rename, move, delete, subscribe, roles.

use anser_base::{Class, Error, MailboxId, Result, limits};
use anser_db::params;

use crate::change::{Action, Change, Object};
use crate::model::{Mailbox, Role};
use crate::names;
use crate::tx::{MailTx, SELECT_MAILBOX, read_mailbox, write_mailbox};

/// Mailboxes of one account at most.
pub const MAILBOXES: usize = 20_000;

impl MailTx<'_, '_> {
    /// Makes the mailboxes that every account starts with.
    pub(crate) fn furnish(&mut self) -> Result<()> {
        for (role, name) in names::FIRST {
            self.insert_mailbox(None, name, Some(role), true)?;
        }
        Ok(())
    }

    /// The mailbox at this path, `INBOX` in any case first.
    pub fn mailbox_at(&mut self, path: &[&str]) -> Result<Option<Mailbox>> {
        let mut at: Option<Mailbox> = None;
        for (level, name) in path.iter().enumerate() {
            let name = if level == 0 && is_inbox(name) { "INBOX" } else { name };
            match self.child(at.map(|mailbox| mailbox.id), name)? {
                Some(mailbox) => at = Some(mailbox),
                None => return Ok(None),
            }
        }
        Ok(at)
    }

    /// The mailbox of this name below a parent: as this transaction left it, or as it is stored.
    fn child(&mut self, parent: Option<MailboxId>, name: &str) -> Result<Option<Mailbox>> {
        let known = self.mailboxes.values().find(|mailbox| mailbox.parent == parent && mailbox.name == name);
        if known.is_some() || self.all_loaded {
            return Ok(known.cloned());
        }
        let found = self.db.query_one(
            &format!("{SELECT_MAILBOX} WHERE account = ?1 AND parent = ?2 AND name = ?3"),
            params![self.account.to_sql(), parent.map_or(0, MailboxId::to_sql), name],
            read_mailbox,
        )?;
        Ok(self.take_in(found))
    }

    /// Keeps a row that was found by what it is stored with; `None` when it was loaded before, since then this transaction gave it
    /// something else, or it would have been found without the tables.
    fn take_in(&mut self, found: Option<Mailbox>) -> Option<Mailbox> {
        let mailbox = found.filter(|mailbox| !self.mailboxes.contains_key(&mailbox.id))?;
        self.mailboxes.insert(mailbox.id, mailbox.clone());
        Some(mailbox)
    }

    /// The names from the top down to this mailbox.
    pub fn path(&mut self, id: MailboxId) -> Result<Vec<String>> {
        let mut path = Vec::new();
        let mut next = Some(id);
        while let Some(id) = next {
            let mailbox = self.mailbox(id)?;
            path.push(mailbox.name.clone());
            next = mailbox.parent.filter(|_| path.len() < limits::MAILBOX_DEPTH);
        }
        path.reverse();
        Ok(path)
    }

    /// The mailbox with this role.
    pub fn mailbox_with_role(&mut self, role: Role) -> Result<Option<Mailbox>> {
        let known = self.mailboxes.values().find(|mailbox| mailbox.role == Some(role));
        if known.is_some() || self.all_loaded {
            return Ok(known.cloned());
        }
        let found = self.db.query_one(
            &format!("{SELECT_MAILBOX} WHERE account = ?1 AND role = ?2"),
            params![self.account.to_sql(), role.as_str()],
            read_mailbox,
        )?;
        Ok(self.take_in(found))
    }

    /// The inbox.
    pub fn inbox(&mut self) -> Result<Mailbox> {
        self.mailbox_with_role(Role::Inbox)?.ok_or_else(|| Error::damaged("the account has no inbox"))
    }

    /// Makes a mailbox below `parent`. `Class::Exists` when the name is taken, `Class::Invalid` for a name or a depth that is not
    /// allowed, `Class::Limit` when the account has too many. A role that another mailbox has is refused as `Class::Exists`;
    /// without one, a name that clients are known to use for a role takes that role if it is free. A name that is still subscribed
    /// to is so again.
    pub fn create_mailbox(&mut self, parent: Option<MailboxId>, name: &str, role: Option<Role>) -> Result<Mailbox> {
        self.require_writing()?;
        check_name(name, parent)?;
        self.check_free(parent, name, None)?;
        self.check_depth(parent, 1)?;
        if self.mailbox_count()? >= MAILBOXES {
            return Err(Error::new(Class::Limit, "too many mailboxes", "文件夹数量过多"));
        }
        if let Some(role) = role {
            self.check_role_free(role)?;
        }
        let guessed = match names::role_of(name).filter(|_| parent.is_none()) {
            Some(role) if self.mailbox_with_role(role)?.is_none() => Some(role),
            _ => None,
        };
        let above = parent.map(|parent| self.path(parent)).transpose()?.unwrap_or_default();
        let path: Vec<&str> = above.iter().map(String::as_str).chain([name]).collect();
        let subscribed = self.forget_subscription(&path.join("/"))?;
        let made = self.insert_mailbox(parent, name, role.or(guessed), subscribed)?;
        if let Some(parent) = parent {
            self.inherit_acl(parent, made.id)?;
        }
        Ok(made)
    }

    /// Mailboxes of the account; those made or removed by this transaction are written at once.
    fn mailbox_count(&mut self) -> Result<usize> {
        let counted = self.db.query_one(
            "SELECT count(*) FROM mailbox WHERE account = ?1",
            params![self.account.to_sql()],
            |row| row.int(0),
        )?;
        Ok(counted.map_or(0, |count| usize::try_from(count).unwrap_or(usize::MAX)))
    }

    fn check_role_free(&mut self, role: Role) -> Result<()> {
        match self.mailbox_with_role(role)? {
            Some(_) => Err(Error::exists("another mailbox has this use", "已有其他文件夹担任此用途")),
            None => Ok(()),
        }
    }

    fn insert_mailbox(
        &mut self,
        parent: Option<MailboxId>,
        name: &str,
        role: Option<Role>,
        subscribed: bool,
    ) -> Result<Mailbox> {
        let modseq = self.modseq();
        let mailbox = Mailbox {
            id: MailboxId(self.next_id()),
            parent,
            name: name.to_owned(),
            role,
            subscribed,
            uidvalidity: self.next_uidvalidity(),
            uidnext: 1,
            modseq,
            total: 0,
            unseen: 0,
            deleted: 0,
            size: 0,
            recent_from: 1,
            reserved: (0, 0),
        };
        write_mailbox(self.db, self.account, &mailbox)?;
        self.mailboxes.insert(mailbox.id, mailbox.clone());
        self.record(Object::Mailbox(mailbox.id), Action::Created);
        self.publish(Change::MailboxCreated(mailbox.id));
        Ok(mailbox)
    }

    /// Gives a mailbox another name or parent or both; what is below it moves along, UIDs and UIDVALIDITY stay. The inbox cannot
    /// be renamed (RFC 9051 §6.3.6 is the door's to play).
    pub fn rename_mailbox(&mut self, id: MailboxId, parent: Option<MailboxId>, name: &str) -> Result<()> {
        self.require_writing()?;
        self.load_all()?;
        if self.mailbox(id)?.role == Some(Role::Inbox) {
            return Err(Error::new(Class::Forbidden, "the inbox cannot be renamed", "收件箱不能改名"));
        }
        check_name(name, parent)?;
        self.check_free(parent, name, Some(id))?;
        if parent.is_some_and(|parent| parent == id || self.is_below(parent, id)) {
            return Err(Error::invalid("a mailbox cannot be moved below itself", "文件夹不能移到自身之下"));
        }
        let height = self.height(id);
        self.check_depth(parent, height)?;
        let mailbox = self.mailbox_mut(id)?;
        mailbox.parent = parent;
        name.clone_into(&mut mailbox.name);
        let renamed = mailbox.clone();
        self.mailbox_changed(id);
        // Written now, since another one may take the old name before the transaction ends.
        write_mailbox(self.db, self.account, &renamed)
    }

    /// Subscribes or unsubscribes.
    pub fn subscribe(&mut self, id: MailboxId, subscribed: bool) -> Result<()> {
        self.require_writing()?;
        let mailbox = self.mailbox_mut(id)?;
        if mailbox.subscribed != subscribed {
            mailbox.subscribed = subscribed;
            self.mailbox_changed(id);
        }
        Ok(())
    }

    /// Gives a mailbox a role, or takes it away. The role must be free; the inbox keeps its own.
    pub fn set_role(&mut self, id: MailboxId, role: Option<Role>) -> Result<()> {
        self.require_writing()?;
        let current = self.mailbox(id)?.role;
        if current == role {
            return Ok(());
        }
        // The inbox keeps its own.
        for taken in [current.filter(|role| *role == Role::Inbox), role].into_iter().flatten() {
            self.check_role_free(taken)?;
        }
        self.mailbox_mut(id)?.role = role;
        self.mailbox_changed(id);
        Ok(())
    }

    /// Removes a mailbox with all its messages. The inbox and a mailbox with others below it are refused.
    pub fn delete_mailbox(&mut self, id: MailboxId) -> Result<()> {
        self.require_writing()?;
        self.load_all()?;
        if self.mailbox(id)?.role == Some(Role::Inbox) {
            return Err(Error::new(Class::Forbidden, "the inbox cannot be deleted", "收件箱不能删除"));
        }
        if self.mailboxes.values().any(|mailbox| mailbox.parent == Some(id)) {
            return Err(Error::new(Class::Forbidden, "the mailbox has mailboxes below it", "该文件夹下还有子文件夹"));
        }
        self.expunge_all(id)?;
        self.modseq();
        for sql in [
            "DELETE FROM block WHERE account = ?1 AND mailbox = ?2",
            "DELETE FROM vanished WHERE account = ?1 AND mailbox = ?2",
            "DELETE FROM acl WHERE account = ?1 AND mailbox = ?2",
            "DELETE FROM annotation WHERE account = ?1 AND mailbox = ?2",
            "DELETE FROM uidl_form WHERE account = ?1 AND mailbox = ?2",
            "DELETE FROM mailbox WHERE account = ?1 AND id = ?2",
        ] {
            self.db.execute(sql, params![self.account.to_sql(), id.to_sql()])?;
        }
        self.mailboxes.remove(&id);
        self.dirty.remove(&id);
        self.record(Object::Mailbox(id), Action::Destroyed);
        self.publish(Change::MailboxRemoved(id));
        Ok(())
    }

    /// Announces `\Recent` (RFC 3501 §2.3.2): returns the first UID that no session was told of, and marks all as told.
    pub fn claim_recent(&mut self, id: MailboxId) -> Result<u32> {
        self.require_writing()?;
        let mailbox = self.mailbox_mut(id)?;
        let from = mailbox.recent_from;
        if from < mailbox.uidnext {
            mailbox.recent_from = mailbox.uidnext;
            let uidnext = mailbox.uidnext;
            self.db.execute(
                "UPDATE mailbox SET recent_from = ?3 WHERE account = ?1 AND id = ?2",
                params![self.account.to_sql(), id.to_sql(), uidnext],
            )?;
        }
        Ok(from)
    }

    pub(crate) fn mailbox_changed(&mut self, id: MailboxId) {
        self.modseq();
        self.dirty.insert(id);
        self.record(Object::Mailbox(id), Action::Updated);
        self.publish(Change::MailboxUpdated(id));
    }

    /// The name of the inbox is refused before, in any case.
    fn check_free(&mut self, parent: Option<MailboxId>, name: &str, besides: Option<MailboxId>) -> Result<()> {
        match self.child(parent, name)?.filter(|mailbox| Some(mailbox.id) != besides) {
            Some(_) => Err(Error::exists("a mailbox of this name exists", "已有同名文件夹")),
            None => Ok(()),
        }
    }

    fn check_depth(&mut self, parent: Option<MailboxId>, height: usize) -> Result<()> {
        // All above it are loaded.
        if let Some(parent) = parent {
            self.path(parent)?;
        }
        match self.ancestors(parent).len() + height > limits::MAILBOX_DEPTH {
            true => Err(Error::invalid("mailboxes are nested too deep", "文件夹层级过深")),
            false => Ok(()),
        }
    }

    fn ancestors(&self, from: Option<MailboxId>) -> Vec<MailboxId> {
        let mut found = Vec::new();
        let mut next = from;
        while let Some(id) = next.filter(|_| found.len() <= limits::MAILBOX_DEPTH) {
            found.push(id);
            next = self.mailboxes.get(&id).and_then(|mailbox| mailbox.parent);
        }
        found
    }

    fn is_below(&self, id: MailboxId, above: MailboxId) -> bool {
        self.ancestors(Some(id)).contains(&above)
    }

    /// Levels of the tree that starts at this mailbox.
    fn height(&self, top: MailboxId) -> usize {
        let depth = self.ancestors(Some(top)).len();
        let below = self.mailboxes.keys().map(|id| self.ancestors(Some(*id))).filter(|above| above.contains(&top));
        below.map(|above| above.len() + 1 - depth).max().unwrap_or(1)
    }
}

fn is_inbox(name: &str) -> bool {
    name.eq_ignore_ascii_case("INBOX")
}

fn check_name(name: &str, parent: Option<MailboxId>) -> Result<()> {
    let fits = (1..=limits::MAILBOX_NAME).contains(&name.len());
    if !fits || name.contains('/') || name.chars().any(char::is_control) {
        return Err(Error::invalid("this is no name for a mailbox", "文件夹名称无效"));
    }
    if parent.is_none() && is_inbox(name) {
        return Err(Error::exists("a mailbox of this name exists", "已有同名文件夹"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use anser_base::{AccountId, Clock, Durability, Timestamp};
    use anser_db::Schemas;
    use anser_testkit::engines::{NO_SCHEMAS, each_engine};

    use super::*;
    use crate::{Deps, SCHEMA, SEARCH_SCHEMA, Store};

    const ANN: AccountId = AccountId(7);
    const MANY: usize = 10_000;
    /// Made in one transaction.
    const AT_ONCE: usize = 500;

    /// However many there are, a name is made, found and delivered to by the rows that it needs.
    #[test]
    fn among_ten_thousand_mailboxes_one_is_found_without_the_others() {
        let schemas = Schemas { account: SCHEMA, search: SEARCH_SCHEMA, ..NO_SCHEMAS };
        each_engine(schemas, |world| {
            let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
            let store = Store::new(Deps { db: world.open(), blobs: world.blobs(), clock });
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                store.ensure(ANN).await.unwrap();
                for start in (0..MANY).step_by(AT_ONCE) {
                    let make = move |tx: &mut MailTx<'_, '_>| {
                        let top = tx.create_mailbox(None, &format!("top {start}"), None)?.id;
                        (1..AT_ONCE).try_for_each(|at| tx.create_mailbox(Some(top), &format!("{at}"), None).map(drop))
                    };
                    store.write(ANN, Durability::Deferred, make).await.unwrap();
                }
                let one = |tx: &mut MailTx<'_, '_>| {
                    let top = tx.mailbox_at(&["top 500"])?.map(|mailbox| mailbox.id);
                    tx.create_mailbox(top, "another", None)?;
                    assert!(tx.create_mailbox(top, "7", None).is_err_and(|error| error.class == Class::Exists));
                    assert!(tx.create_mailbox(None, "Sent", None).is_err_and(|error| error.class == Class::Exists));
                    assert_eq!(tx.inbox()?.name, "INBOX");
                    assert!(tx.mailboxes.len() < 10, "{} rows", tx.mailboxes.len());
                    Ok(())
                };
                store.write(ANN, Durability::Deferred, one).await.unwrap();
            });
        });
    }
}
