//! `./x bench move`: a mailbox of Dovecot's moves in, beside the tools that people use for it, from the same Dovecot, one after the other.
//! The tools move it into another account of that Dovecot. In each round everybody has one turn; each figure is the median of the rounds;
//! the ratio, message by message, is above 1 where Anser is ahead. Dovecot has read its mailbox once before, as any server has that is in
//! use. Each copy of ours is of a mailbox of its own, whose bodies were never seen here: the same once more would only be looked at.
//! Nobody begins before both servers are at rest: ours goes on to index what it brought.
//!
//! | figure | of |
//! |---|---|
//! | copy | from the command to its end, everything durable, s |
//! | again | the same once more, with nothing to do, s |
//! | level 1, level 2 | `move verify`, a sample of the bodies and all of them, s |
//! | newest 50 | from the command until JMAP counts 50 messages, s |
//! | MB | memory that a server which has just started holds after it, and the most that it held meanwhile |

mod ours;
mod tools;

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::cases::percentile;
use crate::load;
use crate::process::Usage;
use crate::servers::{Server, shell};

/// The login at the old server.
const LOGIN: &str = "mover";
/// One whose mailbox is small, for tools that take minutes.
const SMALL: &str = "small";
/// Messages of that at most.
const FEW: u64 = 500;
/// Mailboxes that move in at once, and messages of each.
const CROWD: u64 = 500;
const OF_EACH: u64 = 60;
/// Bytes of a message.
const SIZE: usize = 20_000;

/// How often it is looked whether servers are at rest, the seconds of the processor below which they are, and how long that is waited for.
const LOOK: Duration = Duration::from_millis(1500);
const BUSY: f64 = 0.03;
const RESTLESS: Duration = Duration::from_secs(300);

/// How the part runs.
#[derive(Clone, Debug)]
pub struct Options {
    rounds: u64,
    messages: u64,
    only: Vec<String>,
}

impl Options {
    /// `[--rounds N] [--messages N] [CASE …]`; an error names the word that is none.
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { rounds: 3, messages: 10_000, only: Vec::new() };
        let places = &mut [("--rounds", &mut options.rounds), ("--messages", &mut options.messages)];
        options.only = crate::numbers(arguments, places)?;
        match options.only.iter().find(|word| word.starts_with('-')) {
            Some(word) => Err(word.clone()),
            None => Ok(options),
        }
    }

    fn wants(&self, case: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| case == only)
    }
}

/// What one round of one way came to, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// Everything copied.
    pub copy: f64,
    /// Nothing to do.
    pub again: f64,
    /// Verified, at both levels; not a number where nobody does.
    pub verified: [f64; 2],
}

/// Where the old mail lies.
#[derive(Clone, Copy)]
pub struct Old<'a> {
    /// The old server.
    pub server: &'a Server,
    /// The login there.
    pub login: &'a str,
    /// Its messages.
    pub messages: u64,
    /// The mail of all logins as files: `maildir/LOGIN` and `mbox/LOGIN`.
    pub files: &'a Path,
    /// Where tools keep what they remember.
    pub scratch: &'a Path,
}

/// Runs the part and prints its tables.
pub fn run(options: &Options) -> io::Result<()> {
    let folder = PathBuf::from("target/bench");
    let mut anser = Server::anser_at(&folder, false)?;
    let peer = Server::dovecot(&folder, false)?;
    let files = folder.join("moving");
    let scratch = folder.join("moving-scratch");
    if files.exists() {
        fs::remove_dir_all(&files)?;
    }
    fs::create_dir_all(&scratch)?;
    let few = options.messages.min(FEW);
    let mut filled = 0;
    let mut fill = |login: &str, messages: u64| -> io::Result<()> {
        fill(&files, login, filled..filled + messages)?;
        filled += messages;
        peer.take_maildir(login, &files.join("maildir").join(login))?;
        peer.read_once(login)?;
        shell("sync")
    };
    fill(LOGIN, options.messages)?;
    fill(SMALL, few)?;
    let (files, scratch) = (files.canonicalize()?, scratch.canonicalize()?);
    let old = Old { server: &peer, login: LOGIN, messages: options.messages, files: &files, scratch: &scratch };
    let small = Old { login: SMALL, messages: few, ..old };
    let mut ours: Vec<Vec<Took>> = vec![Vec::new(); ours::WAYS.len()];
    let mut theirs: Vec<Vec<Took>> = vec![Vec::new(); tools::TOOLS.len()];
    for round in 0..options.rounds.max(1) {
        for (way, took) in ours::WAYS.iter().zip(&mut ours).filter(|(way, _)| options.wants(way.name)) {
            let login = format!("{}{round}", way.name);
            fill(&login, options.messages)?;
            rest(&[&anser, &peer]);
            took.push(ours::copy(&mut anser, &Old { login: &login, ..old }, way)?);
        }
        for (tool, took) in tools::TOOLS.iter().zip(&mut theirs).filter(|(tool, _)| options.wants(tool.name)) {
            rest(&[&anser, &peer]);
            match (tool.is_there(), tool.is_slow) {
                (false, _) => {}
                (true, false) => took.push(tool.copy(&old, round)?),
                (true, true) if round == 0 => took.push(tool.copy(&small, round)?),
                (true, true) => {}
            }
        }
    }
    print(options, &ours, &theirs, few);
    if options.wants("newest") {
        fill("newest", options.messages)?;
        let newest = ours::newest(&mut anser, &Old { login: "newest", ..old })?;
        println!("newest 50 to be seen after {newest:.2} s");
    }
    if options.wants("memory") {
        fill("memory", options.messages)?;
        let [before, after, most] = ours::memory(&mut anser, &Old { login: "memory", ..old })?;
        println!("memory of the server: {before:.0} MB before, {after:.0} MB after one mailbox, {most:.0} MB at most");
    }
    if options.wants("crowd") {
        let logins: Vec<String> = (0..CROWD).map(|n| format!("crowd{n}")).collect();
        logins.iter().try_for_each(|login| fill(login, OF_EACH))?;
        let [before, after, most] = ours::memory_of_many(&mut anser, &peer, &logins)?;
        println!(
            "memory of the server: {before:.0} MB before, {after:.0} MB after {CROWD} mailboxes at once, {most:.0} MB at most"
        );
    }
    Ok(())
}

fn print(options: &Options, ours: &[Vec<Took>], theirs: &[Vec<Took>], few: u64) {
    println!(
        "{:<22} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}   {} messages of {SIZE} bytes, {} rounds",
        "way", "copy, s", "again, s", "level 1", "level 2", "ratio", "again", options.messages, options.rounds
    );
    let mut first = None;
    for (way, rounds) in ours::WAYS.iter().zip(ours).filter(|(_, rounds)| !rounds.is_empty()) {
        let Took { copy, again, verified: [sample, all] } = median(rounds);
        println!("{:<22} {copy:>8.2} {again:>8.2} {sample:>8.2} {all:>8.2}", format!("anser, {}", way.name));
        first = first.or(Some((copy, again)));
    }
    for (tool, rounds) in tools::TOOLS.iter().zip(theirs).filter(|(tool, _)| options.wants(tool.name)) {
        if rounds.is_empty() {
            println!("{:<22} is not installed", tool.name);
            continue;
        }
        let Took { copy, again, .. } = median(rounds);
        // A mailbox that is smaller by a factor is held against that part of ours.
        let share = if tool.is_slow { few as f64 / options.messages as f64 } else { 1.0 };
        let ratios = first.map_or([f64::NAN; 2], |(ours, second)| [copy / (ours * share), again / (second * share)]);
        let of = if tool.is_slow { format!("   {few} messages, one round") } else { String::new() };
        let gap = "";
        println!("{:<22} {copy:>8.2} {again:>8.2} {gap:>17} {:>8.2} {:>8.2}{of}", tool.name, ratios[0], ratios[1]);
    }
}

fn median(rounds: &[Took]) -> Took {
    let of = |figure: fn(&Took) -> f64| percentile(&mut rounds.iter().map(figure).collect::<Vec<f64>>(), 0.5);
    let verified = [of(|took| took.verified[0]), of(|took| took.verified[1])];
    Took { copy: of(|took| took.copy), again: of(|took| took.again), verified }
}

/// Waits until servers use no processor, for minutes at most.
pub fn rest(servers: &[&Server]) {
    let roots: Vec<u32> = servers.iter().flat_map(|server| server.roots()).collect();
    let (until, mut before) = (Instant::now() + RESTLESS, f64::NAN);
    while Instant::now() < until {
        let used = Usage::now(&roots).cpu;
        if used - before < BUSY {
            return;
        }
        before = used;
        std::thread::sleep(LOOK);
    }
}

/// Times a piece of work, in seconds.
pub fn timed(work: impl FnOnce() -> io::Result<()>) -> io::Result<f64> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed().max(Duration::from_micros(1)).as_secs_f64())
}

/// Writes the old mail of a login as a Maildir and as an mbox: messages of these numbers.
fn fill(files: &Path, login: &str, messages: Range<u64>) -> io::Result<()> {
    let maildir = files.join("maildir").join(login);
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(maildir.join(part))?;
    }
    fs::create_dir_all(files.join("mbox"))?;
    let mut mbox = io::BufWriter::new(fs::File::create(files.join("mbox").join(login))?);
    for n in messages {
        let message = load::message("reader@bench.test", SIZE, n + 1);
        let size = message.len();
        let name = format!("{}.M{n}P1.bench,S={size},W={size}:2,S", 1_760_000_000 + n);
        fs::write(maildir.join("cur").join(name), &message)?;
        let head = b"From sender@src.test Sun Nov  1 10:00:00 2026\n";
        let lines: Vec<u8> = message.into_iter().filter(|byte| *byte != b'\r').collect();
        io::Write::write_all(&mut mbox, &[head, &lines[..], b"\n"].concat())?;
    }
    io::Write::flush(&mut mbox)
}
