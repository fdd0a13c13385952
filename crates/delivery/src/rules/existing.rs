//! Scripts over mail that is stored: a dry run, and what of their actions is done to such mail.
//!
//! That is filing, copies as further places of the same message, flags, and `discard` as a move into the trash. Nothing is sent.

use std::time::Duration;

use anser_base::{Error, MailboxId, MessageId, Result, Timestamp};
use anser_directory::Account;
use anser_mime::header;
use anser_sieve::{Action, FileInto, Origin, Outcome, RedirectTo, Taken};
use anser_store::{FlagAct, Flags, Keywords, Listing, MailTx, Message, Role};
use bytes::Bytes;
use tokio::time::Instant;

use super::apply::find_mailbox;
use super::{Given, Rules};

/// Messages that one review looks at, at most.
pub const REVIEWED: usize = 10_000;
/// Largest message that a review looks at, in bytes.
pub(super) const MESSAGE: u64 = 64 << 20;

/// What to review.
#[derive(Clone, Debug)]
pub struct Review {
    /// The mailbox, from the top down.
    pub folder: Vec<String>,
    /// The newest so many messages of it, at most [`REVIEWED`].
    pub last: usize,
    /// A script that runs alone; the account's own ones otherwise.
    pub trial: Option<Vec<u8>>,
    /// How long it may take; what is not looked at by then is left out.
    pub time: Duration,
}

/// One message that rules would do something with.
#[derive(Clone, Debug)]
pub struct Reviewed {
    /// Its UID.
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
    /// Runs scripts over the newest messages of a mailbox, newest first, and does nothing of what they say.
    /// `Class::NotFound` without such a mailbox.
    pub async fn review(&self, account: &Account, review: &Review) -> Result<Findings> {
        let store = &self.deps.store;
        store.ensure(account.id).await?;
        let mailbox = self.mailbox_at(account, review.folder.clone()).await?;
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
            let outcome = self.rehearse_stored(account, &message, review.trial.as_deref()).await?;
            findings.looked += 1;
            let acts = acts_of(&outcome);
            if acts.is_empty() {
                continue;
            }
            let (uid, received) = (entry.uid, entry.received);
            findings.touched.push(Reviewed { uid, received, listing: Listing::of(&message), acts });
        }
        Ok(findings)
    }

    /// The mailbox at a path. `Class::NotFound` without one.
    pub(super) async fn mailbox_at(&self, account: &Account, path: Vec<String>) -> Result<MailboxId> {
        let find = move |tx: &mut MailTx<'_, '_>| tx.mailbox_at(&path.iter().map(String::as_str).collect::<Vec<_>>());
        let found = self.deps.store.read(account.id, find).await?;
        Ok(found.ok_or_else(|| Error::not_found("no such mailbox", "没有此文件夹"))?.id)
    }

    /// What scripts say of a stored message, as if it came now. Fails as the store and the directory do.
    pub(super) async fn rehearse_stored(
        &self,
        account: &Account,
        message: &Message,
        trial: Option<&[u8]>,
    ) -> Result<Outcome> {
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
        self.rehearse(account, raw, &given, trial).await
    }
}

/// Does to one stored message what can be done to it. Returns what was changed; a message that is gone, or is as its rules want it, is
/// left alone.
pub(super) fn apply_to(
    tx: &mut MailTx<'_, '_>,
    from: MailboxId,
    uid: u32,
    actions: &[Taken],
) -> Result<Vec<(String, Origin)>> {
    let Some(entry) = tx.entry(from, uid)? else { return Ok(Vec::new()) };
    let mut done = Vec::new();
    let (mut stays, mut targets, mut discarded) = (false, Vec::new(), None);
    for taken in actions {
        let note = |what: String| (what, taken.origin.clone());
        match &taken.action {
            Action::Keep { flags, .. } => {
                stays = true;
                if add_flags(tx, from, uid, flags)? {
                    done.push(note(with_flags("keep".to_owned(), flags)));
                }
            }
            Action::FileInto(file) => {
                if add_flags(tx, from, uid, &file.flags)? {
                    done.push(note(with_flags("keep".to_owned(), &file.flags)));
                }
                match find_mailbox(tx, file, &mut 0)? {
                    Some(mailbox) if mailbox != from => {
                        targets.push((mailbox, note(format!("fileinto \"{}\"", file.mailbox))));
                    }
                    _ => stays = true,
                }
            }
            Action::Discard => discarded = Some(note("discard".to_owned())),
            // What would leave the account is not done to mail that is here.
            Action::Redirect { .. } | Action::Reject { .. } => stays = true,
            Action::Vacation(_) | Action::Notify(_) => {}
        }
    }
    if let Some(note) = discarded.filter(|_| !stays && targets.is_empty()) {
        let trash = tx.mailbox_with_role(Role::Trash)?.map(|trash| trash.id).filter(|trash| *trash != from);
        targets.extend(trash.map(|trash| (trash, note)));
    }
    place(tx, (from, uid, entry.message), targets, stays, &mut done)?;
    Ok(done)
}

/// Puts a message where it is to be; what was there before is no change.
fn place(
    tx: &mut MailTx<'_, '_>,
    (from, uid, id): (MailboxId, u32, MessageId),
    targets: Vec<(MailboxId, (String, Origin))>,
    stays: bool,
    done: &mut Vec<(String, Origin)>,
) -> Result<()> {
    let places = tx.message(id)?.map(|message| message.places).unwrap_or_default();
    let is_there = |mailbox| places.iter().any(|(place, _)| *place == mailbox);
    let mut moves = !stays;
    for (mailbox, note) in targets {
        if std::mem::take(&mut moves) {
            tx.move_to(from, &[uid], mailbox)?;
        } else if is_there(mailbox) {
            continue;
        } else {
            tx.add_place(id, mailbox)?;
        }
        done.push(note);
    }
    Ok(())
}

/// Whether any was new.
fn add_flags(tx: &mut MailTx<'_, '_>, mailbox: MailboxId, uid: u32, flags: &[String]) -> Result<bool> {
    let (system, keywords) = flags_of(flags);
    if system == Flags::default() && keywords.is_empty() {
        return Ok(false);
    }
    let before = tx.entry(mailbox, uid)?;
    let stored = tx.store_flags(mailbox, &[uid], FlagAct::Add, system, &keywords, None)?;
    Ok(stored.entries.first() != before.as_ref())
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
