//! Sieve scripts run over mail for an account: the house's and its domain's before, its own active one, theirs after, over one
//! budget.
//!
//! ```text
//! which scripts ─▶ compile (kept by hash) ─▶ run on a thread of its own ─▶ plan: copies, mail that follows, what to remember
//!                                                                              └─▶ apply: one transaction of the account
//! ```
//!
//! Whatever goes wrong, the message is kept. The account's transaction notes the entry, stores every copy, and keeps the mail that
//! follows until the queue has it; so a redelivery stores nothing twice and sends nothing that was not decided before.

mod apply;
mod existing;
mod job;
mod mail;
mod plan;
mod programs;
mod world;

use std::cell::OnceCell;
use std::sync::Arc;

use anser_base::{Address, Clock, Entropy, Error, Result, Text};
use anser_directory::scripts::{Place, Script as Stored, ScriptOwner};
use anser_directory::{Account, Directory, Locale};
use anser_queue::{Entry, Submission};
use anser_sieve::{Action, Environment, Failure, Fuel, Input, Origin, Outcome, Program, Script, Taken};
use anser_store::Store;
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use mail::Writer;
use programs::Programs;
use world::{House, Included};

pub(crate) use apply::{At, Filed, Kept, apply, unpack_kept};
pub use existing::{Findings, REVIEWED, Review, Reviewed};
pub use job::{Applying, Jobs};
pub(crate) use plan::{Act, Plan, Planning};

/// Messages that scripts run over at once; a run is short, and waits for its turn.
const RUNS: usize = 8;
/// Kibibytes of messages that scripts look at at once, all together.
const MEMORY: usize = 512 * 1024;
/// Scripts that the scripts of one message may include, all together.
const INCLUDED: usize = 50;
/// Characters of the random text in boundaries, 5 random bits each.
const TOKEN: usize = 32;

/// What rules work with.
#[derive(Clone)]
pub struct Deps {
    /// What accounts hold.
    pub store: Store,
    /// Who exists, and their scripts.
    pub directory: Directory,
    /// The clock.
    pub clock: Clock,
    /// Randomness for boundaries and Message-IDs.
    pub entropy: Entropy,
    /// This server's name.
    pub hostname: String,
}

/// Runs scripts; cheap to clone.
#[derive(Clone)]
pub struct Rules {
    deps: Arc<Deps>,
    shared: Arc<Shared>,
}

struct Shared {
    programs: Programs,
    runs: Semaphore,
    memory: Semaphore,
}

/// What scripts are told of a message besides its bytes.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Envelope sender; empty for a bounce.
    pub sender: String,
    /// Envelope recipient.
    pub recipient: String,
    /// The peer's address, when there was one.
    pub client: Option<std::net::IpAddr>,
    /// What it called itself.
    pub helo: Option<String>,
}

/// The scripts of one message, in their order.
#[derive(Default)]
pub(crate) struct Line {
    scripts: Vec<(String, Arc<Stored>)>,
    addresses: Vec<String>,
}

impl Line {
    pub fn is_empty(&self) -> bool {
        self.scripts.is_empty()
    }
}

impl Rules {
    /// Rules over these parts.
    pub fn new(deps: Deps) -> Self {
        let shared =
            Shared { programs: Programs::default(), runs: Semaphore::new(RUNS), memory: Semaphore::new(MEMORY) };
        Self { deps: Arc::new(deps), shared: Arc::new(shared) }
    }

    /// What the scripts of an account would do with a message; with `trial`, that script alone. Nothing is done, nothing remembered.
    /// Fails as the directory does.
    pub async fn rehearse(
        &self,
        account: &Account,
        message: Bytes,
        given: &Given,
        trial: Option<&[u8]>,
    ) -> Result<Outcome> {
        let mut line = self.line(account).await?;
        if let Some(text) = trial {
            let stored = Stored {
                name: String::new(),
                text: text.into(),
                hash: anser_base::BlobId::of(text),
                place: Place::Active,
            };
            line.scripts = vec![("trial".to_owned(), Arc::new(stored))];
        }
        if line.addresses.is_empty() {
            line.addresses = vec![account.address.to_string()];
        }
        Ok(self.run(account, &line, message, given).await)
    }

    /// The scripts that an account's mail passes.
    pub(crate) async fn line(&self, account: &Account) -> Result<Line> {
        let directory = &self.deps.directory;
        let house = directory.running_scripts(ScriptOwner::House).await?;
        let domain = directory.running_scripts(ScriptOwner::Domain(account.domain)).await?;
        let own = directory.running_scripts(ScriptOwner::Account(account.id)).await?;
        let mut line = Line { scripts: Vec::new(), addresses: own.addresses.clone() };
        for place in [Place::Before, Place::Active, Place::After] {
            for (whose, running) in [("house:", &house), ("domain:", &domain), ("", &own)] {
                let here = running.scripts.iter().filter(|script| script.place == place);
                line.scripts.extend(here.map(|script| (format!("{whose}{}", script.name), script.clone())));
            }
        }
        if line.addresses.is_empty() && !line.is_empty() {
            line.addresses = vec![account.address.to_string()];
        }
        Ok(line)
    }

    /// The mail that tells an administrator of a script that failed on an entry.
    pub(crate) fn alarm(
        &self,
        account: &Account,
        entry: &Entry,
        failure: &Failure,
        to: &Address,
        locale: Locale,
    ) -> Submission {
        let writer = Writer { deps: &self.deps, account, entry };
        writer.submission(&writer.alarm(failure, to, locale), std::slice::from_ref(to))
    }

    /// Runs the scripts. Never fails: what goes wrong is in the outcome, with a keep.
    pub(crate) async fn run(&self, account: &Account, line: &Line, message: Bytes, given: &Given) -> Outcome {
        let kib = (message.len() / 1024 + 1).min(MEMORY) as u32;
        let (Ok(_memory), Ok(_turn)) = (self.shared.memory.acquire_many(kib).await, self.shared.runs.acquire().await)
        else {
            return failed("", Text::new("the server stops", "服务器正在停止"));
        };
        let work = Work {
            rules: self.clone(),
            account: account.clone(),
            scripts: line.scripts.clone(),
            addresses: line.addresses.clone(),
            given: given.clone(),
            message,
            runtime: Handle::current(),
        };
        match tokio::task::spawn_blocking(move || work.run()).await {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::error!(account = %account.id, %error, "a rule brought its thread down; the message is kept");
                let name = line.scripts.first().map(|(name, _)| name.as_str()).unwrap_or_default();
                failed(name, Text::new("the server could not run the script", "服务器未能运行该脚本"))
            }
        }
    }
}

/// One run, on a thread that may block.
struct Work {
    rules: Rules,
    account: Account,
    scripts: Vec<(String, Arc<Stored>)>,
    addresses: Vec<String>,
    given: Given,
    message: Bytes,
    runtime: Handle,
}

impl Work {
    fn run(&self) -> Outcome {
        let mut programs: Vec<(&str, Arc<Program>)> = Vec::new();
        let mut broken = Vec::new();
        for (name, stored) in &self.scripts {
            match self.rules.shared.programs.get(stored.hash, &stored.text) {
                Ok(program) => programs.push((name, program)),
                Err(mistakes) => broken.push(failure(name, Error::from((*mistakes).clone()).text)),
            }
        }
        let deps = &self.rules.deps;
        let house = House {
            store: &deps.store,
            directory: &deps.directory,
            account: &self.account,
            included: self.included(&programs),
            runtime: self.runtime.clone(),
            mailboxes: OnceCell::new(),
        };
        let zone = self.account.zone();
        let input = Input {
            message: &self.message,
            structure: None,
            sender: &self.given.sender,
            recipient: &self.given.recipient,
            owner: &self.addresses,
            now: deps.clock.now(),
            zone: &|unix| zone.offset_minutes(unix),
            environment: &self.environment(),
            world: &house,
            boundary: &deps.entropy.token(TOKEN),
            fuel: Fuel::default(),
        };
        let line: Vec<Script<'_>> = programs.iter().map(|(name, program)| Script { name, program }).collect();
        let mut outcome = anser_sieve::run(&line, &input);
        outcome.failures.extend(broken);
        outcome
    }

    /// Every script that the programs include, and that those include. A global one is the domain's, else the house's.
    fn included(&self, programs: &[(&str, Arc<Program>)]) -> Included {
        let mut included = Included::new();
        let mut open: Vec<(bool, String)> = programs.iter().flat_map(|(_, program)| wanted(program)).collect();
        while let Some((is_global, name)) = open.pop() {
            if included.len() >= INCLUDED || included.contains_key(&(is_global, name.clone())) {
                continue;
            }
            let own = [ScriptOwner::Account(self.account.id)];
            let global = [ScriptOwner::Domain(self.account.domain), ScriptOwner::House];
            let owners: &[ScriptOwner] = if is_global { &global } else { &own };
            let found = owners.iter().find_map(|owner| {
                self.runtime.block_on(self.rules.deps.directory.script(*owner, &name)).ok().flatten()
            });
            let program = found.and_then(|script| self.rules.shared.programs.get(script.hash, &script.text).ok());
            if let Some(program) = program {
                open.extend(wanted(&program));
                included.insert((is_global, name), program);
            }
        }
        included
    }

    /// RFC 5183 §4.1.
    fn environment(&self) -> Environment {
        let account = &self.account;
        let mut items = Environment::from([
            ("domain".to_owned(), account.address.domain().to_owned()),
            ("host".to_owned(), self.rules.deps.hostname.clone()),
            ("location".to_owned(), "MDA".to_owned()),
            ("name".to_owned(), "anser".to_owned()),
            ("phase".to_owned(), "during".to_owned()),
            ("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ]);
        if let Some(client) = self.given.client {
            items.insert("remote-ip".to_owned(), client.to_string());
        }
        if let Some(helo) = &self.given.helo {
            items.insert("remote-host".to_owned(), helo.clone());
        }
        items
    }
}

fn wanted(program: &Program) -> Vec<(bool, String)> {
    program.includes().into_iter().map(|(is_global, name)| (is_global, name.to_owned())).collect()
}

fn failure(name: &str, text: Text) -> Failure {
    Failure { origin: Origin { script: name.to_owned(), line: 0, rule: None }, exhausted: None, text }
}

/// Nothing ran: the message is kept.
fn failed(name: &str, text: Text) -> Outcome {
    let keep = Action::Keep { flags: Vec::new(), is_implicit: true };
    let taken = Taken { action: keep, version: 0, origin: Origin::default() };
    Outcome { actions: vec![taken], failures: vec![failure(name, text)], ..Outcome::default() }
}
