//! Old addresses that a move made here: which, so that whoever leaves the move takes these along, and nothing that somebody else made.

use std::collections::HashSet;

use anser_base::{AccountId, Address, Result};
use anser_db::{Tx, params};

use crate::Migrate;
use crate::model::{Mailbox, State};
use crate::rows;
use crate::run::unknown;
use crate::which::Which;

/// What a move made of an old address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// An alias of the account here.
    pub alias: bool,
    /// An identity of the account.
    pub identity: bool,
}

/// An old address that a move made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldAddress {
    /// The number of its mailbox.
    pub mailbox: u64,
    /// The account here.
    pub account: AccountId,
    /// The address here.
    pub address: String,
    /// The old one.
    pub old: String,
    /// What was made.
    pub made: Made,
}

/// Mailboxes that leave a move, or that nothing of a move is to be left of.
#[derive(Clone, Debug, Default)]
pub struct Leaving {
    /// Their old addresses that the move made.
    pub old: Vec<OldAddress>,
    mailboxes: HashSet<u64>,
}

impl Migrate {
    /// Notes what was made of the old address of a login; what was noted before stays noted. `Class::NotFound`.
    pub async fn note_old_address(&self, name: &str, login: (&str, &str), old: &Address, made: Made) -> Result<()> {
        let (of, old) = (self.named(name).await?.id, old.to_string());
        let (source, login) = (login.0.to_owned(), login.1.to_owned());
        self.write(move |tx| {
            let found = rows::sources(tx, of)?.into_iter().find(|one| one.name == source);
            let found = found.ok_or_else(|| unknown("source"))?;
            let mailbox = rows::mailbox_of_login(tx, found.id, &login)?.ok_or_else(|| unknown("mailbox"))?;
            put(tx, mailbox.id, &old, made)
        })
        .await
    }

    /// The mailboxes that are meant, as they leave.
    pub async fn leaving(&self, name: &str, which: &Which) -> Result<Leaving> {
        let of = self.named(name).await?.id;
        let all = self.those(of, which).await?;
        let mailboxes: HashSet<u64> = all.iter().map(|mailbox| mailbox.id).collect();
        let mut old = Vec::new();
        for page in all.chunks(rows::PROOFS) {
            let page = page.to_vec();
            old.extend(self.read(move |tx| of_those(tx, &page)).await?);
        }
        Ok(Leaving { old, mailboxes })
    }

    /// Whether the mailbox is cut over in this moment: its mail comes here alone then, to the old address too.
    pub async fn is_here(&self, one: &OldAddress) -> Result<bool> {
        let account = one.account;
        let all = self.read(move |tx| rows::mailboxes_of(tx, account)).await?;
        Ok(all.iter().any(|mailbox| mailbox.id == one.mailbox && mailbox.cut.0 > 0))
    }

    /// Another mailbox of the account, in whatever move of the organisation, that does not leave and has the same old address. It gets what
    /// is noted of it, unless that is only rehearsed; whether there is one.
    pub async fn hand_on(&self, one: &OldAddress, leaving: &Leaving, dry_run: bool) -> Result<bool> {
        let (account, old) = (one.account, one.old.clone());
        let others = self.read(move |tx| rows::moving_of(tx, account)).await?;
        let is_heir = |other: &&Mailbox| {
            let stays = other.state != State::Abandoned && !leaving.mailboxes.contains(&other.id);
            stays && is_of(&other.login, &old)
        };
        let Some(heir) = others.iter().find(is_heir).map(|heir| heir.id) else { return Ok(false) };
        if !dry_run {
            let one = one.clone();
            self.write(move |tx| {
                put(tx, heir, &one.old, one.made)?;
                forget(tx, &one)
            })
            .await?;
        }
        Ok(true)
    }

    /// It is there no more.
    pub async fn forget_old_address(&self, one: &OldAddress) -> Result<()> {
        let one = one.clone();
        self.write(move |tx| forget(tx, &one)).await
    }
}

/// Whether an address is the old one of a login; of one without a domain, any of that name.
fn is_of(login: &str, old: &str) -> bool {
    let name = if login.contains('@') { old } else { old.rsplit_once('@').map_or(old, |(name, _)| name) };
    name.eq_ignore_ascii_case(login)
}

fn put(tx: &mut Tx<'_>, mailbox: u64, old: &str, made: Made) -> Result<()> {
    let sql = "INSERT INTO mov_old_addresses (mailbox, address, alias, identity) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (mailbox, address) DO UPDATE SET alias = CASE WHEN excluded.alias > 0 THEN 1 ELSE mov_old_addresses.alias END, \
               identity = CASE WHEN excluded.identity > 0 THEN 1 ELSE mov_old_addresses.identity END";
    let (alias, identity) = (i64::from(made.alias), i64::from(made.identity));
    tx.execute(sql, params![mailbox as i64, old, alias, identity]).map(drop)
}

fn forget(tx: &mut Tx<'_>, one: &OldAddress) -> Result<()> {
    let sql = "DELETE FROM mov_old_addresses WHERE mailbox = ?1 AND address = ?2";
    tx.execute(sql, params![one.mailbox as i64, &one.old]).map(drop)
}

fn of_those(tx: &mut Tx<'_>, all: &[Mailbox]) -> Result<Vec<OldAddress>> {
    let sql = "SELECT address, alias, identity FROM mov_old_addresses WHERE mailbox = ?1 ORDER BY address";
    let mut found = Vec::new();
    for mailbox in all {
        found.extend(tx.query(sql, params![mailbox.id as i64], |row| {
            Ok(OldAddress {
                mailbox: mailbox.id,
                account: mailbox.account,
                address: mailbox.address.clone(),
                old: row.text(0)?,
                made: Made { alias: row.int(1)? > 0, identity: row.int(2)? > 0 },
            })
        })?);
    }
    Ok(found)
}
