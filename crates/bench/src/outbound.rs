//! `./x bench outbound`: a loaded queue to postfix's `smtp-sink`, ours beside postfix's own; then a queue of a million entries that wait:
//! what it costs in memory, what operators wait for, and whether new mail is slower for it.
//!
//! Both servers take the messages while nobody is at the other end, so that all of them wait. Then the server ends, the sink begins, and
//! the time is taken from the start of the server to the last message at the sink.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anser_base::{Address, BlobId, Clock, Timestamp};
use anser_blob::RealDisk;
use anser_db::{Db, Embedded, Engine, Schema, Schemas};
use anser_queue::{Act, Body, Deps, Envelope, Filter, Origin, Outcome, Queue, Recipient};
use tokio::task::JoinSet;

use crate::load;
use crate::process::resident;
use crate::servers::{PASSWORD, Server};
use crate::smtp::Smtp;

/// Where the sink listens.
const SINK: u16 = 21_325;
/// Domains that the messages go to.
const DOMAINS: u64 = 20;
/// Bytes of a message.
const SIZE: usize = 4000;
/// Connections that load the queue.
const LOADERS: u64 = 8;
/// Puts that wait for their sync at once, as at a busy door.
const PUTS: usize = 64;
/// New messages whose way through the queue is timed.
const NEW: usize = 5000;
/// The longest that one side may take.
const PATIENCE: Duration = Duration::from_secs(900);

/// What was asked for.
pub struct Options {
    rounds: usize,
    messages: u64,
    deferred: u64,
}

impl Options {
    /// `[--rounds N] [--messages N] [--deferred N]`; 0 leaves a part out.
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { rounds: 3, messages: 5000, deferred: 1_000_000 };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut number = || words.next().and_then(|next| next.parse().ok()).ok_or_else(|| word.clone());
            match word.as_str() {
                "--rounds" => options.rounds = number()? as usize,
                "--messages" => options.messages = number()?,
                "--deferred" => options.deferred = number()?,
                _ => return Err(word.clone()),
            }
        }
        Ok(options)
    }
}

/// Runs both parts.
pub async fn run(options: &Options) -> io::Result<()> {
    let folder = PathBuf::from("target/bench");
    if options.messages > 0 {
        outbound(&folder, options).await?;
    }
    if options.deferred > 0 {
        deferred(&folder, options.deferred).await?;
    }
    Ok(())
}

async fn outbound(folder: &Path, options: &Options) -> io::Result<()> {
    let mut anser = Server::anser_with(folder, &["--smarthost", &format!("127.0.0.1:{SINK}")])?;
    let mut peer = Server::postfix_dovecot(folder)?;
    peer.configure_postfix(&format!("default_transport=smtp:[127.0.0.1]:{SINK}"))?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..options.rounds.max(1) {
        ours.push(turn(&mut anser, options.messages, round).await?);
        theirs.push(turn(&mut peer, options.messages, round).await?);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!("{:<44} {:>10} {:>10} {:>7}", "work", "anser", "postfix", "ratio");
    println!("{:<44} {ours:>10.1} {theirs:>10.1} {:>7.2}", "loaded queue to smtp-sink, messages/s", ours / theirs);
    Ok(())
}

/// Messages a second.
async fn turn(server: &mut Server, messages: u64, round: usize) -> io::Result<f64> {
    fill(server, messages, round).await?;
    server.stop_sending()?;
    let sink = Sink::start()?;
    let begun = Instant::now();
    server.send_everything()?;
    while sink.count() < messages {
        if begun.elapsed() > PATIENCE {
            return Err(io::Error::other(format!("only {} of {messages} messages came to the sink", sink.count())));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(messages as f64 / begun.elapsed().as_secs_f64())
}

async fn fill(server: &Server, messages: u64, round: usize) -> io::Result<()> {
    let mut tasks = JoinSet::new();
    for loader in 0..LOADERS {
        let (port, login, from) = (server.submission(), server.has_accounts(), server.account(loader as usize));
        tasks.spawn(async move {
            let mut smtp = Smtp::connect(port).await?;
            if login {
                smtp.login(&from, PASSWORD).await?;
            }
            for number in (loader..messages).step_by(LOADERS as usize) {
                let to = format!("u{number}@d{}.far.test", number % DOMAINS);
                let seed = number + messages * round as u64;
                let message = load::message_from(&from, &to, SIZE, seed);
                smtp.deliver_from(&from, &to, &message).await?;
            }
            smtp.quit().await
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(io::Error::other)??;
    }
    Ok(())
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(0.0)
}

/// `smtp-sink`, and how many messages it says it took.
struct Sink {
    process: Child,
    count: Arc<AtomicU64>,
}

impl Sink {
    fn start() -> io::Result<Self> {
        let mut command = Command::new("/usr/sbin/smtp-sink");
        command.args(["-u", "nobody", "-c", &format!("127.0.0.1:{SINK}"), "1000"]);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let (count, output) = (Arc::new(AtomicU64::new(0)), process.stdout.take());
        let shared = count.clone();
        std::thread::spawn(move || follow(output, &shared));
        let until = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", SINK)).is_err() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Self { process, count })
    }

    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads `mesg=N` out of the sink's running counters.
fn follow(output: Option<std::process::ChildStdout>, count: &AtomicU64) {
    let (Some(mut output), mut kept, mut piece) = (output, String::new(), [0; 4096]) else { return };
    while let Ok(read @ 1..) = output.read(&mut piece) {
        kept.push_str(&String::from_utf8_lossy(&piece[..read]));
        let last = kept.rfind("mesg=").map(|at| &kept[at + 5..]);
        let number =
            last.filter(|rest| rest.contains('\r')).and_then(|rest| rest.split('\r').next()?.trim().parse().ok());
        if let Some(number) = number {
            count.store(number, Ordering::Relaxed);
        }
        let from = kept.floor_char_boundary(kept.len().saturating_sub(64));
        kept.drain(..from);
    }
}

/// A queue in this process, on the real disk, with this many entries that wait.
async fn deferred(folder: &Path, entries: u64) -> io::Result<()> {
    let failed = |error: anser_base::Error| io::Error::other(error.chain());
    let folder = folder.join("queue");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
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
    let db = Db::open(Engine::Embedded(Embedded::new(folder, Arc::new(RealDisk))), schemas).map_err(failed)?;
    let queue = Queue::open(Deps { db, clock: Clock::System, name: None }).await.map_err(failed)?;
    let own = [std::process::id()];
    let empty = new_mail(&queue).await?;
    let (before, begun) = (resident(&own), Instant::now());
    fill_up(&queue, entries).await?;
    println!(
        "{:<44} {:>10.0}",
        format!("{entries} entries put, a second"),
        entries as f64 / begun.elapsed().as_secs_f64()
    );
    let full = new_mail(&queue).await?;
    println!("{:<44} {:>10.1} {:>10.1} {:>7.2}", "new mail a second: queue empty, full", empty, full, full / empty);
    for (name, act) in [("hold all, s", Act::Hold), ("release all, s", Act::Release)] {
        let (begun, mut after, mut changed) = (Instant::now(), None, 0);
        loop {
            let slice = queue.act_on_slice(&act, &Filter::default(), after).await.map_err(failed)?;
            changed += slice.changed.len();
            match slice.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        println!("{:<44} {:>10.1}   ({changed} entries)", name, begun.elapsed().as_secs_f64());
    }
    let (begun, mut after, mut seen) = (Instant::now(), None, 0);
    loop {
        let page = queue.list(Filter { domain: Some("d7.far.test".into()), ..Filter::default() }, after, 200).await;
        let page = page.map_err(failed)?;
        seen += page.entries.len();
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    println!("{:<44} {:>10.1}   ({seen} entries)", "list of one domain, s", begun.elapsed().as_secs_f64());
    println!("{:<44} {:>10.0} {:>10.0}", "memory, MB: empty, full and all of that done", before, resident(&own));
    Ok(())
}

async fn fill_up(queue: &Queue, entries: u64) -> io::Result<()> {
    let later = Clock::System.now().after(Duration::from_secs(30 * 24 * 3600));
    put_all(queue, entries as usize, Some(later)).await
}

/// New messages put, taken and settled, a second.
async fn new_mail(queue: &Queue) -> io::Result<f64> {
    let begun = Instant::now();
    let courier = {
        let queue = queue.clone();
        tokio::spawn(async move {
            for _ in 0..NEW {
                let lease = queue.next_due().await;
                let plan = lease.plan([(0, Outcome::Done)], Clock::System.now());
                queue.settle_after_sync(&[anser_queue::Settlement { lease, plan }]).await?;
            }
            anser_base::Result::Ok(())
        })
    };
    put_all(queue, NEW, None).await?;
    courier.await.map_err(io::Error::other)?.map_err(|error: anser_base::Error| io::Error::other(error.chain()))?;
    Ok(NEW as f64 / begun.elapsed().as_secs_f64())
}

async fn put_all(queue: &Queue, entries: usize, not_before: Option<Timestamp>) -> io::Result<()> {
    let mut tasks = JoinSet::new();
    for number in 0..entries {
        if tasks.len() >= PUTS {
            tasks.join_next().await.transpose().map_err(io::Error::other)?;
        }
        let queue = queue.clone();
        tasks.spawn(async move {
            let to = Address::parse(&format!("u{number}@d{}.far.test", number as u64 % DOMAINS));
            let recipients = to.into_iter().map(Recipient::new).collect();
            let plain =
                Envelope::new(Address::parse("ann@anser.test"), recipients, Origin::internal(), Clock::System.now());
            let raw = format!("Subject: {number}\r\n\r\n{}\r\n", "word ".repeat(200));
            let body = Body::inline(BlobId::of(raw.as_bytes()), raw.len() as u64, raw.into_bytes());
            if let Err(error) = queue.put(Envelope { not_before, ..plain }, body).await {
                eprintln!("{}", error.chain());
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(io::Error::other)?;
    }
    Ok(())
}
