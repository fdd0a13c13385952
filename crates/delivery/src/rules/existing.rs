//! Scripts over mail that is stored: a dry run, and doing what they say.
//!
//! What is done to stored mail is what can be done twice without harm: filing, copies as further places of the same message, flags,
//! and `discard` as a move into the trash. Nothing is sent.

use std::time::Duration;

use anser_base::{AccountId, Durability, Error, MailboxId, Result, Timestamp};
use anser_directory::Account;
use anser_mime::header;
use anser_sieve::{Action, FileInto, Origin, Outcome, RedirectTo};
use anser_store::{FlagAct, Flags, Keywords, Listing, MailTx, Message, Role};
use bytes::Bytes;
use tokio::time::Instant;

use super::apply::find_mailbox;
use super::{Given, Rules};

/// Messages that one review looks at, at most.
pub const REVIEWED: usize = 10_000;
/// Largest message that a review looks at, in bytes.
const MESSAGE: u64 = 64 << 20;

/// What to review.
#[derive(Clone, Debug)]
pub struct Review {
    /// The mailbox, from the top down.
    pub folder: Vec<String>,
    /// The newest so many messages of it, at most [`REVIEWED`].
    pub last: usize,
    /// A script that runs alone; the account's own ones otherwise.
    pub trial: Option<Vec<u8>>,
    /// Do what the scripts say, as far as it can be done to stored mail.
    pub apply: bool,
    /// How long it may take; what is not looked at by then is left out.
    pub time: Duration,
}

/// One message that rules would do something with, or did.
#[derive(Clone, Debug)]
pub struct Reviewed {
    /// Its UID before anything was done.
    pub uid: u32,
    /// When it came.
    pub received: Timestamp,
    /// What is known of it.
    pub listing: Listing,
    /// What rules say: what, and by which line.
    pub acts: Vec<(String, Origin)>,
}

/// What came of a review.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Messages looked at.
    pub looked: u64,
    /// Those that rules touch, newest first.
    pub touched: Vec<Reviewed>,
    /// The time was over, or a message too large, before all were looked at.
    pub partial: bool,
}

impl Rules {
    /// Runs scripts over the newest messages of a mailbox, newest first. `Class::NotFound` without such a mailbox. With `apply` each
    /// message is one transaction, so that a review that is cut off can be started again.
    pub async fn review(&self, account: &Account, review: &Review) -> Result<Findings> {
        let store = &self.deps.store;
        store.ensure(account.id).await?;
        let path = review.folder.clone();
        let found =
            store.read(account.id, move |tx| tx.mailbox_at(&path.iter().map(String::as_str).collect::<Vec<_>>()));
        let mailbox = found.await?.ok_or_else(|| Error::not_found("no such mailbox", "没有此文件夹"))?.id;
        let snapshot = store.snapshot(account.id, mailbox).await?;
        let until = Instant::now() + review.time;
        let mut findings = Findings::default();
        for entry in snapshot.iter().rev().take(review.last.min(REVIEWED)) {
            if Instant::now() >= until {
                findings.partial = true;
                break;
            }
            let id = entry.message;
            let Some(message) = store.read(account.id, move |tx| tx.message(id)).await? else { continue };
            if message.size() > MESSAGE {
                findings.partial = true;
                continue;
            }
            let outcome = self.rehearse_stored(account, &message, review).await?;
            findings.looked += 1;
            let acts = acts_of(&outcome);
            if acts.is_empty() {
                continue;
            }
            if review.apply {
                self.apply_stored(account.id, mailbox, entry.uid, outcome).await?;
            }
            let (uid, received) = (entry.uid, entry.received);
            findings.touched.push(Reviewed { uid, received, listing: Listing::of(&message), acts });
        }
        Ok(findings)
    }

    async fn rehearse_stored(&self, account: &Account, message: &Message, review: &Review) -> Result<Outcome> {
        let (store, tenant, row) = (self.deps.store.clone(), account.tenant, message.clone());
        let load = tokio::task::spawn_blocking(move || store.load(tenant, &row));
        let raw: Bytes = load.await.map_err(Error::unavailable)??;
        let value = |name: &str| {
            let value = header::value(&raw, name).map(|value| String::from_utf8_lossy(&value).into_owned());
            value.map(|value| value.trim_matches(['<', '>']).to_owned())
        };
        let given = Given {
            sender: value("Return-Path").unwrap_or_default(),
            recipient: value("Delivered-To").unwrap_or_else(|| account.address.to_string()),
            ..Given::default()
        };
        self.rehearse(account, raw, &given, review.trial.as_deref()).await
    }

    async fn apply_stored(&self, account: AccountId, from: MailboxId, uid: u32, outcome: Outcome) -> Result<()> {
        let work = move |tx: &mut MailTx<'_, '_>| apply_to(tx, from, uid, &outcome);
        self.deps.store.write(account, Durability::Sync, work).await
    }
}

/// Does to one stored message what can be done to it.
fn apply_to(tx: &mut MailTx<'_, '_>, from: MailboxId, uid: u32, outcome: &Outcome) -> Result<()> {
    let Some(entry) = tx.entry(from, uid)? else { return Ok(()) };
    let (mut stays, mut targets, mut trashed) = (false, Vec::new(), false);
    for taken in &outcome.actions {
        match &taken.action {
            Action::Keep { flags, .. } => {
                stays = true;
                add_flags(tx, from, uid, flags)?;
            }
            Action::FileInto(file) => {
                add_flags(tx, from, uid, &file.flags)?;
                match find_mailbox(tx, file, &mut 0)? {
                    Some(mailbox) if mailbox == from => stays = true,
                    Some(mailbox) => targets.push(mailbox),
                    None => stays = true,
                }
            }
            Action::Discard => trashed = true,
            // What would leave the account is not done to mail that is here.
            Action::Redirect { .. } | Action::Reject { .. } => stays = true,
            Action::Vacation(_) | Action::Notify(_) => {}
        }
    }
    if trashed && !stays && targets.is_empty() {
        targets.extend(tx.mailbox_with_role(Role::Trash)?.map(|trash| trash.id).filter(|trash| *trash != from));
    }
    let Some((first, others)) = targets.split_first() else { return Ok(()) };
    for mailbox in others {
        tx.add_place(entry.message, *mailbox)?;
    }
    match stays {
        true => tx.add_place(entry.message, *first).map(drop),
        false => tx.move_to(from, &[uid], *first).map(drop),
    }
}

fn add_flags(tx: &mut MailTx<'_, '_>, mailbox: MailboxId, uid: u32, flags: &[String]) -> Result<()> {
    let (system, keywords) = flags_of(flags);
    if system != Flags::default() || !keywords.is_empty() {
        tx.store_flags(mailbox, &[uid], FlagAct::Add, system, &keywords, None)?;
    }
    Ok(())
}

/// Flags and keywords of a script as the store has them.
pub(super) fn flags_of(flags: &[String]) -> (Flags, Keywords) {
    let system = flags.iter().filter_map(|flag| Flags::named(flag)).fold(Flags::default(), Flags::with);
    let words = flags.iter().map(String::as_str).filter(|flag| !flag.starts_with('\\'));
    (system, Keywords::new(words))
}

/// What scripts did beyond keeping the message as it was, and what failed.
fn acts_of(outcome: &Outcome) -> Vec<(String, Origin)> {
    let done = outcome.actions.iter().filter_map(|taken| Some((said(&taken.action)?, taken.origin.clone())));
    let failed =
        outcome.failures.iter().map(|failure| (format!("failed: {}", failure.text.en), failure.origin.clone()));
    done.chain(failed).collect()
}

/// An action in words; `None` for a keep that changes nothing.
fn said(action: &Action) -> Option<String> {
    Some(match action {
        Action::Keep { flags, is_implicit: true } if flags.is_empty() => return None,
        Action::Keep { flags, .. } => with_flags("keep".to_owned(), flags),
        Action::FileInto(FileInto { mailbox, flags, .. }) => with_flags(format!("fileinto \"{mailbox}\""), flags),
        Action::Redirect { to: RedirectTo::Address(address) } => format!("redirect to {address}"),
        Action::Redirect { to: RedirectTo::List(list) } => format!("redirect to list {list}"),
        Action::Discard => "discard".to_owned(),
        Action::Reject { reason, .. } => format!("reject: {reason}"),
        Action::Vacation(answer) => match answer.withheld {
            Some(why) => format!("vacation withheld: {why:?}"),
            None => "vacation".to_owned(),
        },
        Action::Notify(notify) => format!("notify {}", notify.to.join(", ")),
    })
}

fn with_flags(what: String, flags: &[String]) -> String {
    if flags.is_empty() { what } else { format!("{what} with {}", flags.join(" ")) }
}
