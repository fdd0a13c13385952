//! `./x bench outbound`: a loaded queue to postfix's `smtp-sink`, ours beside postfix's own.
//!
//! Both servers take the messages while nobody is at the other end, so that all of them wait. Then the server ends, the sink begins, and
//! the time is taken from the start of the server to the last message at the sink.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::cases::percentile;
use crate::servers::{PASSWORD, Server, shell};
use crate::smtp::Smtp;
use crate::{ROUNDS, load, only_numbers};

/// Where the sink listens.
const SINK: u16 = 21_325;
/// Domains that the messages go to.
const DOMAINS: u64 = 20;
/// Bytes of a message.
const SIZE: usize = 4000;
/// Connections that load the queue.
const LOADERS: u64 = 8;
/// The longest that one side may take.
const PATIENCE: Duration = Duration::from_secs(900);

/// What was asked for.
pub struct Options {
    rounds: u64,
    messages: u64,
}

impl Options {
    /// `[--rounds N] [--messages N]`.
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { rounds: ROUNDS, messages: 5000 };
        only_numbers(arguments, &mut [("--rounds", &mut options.rounds), ("--messages", &mut options.messages)])?;
        Ok(options)
    }
}

/// Runs the part and prints its table.
pub async fn run(options: &Options) -> io::Result<()> {
    let folder = PathBuf::from("target/bench");
    let mut anser = Server::anser_with(&folder, &["--smarthost", &format!("127.0.0.1:{SINK}")])?;
    // The load would be taken for the work of thieves.
    let no_limit = "--per-hour 4000000000 --per-day 4000000000 --new-per-day 4000000000";
    shell(&format!("target/release/anser sending limit '*' {no_limit} --dir {}", anser.data().display()))?;
    let mut peer = Server::postfix_dovecot(&folder)?;
    peer.configure_postfix(&format!("default_transport=smtp:[127.0.0.1]:{SINK}"))?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..options.rounds.max(1) {
        ours.push(turn(&mut anser, options.messages, round).await?);
        theirs.push(turn(&mut peer, options.messages, round).await?);
    }
    let (ours, theirs) = (percentile(&mut ours, 0.5), percentile(&mut theirs, 0.5));
    println!("{:<44} {:>10} {:>10} {:>7}", "work", "anser", "postfix", "ratio");
    println!("{:<44} {ours:>10.1} {theirs:>10.1} {:>7.2}", "loaded queue to smtp-sink, messages/s", ours / theirs);
    Ok(())
}

/// Messages a second.
async fn turn(server: &mut Server, messages: u64, round: u64) -> io::Result<f64> {
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

async fn fill(server: &Server, messages: u64, round: u64) -> io::Result<()> {
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
                let seed = number + messages * round;
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
