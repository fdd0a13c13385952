//! The front door of an organisation that moves in: logins that our own credentials do not know are checked at its old server, and
//! learnt.
//!
//! | login in a domain with an open front door | what happens |
//! |---|---|
//! | our own hash knows the password | nothing is asked, unless the moves forgot the one of a mailbox that still comes from there |
//! | our own hash does not, and it was made here | wrong: ours is the truth by now |
//! | our own hash does not, the mailbox is at the old server, and that no longer takes the password | the old server is asked: it was changed there |
//! | no hash, or one that an old system left | the old server is asked |
//! | nobody's name | the old server is asked only where accounts may be made and the name fits; a right password makes the account |
//!
//! A right password becomes our hash with SCRAM keys, opens the mailbox at once, and is told to whoever moves mailboxes
//! ([`OldServers::learned`]). While the old server does not answer, a login fails for a time, never as wrong.
//!
//! Nobody can use us to guess at old accounts or to lock them: of each name a few wrong passwords a day go to the old side
//! ([`FrontDoor::tries`]), from one network half of them, the same one once; beyond that all are wrong. All failures of such a domain
//! are answered at multiples of [`BEAT`], so that the time does not tell whether the old server was asked. One login of a name is
//! asked for at a time, and beside it one whose password is right here and is learnt again. No login waits for that.

mod again;
mod door;
mod turns;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anser_base::{AccountId, Address, Error, Result, Timestamp};
use anser_db::params;
use anser_wire::Secret;

use self::door::{DOOR, check, read, write};
use self::turns::Turns;
use crate::admin::{no_domain, one};
use crate::cache::Cache;
use crate::credentials::Credentials;
use crate::guard::Network;
use crate::login::Attempt;
use crate::model::{Account, AccountState};
use crate::names::{self, LoginName};
use crate::passage::Passage;
use crate::password::{self, PASSWORD};
use crate::refusal::AuthFailure;
use crate::{Directory, NewAccount, Password, Service, rows};

pub use door::{FrontDoor, LOGIN, OLD_TLS, OldProtocol};

/// Failed logins of a domain with an open front door are answered at multiples of this after they came.
pub const BEAT: Duration = Duration::from_secs(2);
/// How long the same wrong password is not asked about again.
const KNOWN_WRONG: Duration = Duration::from_secs(15 * 60);
/// Names and networks whose wrong passwords are counted, and wrong passwords that are remembered.
const COUNTED: usize = 50_000;
/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 3600 * 1000;

/// A login that the old server is asked about.
#[derive(Clone, Debug)]
pub struct Question {
    /// Where.
    pub door: Arc<FrontDoor>,
    /// The name there.
    pub login: String,
    /// The password, as the client sent it.
    pub password: Secret,
}

/// What the old server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It lets them in.
    Good,
    /// It does not.
    Wrong,
    /// It does not, and says another reason than the password, which may be right or wrong; for the log and the client.
    Refused(String),
    /// It cannot tell at present, and why; for the log.
    Down(String),
}

/// What was learnt.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// Whose password.
    pub account: Arc<Account>,
    /// From which old server.
    pub door: Arc<FrontDoor>,
    /// The name there.
    pub login: String,
    /// The password there; to be sealed at once by whoever moves the mailbox.
    pub password: Secret,
}

/// Something that takes its time.
pub type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The way to old servers, and to whoever moves mailboxes: what this crate has no sockets for.
pub struct OldServers {
    /// Asks an old server, within a time of its own.
    pub ask: Box<dyn Fn(Question) -> Later<Answer> + Send + Sync>,
    /// Opens the session of somebody whose mailbox is still there: [`Directory::passage`].
    pub pass: Box<dyn Fn(Arc<Account>, Service) -> Later<Result<Option<Passage>>> + Send + Sync>,
    /// Of these accounts, those whose mailbox is still there: [`Directory::living_elsewhere`].
    pub elsewhere: Box<dyn Fn(Vec<AccountId>) -> Later<Result<Vec<AccountId>>> + Send + Sync>,
    /// Whether the mailbox of this account is still there, and what is known of its password there was refused.
    pub stale: Box<dyn Fn(AccountId) -> Later<Result<bool>> + Send + Sync>,
    /// Whether a mailbox of this account still comes from an old server that takes passwords, and none is known of it.
    pub lacks: Box<dyn Fn(AccountId) -> Later<Result<bool>> + Send + Sync>,
    /// Hears of every password that was learnt, before its owner is let in.
    pub learned: Box<dyn Fn(Lesson) -> Later<()> + Send + Sync>,
}

impl fmt::Debug for OldServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OldServers")
    }
}

/// What is remembered of questions.
pub(crate) struct Asking {
    /// Names whose password is not known here.
    first: Turns,
    /// Those whose password is, and is learnt again.
    again: Turns,
    wrong_of_name: Cache<String, (i64, u32)>,
    wrong_from: Cache<(String, Network), (i64, u32)>,
    known_wrong: Cache<[u8; 32], Timestamp>,
    /// Until when a password that is right here is not asked about again, by the name.
    resting: Cache<String, Timestamp>,
}

impl Asking {
    pub fn new() -> Self {
        let (wrong_of_name, wrong_from) = (Cache::new(COUNTED), Cache::new(COUNTED));
        let (known_wrong, resting) = (Cache::new(COUNTED), Cache::new(COUNTED));
        let (first, again) = (Turns::default(), Turns::default());
        Self { first, again, wrong_of_name, wrong_from, known_wrong, resting }
    }

    /// Whether another wrong password may go to the old side today.
    fn may_ask(&self, name: &str, network: Network, tries: u32, now: Timestamp) -> bool {
        let today = now.0.div_euclid(DAY_MS);
        let count = |found: Option<(i64, u32)>| found.filter(|(day, _)| *day == today).map_or(0, |(_, count)| count);
        let from = count(self.wrong_from.get(0, &(name.to_owned(), network)));
        count(self.wrong_of_name.get(0, name)) < tries && from < tries.div_ceil(2)
    }

    fn count_wrong(&self, name: &str, network: Network, now: Timestamp) {
        let today = now.0.div_euclid(DAY_MS);
        let more = |found: Option<(i64, u32)>| match found {
            Some((day, count)) if day == today => (today, count.saturating_add(1)),
            _ => (today, 1),
        };
        self.wrong_of_name.put(0, name.to_owned(), more(self.wrong_of_name.get(0, name)));
        let key = (name.to_owned(), network);
        self.wrong_from.put(0, key.clone(), more(self.wrong_from.get(0, &key)));
    }
}

/// Opening and closing.
impl Directory {
    /// Hands over the way to old servers, once, when the house is put together. Without it no front door is open.
    pub async fn use_old_servers(&self, servers: OldServers) -> Result<()> {
        // A second one would be a mistake of the roof, and changes nothing.
        let _ = self.inner.old_servers.set(servers);
        self.look_at_the_clock().await
    }

    /// Whether some front door is open, so that clients should send passwords rather than proofs of them.
    pub fn learns_passwords(&self) -> bool {
        self.inner.learning_until.load(Ordering::SeqCst) > self.inner.deps.clock.now().0
    }

    /// Whether the front door of a domain is open.
    pub async fn learns_passwords_of(&self, domain: &str) -> Result<bool> {
        Ok(self.front_door(&names::domain_key(domain)).await?.is_some())
    }

    /// Finds out until when a front door is open.
    async fn look_at_the_clock(&self) -> Result<()> {
        let doors = self.front_doors().await?;
        let until = doors.iter().map(|door| door.until.0).max().unwrap_or(i64::MIN);
        self.inner.learning_until.store(until, Ordering::SeqCst);
        Ok(())
    }

    /// Opens a domain's front door, or changes it; the count of accounts made goes on. `Class::NotFound` when the domain is not ours,
    /// `Class::Invalid` for a host, a way or a pattern that cannot be.
    pub async fn open_front_door(&self, door: FrontDoor) -> Result<()> {
        check(&door)?;
        let name = names::domain_key(&door.domain);
        self.change(move |tx| {
            let domain = rows::domain_by_name(tx, &name)?.ok_or_else(no_domain)?;
            write(tx, domain.id, &door)
        })
        .await?;
        self.look_at_the_clock().await
    }

    /// Closes a domain's front door: logins are ours alone. `Class::NotFound` when it has none.
    pub async fn close_front_door(&self, domain: &str) -> Result<()> {
        let name = names::domain_key(domain);
        let missing = || Error::not_found("the domain has no front door", "该域名没有设置旧服务器登录");
        self.change(move |tx| {
            let domain = rows::domain_by_name(tx, &name)?.ok_or_else(no_domain)?;
            one(tx.execute("DELETE FROM dir_front_doors WHERE domain = ?1", params![domain.id.to_sql()])?, missing)
        })
        .await?;
        self.look_at_the_clock().await
    }

    /// All front doors, by domain, those whose time is over too.
    pub async fn front_doors(&self) -> Result<Vec<FrontDoor>> {
        self.read(|tx| tx.query(&format!("{DOOR} ORDER BY d.name"), &[], read)).await
    }

    /// Of a domain, while it is open.
    async fn front_door(&self, domain: &str) -> Result<Option<Arc<FrontDoor>>> {
        if self.inner.old_servers.get().is_none() {
            return Ok(None);
        }
        let stamp = self.stamp().await?;
        let found = match self.inner.front_doors.get(stamp, domain) {
            Some(known) => known,
            None => {
                let name = domain.to_owned();
                let found = self
                    .read(move |tx| {
                        tx.query_one(&format!("{DOOR} WHERE d.name = ?1 AND d.disabled = 0"), params![&name], read)
                    })
                    .await?
                    .map(Arc::new);
                self.inner.front_doors.put(stamp, domain.to_owned(), found.clone());
                found
            }
        };
        let now = self.inner.deps.clock.now();
        Ok(found.filter(|door| door.until > now))
    }
}

/// Who asks to be let in, and by which door.
pub(crate) struct Visit {
    door: Arc<FrontDoor>,
    /// The address, in normal form.
    address: String,
}

/// Logins.
impl Directory {
    /// The front door that a login name leads to.
    pub(crate) async fn visit(&self, name: &[u8], known: Option<&Credentials>) -> Result<Option<Visit>> {
        if self.inner.old_servers.get().is_none() {
            return Ok(None);
        }
        let address = match (known, LoginName::parse(name)) {
            (Some(known), _) => names::key(&known.account.address),
            (None, Some(LoginName::Full(address))) => address,
            (None, Some(LoginName::Bare(local))) => match self.default_domain().await? {
                Some(domain) => format!("{local}@{}", domain.name),
                None => return Ok(None),
            },
            (None, None) => return Ok(None),
        };
        let Some((_, domain)) = address.rsplit_once('@') else { return Ok(None) };
        let door = self.front_door(domain).await?;
        Ok(door.map(|door| Visit { door, address }))
    }

    /// Asks the old server about a password that ours do not know. The credentials that it has become, or `None` when it is wrong.
    pub(crate) async fn learn(
        &self,
        attempt: &Attempt<'_>,
        visit: &Visit,
        known: Option<&Credentials>,
    ) -> Result<Option<Arc<Credentials>>, AuthFailure> {
        let is_sound =
            !attempt.password.is_empty() && attempt.password.len() <= PASSWORD && !attempt.password.contains(&0);
        if !is_sound || !(visit.may_learn(known) || self.is_stale(known).await?) {
            return Ok(None);
        }
        let turn = self.inner.asking.first.of(&visit.address).ok_or_else(busy)?;
        let _turn = turn.lock().await;
        // Whoever was first may have learnt it; then ours is the truth.
        let known = self.credentials(attempt.name).await?;
        if let Some(found) = &known
            && password::is_current(&found.hash)
        {
            let via = self.verify(attempt, known.as_deref()).await?;
            if via.is_some() || !self.is_stale(known.as_deref()).await? {
                return Ok(via.and(known));
            }
        }
        let login = visit.login();
        if !self.ask(attempt, visit, &login).await? {
            return Ok(None);
        }
        let Some(learnt) = self.keep(attempt, visit, known.as_deref()).await? else { return Ok(None) };
        tracing::info!(account = %learnt.account.address, host = %visit.door.host, "a password was learnt from the old server");
        self.teach(attempt, visit, &learnt, login).await;
        Ok(Some(learnt))
    }

    /// Tells the moves a password that the old server takes.
    async fn teach(&self, attempt: &Attempt<'_>, visit: &Visit, whose: &Credentials, login: String) {
        let Some(servers) = self.inner.old_servers.get() else { return };
        let (account, door) = (whose.account.clone(), visit.door.clone());
        let lesson = Lesson { account, door, login, password: Secret::new(attempt.password) };
        // A task of its own, so that a client that leaves meanwhile does not leave it half done.
        let _ = tokio::spawn((servers.learned)(lesson)).await;
    }

    /// Whether somebody's mailbox is at the old server and their password was changed there.
    async fn is_stale(&self, known: Option<&Credentials>) -> Result<bool> {
        match (known, self.inner.old_servers.get()) {
            (Some(found), Some(servers)) if found.account.state == AccountState::Active => {
                (servers.stale)(found.account.id).await
            }
            _ => Ok(false),
        }
    }

    /// Whether the old server lets them in. What was found wrong a short while ago is not asked again, and not more a day than allowed.
    async fn ask(&self, attempt: &Attempt<'_>, visit: &Visit, login: &str) -> Result<bool, AuthFailure> {
        let (asking, now) = (&self.inner.asking, self.inner.deps.clock.now());
        let network = Network::of(attempt.source);
        let key = self.inner.remembered.key(0, -1, &[visit.address.as_bytes(), b"\0", attempt.password].concat());
        let is_known = asking.known_wrong.get(0, &key).is_some_and(|at| now.since(at) < KNOWN_WRONG);
        if is_known || !asking.may_ask(&visit.address, network, visit.door.tries, now) {
            return Ok(false);
        }
        let Some(servers) = self.inner.old_servers.get() else { return Ok(false) };
        let question =
            Question { door: visit.door.clone(), login: login.to_owned(), password: Secret::new(attempt.password) };
        match (servers.ask)(question).await {
            Answer::Good => Ok(true),
            Answer::Wrong => {
                asking.count_wrong(&visit.address, network, now);
                asking.known_wrong.put(0, key, now);
                Ok(false)
            }
            // There are servers that say the same of every password: guesses count.
            Answer::Refused(why) => {
                asking.count_wrong(&visit.address, network, now);
                tracing::warn!(host = %visit.door.host, why, "the old server refuses a login for another reason than the password");
                Err(Error::unavailable(format!("old server: {why}")).into())
            }
            Answer::Down(why) => {
                tracing::warn!(host = %visit.door.host, why, "the old server cannot be asked about a login");
                Err(Error::unavailable(format!("old server: {why}")).into())
            }
        }
    }

    /// Makes a password ours. `None` when no account may be made for the name.
    async fn keep(
        &self,
        attempt: &Attempt<'_>,
        visit: &Visit,
        known: Option<&Credentials>,
    ) -> Result<Option<Arc<Credentials>>> {
        let secret = self.make_secret(attempt.password).await?;
        match known {
            Some(found) => {
                let (id, version) = (found.account.id, found.version);
                let scram = secret.scram.as_ref().map(|keys| keys.to_bytes());
                let sql = "UPDATE dir_accounts SET hash = ?3, scram = ?4, must_change = 0, credential = credential + 1
                           WHERE id = ?1 AND credential = ?2";
                self.change(move |tx| {
                    tx.execute(sql, params![id.to_sql(), version, &secret.hash, scram.as_ref()]).map(drop)
                })
                .await?;
            }
            None => {
                let name = visit.door.domain.clone();
                let sql = "UPDATE dir_front_doors SET made = made + 1 WHERE made < most AND domain IN
                           (SELECT id FROM dir_domains WHERE name = ?1)";
                let room = self.change(move |tx| tx.execute(sql, params![&name])).await? > 0;
                let Some(address) = Address::parse(&visit.address).filter(|_| room) else { return Ok(None) };
                self.add_account(NewAccount::new(address, Password::Made(secret))).await?;
            }
        }
        let learnt = self.credentials(attempt.name).await?;
        // Whoever set another password meanwhile has the last word.
        match &learnt {
            Some(found) => Ok(self.verify(attempt, Some(found)).await.map_err(|failure| failure.error)?.and(learnt)),
            None => Ok(None),
        }
    }
}

impl Visit {
    /// The name at the old server.
    fn login(&self) -> String {
        let local = self.address.rsplit_once('@').map_or(&*self.address, |(local, _)| local);
        if self.door.whole_address { self.address.clone() } else { local.to_owned() }
    }

    /// Whether the old server may know better than we do.
    fn may_learn(&self, known: Option<&Credentials>) -> bool {
        match known {
            Some(found) => found.account.state == AccountState::Active && !password::is_current(&found.hash),
            None => {
                let local = self.address.rsplit_once('@').map_or("", |(local, _)| local);
                let fits = self.door.pattern.as_deref().is_some_and(|pattern| fits(pattern, local));
                fits && self.door.made < self.door.most
            }
        }
    }
}

/// How long a failed login is answered after, all in all, so that its time tells nothing of what was asked meanwhile.
pub(crate) fn to_the_beat(delay: Duration, elapsed: Duration) -> Duration {
    let beats = elapsed.as_millis().div_ceil(BEAT.as_millis()).max(1);
    let whole = BEAT.saturating_mul(u32::try_from(beats).unwrap_or(u32::MAX));
    delay.max(whole).saturating_sub(elapsed)
}

fn busy() -> AuthFailure {
    Error::unavailable("too many logins are being checked at old servers").into()
}

/// Whether a name fits a pattern of `*` and `?`; time is the product of their lengths at most.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(c) if *c == '?' || *c == name[from] => (at, from) = (at + 1, from + 1),
            _ => match star {
                Some((star_at, taken)) => {
                    star = Some((star_at, taken + 1));
                    (at, from) = (star_at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_names() {
        for (pattern, name) in
            [("*", "ann"), ("a*", "ann"), ("*n", "ann"), ("a?n", "ann"), ("*a*b*", "xaxbx"), ("**", "")]
        {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("b*", "ann"), ("a", "ann"), ("a?", "ann"), ("", "a"), ("*ab", "abb")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn the_time_of_an_answer_does_not_tell_what_was_asked() {
        let (quick, slow) = (Duration::from_millis(40), Duration::from_millis(1900));
        for delay in [0, 500, 3000, 8000].map(Duration::from_millis) {
            assert_eq!(quick + to_the_beat(delay, quick), slow + to_the_beat(delay, slow));
        }
    }
}
