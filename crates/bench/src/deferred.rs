//! `./x bench deferred`: a server with a million entries that wait, beside itself with an empty queue: what they cost in memory, whether new
//! mail is slower for them, and what operators wait for.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anser_base::{Address, BlobId, Clock, Timestamp};
use anser_blob::RealDisk;
use anser_db::{Db, Embedded, Engine, Schema, Schemas};
use anser_queue::{Body, Deps, Envelope, Origin, Queue, Recipient};
use tokio::task::JoinSet;

use crate::cases::{CASES, Figures};
use crate::process::resident;
use crate::servers::{Server, shell};
use crate::{ROUNDS, only_numbers};

/// The case by which new mail is timed.
const NEW_MAIL: &str = "8 conns, 20 KB";
/// Domains that the entries go to.
const DOMAINS: u64 = 20;
/// Puts that wait for their sync at once, as at a busy door.
const PUTS: usize = 64;
/// When the entries are due.
const LATER: Duration = Duration::from_secs(24 * 3600);

/// What was asked for.
pub struct Options {
    rounds: u64,
    messages: u64,
    deferred: u64,
}

impl Options {
    /// `[--rounds N] [--messages N] [--deferred N]`.
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { rounds: ROUNDS, messages: 2000, deferred: 1_000_000 };
        let Self { rounds, messages, deferred } = &mut options;
        only_numbers(arguments, &mut [("--rounds", rounds), ("--messages", messages), ("--deferred", deferred)])?;
        Ok(options)
    }
}

/// Runs the part and prints its table.
pub async fn run(options: &Options) -> io::Result<()> {
    let mut server = Server::anser(&PathBuf::from("target/bench"))?;
    println!("{:<22} {:<16} {}", "case", "queue", Figures::HEAD);
    let empty = new_mail(&server, options).await?;
    server.launch()?;
    let before = resident(&server.roots());
    server.stop();
    let begun = Instant::now();
    fill(&server.data(), options.deferred).await?;
    let each = options.deferred as f64 / begun.elapsed().as_secs_f64();
    let start = server.launch()?;
    let after_start = resident(&server.roots());
    let full = new_mail(&server, options).await?;
    println!("{NEW_MAIL:<22} {:<16} {empty}", "empty");
    println!("{:<22} {:<16} {full}", "", format!("{} wait", options.deferred));
    println!("{:<22} {:<16} {}", "", "ratio", full.ratio(&empty));
    println!("{:<44} {each:>10.0}", "entries put, a second");
    println!("{:<44} {:>10.2}", "start with them, s", start.as_secs_f64());
    let after_mail = resident(&server.roots());
    for (name, command) in [
        ("hold all, s", "queue hold --all"),
        ("release all, s", "queue release --all"),
        ("list of one domain, s", "queue list --domain d7.far.test"),
        ("status, s", "status"),
    ] {
        let begun = Instant::now();
        shell(&format!("target/release/anser {command} --dir {} >/dev/null", server.data().display()))?;
        println!("{name:<44} {:>10.2}", begun.elapsed().as_secs_f64());
    }
    let end = resident(&server.roots());
    println!(
        "{:<44} {before:>10.0} {after_start:>10.0} {after_mail:>10.0} {end:>10.0}",
        "memory, MB: empty, full, after mail, at the end"
    );
    Ok(())
}

async fn new_mail(server: &Server, options: &Options) -> io::Result<Figures> {
    let case = CASES.iter().find(|case| case.name == NEW_MAIL).ok_or_else(|| io::Error::other(NEW_MAIL))?;
    let mut all = Vec::new();
    for _ in 0..options.rounds.max(1) {
        all.push(case.run(server, options.messages).await?);
    }
    Ok(Figures::median(&all))
}

/// Puts the entries into the queue of a server that does not run.
async fn fill(data: &Path, entries: u64) -> io::Result<()> {
    let failed = |error: anser_base::Error| io::Error::other(error.chain().to_string());
    let none = Schema(&[]);
    let schemas = Schemas {
        server: none,
        queue: anser_queue::SCHEMA,
        journal: none,
        account: none,
        search: none,
        moves: none,
        peers: none,
    };
    let db = Db::open(Engine::Embedded(Embedded::new(data, Arc::new(RealDisk))), schemas).map_err(failed)?;
    let queue = Queue::open(Deps { db, clock: Clock::System, name: None }).await.map_err(failed)?;
    let due = Clock::System.now().after(LATER);
    let mut puts = JoinSet::new();
    for number in 0..entries {
        if puts.len() >= PUTS {
            puts.join_next().await.transpose().map_err(io::Error::other)?.transpose().map_err(failed)?;
        }
        let queue = queue.clone();
        puts.spawn(async move { put(&queue, number, due).await });
    }
    while let Some(done) = puts.join_next().await {
        done.map_err(io::Error::other)?.map_err(failed)?;
    }
    queue.close().await.map_err(failed)
}

async fn put(queue: &Queue, number: u64, due: Timestamp) -> anser_base::Result<()> {
    let to = Address::parse(&format!("u{number}@d{}.far.test", number % DOMAINS));
    let recipients = to.into_iter().map(Recipient::new).collect();
    let from = Address::parse("ann@anser.test");
    let plain = Envelope::new(from, recipients, Origin::internal(), Clock::System.now());
    let raw = format!("Subject: {number}\r\n\r\n{}\r\n", "word ".repeat(200));
    let body = Body::inline(BlobId::of(raw.as_bytes()), raw.len() as u64, raw.into_bytes());
    queue.put(Envelope { not_before: Some(due), ..plain }, body).await.map(drop)
}
