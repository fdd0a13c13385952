//! Unique ids of POP3 (RFC 1939 §7) of messages that come after a move, in the form of the old server: if its owner goes back there, the
//! server there makes the same ids for them, and programs that leave mail on the server do not fetch it again.

use anser_base::{MailboxId, Result, words};
use anser_db::params;

use crate::tx::MailTx;

words! {
    /// How a server makes unique ids of UIDVALIDITY (`v`) and UID (`u`).
    pub enum UidlForm {
        /// Ours; Cyrus's too.
        Dotted = "v.u",
        /// Dovecot's.
        UidFirst = "%08xu%08xv",
        /// The same in capitals.
        UidFirstCapitals = "%08Xu%08Xv",
        /// UW IMAP's.
        ValidityFirst = "%08xv%08xu",
        /// Courier's.
        Named = "UIDu-v",
        /// That of Cyrus before 2.1.
        Uid = "u",
    }
}

impl UidlForm {
    /// The unique id of a message.
    pub fn id(self, uidvalidity: u32, uid: u32) -> String {
        match self {
            Self::Dotted => format!("{uidvalidity}.{uid}"),
            Self::UidFirst => format!("{uid:08x}{uidvalidity:08x}"),
            Self::UidFirstCapitals => format!("{uid:08X}{uidvalidity:08X}"),
            Self::ValidityFirst => format!("{uidvalidity:08x}{uid:08x}"),
            Self::Named => format!("UID{uid}-{uidvalidity}"),
            Self::Uid => uid.to_string(),
        }
    }

    /// The UID of the message that would have this id.
    pub fn uid(self, uidvalidity: u32, id: &str) -> Option<u32> {
        let hex = |digits: Option<&str>| digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let uid = match self {
            Self::Dotted => id.split_once('.').and_then(|(_, uid)| uid.parse().ok()),
            Self::UidFirst | Self::UidFirstCapitals => hex(id.get(..8)),
            Self::ValidityFirst => hex(id.get(8..)),
            Self::Named => id.strip_prefix("UID").and_then(|rest| rest.split_once('-')?.0.parse().ok()),
            Self::Uid => id.parse().ok(),
        };
        uid.filter(|uid| self.id(uidvalidity, *uid) == id)
    }

    /// The form that all of these ids have, each with its UID; `None` when there is none such.
    pub fn of<'a>(uidvalidity: u32, ids: impl Iterator<Item = (u32, &'a str)> + Clone) -> Option<Self> {
        ids.clone().next()?;
        let has_it = |form: &Self| ids.clone().all(|(uid, id)| form.id(uidvalidity, uid) == id);
        Self::ALL.iter().copied().find(has_it)
    }
}

impl MailTx<'_, '_> {
    /// Messages of a mailbox that come from now on get unique ids of this form, when they have none of their own. Ids that were shown stay.
    pub fn set_uidl_form(&mut self, mailbox: MailboxId, form: UidlForm) -> Result<()> {
        self.require_writing()?;
        let from = self.mailbox(mailbox)?.uidnext;
        if self.uidl_form(mailbox)?.0 == form {
            return Ok(());
        }
        let sql = "INSERT INTO uidl_form (account, mailbox, form, first_uid) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (account, mailbox) DO NOTHING";
        self.db.execute(sql, params![self.account.to_sql(), mailbox.to_sql(), form as i64, from]).map(drop)
    }

    /// The form of unique ids of a mailbox, and the UID from which on it counts; those below have [`UidlForm::Dotted`].
    pub fn uidl_form(&mut self, mailbox: MailboxId) -> Result<(UidlForm, u32)> {
        let found = self.db.query_one(
            "SELECT form, first_uid FROM uidl_form WHERE account = ?1 AND mailbox = ?2",
            params![self.account.to_sql(), mailbox.to_sql()],
            |row| Ok((UidlForm::from_number(row.int(0)?)?, row.int(1)? as u32)),
        )?;
        Ok(found.unwrap_or((UidlForm::Dotted, 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_by_their_ids() {
        for form in UidlForm::ALL {
            let ids = [1, 70, 900].map(|uid| (uid, form.id(1_700_000_000, uid)));
            let told = ids.iter().map(|(uid, id)| (*uid, id.as_str()));
            assert_eq!(UidlForm::of(1_700_000_000, told), Some(*form));
            assert!(ids.iter().all(|(uid, id)| form.uid(1_700_000_000, id) == Some(*uid)));
            assert_eq!(form.uid(7, "\u{4f60}\u{597d}-\u{4f60}."), None);
        }
        assert_eq!(UidlForm::of(7, [(1, "7.1"), (2, "x")].into_iter()), None);
        assert_eq!(UidlForm::of(7, [].into_iter()), None);
    }
}
