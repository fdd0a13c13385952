//! Who may do what with a mailbox (RFC 4314). Rows name accounts and groups by number, so that an address that comes to mean somebody
//! else gives nothing away.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anser_base::{AccountId, Class, Error, MailboxId, Result};
use anser_db::params;

use crate::change::{Action, Change, Object};
use crate::flag::FlagAct;
use crate::model::{Flags, Keywords};
use crate::tx::MailTx;

/// Identifiers that the list of one mailbox names at most.
pub const ACL_ENTRIES: usize = 1_000;

/// A set of rights (RFC 4314 §2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rights(pub u16);

impl Rights {
    /// No right.
    pub const NONE: Rights = Rights(0);
    /// `l`: the mailbox is seen.
    pub const LOOKUP: Rights = Rights(1);
    /// `r`: SELECT, STATUS.
    pub const READ: Rights = Rights(2);
    /// `s`: changing `\Seen`.
    pub const SEEN: Rights = Rights(4);
    /// `w`: changing flags other than `\Seen` and `\Deleted`.
    pub const WRITE: Rights = Rights(8);
    /// `i`: APPEND, COPY into it.
    pub const INSERT: Rights = Rights(16);
    /// `p`: mail to its address.
    pub const POST: Rights = Rights(32);
    /// `k`: mailboxes below it.
    pub const CREATE: Rights = Rights(64);
    /// `x`: DELETE, RENAME.
    pub const DELETE_MAILBOX: Rights = Rights(128);
    /// `t`: changing `\Deleted`.
    pub const DELETE_MESSAGES: Rights = Rights(256);
    /// `e`: EXPUNGE.
    pub const EXPUNGE: Rights = Rights(512);
    /// `a`: SETACL and its kind.
    pub const ADMINISTER: Rights = Rights(1024);
    /// All of them.
    pub const ALL: Rights = Rights(2047);

    /// Letters in the order in which they are written, virtual ones (§2.1.1: `c` is `k` and `x`, `d` is `t` and `e`) last but `a`.
    const LETTERS: [(char, Rights); 13] = [
        ('l', Self::LOOKUP),
        ('r', Self::READ),
        ('s', Self::SEEN),
        ('w', Self::WRITE),
        ('i', Self::INSERT),
        ('p', Self::POST),
        ('k', Self::CREATE),
        ('x', Self::DELETE_MAILBOX),
        ('t', Self::DELETE_MESSAGES),
        ('e', Self::EXPUNGE),
        ('c', Rights(64 + 128)),
        ('d', Rights(256 + 512)),
        ('a', Self::ADMINISTER),
    ];

    /// Reads letters; the first that is none comes back as the error.
    pub fn parse(letters: &str) -> std::result::Result<Rights, char> {
        let mut rights = Self::NONE;
        for letter in letters.chars() {
            let known = Self::LETTERS.iter().find(|(known, _)| *known == letter).ok_or(letter)?;
            rights = rights.with(known.1);
        }
        Ok(rights)
    }

    /// Whether all of these are among them.
    pub fn has(self, other: Rights) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether one of these is among them.
    pub fn has_any(self, other: Rights) -> bool {
        self.0 & other.0 != 0
    }

    /// Both sets together.
    pub fn with(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }

    /// This set without the other.
    pub fn without(self, other: Rights) -> Rights {
        Rights(self.0 & !other.0)
    }

    /// The system flags that may be changed (RFC 4314 §4); keywords go with `w`.
    pub fn flags(self) -> Flags {
        let parts = [
            (Self::SEEN, Flags::SEEN),
            (Self::DELETE_MESSAGES, Flags::DELETED),
            (Self::WRITE, Flags::ALL.without(Flags::SEEN).without(Flags::DELETED)),
        ];
        parts.iter().filter(|(right, _)| self.has(*right)).fold(Flags::default(), |all, (_, flags)| all.with(*flags))
    }
}

impl fmt::Display for Rights {
    /// Letters, with each virtual one of which a member is there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = Self::LETTERS.iter().filter(|(_, right)| self.has_any(*right));
        f.write_str(&letters.map(|(letter, _)| letter).collect::<String>())
    }
}

/// Whom a line of the list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// `anyone`
    Anyone,
    /// Everybody who logged in.
    Authenticated,
    /// One account.
    Account(AccountId),
    /// The members of a group, by its number.
    Group(u64),
}

impl Who {
    /// Kind and number, as columns hold them.
    pub fn to_sql(self) -> (i64, i64) {
        match self {
            Self::Anyone => (1, 0),
            Self::Authenticated => (2, 0),
            Self::Account(id) => (3, id.to_sql()),
            Self::Group(id) => (4, id as i64),
        }
    }

    /// The inverse of [`Self::to_sql`].
    pub fn from_sql(kind: i64, id: i64) -> Option<Self> {
        Some(match kind {
            1 => Self::Anyone,
            2 => Self::Authenticated,
            3 => Self::Account(AccountId::from_sql(id)),
            4 => Self::Group(id as u64),
            _ => return None,
        })
    }
}

/// One line of a mailbox's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whom it is about.
    pub who: Who,
    /// Whether it takes rights away (RFC 4314 §2).
    pub negative: bool,
    /// Which rights.
    pub rights: Rights,
}

/// How SETACL changes a line (RFC 4314 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RightsAct {
    /// These and no others.
    Set,
    /// These as well.
    Add,
    /// These no more.
    Remove,
}

/// Somebody who asks for access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The account that logged in.
    pub account: AccountId,
    /// The groups that it is in, at any depth, sorted.
    pub groups: Arc<[u64]>,
}

impl Subject {
    /// Whether a line about `who` is about this one.
    pub fn is(&self, who: Who) -> bool {
        match who {
            Who::Anyone | Who::Authenticated => true,
            Who::Account(account) => account == self.account,
            Who::Group(group) => self.groups.binary_search(&group).is_ok(),
        }
    }
}

impl MailTx<'_, '_> {
    /// The list of a mailbox. Its owner is not in it.
    pub fn acl(&mut self, mailbox: MailboxId) -> Result<Vec<Grant>> {
        let rows = self.db.query(
            "SELECT kind, who, negative, rights FROM acl WHERE account = ?1 AND mailbox = ?2 ORDER BY kind, who, negative",
            params![self.account.to_sql(), mailbox.to_sql()],
            |row| Ok((Who::from_sql(row.int(0)?, row.int(1)?), row.bool(2)?, Rights(row.int(3)? as u16))),
        )?;
        Ok(rows.into_iter().filter_map(|(who, negative, rights)| Some(Grant { who: who?, negative, rights })).collect())
    }

    /// The lists of all mailboxes that have one.
    pub fn all_acls(&mut self) -> Result<BTreeMap<MailboxId, Vec<Grant>>> {
        let mut all: BTreeMap<MailboxId, Vec<Grant>> = BTreeMap::new();
        let sql =
            "SELECT mailbox, kind, who, negative, rights FROM acl WHERE account = ?1 ORDER BY kind, who, negative";
        self.db.for_each(sql, params![self.account.to_sql()], |row| {
            if let Some(who) = Who::from_sql(row.int(1)?, row.int(2)?) {
                let grant = Grant { who, negative: row.bool(3)?, rights: Rights(row.int(4)? as u16) };
                all.entry(MailboxId::from_sql(row.int(0)?)).or_default().push(grant);
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// What somebody may do with a mailbox: everything with one's own, else what the list gives and does not take away.
    pub fn rights(&mut self, mailbox: MailboxId, subject: &Subject) -> Result<Rights> {
        if subject.account == self.account {
            return Ok(Rights::ALL);
        }
        let mut sum = Sum::default();
        self.acl(mailbox)?.iter().filter(|grant| subject.is(grant.who)).for_each(|grant| sum.add(grant));
        Ok(sum.rights())
    }

    /// [`Self::rights`] on every mailbox on which there are any, for somebody who does not own the account.
    pub fn all_rights(&mut self, subject: &Subject) -> Result<BTreeMap<MailboxId, Rights>> {
        let mut sums: BTreeMap<MailboxId, Sum> = BTreeMap::new();
        self.db.for_each(
            "SELECT mailbox, kind, who, negative, rights FROM acl WHERE account = ?1",
            params![self.account.to_sql()],
            |row| {
                let who = Who::from_sql(row.int(1)?, row.int(2)?).filter(|who| subject.is(*who));
                if let Some(who) = who {
                    let grant = Grant { who, negative: row.bool(3)?, rights: Rights(row.int(4)? as u16) };
                    sums.entry(MailboxId::from_sql(row.int(0)?)).or_default().add(&grant);
                }
                Ok(())
            },
        )?;
        Ok(sums.into_iter().map(|(id, sum)| (id, sum.rights())).filter(|(_, rights)| *rights != Rights::NONE).collect())
    }

    /// Changes one line of a mailbox's list; a line without rights goes. `Class::Limit` beyond [`ACL_ENTRIES`].
    pub fn set_acl(&mut self, mailbox: MailboxId, line: Grant, act: RightsAct) -> Result<()> {
        self.require_writing()?;
        self.mailbox(mailbox)?;
        let list = self.acl(mailbox)?;
        let known = list.iter().find(|grant| (grant.who, grant.negative) == (line.who, line.negative));
        let before = known.map_or(Rights::NONE, |grant| grant.rights);
        let rights = match act {
            RightsAct::Set => line.rights,
            RightsAct::Add => before.with(line.rights),
            RightsAct::Remove => before.without(line.rights),
        };
        if rights == before {
            return Ok(());
        }
        if known.is_none() && list.len() >= ACL_ENTRIES {
            return Err(Error::new(Class::Limit, "the access list is full", "访问控制列表已满"));
        }
        self.write_grant(mailbox, &Grant { rights, ..line })?;
        self.access_changed(mailbox);
        Ok(())
    }

    fn write_grant(&mut self, mailbox: MailboxId, grant: &Grant) -> Result<()> {
        let (kind, who) = grant.who.to_sql();
        let key = [self.account.to_sql(), mailbox.to_sql(), kind, who, i64::from(grant.negative)];
        if grant.rights == Rights::NONE {
            let sql =
                "DELETE FROM acl WHERE account = ?1 AND mailbox = ?2 AND kind = ?3 AND who = ?4 AND negative = ?5";
            self.db.execute(sql, params![key[0], key[1], key[2], key[3], key[4]])?;
            return Ok(());
        }
        self.db.execute(
            "INSERT INTO acl (account, mailbox, kind, who, negative, rights) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT (account, mailbox, kind, who, negative) DO UPDATE SET rights = excluded.rights",
            params![key[0], key[1], key[2], key[3], key[4], i64::from(grant.rights.0)],
        )?;
        Ok(())
    }

    fn access_changed(&mut self, mailbox: MailboxId) {
        self.modseq();
        self.record(Object::Mailbox(mailbox), Action::Updated);
        self.publish(Change::AccessChanged(mailbox));
    }

    /// A new mailbox takes over the list of the one above it (RFC 4314 §4).
    pub(crate) fn inherit_acl(&mut self, parent: MailboxId, mailbox: MailboxId) -> Result<()> {
        self.db.execute(
            "INSERT INTO acl (account, mailbox, kind, who, negative, rights) \
             SELECT account, ?3, kind, who, negative, rights FROM acl WHERE account = ?1 AND mailbox = ?2",
            params![self.account.to_sql(), parent.to_sql(), mailbox.to_sql()],
        )?;
        Ok(())
    }

    /// Whether some list of the account gives something to `who`.
    pub fn gives_to(&mut self, who: Who) -> Result<bool> {
        let (kind, id) = who.to_sql();
        let sql = "SELECT 1 FROM acl WHERE account = ?1 AND kind = ?2 AND who = ?3 AND negative = 0 LIMIT 1";
        Ok(self.db.query_one(sql, params![self.account.to_sql(), kind, id], |_| Ok(()))?.is_some())
    }

    /// Takes those flags off messages that came into a mailbox by the hand of somebody who may not set them there (RFC 4314 §4, COPY
    /// and APPEND).
    pub fn limit_flags(&mut self, mailbox: MailboxId, uids: &[u32], rights: Rights) -> Result<()> {
        if !rights.has(Rights::WRITE) {
            for uid in uids {
                let Some(entry) = self.entry(mailbox, *uid)? else { continue };
                self.store_flags(mailbox, &[*uid], FlagAct::Remove, Flags::default(), &entry.keywords, None)?;
            }
        }
        let barred = Flags::ALL.without(rights.flags());
        if barred != Flags::default() {
            self.store_flags(mailbox, uids, FlagAct::Remove, barred, &Keywords::default(), None)?;
        }
        Ok(())
    }
}

/// What lines give and take away so far.
#[derive(Default)]
struct Sum {
    given: Rights,
    taken: Rights,
}

impl Sum {
    fn add(&mut self, grant: &Grant) {
        let side = if grant.negative { &mut self.taken } else { &mut self.given };
        *side = side.with(grant.rights);
    }

    fn rights(&self) -> Rights {
        self.given.without(self.taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_rights() {
        assert_eq!(Rights::parse("lrswida").map(|rights| rights.to_string()), Ok("lrswiteda".to_owned()));
        assert_eq!(Rights::parse("lk").map(|rights| rights.to_string()), Ok("lkc".to_owned()));
        assert_eq!((Rights::parse("lrQ"), Rights::parse("q")), (Err('Q'), Err('q')));
        assert_eq!(Rights::ALL.flags(), Flags::ALL);
        assert_eq!(Rights::parse("rst").map(Rights::flags), Ok(Flags::SEEN.with(Flags::DELETED)));
    }
}
