//! That somebody was given, or lost, a right on a mailbox of another: kept with whom it is told (RFC 9670 §3).

use std::sync::Arc;

use anser_base::pack::{put_number, take_number};
use anser_base::{AccountId, Durability, MailboxId, Result, Timestamp};

use crate::Store;
use crate::acl::{Grant, Rights, RightsAct, Subject, Who};
use crate::record::RecordKind;
use crate::tx::MailTx;

/// Notices of one account; of more the oldest go.
pub const SHARE_NOTICES: usize = 500;

/// Of these, notices about mailboxes of one owner; of more the oldest of theirs go.
pub const OF_ONE_OWNER: usize = 100;

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
    /// What somebody changed about a mailbox; the rights are still to come.
    pub fn by(
        (by, by_name, by_email): (AccountId, &str, String),
        owner: AccountId,
        mailbox: MailboxId,
        name: &str,
    ) -> Self {
        let (at, old, new) = (Timestamp(0), Rights::NONE, Rights::NONE);
        Self { at, by, by_name: by_name.to_owned(), by_email, owner, mailbox, name: name.to_owned(), old, new }
    }

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

/// What a change of an access list did.
#[derive(Clone, Debug)]
pub struct ShareChange {
    /// Of which mailbox.
    pub mailbox: MailboxId,
    /// What it is called.
    pub name: String,
    /// For whom.
    pub who: Who,
    /// Of whom it concerns, what could be done before and what can be done now.
    pub rights: Vec<(AccountId, Rights, Rights)>,
}

impl MailTx<'_, '_> {
    /// [`Self::set_acl`], and what came of it for those whom it concerns.
    pub fn share(
        &mut self,
        mailbox: MailboxId,
        line: Grant,
        act: RightsAct,
        concerned: &[Subject],
    ) -> Result<ShareChange> {
        let mut before = Vec::with_capacity(concerned.len());
        for subject in concerned {
            before.push(self.rights(mailbox, subject)?);
        }
        self.set_acl(mailbox, line, act)?;
        let mut rights = Vec::with_capacity(concerned.len());
        for (subject, old) in concerned.iter().zip(before) {
            rights.push((subject.account, old, self.rights(mailbox, subject)?));
        }
        Ok(ShareChange { mailbox, name: self.mailbox(mailbox)?.name.clone(), who: line.who, rights })
    }

    /// Tells the account of it. Who shares and unshares over and over pushes out what they told themselves, and nothing of others.
    pub fn add_share_notice(&mut self, notice: &ShareNotice) -> Result<()> {
        let all = self.share_notices()?;
        let of_owner: Vec<u64> =
            all.iter().filter(|(_, known)| known.owner == notice.owner).map(|(id, _)| *id).collect();
        let surplus = (of_owner.len() + 1).saturating_sub(OF_ONE_OWNER);
        let mut gone: Vec<u64> = of_owner.into_iter().take(surplus).collect();
        if gone.is_empty() && all.len() >= SHARE_NOTICES {
            gone.extend(all.first().map(|(id, _)| *id));
        }
        for id in gone {
            self.remove_record(RecordKind::ShareNotice, id)?;
        }
        self.add_record(RecordKind::ShareNotice, &notice.to_bytes()).map(drop)
    }

    /// What the account was told, the oldest first, with numbers as those of [`Self::records`].
    pub fn share_notices(&mut self) -> Result<Vec<(u64, ShareNotice)>> {
        let all = self.records(RecordKind::ShareNotice)?;
        Ok(all.into_iter().filter_map(|(id, bytes)| Some((id, ShareNotice::from_bytes(&bytes)?))).collect())
    }
}

impl Store {
    /// Leaves a notice with everybody who may do something else from now on (RFC 9670 §3). That it is there is no condition of the
    /// change: a failure is logged.
    pub async fn tell_of_share(&self, notice: ShareNotice, rights: Vec<(AccountId, Rights, Rights)>) {
        let notice = ShareNotice { at: self.clock.now(), ..notice };
        for (reader, old, new) in rights.into_iter().filter(|(_, old, new)| old != new) {
            let notice = Arc::new(ShareNotice { old, new, ..notice.clone() });
            let told = self.write(reader, Durability::Deferred, move |tx| tx.add_share_notice(&notice));
            if let Err(error) = told.await {
                tracing::error!(error = error.chain(), "somebody is not told of what was shared");
            }
        }
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
