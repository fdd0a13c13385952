//! Sessions of people whose mailbox is still at its old server: what they say goes there and comes back, byte for byte, until the
//! mailbox is here.
//!
//! Doors without sessions show the copy that is here, and change nothing of it: see [`anser_directory::Directory::living_elsewhere`].
//!
//! | where the mailbox lives | a login | a session that is open |
//! |---|---|---|
//! | there | is joined to a session that we open at the old server | goes on |
//! | turning | waits for the last pass; after [`HOLD`] it fails for a time | IMAP: BYE where nothing is under way; POP3 ends by itself, or is cut off, which removes nothing |
//! | here | is ours, with the same UIDs | – |

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use anser_base::{AccountId, Class, Error, Result};
use anser_db::Place;
use anser_directory::{Account, Passage, Service};
use anser_net::{Reader, Shutdown, Stream, Writer};
use anser_wire::Secret;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::Inner;
use crate::entry::Login;
use crate::imap::Imap;
use crate::model::{Home, Kind, Mailbox, Source, Tls};
use crate::pop3::Pop3;
use crate::pop3::connection::Said;
use crate::rows;
use crate::tap::Tap;
use crate::trouble::Trouble;

/// For the connection to the old server and the login there; a client waits meanwhile.
const OPENING: Duration = Duration::from_secs(25);
/// How long a login waits for the last pass of its mailbox.
pub const HOLD: Duration = Duration::from_secs(45);
/// How often what other nodes decided is looked at.
const LOOK: Duration = Duration::from_secs(10);
/// A session where nothing is under way is ended after so long a silence, so that a client that is busy gets to its end.
const QUIET: Duration = Duration::from_secs(1);
/// One of which nothing is known, likewise.
const QUIET_UNKNOWN: Duration = Duration::from_secs(10);
/// The longest that a turning mailbox waits for one session.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a session that is to end is looked at.
const TICK: Duration = Duration::from_millis(50);
/// How long a client may say nothing; IDLE is renewed every 29 minutes (RFC 2177).
const SILENCE: Duration = Duration::from_secs(35 * 60);
/// For what the old server still has to say to a client that has left.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// What an IMAP client hears when its mailbox has moved.
const BYE: &[u8] = b"* BYE The mailbox is on its new server now, please log in again\r\n";

/// Sessions that are passed through, by mailbox.
#[derive(Default)]
pub(crate) struct Passing {
    all: Mutex<HashMap<u64, Sessions>>,
}

struct Sessions {
    count: usize,
    /// True once they are to end.
    ending: watch::Sender<bool>,
}

impl Passing {
    fn sessions<T>(&self, work: impl FnOnce(&mut HashMap<u64, Sessions>) -> T) -> T {
        work(&mut self.all.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether sessions of a mailbox go through.
    pub(crate) fn has_any(&self, id: u64) -> bool {
        self.sessions(|all| all.contains_key(&id))
    }

    fn enter(inner: &Arc<Inner>, id: u64) -> (Ticket, watch::Receiver<bool>) {
        let ending = inner.passing.sessions(|all| {
            let fresh = || Sessions { count: 0, ending: watch::Sender::new(false) };
            let sessions = all.entry(id).or_insert_with(fresh);
            sessions.count += 1;
            sessions.ending.subscribe()
        });
        (Ticket { inner: Arc::downgrade(inner), id }, ending)
    }

    /// Tells the sessions of a mailbox to end. How many there are.
    fn end(&self, id: u64) -> usize {
        self.sessions(|all| match all.get(&id) {
            Some(sessions) => {
                sessions.ending.send_replace(true);
                sessions.count
            }
            None => 0,
        })
    }
}

/// Who is away: whose mailbox does not live here. It is asked at every login and at every request, and looked up once in a while.
#[derive(Default)]
pub(crate) struct Everybody {
    /// Counts what this process changes.
    changes: AtomicU64,
    /// At which count, and when, and who was found away.
    away: Mutex<Option<(u64, Instant, Away)>>,
    /// One looks it up for all who ask meanwhile.
    turn: tokio::sync::Mutex<()>,
}

type Away = Arc<HashSet<AccountId>>;

impl Everybody {
    /// How long it is believed: other nodes tell nothing of what they do.
    const BELIEVED: Duration = Duration::from_secs(1);

    /// To be said after every change of where mailboxes live.
    pub fn changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    fn seen(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// What was found since the last change, and when.
    fn known(&self) -> Option<(Instant, Away)> {
        let known = self.away.lock().unwrap_or_else(PoisonError::into_inner).clone();
        known.filter(|(seen, ..)| *seen == self.seen()).map(|(_, at, away)| (at, away))
    }

    fn believed(&self) -> Option<Away> {
        self.known().filter(|(at, _)| at.elapsed() < Self::BELIEVED).map(|(_, away)| away)
    }

    /// What was found after `seen`.
    fn found(&self, seen: u64, away: Away) {
        *self.away.lock().unwrap_or_else(PoisonError::into_inner) = Some((seen, Instant::now(), away));
    }
}

/// A session under way; it is counted until this is gone.
struct Ticket {
    inner: Weak<Inner>,
    id: u64,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(inner) = self.inner.upgrade() else { return };
        inner.passing.sessions(|all| {
            if let Entry::Occupied(mut entry) = all.entry(self.id) {
                entry.get_mut().count -= 1;
                if entry.get().count == 0 {
                    entry.remove();
                }
            }
        });
        inner.changed.send_modify(|count| *count += 1);
    }
}

impl Inner {
    /// The session of somebody who has logged in; `None` when the mailbox is here.
    pub(crate) async fn passage(self: &Arc<Self>, account: &Account, service: Service) -> Result<Option<Passage>> {
        let kind = match service {
            Service::Imap => Kind::Imap,
            Service::Pop3 => Kind::Pop3,
            _ => return Ok(None),
        };
        let (mut changed, until) = (self.changed.subscribe(), Instant::now() + HOLD);
        loop {
            let id = account.id;
            if !self.away().await?.contains(&id) {
                return Ok(None);
            }
            let away = self.deps.db.read(Place::Moves, move |tx| rows::away(tx, id)).await?;
            let Some(mailbox) = best(&away, kind) else { return Ok(None) };
            if mailbox.home == Home::There {
                // It counts before it is looked at again, so that a turn which begins now waits for it, or is seen here.
                let (ticket, ending) = Passing::enter(self, mailbox.id);
                if self.home(mailbox.id).await? == Some(Home::There) {
                    return self.pass_through(mailbox, kind, ticket, ending).await.map(Some);
                }
                continue;
            }
            if Instant::now() >= until {
                let (en, zh) = ("the mailbox is moving, try again in a minute", "邮箱正在切换，请一分钟后重试");
                return Err(Error::new(Class::Unavailable, en, zh));
            }
            // Another node tells nothing of what it does.
            let _ = timeout(Duration::from_secs(1), changed.changed()).await;
        }
    }

    /// Of these accounts, those whose mailbox does not live here; as it was a moment ago at the most.
    pub(crate) async fn elsewhere(&self, accounts: Vec<AccountId>) -> Result<Vec<AccountId>> {
        let away = self.away().await?;
        Ok(accounts.into_iter().filter(|account| away.contains(account)).collect())
    }

    /// Who is away; as it was a moment ago at the most.
    async fn away(&self) -> Result<Away> {
        if let Some(away) = self.everybody.believed() {
            return Ok(away);
        }
        let _turn = self.everybody.turn.lock().await;
        if let Some(away) = self.everybody.believed() {
            return Ok(away);
        }
        let seen = self.everybody.seen();
        let away = Arc::new(self.deps.db.read(Place::Moves, rows::all_away).await?);
        self.everybody.found(seen, away.clone());
        Ok(away)
    }

    pub(crate) async fn home(&self, id: u64) -> Result<Option<Home>> {
        self.deps.db.read(Place::Moves, move |tx| rows::home(tx, id)).await
    }

    async fn pass_through(
        self: &Arc<Self>,
        mailbox: &Mailbox,
        kind: Kind,
        ticket: Ticket,
        ending: watch::Receiver<bool>,
    ) -> Result<Passage> {
        let opened = timeout(OPENING, self.open_session(mailbox, kind)).await;
        let opened = opened.unwrap_or_else(|_| Err(Trouble::lost("no answer in time")));
        let (old, capabilities) = match opened {
            Ok(opened) => opened,
            Err(trouble) => {
                let why = trouble.words();
                tracing::warn!(login = mailbox.login, why, "no session can be opened at the old server");
                if matches!(trouble, Trouble::Login { kind: "wrong", .. })
                    && self.has_stale_secret(mailbox.account).await?
                {
                    return Err(self.changed_there(mailbox.account).await?);
                }
                // The password was right here: the client must not forget it.
                return Err(match Error::from(trouble) {
                    error if error.class == Class::Unauthenticated => Error { class: Class::Unavailable, ..error },
                    error => error,
                });
            }
        };
        let (inner, id) = (Arc::downgrade(self), mailbox.id);
        Ok(Passage::new(capabilities, move |client, shutdown| {
            Box::pin(async move {
                let watching = Watching { inner, id, ending, shutdown };
                if let Err(error) = join(client, old, kind, watching).await {
                    tracing::debug!(error = error.chain(), "a session that was passed through broke");
                }
                drop(ticket);
            })
        }))
    }

    /// What somebody hears whose password is right here and wrong there. Where the front door of their domain learns another one, they are
    /// asked for it.
    async fn changed_there(&self, account: AccountId) -> Result<Error> {
        let learns = match self.deps.directory.account(account).await? {
            Some(found) => self.deps.directory.learns_passwords_of(found.address.domain()).await?,
            None => false,
        };
        Ok(match learns {
            true => Error::new(
                Class::Unauthenticated,
                "the password at the old server has changed: log in with the new one",
                "旧服务器上的密码已更改，请使用新密码登录",
            ),
            false => Error::new(
                Class::Unavailable,
                "the password at the old server has changed: tell your administrator",
                "旧服务器上的密码已更改，请联系管理员",
            ),
        })
    }

    /// Whether a mailbox of an account lives at an old server that no longer takes its password.
    pub(crate) async fn has_stale_secret(&self, account: AccountId) -> Result<bool> {
        if !self.away().await?.contains(&account) {
            return Ok(false);
        }
        for (mailbox, _) in self.deps.db.read(Place::Moves, move |tx| rows::away(tx, account)).await? {
            let of = mailbox.source;
            let source = self.deps.db.read(Place::Moves, move |tx| rows::source(tx, of)).await?;
            if mailbox.home == Home::There
                && let Some(source) = source
                && self.is_stale(&mailbox, &source).await?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A connection to the old server where the user is logged in, and the words of its CAPABILITY.
    async fn open_session(&self, mailbox: &Mailbox, kind: Kind) -> Result<(Stream, String), Trouble> {
        let of = mailbox.of;
        let sources = self.deps.db.read(Place::Moves, move |tx| rows::sources(tx, of)).await?;
        let own = sources.iter().find(|source| source.id == mailbox.source);
        let own = own.ok_or_else(|| Trouble::lost("the mailbox has no source"))?;
        let source = source_for(own, &sources, kind);
        let mut entry = self.entry(mailbox, own).await?;
        loop {
            let Some(secret) = &entry.secret else {
                return Err(Trouble::lost("the password of the old server is not known yet"));
            };
            let opened = log_in(&source, kind, &entry.login, secret).await;
            if let Some(opened) = self.entered(mailbox, own, &mut entry, opened).await? {
                return Ok(opened);
            }
        }
    }

    /// Ends the sessions of a mailbox that is turning, and waits until they have ended: a minute or so at the longest.
    pub(crate) async fn end_passages(&self, id: u64) {
        if self.deps.db.is_postgres() {
            tokio::time::sleep(LOOK + QUIET).await;
        }
        let (mut changed, until) = (self.changed.subscribe(), Instant::now() + PATIENCE + LAST_WORDS);
        while self.passing.end(id) > 0 && Instant::now() < until {
            let _ = timeout(Duration::from_secs(1), changed.changed()).await;
        }
    }
}

/// A session of a login, and the words of its CAPABILITY.
async fn log_in(source: &Source, kind: Kind, login: &Login, password: &Secret) -> Result<(Stream, String), Trouble> {
    if kind == Kind::Imap {
        let mut imap = Imap::connect(source).await?;
        imap.log_in(login.clone(), password).await?;
        return Ok(imap.into_stream());
    }
    let mut pop3 = Pop3::connect(source, OPENING, OPENING).await?;
    match Said::of(&pop3.ask_in(login, password).await?) {
        Said::In => Ok((pop3.into_stream(), String::new())),
        Said::InUse(trouble) | Said::Not(trouble) => Err(trouble),
    }
}

/// Of the rows of one account, the one whose source speaks what the client speaks; else one that speaks IMAP.
fn best(away: &[(Mailbox, Kind)], kind: Kind) -> Option<&Mailbox> {
    let of = |wanted: Kind| away.iter().find(|(_, kind)| *kind == wanted);
    of(kind).or_else(|| of(Kind::Imap)).or(away.first()).map(|(mailbox, _)| mailbox)
}

/// Where the old server speaks a protocol: the mailbox's own source; else the source of the move with its name and `-imap` or `-pop3`
/// behind; else its host at the standard port.
pub(crate) fn source_for(own: &Source, all: &[Source], kind: Kind) -> Source {
    if own.kind == kind {
        return own.clone();
    }
    let named = format!("{}-{}", own.name, kind.word());
    if let Some(found) = all.iter().find(|source| source.kind == kind && source.name == named) {
        return found.clone();
    }
    let is_implicit = matches!(own.tls, Tls::Implicit | Tls::ImplicitAny);
    let port = match (kind, is_implicit) {
        (Kind::Imap, true) => 993,
        (Kind::Imap, false) => 143,
        (_, true) => 995,
        (_, false) => 110,
    };
    Source { kind, port, ..own.clone() }
}

/// What tells that a session is to end.
struct Watching {
    inner: Weak<Inner>,
    id: u64,
    ending: watch::Receiver<bool>,
    shutdown: Shutdown,
}

/// How a session came to its end.
enum End {
    /// The client left.
    Client,
    /// The old server left.
    Old,
    /// It was ended from here; whether a BYE can stand there.
    Here(bool),
}

async fn join(client: Stream, old: Stream, kind: Kind, mut watching: Watching) -> Result<()> {
    let (mut from_client, mut to_client) = client.into_halves().await?;
    let (mut from_old, mut to_old) = old.into_halves().await?;
    let tap = Mutex::new(Tap::new());
    let tap_of = || tap.lock().unwrap_or_else(PoisonError::into_inner);
    let end = {
        let up = pump(&mut from_client, &mut to_old, Some(SILENCE), |octets| tap_of().client(octets));
        let down = pump(&mut from_old, &mut to_client, None, |octets| tap_of().server(octets));
        tokio::select! {
            ended = up => ended.map(|()| End::Client)?,
            ended = down => ended.map(|()| End::Old)?,
            polite = watching.ended(&tap, kind) => End::Here(polite),
        }
    };
    match end {
        End::Client => {
            to_old.end().await?;
            let _ = timeout(LAST_WORDS, pump(&mut from_old, &mut to_client, None, |_| ())).await;
        }
        End::Old => {}
        End::Here(polite) => {
            if polite && kind == Kind::Imap {
                to_client.send(BYE).await?;
            }
            to_old.end().await?;
        }
    }
    to_client.end().await
}

/// Passes on what comes, piece by piece, until its sender ends. A sender that says nothing for `silence` has ended.
async fn pump(
    from: &mut Reader,
    to: &mut Writer,
    silence: Option<Duration>,
    mut look: impl FnMut(&[u8]),
) -> Result<()> {
    loop {
        let read = match silence {
            Some(silence) => timeout(silence, from.read()).await.unwrap_or_else(|_| Ok(Default::default()))?,
            None => from.read().await?,
        };
        if read.is_empty() {
            return Ok(());
        }
        look(&read);
        to.send(&read).await?;
    }
}

impl Watching {
    /// Waits until the session is to end, and for a moment that is good for it. Whether nothing is under way then.
    async fn ended(&mut self, tap: &Mutex<Tap>, kind: Kind) -> bool {
        let is_shutdown = tokio::select! {
            () = self.shutdown.notified() => true,
            () = Self::turning(&self.inner, self.id, &mut self.ending) => false,
        };
        let (until, quiet) = (Instant::now() + PATIENCE, if is_shutdown { Duration::ZERO } else { QUIET });
        loop {
            let (is_idle, is_lost, silence) = {
                let tap = tap.lock().unwrap_or_else(PoisonError::into_inner);
                // Of POP3 no state is known: a client that is at work says something soon.
                (tap.is_idle() && kind == Kind::Imap, tap.is_lost() || kind == Kind::Pop3, tap.silence())
            };
            if is_idle && silence >= quiet {
                return true;
            }
            if (is_lost && silence >= QUIET_UNKNOWN) || Instant::now() >= until {
                return is_idle;
            }
            tokio::time::sleep(TICK).await;
        }
    }

    async fn turning(inner: &Weak<Inner>, id: u64, ending: &mut watch::Receiver<bool>) {
        loop {
            // The sender is gone when the last session is: never while this one is there.
            if timeout(LOOK, ending.wait_for(|ending| *ending)).await.is_ok() {
                return;
            }
            let Some(inner) = inner.upgrade() else { return };
            if inner.deps.db.is_postgres() && !matches!(inner.home(id).await, Ok(Some(Home::There)) | Err(_)) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_away_is_known_until_something_changes() {
        let everybody = Everybody::default();
        assert!(everybody.known().is_none());
        everybody.found(everybody.seen(), Away::default());
        assert!(everybody.known().is_some());
        everybody.changed();
        assert!(everybody.known().is_none());
        let before = everybody.seen();
        everybody.changed();
        everybody.found(before, Away::default());
        assert!(everybody.known().is_none(), "looked at before the change");
    }
}
