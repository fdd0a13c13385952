//! A person's own moves: "move my mail", and "fetch my other account" again and again. The same engine, with one source and one mailbox
//! each; what differs from an organisation's:
//!
//! - the person names the server, so that nothing but the public Internet is reached, at the ports of mail, and what the administrator
//!   allowed besides (`reach`);
//! - mailboxes here are in use: no UID is kept for the old ones, and no door is closed meanwhile;
//! - the quota is obeyed: the pass stops with words where it is full;
//! - what the other server no longer has is no question, and goes nowhere here;
//! - a few are worked on at once, fewer while an organisation moves, one of each account.
//!
//! One that was taken away is remembered without its secret: made again, it brings only what is new. Of many the oldest is forgotten.

mod choice;
mod discover;
mod folders;
mod look;
mod missing;
pub(crate) mod rows;
mod sign_in;
mod view;
mod wish;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anser_base::{AccountId, Class, Error, MailboxId, Result, Text, Timestamp, words};
use anser_db::{Durability, Tx};
use anser_directory::Account;
use anser_wire::Secret;

use crate::acts::Password;
use crate::model::{Home, Mailbox, Move, MoveState, Priority, Source, State, Task};
use crate::rows::{self as all_rows, Standing};
use crate::turn;
use crate::{Inner, Migrate};

pub use choice::Choice;
pub use discover::{Found, discover};
pub use folders::{FolderView, Folders};
pub use look::LOOKS;
pub use missing::{LISTED, Missed, Missing, Octets};
use rows::Own;
pub(crate) use sign_in::SignIns;
pub use sign_in::{Asked, CODES, Client, Registered, SignIn, SignInState};
pub(crate) use view::Counted;
pub use wish::{Change, EVERY, Wish};
use wish::{check_every, check_password};
pub(crate) use words::{BEHIND, FULL, NO_TARGET, OWN, TURN};

/// Moves of one account at a time.
pub const MOVES: usize = 10;
/// Moves of one account that are remembered, with those that were taken away.
const REMEMBERED: usize = 100;
/// Passes that one account begins in an hour: each may say a password to a stranger's server.
pub const RUNS: u32 = 12;

words! {
    /// How a person's own move stands.
    pub enum OwnState {
        /// The login is tried for the first time.
        Checking = "checking",
        /// It goes on by itself, later.
        Waiting = "waiting",
        /// Mail comes.
        Running = "running",
        /// Its owner stopped it, or is asked something first: the problem says what.
        Paused = "paused",
        /// The other server does not let it in.
        Refused = "refused",
        /// All came.
        Done = "done",
    }
}

/// What came of the passes so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnResult {
    /// Messages that were met.
    pub total: u64,
    /// Those that came.
    pub copied: u64,
    /// Those that the other server did not hand out.
    pub failed: u64,
    /// Those that were left out, because they were here or their owner leaves their folders out.
    pub skipped: u64,
    /// Of these, those of folders that are left out.
    pub left_out: u64,
    /// Why those that failed and those that were left out, and how many each.
    pub reasons: Vec<(Text, u64)>,
}

/// A person's own move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnMove {
    /// Its number.
    pub id: u64,
    /// The address of the other mailbox.
    pub email: String,
    /// The server.
    pub source: Source,
    /// The name there.
    pub login: String,
    /// Minutes between two passes.
    pub every: Option<u32>,
    /// The mailbox that takes everything.
    pub target: Option<MailboxId>,
    /// What was chosen of the folders there.
    pub choice: Choice,
    /// Signing in at the provider; `None` where it knows passwords alone.
    pub sign_in: Option<SignIn>,
    /// How it stands.
    pub state: OwnState,
    /// What is wrong and what to do.
    pub problem: Option<Text>,
    /// Folders gone over as a whole, and all that are known.
    pub folders: (u64, u64),
    /// Messages looked at in this pass or the last, and all that are known.
    pub messages: (u64, u64),
    /// Bytes that came.
    pub bytes: u64,
    /// What came of it; `None` before a pass came to its end.
    pub result: Option<OwnResult>,
    /// When the last pass began.
    pub started: Option<Timestamp>,
    /// When one last ended.
    pub ended: Option<Timestamp>,
}

fn missing() -> Error {
    crate::run::unknown("such move of your own")
}

impl Own {
    fn every(&self) -> Option<u32> {
        Some(self.every).filter(|every| *every > 0)
    }

    /// When the next pass is due behind one that ended.
    pub(crate) fn next(&self, ended: Timestamp) -> Option<Timestamp> {
        self.every().map(|every| ended.after(Duration::from_secs(u64::from(every) * 60)))
    }
}

/// Counts a pass that an owner begins. [`Class::Limit`] when there were too many of the account's in this hour.
fn count_run(tx: &mut Tx<'_>, own: &mut Own, now: Timestamp) -> Result<()> {
    let hour = now.secs() / 3600;
    let others = rows::of_account(tx, own.account)?;
    let runs: u32 = others.iter().filter(|one| one.hour == hour).map(|one| one.runs).sum();
    if runs >= RUNS {
        let (en, zh) = ("too many begun in this hour: try again in the next", "本小时内启动次数过多，请稍后再试");
        return Err(Error::new(Class::Limit, en, zh));
    }
    own.runs = if own.hour == hour { own.runs + 1 } else { 1 };
    own.hour = hour;
    Ok(())
}

/// The move and the mailbox of a person's own.
fn parts(tx: &mut Tx<'_>, own: &Own) -> Result<(Move, Mailbox, Source)> {
    let of = all_rows::move_by_id(tx, own.of)?.ok_or_else(missing)?;
    let mailbox = all_rows::mailboxes(tx, own.of, 0, 1)?.pop().ok_or_else(missing)?;
    let source = all_rows::source(tx, mailbox.source)?.ok_or_else(missing)?;
    Ok((of, mailbox, source))
}

/// What the next pass does: losses are no question once a pass went over everything.
fn task_of(own: &Own) -> Task {
    if own.ended.0 > 0 { Task::CopyAfterLoss } else { Task::Copy }
}

impl Migrate {
    /// An account's own moves, oldest first.
    pub async fn own_moves(&self, account: &Account) -> Result<Vec<OwnMove>> {
        let id = account.id;
        let find = move |tx: &mut Tx<'_>| {
            let own = rows::of_account(tx, id)?.into_iter().filter(|own| !own.gone);
            own.map(|own| parts(tx, &own).map(|parts| (own, parts))).collect::<Result<Vec<_>>>()
        };
        let mut views = Vec::new();
        for (own, parts) in self.read(find).await? {
            views.push(self.own_view(own, parts).await?);
        }
        Ok(views)
    }

    /// Makes a move and begins it, unless it is wished to wait. One that was taken away and is made again goes on from there.
    /// [`Class::Invalid`] for what is missing or wrong in the wish, and for what is being moved already; [`Class::Limit`] for too many of
    /// them, or too many begun in an hour.
    pub async fn begin_own(&self, account: &Account, wish: Wish) -> Result<OwnMove> {
        wish.check()?;
        let (inner, now, source) = (self.inner.clone(), self.inner.deps.clock.now(), wish.source());
        if wish.password.is_none() && inner.client_of(&source).is_none() {
            let Text { en, zh } = words::no_sign_in();
            return Err(Error::invalid(en, zh));
        }
        let (account_id, address, target) = (account.id, account.address.to_string(), wish.target);
        let made = self.write(move |tx| {
            let known = rows::of_account(tx, account_id)?;
            let (active, all) = (known.iter().filter(|own| !own.gone).count(), known.len());
            let oldest = known.iter().find(|own| own.gone).cloned();
            let mut again = None;
            for own in known.into_iter().filter(|own| own.target == target) {
                let (_, mailbox, there) = parts(tx, &own)?;
                if mailbox.login == wish.login && (there.kind, &there.host) == (source.kind, &source.host) {
                    if !own.gone {
                        // Each would bring everything.
                        return Err(Error::invalid("this mailbox is being moved already", "该邮箱已有迁移"));
                    }
                    again = Some(own);
                }
            }
            if active >= MOVES {
                return Err(Error::new(Class::Limit, "there are too many moves of your own", "您的迁移数量已达上限"));
            }
            let mut forgotten = None;
            if again.is_none()
                && all >= REMEMBERED
                && let Some(oldest) = oldest
            {
                forgotten = Some(parts(tx, &oldest)?.1.id);
                all_rows::remove_own(tx, oldest.of)?;
            }
            let of = match &again {
                Some(own) => own.of,
                None => {
                    let name = format!("{PREFIX}{}:{}", account_id.0, all_rows::next(tx, "mov_moves")?);
                    all_rows::add_move(tx, &name, now)?.id
                }
            };
            all_rows::put_source(tx, of, &source)?;
            let source = all_rows::sources(tx, of)?.pop().ok_or_else(missing)?;
            let seal = |password: &Password| inner.seal.seal(source.id, &wish.login, &Secret::new(&*password.0));
            let secret = wish.password.as_ref().map(seal).transpose()?;
            let (state, task, note) = (State::Waiting, Task::Copy, None);
            let (due, cut) = (Timestamp(0), Timestamp(0));
            let mailbox = Mailbox {
                id: 0,
                of,
                source: source.id,
                login: wish.login.clone(),
                address: address.clone(),
                account: account_id,
                secret,
                state,
                task,
                note,
                due,
                tries: 0,
                pass: 0,
                done: 0,
                total: 0,
                bytes: 0,
                home: Home::Here,
                cut,
                priority: Priority::Usual,
                wave: None,
                tally: None,
            };
            let id = all_rows::put_mailbox(tx, &mailbox)?;
            let fresh = Own {
                of,
                account: account_id,
                email: wish.email.clone(),
                every: wish.every.unwrap_or(0),
                target,
                started: Timestamp(0),
                ended: Timestamp(0),
                hour: 0,
                runs: 0,
                gone: false,
                choice: wish.choice.clone(),
                left: BTreeMap::new(),
                look_hour: 0,
                looks: 0,
            };
            let mut own = match again {
                Some(old) => Own { email: fresh.email, every: fresh.every, choice: fresh.choice, gone: false, ..old },
                None => fresh,
            };
            count_run(tx, &mut own, now)?;
            rows::put(tx, &own)?;
            let task = task_of(&own);
            let standing = match wish.password {
                Some(_) => Standing { state, task, note: None, due: now, tries: 0 },
                None => sign_in::refused_with(NO_PASSWORD),
            };
            all_rows::set_state(tx, id, &standing)?;
            all_rows::set_move(tx, of, if wish.is_paused { MoveState::Paused } else { MoveState::Running })?;
            Ok((own.clone(), parts(tx, &own)?, forgotten))
        });
        let (own, parts, forgotten) = made.await?;
        if let Some(id) = forgotten {
            self.inner.deps.store.write(account_id, Durability::Sync, move |tx| tx.forget_ledger(id)).await?;
        }
        self.inner.stirred.notify_one();
        self.own_view(own, parts).await
    }

    /// Changes an account's own move; how it stands then. [`Class::NotFound`], and errors as [`Self::begin_own`].
    pub async fn change_own(&self, account: &Account, id: u64, change: Change) -> Result<OwnMove> {
        change.password.as_ref().map_or(Ok(()), check_password)?;
        change.every.map_or(Ok(()), check_every)?;
        let (inner, now, owner) = (self.inner.clone(), self.inner.deps.clock.now(), account.id);
        let is_paused = change.paused == Some(true);
        if change.paused == Some(false) {
            let (_, mailbox, _) = self.read(move |tx| mine(tx, owner, id).and_then(|own| parts(tx, &own))).await?;
            self.inner.try_anew(&mailbox).await?;
        }
        let changed = self.write(move |tx| {
            let mut own = mine(tx, owner, id)?;
            let (of, mailbox, source) = parts(tx, &own)?;
            let mut to = None;
            if let Some(every) = change.every {
                own.every = every.unwrap_or(0);
                let rests = mailbox.state == State::Settled || (mailbox.state == State::Waiting && mailbox.tries == 0);
                if rests && own.ended.0 > 0 {
                    to = Some(match own.next(own.ended) {
                        Some(next) => (State::Waiting, next),
                        None => (State::Settled, Timestamp(0)),
                    });
                }
            }
            if let Some(choice) = &change.choice {
                own.choice = choice.clone();
            }
            if let Some(password) = &change.password {
                inner.forget_code(owner, id);
                // Who says it once more means that it is right.
                Inner::forget_refusal(tx, &mailbox)?;
                let secret = inner.seal.seal(source.id, &mailbox.login, &Secret::new(&*password.0))?;
                all_rows::set_secret(tx, mailbox.id, &secret)?;
            }
            let tries_again = change.password.is_some() && mailbox.state == State::Refused;
            if change.paused == Some(true) {
                all_rows::set_move(tx, of.id, MoveState::Paused)?;
            } else if (change.paused == Some(false) || tries_again) && mailbox.state != State::Copying {
                count_run(tx, &mut own, now)?;
                all_rows::set_move(tx, of.id, MoveState::Running)?;
                to = Some((State::Waiting, now));
            } else if change.paused == Some(false) && of.state == MoveState::Paused {
                // The pass stops at the moment, and another one begins behind it.
                count_run(tx, &mut own, now)?;
                all_rows::set_move(tx, of.id, MoveState::Running)?;
            }
            if let Some((state, due)) = to {
                // Who starts what asked says that it is right.
                let is_meant = mailbox.state == State::Asking;
                let (task, note) = (if is_meant { Task::CopyAfterLoss } else { task_of(&own) }, None);
                all_rows::set_state(tx, mailbox.id, &Standing { state, task, note, due, tries: 0 })?;
            }
            rows::put(tx, &own)?;
            Ok((own.clone(), parts(tx, &own)?))
        });
        let (own, parts) = changed.await?;
        if is_paused {
            self.inner.stop_all(Some(own.of));
        }
        self.inner.stirred.notify_one();
        self.own_view(own, parts).await
    }

    /// Takes an account's own move away, with its secret; what came stays. [`Class::NotFound`].
    pub async fn forget_own(&self, account: &Account, id: u64) -> Result<()> {
        let owner = account.id;
        self.inner.forget_code(owner, id);
        let gone = self.write(move |tx| {
            let own = mine(tx, owner, id)?;
            let (of, mailbox, _) = parts(tx, &own)?;
            let standing =
                Standing { state: State::Abandoned, task: Task::Copy, note: None, due: Timestamp(0), tries: 0 };
            all_rows::forget_secrets(tx, of.id)?;
            all_rows::set_state(tx, mailbox.id, &standing)?;
            all_rows::set_move(tx, of.id, MoveState::Paused)?;
            // Whoever makes it again chooses again.
            rows::set_left(tx, own.of, &BTreeMap::new())?;
            rows::put(tx, &Own { gone: true, choice: Choice::default(), ..own })?;
            Ok(mailbox)
        });
        let mailbox = gone.await?;
        // Nothing is to be opened again: it never reserved UIDs, and who did in these mailboxes still fills them.
        self.inner.stop_one(mailbox.id).await;
        Ok(())
    }

    /// Before an account is forgotten for good: its own moves go, what its mailboxes elsewhere are opened with, and what imports said of it.
    /// Nothing comes into it any more, nor goes to its old server.
    pub async fn forget_account(&self, id: AccountId) -> Result<()> {
        self.forget_imported(id).await?;
        let forget = move |tx: &mut Tx<'_>| {
            let all = all_rows::mailboxes_of(tx, id)?;
            for own in rows::of_account(tx, id)? {
                all_rows::remove_own(tx, own.of)?;
            }
            let (state, task, due) = (State::Abandoned, Task::Copy, Timestamp(0));
            for mailbox in &all {
                all_rows::forget_secret(tx, mailbox.id)?;
                all_rows::set_home(tx, mailbox.id, Home::Here, mailbox.cut)?;
                all_rows::set_state(tx, mailbox.id, &Standing { state, task, note: None, due, tries: 0 })?;
            }
            Ok(all)
        };
        let forgotten = self.write(forget).await?;
        for mailbox in &forgotten {
            self.inner.stop_one(mailbox.id).await;
            if mailbox.home != Home::Here {
                turn::route_here(&self.inner, &mailbox.address).await?;
            }
        }
        let moves: BTreeSet<u64> = forgotten.iter().map(|mailbox| mailbox.of).collect();
        for of in moves {
            if let Some(of) = self.read(move |tx| all_rows::move_by_id(tx, of)).await? {
                self.route_domains(&of).await?;
            }
        }
        Ok(())
    }
}

/// What a mailbox says that waits for its owner to sign in.
const NO_PASSWORD: &str = "no-password: no password is known";

/// What names of persons' own moves begin with; an organisation's never does.
pub(crate) const PREFIX: &str = "own:";

/// The mailbox of an account's own move. [`Class::NotFound`].
pub(crate) fn mailbox_of(tx: &mut Tx<'_>, owner: AccountId, id: u64) -> Result<Mailbox> {
    let own = mine(tx, owner, id)?;
    Ok(parts(tx, &own)?.1)
}

fn mine(tx: &mut Tx<'_>, owner: AccountId, id: u64) -> Result<Own> {
    rows::of_move(tx, id)?.filter(|own| own.account == owner && !own.gone).ok_or_else(missing)
}
