//! Who exists: tenants, domains, accounts, groups, and what opens an account.
//!
//! | module | holds |
//! |---|---|
//! | [`model`] | the nouns: [`Account`], [`Domain`], [`Group`], [`Services`], [`Role`] |
//! | [`resolve`] | where mail to an address goes, and who may write as it |
//! | [`login`] | is this password or token good: [`Directory::authenticate`], and the SCRAM half in [`scram`] |
//! | [`refusal`] | why a login fails |
//! | [`pass`] | what open connections were let in by, asked after |
//! | [`passage`] | sessions of people whose mail is still there |
//! | [`front_door`] | logins that only an old server knows yet: asked there, and learnt |
//! | [`sasl`] | one exchange of SASL messages for every door |
//! | [`sign_in`] | the login page's way in, step by step |
//! | [`providers`] | who tells who somebody is: OpenID Connect, CAS |
//! | [`portals`] | who vouches for people that are signed in elsewhere |
//! | [`oauth`] | grants that owners give to programs |
//! | [`second`], [`totp`] | the second factor: authenticators and recovery codes |
//! | [`passkeys`], [`webauthn`], [`cbor`] | keys of authenticators that sign for this site |
//! | [`rules`] | how long sessions last, what passwords are like, which doors there are: domain by domain |
//! | [`looks`] | what the login page of a domain looks like |
//! | [`ring`] | keys of a short life that all nodes share |
//! | [`sessions`] | what our own pages are let in by |
//! | [`remembered`] | passwords that were verified a short while ago |
//! | [`guard`] | slows guessing down without locking owners out |
//! | [`password`] | Argon2id, SCRAM keys, and verification of the hashes that other servers leave behind |
//! | [`scripts`] | Sieve scripts of accounts, domains and the house |
//! | [`dkim`] | the keys that a domain's mail is signed with |
//! | [`routes`] | where mail goes whose mailbox is not here |
//! | [`srs`] | senders of mail that is sent on |
//! | [`sending`] | how much an account may send, and whose mail is held |
//! | [`sharing`] | whom access lists mean, and who shares with whom |
//! | [`certificates`] | certificates that an authority gave |
//! | [`admin`] | every change, as typed functions |
//! | [`admin_tokens`] | what administrative acts are done by from afar |
//!
//! [`Directory`] is cheap to clone. Its look-ups are answered from memory as long as nobody changed the directory: every change
//! counts a generation up, and cached answers of an older one are dropped. On PostgreSQL, where other nodes write too, the stored
//! generation is read again after [`GENERATION_AGE_MS`].

pub mod admin;
pub mod admin_tokens;
mod cache;
pub mod cbor;
pub mod certificates;
pub mod completion;
mod credentials;
pub mod dkim;
pub mod front_door;
pub mod guard;
mod jobs;
pub mod login;
pub mod looks;
pub mod model;
mod names;
pub mod oauth;
pub mod pass;
pub mod passage;
pub mod passkeys;
pub mod password;
pub mod portals;
pub mod providers;
mod push;
mod random;
pub mod refusal;
pub mod remembered;
pub mod resolve;
pub mod ring;
pub mod routes;
mod rows;
pub mod rules;
pub mod sasl;
mod schema;
pub mod scram;
pub mod scripts;
pub mod sealed;
pub mod second;
mod secrets;
pub mod sending;
pub mod sessions;
pub mod sharing;
pub mod sign_in;
mod spent;
pub mod srs;
mod told;
pub mod totp;
mod used;
pub mod webauthn;
pub mod zone;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anser_base::{AccountId, Clock, Entropy, Result, Timestamp};
use anser_db::{Db, Durability, Place, Tx};
use tokio::sync::{OnceCell, watch};

use crate::cache::Cache;
use crate::credentials::Credentials;
use crate::dkim::SigningKey;
use crate::front_door::Asking;
use crate::guard::Guard;
use crate::names::LoginName;
use crate::password::Hasher;
use crate::remembered::Remembered;
use crate::scripts::{Running, ScriptOwner};
use crate::secrets::Secrets;

pub use admin::{
    AccountFilter, AccountPage, Alias, AliasTarget, Incoming, NewAccount, NewAppPassword, NewDomain, Outcome, Password,
    Profile, Stored, Verdict,
};
pub use admin_tokens::{AdminScope, AdminToken};
pub use certificates::Certificate;
pub use completion::{AGE as PEOPLE_AGE, People, Person, PersonId};
pub use dkim::{DkimKey, DkimState};
pub use front_door::{Answer, FrontDoor, Lesson, OldProtocol, OldServers, Question};
pub use jobs::JOBS;
pub use login::{Attempt, Login, Via};
pub use model::{
    Account, AccountState, AppPassword, AppPasswordId, AppPasswordKind, DEFAULT_TENANT, Domain, Group, GroupId, Locale,
    Role, Service, Services, SessionId,
};
pub use oauth::{Client, Tokens};
pub use pass::Pass;
pub use passage::Passage;
pub use passkeys::{Added, Brought, Ceremony, Passkey};
pub use password::Secret;
pub use password::policy::PasswordRules;
pub use portals::{Portal, PortalTicket};
pub use providers::{Names, Provider, ProviderKind};
pub use push::PushSubscription;
pub use refusal::{AuthFailure, Refusal};
pub use resolve::{Expansion, Resolution};
pub use routes::{Check, Gate, HopTls, Hours, NextHop, Route, RouteWay, Standing};
pub use rules::{InForce, Rules};
pub use sasl::{Exchange, Mechanism, Peer, Step};
pub use schema::SCHEMA;
pub use scram::ScramLookup;
pub use second::{NewTotp, SecondFactor};
pub use sending::{SendingHold, SendingLimits};
pub use sessions::{NewSession, Session, cookie_name};
pub use sharing::Identity;
pub use sign_in::{Need, Shown, Signed, Visitor};
pub use used::{OF_THE_HOUSE, Used};
pub use zone::TimeZone;

/// On PostgreSQL, how old the known generation may be before it is read again, in milliseconds: how late a change made on
/// another node is seen at most.
pub const GENERATION_AGE_MS: i64 = 1000;
/// Addresses, accounts and login names remembered, each.
const CACHED: usize = 40_000;
/// Expanded groups remembered; fewer, because each may hold thousands of members.
const CACHED_GROUPS: usize = 400;
/// People of whom it is remembered who shares with them.
const CACHED_OWNERS: usize = 10_000;

/// Domains whose signing keys are remembered.
const CACHED_DOMAINS: usize = 2_000;

/// What the directory needs from its surroundings.
#[derive(Clone)]
pub struct Deps {
    /// The tables, opened with [`SCHEMA`] as their `server` schema.
    pub db: Db,
    /// The clock seam.
    pub clock: Clock,
    /// The randomness seam.
    pub entropy: Entropy,
    /// This server's host name: `postmaster@` it is the administrator.
    pub hostname: String,
    /// This server's addresses, for domain literals (RFC 5321 §4.1.3).
    pub literals: Vec<IpAddr>,
}

/// Handle to the directory; cheap to clone.
#[derive(Clone)]
pub struct Directory {
    inner: Arc<Inner>,
}

struct Inner {
    deps: Deps,
    hostname: String,
    generation: watch::Sender<u64>,
    checked_ms: AtomicI64,
    checking: tokio::sync::Mutex<()>,
    resolutions: Cache<String, Resolution>,
    groups: Cache<String, Resolution>,
    accounts: Cache<AccountId, Option<Arc<Account>>>,
    senders: Cache<(AccountId, String), bool>,
    memberships: Cache<AccountId, Arc<[u64]>>,
    owners: Cache<(AccountId, bool), Arc<[Arc<Account>]>>,
    scripts: Cache<ScriptOwner, Arc<Running>>,
    signing: Cache<String, Arc<[SigningKey]>>,
    routes: Cache<String, Option<Arc<Route>>>,
    sending: Cache<AccountId, Arc<SendingLimits>>,
    held: Cache<AccountId, Option<Arc<str>>>,
    logins: Cache<LoginName, Option<Arc<Credentials>>>,
    grants: Cache<oauth::GrantId, Arc<oauth::Grant>>,
    sessions: Cache<[u8; 32], Arc<sessions::Stored>>,
    told: Cache<String, Timestamp>,
    looks: Cache<String, Arc<looks::Look>>,
    remembered: Remembered,
    front_doors: Cache<String, Option<Arc<FrontDoor>>>,
    old_servers: std::sync::OnceLock<OldServers>,
    /// App passwords that are shown what is here: see [`Directory::look_here`].
    looking: std::sync::Mutex<std::collections::HashSet<AppPasswordId>>,
    /// See [`Directory::use_key`].
    outside_key: std::sync::OnceLock<[u8; 32]>,
    asking: Asking,
    /// Until when a front door is open, in milliseconds.
    learning_until: AtomicI64,
    guard: Guard,
    hasher: Hasher,
    people: completion::Held,
    watched: scripts::Watched,
    secrets: OnceCell<Secrets>,
}

impl Inner {
    /// Counts the known generation up to one that is there.
    fn saw(&self, generation: u64) {
        self.generation.send_if_modified(|known| {
            let is_news = *known < generation;
            *known = (*known).max(generation);
            is_news
        });
    }
}

impl Directory {
    /// Over an open engine. Reads nothing yet.
    pub fn new(deps: Deps) -> Self {
        let inner = Inner {
            hostname: names::domain_key(&deps.hostname),
            generation: watch::Sender::new(0),
            checked_ms: AtomicI64::new(i64::MIN),
            checking: tokio::sync::Mutex::new(()),
            resolutions: Cache::new(CACHED),
            groups: Cache::new(CACHED_GROUPS),
            accounts: Cache::new(CACHED),
            senders: Cache::new(CACHED),
            memberships: Cache::new(CACHED),
            owners: Cache::new(CACHED_OWNERS),
            scripts: Cache::new(scripts::CACHED_SCRIPTS),
            signing: Cache::new(CACHED_DOMAINS),
            routes: Cache::new(CACHED),
            sending: Cache::new(CACHED),
            held: Cache::new(CACHED),
            logins: Cache::new(CACHED),
            grants: Cache::new(CACHED),
            sessions: Cache::new(CACHED),
            told: Cache::new(told::CACHED_MATTERS),
            looks: Cache::new(looks::CACHED_LOOKS),
            remembered: Remembered::new(&deps.entropy),
            front_doors: Cache::new(CACHED_DOMAINS),
            old_servers: std::sync::OnceLock::new(),
            looking: std::sync::Mutex::default(),
            outside_key: std::sync::OnceLock::new(),
            asking: Asking::new(),
            learning_until: AtomicI64::new(i64::MIN),
            guard: Guard::new(&deps.entropy),
            hasher: Hasher::new(deps.entropy.clone()),
            people: Default::default(),
            watched: Default::default(),
            secrets: OnceCell::new(),
            deps,
        };
        Self { inner: Arc::new(inner) }
    }

    /// An account by its number, in whatever state; `None` when it never was or was purged.
    pub async fn account(&self, id: AccountId) -> Result<Option<Arc<Account>>> {
        let stamp = self.stamp().await?;
        if let Some(known) = self.inner.accounts.get(stamp, &id) {
            return Ok(known);
        }
        let found = self.read(move |tx| rows::account_by_id(tx, id)).await?.map(Arc::new);
        self.inner.accounts.put(stamp, id, found.clone());
        Ok(found)
    }

    fn db(&self) -> &Db {
        &self.inner.deps.db
    }

    async fn read<R, F>(&self, work: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<R> + Send + 'static,
    {
        self.db().read(Place::Server, work).await
    }

    /// A write that look-ups can see. Counting the generation up first also makes changes wait for each other on PostgreSQL.
    async fn change<R, F>(&self, mut work: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<R> + Send + 'static,
    {
        let inner = self.inner.clone();
        let work = move |tx: &mut Tx<'_>| {
            let generation = rows::count_up(tx, "generation", 1)?;
            Ok((work(tx)?, generation))
        };
        let after = move |done: &mut (R, u64)| {
            inner.saw(done.1);
        };
        Ok(self.db().write_then(Place::Server, Durability::Sync, work, after).await?.0)
    }

    /// A write that changes no look-up's answer.
    async fn note<R, F>(&self, work: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<R> + Send + 'static,
    {
        self.db().write(Place::Server, Durability::Sync, work).await
    }

    /// The generation that cached answers must have.
    async fn stamp(&self) -> Result<u64> {
        if self.db().is_postgres() && !self.is_stamp_fresh() {
            let _one = self.inner.checking.lock().await;
            if !self.is_stamp_fresh() {
                let now = self.inner.deps.clock.now().0;
                let stored = self.read(|tx| rows::counter(tx, "generation")).await?;
                self.inner.saw(stored);
                self.inner.checked_ms.store(now, Ordering::SeqCst);
            }
        }
        Ok(*self.inner.generation.borrow())
    }

    fn is_stamp_fresh(&self) -> bool {
        let age = self.inner.deps.clock.now().0.wrapping_sub(self.inner.checked_ms.load(Ordering::SeqCst));
        (0..GENERATION_AGE_MS).contains(&age)
    }

    async fn secrets(&self) -> Result<&Secrets> {
        self.inner.secrets.get_or_try_init(|| secrets::load(self)).await
    }
}
