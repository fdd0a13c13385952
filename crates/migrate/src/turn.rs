//! A mailbox turns from its old server to this one, and its late mail is swept.
//!
//! ```text
//! a whole pass, sessions go on ─▶ home = turning: sessions end, logins wait ─▶ the rest, mostly nothing ─▶ unique ids of POP3
//!      ─▶ new mail is delivered here ─▶ home = here: whoever waits comes in
//! ```
//!
//! Killed anywhere, it begins again; whatever fails, the mailbox lives at the old server as before.

use std::time::Duration;

use anser_base::{AccountId, Address, Class, Durability, Result, Timestamp};
use anser_db::Place;
use anser_directory::{HopTls, NextHop, Route, RouteWay};
use anser_store::MailTx;

use crate::model::{Home, Mailbox, State};
use crate::pass::Outcome;
use crate::source::Origin;
use crate::trouble::Trouble;
use crate::work::Work;
use crate::{Inner, back, rows, uidl};

/// Late mail is looked for so often in the first days, while other servers may still remember the old MX; then less.
const SWEEPS: [(Duration, Duration); 3] =
    [(hours(48), Duration::from_secs(5 * 60)), (hours(7 * 24), hours(1)), (hours(30 * 24), hours(24))];
/// UIDs of each folder that are left to mail which comes late at the old server.
const RESERVED: u32 = 50;
/// The highest modification sequence of an old server that is believed; there is as much room above it.
const MODSEQ: u64 = 1 << 62;

const fn hours(count: u64) -> Duration {
    Duration::from_secs(count * 3600)
}

/// When late mail of a mailbox is looked for next; 0 once it is over.
pub(crate) fn next_sweep(cut: Timestamp, now: Timestamp) -> Timestamp {
    let age = now.since(cut);
    let found = SWEEPS.iter().find(|(until, _)| age < *until);
    found.map_or(Timestamp(0), |(_, pause)| now.after(*pause))
}

/// The last pass; the mailbox lives here when it is written down.
pub(crate) async fn turn(work: &Work<'_>, origin: &mut Origin) -> Result<Outcome, Trouble> {
    let Work { inner, mailbox, source, account, .. } = work;
    let mut outcome = work.one_pass(origin).await?;
    if mailbox.home != Home::Here {
        let (id, cut) = (mailbox.id, mailbox.cut);
        let turning = move |tx: &mut anser_db::Tx<'_>| {
            // Somebody took it out of the move meanwhile: nothing would bring it here again.
            let is_abandoned = rows::state(tx, id)? == Some(State::Abandoned);
            if !is_abandoned {
                rows::set_home(tx, id, Home::Turning, cut)?;
            }
            Ok(is_abandoned)
        };
        if inner.deps.db.write(Place::Moves, Durability::Sync, turning).await? {
            return Err(Trouble::Stopped);
        }
        inner.end_passages(mailbox.id).await;
        let rest = work.one_pass(origin).await?;
        outcome = Outcome { copied: outcome.copied + rest.copied, bytes: outcome.bytes + rest.bytes, ..rest };
    }
    if mailbox.cut.0 == 0 {
        reserve(inner, mailbox.id, account.id).await?;
    }
    let id = mailbox.id;
    let note = move |tx: &mut MailTx<'_, '_>| tx.note_ledger_paths(id);
    inner.deps.store.write(account.id, Durability::Sync, note).await?;
    match uidl::pair(inner, mailbox, source, account.id).await {
        Ok(_) => {}
        Err(Trouble::Stopped) => return Err(Trouble::Stopped),
        Err(trouble) => tracing::info!(login = mailbox.login, why = trouble.words(), "no unique ids of POP3"),
    }
    route_here(inner, &mailbox.address).await?;
    Ok(outcome)
}

/// Ends the reservations of a mailbox that nothing more is brought into, so that IMAP and POP3 show what is there.
pub(crate) async fn open_to_all(inner: &Inner, mailbox: &Mailbox) -> Result<()> {
    if mailbox.pass == 0 || inner.deps.directory.account(mailbox.account).await?.is_none() {
        return Ok(());
    }
    let id = mailbox.id;
    let work = move |tx: &mut MailTx<'_, '_>| {
        // Whoever keeps no UIDs reserved none; another move may fill the same mailbox.
        let mut reserved = tx.ledger_folders(id)?.into_iter().filter(|folder| folder.keeps_uids);
        reserved.try_for_each(|folder| tx.release_uids(folder.mailbox))
    };
    inner.deps.store.write(mailbox.account, Durability::Sync, work).await
}

/// UIDs that the old server may give to mail which comes late are given to no other message here, so that on the way back no UID
/// names another message than it did.
async fn reserve(inner: &Inner, id: u64, account: AccountId) -> Result<()> {
    let work = move |tx: &mut MailTx<'_, '_>| {
        for folder in tx.ledger_folders(id)?.into_iter().filter(|folder| folder.keeps_uids) {
            if tx.has_mailbox(folder.mailbox)? {
                let uidnext = tx.mailbox(folder.mailbox)?.uidnext;
                tx.raise_uidnext(folder.mailbox, uidnext.saturating_add(RESERVED))?;
            }
        }
        Ok(())
    };
    inner.deps.store.write(account, Durability::Sync, work).await
}

/// The way back; the mailbox lives there when it is written down, where sessions are passed through.
pub(crate) async fn turn_back(work: &Work<'_>, origin: &mut Origin) -> Result<Outcome, Trouble> {
    let Work { inner, mailbox, .. } = work;
    let of = inner.move_of(mailbox).await?;
    // First of all, so that nothing new comes here behind the back of what follows.
    if let Some(relay) = of.as_ref().and_then(|of| of.relay.as_deref()) {
        route_there(inner, &mailbox.address, relay).await?;
    }
    let given = back::give_back(work, origin).await;
    if matches!(given, Err(Trouble::Question(_))) && mailbox.cut.0 > 0 {
        // Its owner reads it here until somebody has said what was meant.
        route_here(inner, &mailbox.address).await?;
    }
    given
}

/// What changes here from now on is above every modification sequence that clients remember of the old server.
pub(crate) async fn stay_ahead(inner: &Inner, account: AccountId, origin: &mut Origin) -> Result<(), Trouble> {
    let folders = origin.folders().await?;
    let highest = folders.iter().filter_map(|folder| folder.standing).map(|standing| standing.modseq).max();
    let highest = highest.unwrap_or(0).min(MODSEQ);
    if highest > 0 {
        inner.deps.store.ensure(account).await?;
        let raise = move |tx: &mut MailTx<'_, '_>| tx.raise_modseq(highest);
        inner.deps.store.write(account, Durability::Sync, raise).await?;
    }
    Ok(())
}

/// New mail for an address, or what nobody here has in a domain, leads to no other server from now on.
pub(crate) async fn route_here(inner: &Inner, address: &str) -> Result<()> {
    match inner.deps.directory.remove_route(address).await {
        Err(error) if error.class == Class::NotFound => Ok(()),
        other => other,
    }
}

/// New mail for an address goes to the old server, `HOST:PORT`, from now on.
pub(crate) async fn route_there(inner: &Inner, address: &str, relay: &str) -> Result<()> {
    let (host, port) = split(relay)?;
    let hop = NextHop { host, port, tls: HopTls::Opportunistic, login: None };
    let address = Address::parse(address).map_or_else(|| address.to_owned(), |address| address.to_string());
    let route = Route { pattern: address, way: RouteWay::Host(hop), gate: None, hours: None, until: None };
    inner.deps.directory.put_route(route).await
}

/// `HOST:PORT`, or a host alone, whose port is 25. `Class::Invalid` for anything else.
pub fn split(relay: &str) -> Result<(String, u16)> {
    let wrong = || anser_base::Error::invalid("the old server's SMTP is HOST:PORT", "旧服务器的 SMTP 应为 主机:端口");
    let (host, port) = match relay.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| wrong())?),
        None => (relay, 25),
    };
    if host.is_empty() || port == 0 { Err(wrong()) } else { Ok((host.trim_matches(['[', ']']).to_owned(), port)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_mail_is_looked_for_less_and_less_and_then_no_more() {
        let cut = Timestamp::from_secs(1_800_000_000);
        let pause = |age: Duration| {
            let now = cut.after(age);
            let next = next_sweep(cut, now);
            (next.0 > 0).then(|| next.since(now))
        };
        assert_eq!(pause(Duration::ZERO), Some(Duration::from_secs(300)));
        assert_eq!(pause(hours(47)), Some(Duration::from_secs(300)));
        assert_eq!(pause(hours(49)), Some(hours(1)));
        assert_eq!(pause(hours(8 * 24)), Some(hours(24)));
        assert_eq!(pause(hours(31 * 24)), None);
    }

    #[test]
    fn a_relay_is_a_host_and_a_port() {
        assert_eq!(split("old.test:2525").unwrap(), ("old.test".into(), 2525));
        assert_eq!(split("old.test").unwrap(), ("old.test".into(), 25));
        assert_eq!(split("[::1]:26").unwrap(), ("::1".into(), 26));
        assert!(split(":25").is_err() && split("x:y").is_err() && split("x:0").is_err());
    }
}
