//! That somebody was given, or lost, a right on a mailbox of another: kept with whom it is told (RFC 9670 §3).

use anser_base::pack::{put_number, take_number};
use anser_base::{AccountId, MailboxId, Result, Timestamp};

use crate::acl::Rights;
use crate::record::RecordKind;
use crate::tx::MailTx;

/// Notices of one account; of more the oldest go.
pub const SHARE_NOTICES: usize = 500;

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareNotice {
    /// When it happened.
    pub at: Timestamp,
    /// Who did it, as they are called now, and their address.
    pub by: AccountId,
    /// Their name.
    pub by_name: String,
    /// Their address.
    pub by_email: String,
    /// Whose mailbox it is.
    pub owner: AccountId,
    /// Which one.
    pub mailbox: MailboxId,
    /// What it is called.
    pub name: String,
    /// What could be done with it before.
    pub old: Rights,
    /// What can be done with it now.
    pub new: Rights,
}

impl ShareNotice {
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for number in [
            self.at.0.max(0) as u64,
            self.by.0,
            self.owner.0,
            self.mailbox.0,
            u64::from(self.old.0),
            u64::from(self.new.0),
        ] {
            put_number(&mut out, number);
        }
        for text in [&self.by_name, &self.by_email, &self.name] {
            put_number(&mut out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        }
        out
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let mut numbers = [0; 6];
        for number in &mut numbers {
            *number = take_number(&mut bytes)?;
        }
        let mut texts = [const { String::new() }; 3];
        for text in &mut texts {
            let length = usize::try_from(take_number(&mut bytes)?).ok()?;
            let (own, rest) = bytes.split_at_checked(length)?;
            *text = String::from_utf8(own.to_vec()).ok()?;
            bytes = rest;
        }
        let [at, by, owner, mailbox, old, new] = numbers;
        let [by_name, by_email, name] = texts;
        Some(Self {
            at: Timestamp(i64::try_from(at).ok()?),
            by: AccountId(by),
            by_name,
            by_email,
            owner: AccountId(owner),
            mailbox: MailboxId(mailbox),
            name,
            old: Rights(u16::try_from(old).ok()?),
            new: Rights(u16::try_from(new).ok()?),
        })
    }
}

impl MailTx<'_, '_> {
    /// Tells the account of it.
    pub fn add_share_notice(&mut self, notice: &ShareNotice) -> Result<()> {
        let surplus = (self.count_records(RecordKind::ShareNotice)? + 1).saturating_sub(SHARE_NOTICES);
        if surplus > 0 {
            for (id, _) in self.records(RecordKind::ShareNotice)?.into_iter().take(surplus) {
                self.remove_record(RecordKind::ShareNotice, id)?;
            }
        }
        self.add_record(RecordKind::ShareNotice, &notice.to_bytes()).map(drop)
    }

    /// What the account was told, the oldest first, with numbers as those of [`Self::records`].
    pub fn share_notices(&mut self) -> Result<Vec<(u64, ShareNotice)>> {
        let all = self.records(RecordKind::ShareNotice)?;
        Ok(all.into_iter().filter_map(|(id, bytes)| Some((id, ShareNotice::from_bytes(&bytes)?))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_what_was_written_or_none() {
        let notice = ShareNotice {
            at: Timestamp(1_800_000_000_000),
            by: AccountId(1),
            by_name: "陈".into(),
            by_email: "chen@anser.test".into(),
            owner: AccountId(1),
            mailbox: MailboxId(7),
            name: "Work".into(),
            old: Rights::NONE,
            new: Rights::ALL,
        };
        let bytes = notice.to_bytes();
        assert_eq!(ShareNotice::from_bytes(&bytes).as_ref(), Some(&notice));
        assert!((0..bytes.len()).all(|end| ShareNotice::from_bytes(&bytes[..end]).is_none()));
    }
}
