//! The verbs, as typed functions; the command line and later the console are thin over them. Each may be said twice.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use anser_base::{Address, Class, Error, Result};
use anser_db::{Durability, Place, Tx};
use anser_wire::Secret;
use serde::{Deserialize, Serialize};

use crate::Migrate;
use crate::history::{self, Past};
use crate::hours;
use crate::model::{Home, Mailbox, Move, MoveState, Passing, Priority, Source, State, Task};
use crate::own;
use crate::reach;
use crate::rows::{self, Standing};
use crate::run::unknown;
use crate::trouble::Trouble;
use crate::views::MoveView;
use crate::which::{self, Which, meant};

/// Mailboxes that one look at the tables brings.
const PAGE: usize = 1_000;

/// A password on its way; never shown. In JSON it is a text, or numbers where it is none.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct Password(pub Vec<u8>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Octets(Vec<u8>),
}

impl From<Written> for Password {
    fn from(written: Written) -> Self {
        match written {
            Written::Text(text) => Self(text.into_bytes()),
            Written::Octets(octets) => Self(octets),
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// A login to be listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewMailbox {
    /// The name at the old server.
    pub login: String,
    /// The password there, which is sealed at once; `None` leaves what is known.
    pub password: Option<Password>,
    /// The address here.
    pub address: String,
}

/// How long an old server has to answer that a program names.
const ANSWER: Duration = Duration::from_secs(10);

impl Migrate {
    /// Makes a move with an old server, or changes that.
    pub async fn plan(&self, name: &str, source: Source) -> Result<MoveView> {
        let name = name.trim().to_owned();
        if name.is_empty() || source.host.is_empty() || source.connections == 0 {
            return Err(Error::invalid("a move needs a name, and a source a host", "迁移需要名称，来源需要主机"));
        }
        if name.starts_with(own::PREFIX) {
            return Err(Error::invalid("this name is kept for persons' own moves", "该名称保留给个人迁移使用"));
        }
        let now = self.inner.deps.clock.now();
        let (wanted, to) = (name.clone(), source);
        self.write(move |tx| {
            let made = rows::add_move(tx, &wanted, now)?;
            rows::put_source(tx, made.id, &to)
        })
        .await?;
        self.move_view(&name).await
    }

    /// Whether a program with a token may name a server: an old server of a move already, or one that answers on the Internet in this
    /// moment, so that no token leads into inner networks. `Class::Forbidden`; `Class::Unavailable` of one that does not answer.
    pub async fn may_be_named(&self, host: &str, port: u16) -> Result<()> {
        let hosts = self.old_hosts().await?;
        if hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
            return Ok(());
        }
        let answered = reach::connect(host, port, ANSWER);
        reach::from_afar(hosts.into(), answered).await.map(drop).map_err(not_from_afar)
    }

    /// Old servers of every move of the organisation.
    pub(crate) async fn old_hosts(&self) -> Result<Vec<String>> {
        let find = |tx: &mut Tx<'_>| {
            let mut hosts = Vec::new();
            for of in rows::moves(tx)? {
                hosts.extend(rows::sources(tx, of.id)?.into_iter().map(|source| source.host));
            }
            Ok(hosts)
        };
        self.read(find).await
    }

    /// Lists logins of an old server; those that are listed already keep what is known of them. How many there are.
    pub async fn add_mailboxes(&self, name: &str, source: Option<String>, new: Vec<NewMailbox>) -> Result<u64> {
        let of = self.named(name).await?;
        let id = of.id;
        let sources = self.read(move |tx| rows::sources(tx, id)).await?;
        let found = match &source {
            Some(wanted) => sources.iter().find(|one| one.name == *wanted),
            None => sources.first(),
        };
        let source = found.ok_or_else(|| unknown("source"))?.clone();
        let mut rows_to_be = Vec::new();
        for one in &new {
            rows_to_be.push(self.row_of(&of, &source, one).await?);
        }
        let count = rows_to_be.len() as u64;
        let put = move |tx: &mut Tx<'_>| {
            let mut away = Vec::new();
            for row in &rows_to_be {
                let known = rows::mailbox_of_login(tx, row.source, &row.login)?;
                if let Some(known) = known.filter(|known| known.account != row.account && has_begun(known)) {
                    return Err(is_anothers(&known));
                }
                let id = rows::put_mailbox(tx, row)?;
                if rows::home(tx, id)? == Some(Home::There) {
                    away.push(row.address.clone());
                }
            }
            Ok(away)
        };
        let away = self.write(put).await?;
        for address in away.iter().filter(|_| of.relay.is_some()) {
            self.route(address, of.passing, of.relay.as_deref()).await?;
        }
        self.route_domains(&of).await?;
        Ok(count)
    }

    async fn row_of(&self, of: &Move, source: &Source, new: &NewMailbox) -> Result<Mailbox> {
        let address = Address::parse(&new.address).ok_or_else(|| unknown(&format!("address {}", new.address)))?;
        let found = self.inner.deps.directory.account_by_address(&address).await?;
        let account = found.ok_or_else(|| unknown(&format!("account {}", new.address)))?;
        let seal = |password: &Password| self.inner.seal.seal(source.id, &new.login, &Secret::new(&*password.0));
        Ok(Mailbox {
            id: 0,
            of: of.id,
            source: source.id,
            login: new.login.clone(),
            address: new.address.clone(),
            account: account.id,
            secret: new.password.as_ref().map(seal).transpose()?,
            state: State::New,
            task: Task::Copy,
            note: None,
            due: anser_base::Timestamp(0),
            tries: 0,
            pass: 0,
            done: 0,
            total: 0,
            bytes: 0,
            home: if of.passing == Passing::Off { Home::Here } else { Home::There },
            cut: anser_base::Timestamp(0),
            priority: Priority::Usual,
            wave: None,
            tally: None,
        })
    }

    /// Tries every login once. Logins that were refused or abandoned are tried again only when they are named.
    pub async fn check(&self, name: &str, which: Which) -> Result<u64> {
        let named = !which.is_empty();
        let meant = move |mailbox: &Mailbox| match mailbox.state {
            State::New | State::Ready => true,
            State::Refused | State::Abandoned => named,
            _ => false,
        };
        if named {
            let of = self.named(name).await?.id;
            // Of others no pass follows, which would find out again what they gave up.
            for mailbox in self.those(of, &which).await?.iter().filter(|one| meant(one)) {
                self.inner.try_anew(mailbox).await?;
            }
        }
        self.begin(name, which, Task::Check, meant).await
    }

    /// Brings a few messages of each folder.
    pub async fn trial(&self, name: &str, which: Which) -> Result<u64> {
        self.begin(name, which, Task::Trial, |one| matches!(one.state, State::New | State::Ready)).await
    }

    /// Begins to bring everything.
    pub async fn start(&self, name: &str, which: Which) -> Result<u64> {
        self.begin(name, which, Task::Copy, |one| matches!(one.state, State::New | State::Ready)).await
    }

    /// Another pass over what is settled: brings what came since, and what changed. To a mailbox that asked on its way back whether much
    /// was removed on purpose it says no: the mailbox stays here, and nothing is removed there.
    pub async fn delta(&self, name: &str, which: Which) -> Result<u64> {
        let asks =
            |one: &Mailbox| one.state == State::Asking && matches!(one.task, Task::Return | Task::ReturnAfterLoss);
        self.begin(name, which, Task::Copy, move |one| one.state == State::Settled || asks(one)).await
    }

    /// Works again on what was refused or failed, at once. Messages and folders that were given up begin anew.
    pub async fn retry(&self, name: &str, which: Which) -> Result<u64> {
        let of = self.named(name).await?;
        let is_over = |one: &Mailbox| matches!(one.state, State::Refused | State::Waiting | State::Settled);
        for mailbox in self.those(of.id, &which).await?.iter().filter(|one| is_over(one)) {
            self.inner.try_anew(mailbox).await?;
        }
        self.begin(name, which, Task::Copy, is_over).await
    }

    pub(crate) async fn begin(
        &self,
        name: &str,
        which: Which,
        task: Task,
        meant: impl Fn(&Mailbox) -> bool + Send + 'static,
    ) -> Result<u64> {
        let of = self.named(name).await?;
        if of.state == MoveState::Paused {
            return Err(paused());
        }
        let now = self.inner.deps.clock.now();
        let begun = self.write(move |tx| {
            let standing = Standing { state: State::Waiting, task, note: None, due: now, tries: 0 };
            let begun = each(tx, of.id, &which, |mailbox| meant(mailbox).then_some(standing))?;
            rows::set_move(tx, of.id, MoveState::Running)?;
            Ok(begun)
        });
        let begun = begun.await?;
        self.inner.stirred.notify_one();
        self.route_domains(&self.named(name).await?).await?;
        Ok(begun)
    }

    /// Stops; what came whole is stored, and what is under way goes on from there when it is resumed.
    pub async fn pause(&self, name: &str) -> Result<()> {
        let of = self.named(name).await?;
        self.write(move |tx| rows::set_move(tx, of.id, MoveState::Paused)).await?;
        self.inner.stop_all(Some(of.id));
        Ok(())
    }

    /// Goes on. With `losses_are_meant`, mailboxes that asked are told that the old server, or on the way back its owner, lost the mail on
    /// purpose.
    pub async fn resume(&self, name: &str, losses_are_meant: bool, which: Which) -> Result<u64> {
        let of = self.named(name).await?;
        let now = self.inner.deps.clock.now();
        let standing = move |mailbox: &Mailbox| {
            let task = match mailbox.task {
                Task::Return | Task::ReturnAfterLoss => Task::ReturnAfterLoss,
                _ => Task::CopyAfterLoss,
            };
            Standing { state: State::Waiting, task, note: None, due: now, tries: 0 }
        };
        let resumed = self.write(move |tx| {
            rows::set_move(tx, of.id, MoveState::Running)?;
            // One that was ended goes on.
            rows::change_gates(tx, of.id, |gates| gates.closed = None)?;
            let asks = |mailbox: &Mailbox| losses_are_meant && mailbox.state == State::Asking;
            each(tx, of.id, &which, |mailbox| asks(mailbox).then(|| standing(mailbox)))
        });
        let resumed = resumed.await?;
        self.inner.stirred.notify_one();
        self.route_domains(&self.named(name).await?).await?;
        Ok(resumed)
    }

    /// Waits until nothing is under way: every mailbox is settled, or waits after a failure, for its hours, or for a person.
    pub async fn wait(&self, name: &str) -> Result<()> {
        let mut changed = self.inner.changed.subscribe();
        loop {
            let of = self.named(name).await?;
            let busy = |mailbox: &Mailbox| {
                let waits = mailbox.state == State::Waiting && mailbox.tries == 0 && of.state == MoveState::Running;
                mailbox.state == State::Copying || (waits && !hours::waits_for_its_time(mailbox))
            };
            if !self.all(of.id).await?.iter().any(busy) {
                return Ok(());
            }
            if changed.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    /// Counts what comes to an end: passes, sessions that were passed through, answers of owners.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    pub(crate) async fn named(&self, name: &str) -> Result<Move> {
        let wanted = name.to_owned();
        let found = self.read(move |tx| rows::move_named(tx, &wanted)).await?;
        found.ok_or_else(|| unknown(&format!("move {name}")))
    }

    /// The mailboxes of a move, by number. They are read in pages, as is all that grows with a move: logins wait for the same thread.
    pub(crate) async fn all(&self, of: u64) -> Result<Vec<Mailbox>> {
        let mut all: Vec<Mailbox> = Vec::new();
        loop {
            let after = all.last().map_or(0, |mailbox| mailbox.id);
            let page = self.read(move |tx| rows::mailboxes(tx, of, after, PAGE)).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// Those of them that are meant.
    pub(crate) async fn those(&self, of: u64, which: &[String]) -> Result<Vec<Mailbox>> {
        let asked = which.to_vec();
        match self.read(move |tx| which::few(tx, of, &asked)).await? {
            Some(few) => Ok(few),
            None => Ok(self.all(of).await?.into_iter().filter(meant(which)).collect()),
        }
    }

    /// The past of each of these, by its number.
    pub(crate) async fn pasts(&self, of: u64, all: &[Mailbox]) -> Result<HashMap<u64, Past>> {
        let mut pasts = HashMap::with_capacity(all.len());
        for page in all.chunks(PAGE) {
            let (Some(first), Some(last)) = (page.first(), page.last()) else { continue };
            let ids = (first.id, last.id);
            pasts.extend(self.read(move |tx| history::pasts(tx, of, ids)).await?);
        }
        Ok(pasts)
    }

    pub(crate) async fn read<R: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.inner.deps.db.read(Place::Moves, work).await
    }

    pub(crate) async fn write<R: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let written = self.inner.deps.db.write(Place::Moves, Durability::Sync, work).await;
        self.inner.everybody.changed();
        written
    }
}

pub(crate) fn paused() -> Error {
    Error::new(Class::Conflict, "the move is paused: resume it first", "迁移已暂停，请先恢复")
}

pub(crate) fn list(tx: &mut Tx<'_>, of: u64) -> Result<Vec<Mailbox>> {
    let mut all: Vec<Mailbox> = Vec::new();
    loop {
        let after = all.last().map_or(0, |mailbox| mailbox.id);
        let page = rows::mailboxes(tx, of, after, PAGE)?;
        let end = page.len() < PAGE;
        all.extend(page);
        if end {
            return Ok(all);
        }
    }
}

/// Those of them that are meant.
pub(crate) fn those(tx: &mut Tx<'_>, of: u64, which: &[String]) -> Result<Vec<Mailbox>> {
    match which::few(tx, of, which)? {
        Some(few) => Ok(few),
        None => Ok(list(tx, of)?.into_iter().filter(meant(which)).collect()),
    }
}

/// Puts the mailboxes that are meant where `to` says; how many.
pub(crate) fn each<'s>(
    tx: &mut Tx<'_>,
    of: u64,
    which: &[String],
    to: impl Fn(&Mailbox) -> Option<Standing<'s>>,
) -> Result<u64> {
    let mut count = 0;
    for mailbox in &those(tx, of, which)? {
        if let Some(standing) = to(mailbox) {
            rows::set_state(tx, mailbox.id, &standing)?;
            count += 1;
        }
    }
    Ok(count)
}

/// Whether something of a mailbox may have come already.
fn has_begun(mailbox: &Mailbox) -> bool {
    let has_rows = mailbox.tally.is_some_and(|rows| rows != [0; 6]);
    let is_free = matches!(mailbox.state, State::New | State::Ready | State::Refused | State::Abandoned);
    has_rows || mailbox.cut.0 > 0 || !is_free
}

fn is_anothers(known: &Mailbox) -> Error {
    let Mailbox { login, address, .. } = known;
    Error::new(
        Class::Conflict,
        format!("the mail of {login} is being brought to {address}: undo that first"),
        format!("{login} 的邮件正在迁入 {address}，请先撤销"),
    )
}

/// Why a program names no old server.
fn not_from_afar(trouble: Trouble) -> Error {
    match trouble {
        Trouble::Login { kind: "forbidden", .. } => Error::new(
            Class::Forbidden,
            "a server of an inner network is named at the server itself first",
            "内部网络中的服务器须先在本机上指定",
        ),
        other => other.into(),
    }
}
