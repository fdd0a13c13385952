//! The header fields that clients ask for in lists, kept apart from the message's row, so that neither a list of them opens a body nor
//! other reading passes over them. What is kept is a copy of bytes of the body: a message without it is one whose fields were too
//! long, or that was stored before fields were kept; then the body tells, and [`MailTx::keep_fields`] notes it.

use std::collections::HashSet;

use anser_base::{MessageId, Result};
use anser_db::params;
use anser_mime::header::{Select, select};
use bytes::Bytes;

use crate::bulk::{filled, list, pieces, rows};
use crate::tx::MailTx;

/// Fields whose names are among these are kept. What a client's list of messages names belongs here, unless it is long in most messages. A
/// longer list has another number in [`FORM`].
const KEPT: [&str; 44] = [
    "From",
    "To",
    "Cc",
    "Bcc",
    "Sender",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Description",
    "Content-Language",
    "Priority",
    "X-Priority",
    "X-MSMail-Priority",
    "Importance",
    "Newsgroups",
    "Followup-To",
    "Lines",
    "List-ID",
    "List-Post",
    "List-Subscribe",
    "List-Unsubscribe",
    "Mail-Followup-To",
    "Disposition-Notification-To",
    "Return-Receipt-To",
    "Auto-Submitted",
    "Chat-Version",
    "Autocrypt-Setup-Message",
    "X-Microsoft-Original-Message-ID",
    "X-Label",
    "X-Keywords",
    "X-Mozilla-Keys",
    "X-Mailer",
    "User-Agent",
    "X-Original-To",
    "X-K9mail-Identity",
    "X-Uniform-Type-Identifier",
    "X-Universally-Unique-Identifier",
    "X-Spam-Flag",
    "X-Spam-Score",
];

/// The first byte of what is kept: which list of names it was made by.
const FORM: u8 = 1;
/// Bytes that are kept of a message at most.
const LARGEST: usize = 4 * 1024;

/// Whether the fields of all these names are kept, letter case ignored.
pub fn are_kept(names: &[String]) -> bool {
    names.iter().all(|name| KEPT.iter().any(|kept| kept.eq_ignore_ascii_case(name)))
}

/// What is kept of a whole header block, its blank line included; `None` when that is too much. For [`MailTx::keep_fields`].
pub fn kept_of(block: &[u8]) -> Option<Bytes> {
    let chosen = select(block, &KEPT.map(str::as_bytes), Select::Only);
    (chosen.len() <= LARGEST).then(|| [&[FORM], &chosen[..]].concat().into())
}

/// A header block of the kept fields alone, byte for byte and in their order, with the blank line that ended the header. `None` when
/// it was made by another list of names.
pub(crate) fn block_of(kept: &[u8]) -> Option<&[u8]> {
    kept.strip_prefix(&[FORM])
}

impl MailTx<'_, '_> {
    /// Notes the fields ([`kept_of`]) of messages that have none noted; messages that are gone are left out. Each message once.
    pub fn keep_fields(&mut self, all: &[(MessageId, Bytes)]) -> Result<()> {
        self.require_writing()?;
        let mut there = HashSet::with_capacity(all.len());
        let ids: Vec<i64> = all.iter().map(|(id, _)| id.to_sql()).collect();
        for piece in filled(&ids) {
            let sql = format!("SELECT id FROM message WHERE account = ?1 AND id IN ({})", list(2, piece.len()));
            let values = self.numbers(&[], &piece);
            self.db.for_each(&sql, &values, |row| {
                there.insert(MessageId::from_sql(row.int(0)?));
                Ok(())
            })?;
        }
        let present: Vec<&(MessageId, Bytes)> = all.iter().filter(|(id, _)| there.contains(id)).collect();
        for piece in pieces(&present) {
            let sql = format!(
                "INSERT INTO header (account, message, fields) VALUES {} \
                 ON CONFLICT (account, message) DO UPDATE SET fields = excluded.fields",
                rows("?1, ", 2, piece.len(), 2)
            );
            let mut values = self.numbers(&[], &[]);
            for (id, fields) in piece {
                values.extend_from_slice(params![id.to_sql(), &fields[..]]);
            }
            self.db.execute(&sql, &values)?;
        }
        Ok(())
    }

    /// A new message's fields.
    pub(crate) fn insert_fields(&mut self, id: MessageId, fields: Option<&Bytes>) -> Result<()> {
        let Some(fields) = fields else { return Ok(()) };
        self.db.execute(
            "INSERT INTO header (account, message, fields) VALUES (?1, ?2, ?3) \
             ON CONFLICT (account, message) DO UPDATE SET fields = excluded.fields",
            params![self.account.to_sql(), id.to_sql(), &fields[..]],
        )?;
        Ok(())
    }

    /// A message's fields in the form of their column.
    pub(crate) fn fields(&mut self, id: MessageId) -> Result<Option<Bytes>> {
        self.db.query_one(
            "SELECT fields FROM header WHERE account = ?1 AND message = ?2",
            params![self.account.to_sql(), id.to_sql()],
            |row| Ok(row.blob(0)?.into()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    #[test]
    fn usual_names_are_kept_in_any_case() {
        assert!(are_kept(&names(&["FROM", "x-priority", "Message-Id"])));
        assert!(!are_kept(&names(&["FROM", "Received"])));
    }

    #[test]
    fn fields_keep_their_bytes_and_their_order() {
        let block = b"Received: x\r\nSubject : a\r\n\tb\r\nX: y\r\nfrom:c\n\r\n";
        let kept = kept_of(block).unwrap();
        assert_eq!(block_of(&kept), Some(&b"Subject : a\r\n\tb\r\nfrom:c\n\r\n"[..]));
        assert_eq!(block_of(b"\x02Subject: a\r\n"), None, "made by another list");
    }

    #[test]
    fn much_is_not_kept() {
        let long = |length: usize| format!("Subject: {}\r\n\r\n", "x".repeat(length - 13));
        assert!(kept_of(long(LARGEST).as_bytes()).is_some());
        assert!(kept_of(long(LARGEST + 1).as_bytes()).is_none());
    }
}
