//! Annotations of mailboxes and of the account (RFC 5464).

use anser_base::{AccountId, Class, Error, MailboxId, Result};
use anser_db::params;

use crate::change::{Action, Change, Object};
use crate::tx::MailTx;

/// Entries of one mailbox and one owner at most.
pub const ANNOTATIONS: usize = 100;
/// Longest value, in bytes.
pub const ANNOTATION: usize = 32 * 1024;
/// Longest name of an entry, in bytes.
pub const ANNOTATION_NAME: usize = 255;

/// Where annotations of the account itself are kept.
pub const ACCOUNT_ITSELF: MailboxId = MailboxId(0);

/// An entry's name without `/private` or `/shared`, and its value.
pub type Annotation = (String, Vec<u8>);

impl MailTx<'_, '_> {
    /// The annotations of a mailbox that are private to `owner`, or shared without one, by name.
    pub fn annotations(&mut self, mailbox: MailboxId, owner: Option<AccountId>) -> Result<Vec<Annotation>> {
        self.db.query(
            "SELECT entry, value FROM annotation WHERE account = ?1 AND mailbox = ?2 AND owner = ?3 ORDER BY entry",
            params![self.account.to_sql(), mailbox.to_sql(), owner.map_or(0, AccountId::to_sql)],
            |row| Ok((row.text(0)?, row.blob(1)?)),
        )
    }

    /// Sets annotations, or removes those without a value; all or none. `Class::Limit` beyond [`ANNOTATIONS`], `Class::Invalid` for a
    /// name or value that is too long.
    pub fn annotate(
        &mut self,
        mailbox: MailboxId,
        owner: Option<AccountId>,
        entries: &[(String, Option<Vec<u8>>)],
    ) -> Result<()> {
        self.require_writing()?;
        if entries.is_empty() {
            return Ok(());
        }
        for (entry, value) in entries {
            self.write_annotation(mailbox, owner, entry, value.as_deref())?;
        }
        if self.annotations(mailbox, owner)?.len() > ANNOTATIONS {
            return Err(Error::new(Class::Limit, "the mailbox has too many annotations", "该文件夹的注释过多"));
        }
        let modseq = self.modseq();
        if mailbox != ACCOUNT_ITSELF {
            // RFC 7162 §3.2.
            self.mailbox_mut(mailbox)?.modseq = modseq;
            self.dirty.insert(mailbox);
            self.record(Object::Mailbox(mailbox), Action::Updated);
        }
        let entries = entries.iter().map(|(entry, _)| entry.clone()).collect();
        self.publish(Change::Annotated { mailbox, owner, entries });
        Ok(())
    }

    /// Gives the annotations of one mailbox, shared and private, to another that has none (RFC 5464 §4.1, RENAME of the inbox).
    pub fn copy_annotations(&mut self, from: MailboxId, to: MailboxId) -> Result<()> {
        self.require_writing()?;
        self.db.execute(
            "INSERT INTO annotation (account, mailbox, owner, entry, value) \
             SELECT account, ?3, owner, entry, value FROM annotation WHERE account = ?1 AND mailbox = ?2",
            params![self.account.to_sql(), from.to_sql(), to.to_sql()],
        )?;
        Ok(())
    }

    fn write_annotation(
        &mut self,
        mailbox: MailboxId,
        owner: Option<AccountId>,
        entry: &str,
        value: Option<&[u8]>,
    ) -> Result<()> {
        if entry.len() > ANNOTATION_NAME || value.is_some_and(|value| value.len() > ANNOTATION) {
            return Err(Error::invalid("the annotation is too long", "注释过长"));
        }
        let (account, place, owner) = (self.account.to_sql(), mailbox.to_sql(), owner.map_or(0, AccountId::to_sql));
        match value {
            Some(value) => self.db.execute(
                "INSERT INTO annotation (account, mailbox, owner, entry, value) VALUES (?1, ?2, ?3, ?4, ?5) \
                 ON CONFLICT (account, mailbox, owner, entry) DO UPDATE SET value = excluded.value",
                params![account, place, owner, entry, value],
            )?,
            None => self.db.execute(
                "DELETE FROM annotation WHERE account = ?1 AND mailbox = ?2 AND owner = ?3 AND entry = ?4",
                params![account, place, owner, entry],
            )?,
        };
        Ok(())
    }
}
