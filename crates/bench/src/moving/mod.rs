//! `./x bench move`: a mailbox of Dovecot's moves in, beside the tools that people use for it, from the same Dovecot, one after the other.
//! The tools move it into another account of that Dovecot. Each figure is the median of the rounds; the ratio is above 1 where Anser is
//! ahead.
//!
//! | figure | of |
//! |---|---|
//! | copy | from the command to its end, everything durable, s |
//! | again | the same once more, with nothing to do, s |
//! | newest 50 | from the command until JMAP counts 50 messages, s |
//! | MB | memory that the server holds after it |

mod ours;
mod tools;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::cases::percentile;
use crate::load;
use crate::servers::{Server, shell};

/// The login at the old server.
pub const LOGIN: &str = "mover";
/// Bytes of a message.
const SIZE: usize = 20_000;

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
        self.only.is_empty() || self.only.iter().any(|only| case.contains(only.as_str()))
    }
}

/// What one round of one way came to, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// Everything copied.
    pub copy: f64,
    /// Nothing to do.
    pub again: f64,
}

/// Where the old mail lies.
pub struct Old<'a> {
    /// The old server.
    pub server: &'a Server,
    /// Its mail as files: `maildir/mover` and `mbox/mover`.
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
    fill(&files, options.messages)?;
    fs::create_dir_all(&scratch)?;
    let (files, scratch) = (files.canonicalize()?, scratch.canonicalize()?);
    peer.take_maildir(LOGIN, &files.join("maildir").join(LOGIN))?;
    shell("sync")?;
    let old = Old { server: &peer, files: &files, scratch: &scratch };
    println!(
        "{:<22} {:>10} {:>10} {:>8} {:>8}   {} messages of {SIZE} bytes",
        "way", "copy, s", "again, s", "ratio", "again", options.messages
    );
    let mut first = None;
    for way in ours::WAYS.iter().filter(|way| options.wants(way.name)) {
        let took = median(options.rounds, |round| ours::copy(&mut anser, &old, way, round, options.messages))?;
        println!("{:<22} {:>10.2} {:>10.2}", format!("anser, {}", way.name), took.copy, took.again);
        first = first.or(Some(took));
    }
    for tool in tools::TOOLS.iter().filter(|tool| options.wants(tool.name)) {
        if !tool.is_there() {
            println!("{:<22} is not installed", tool.name);
            continue;
        }
        let took = median(options.rounds, |round| tool.copy(&old, round))?;
        let (copy, again) = first.map_or((f64::NAN, f64::NAN), |ours| (took.copy / ours.copy, took.again / ours.again));
        println!("{:<22} {:>10.2} {:>10.2} {copy:>8.2} {again:>8.2}", tool.name, took.copy, took.again);
    }
    if options.wants("newest") {
        let newest = ours::newest(&mut anser, &old, options.messages)?;
        println!("newest 50 to be seen after {:.2} s; memory of the server afterwards {:.0} MB", newest.0, newest.1);
    }
    Ok(())
}

fn median(rounds: u64, mut once: impl FnMut(u64) -> io::Result<Took>) -> io::Result<Took> {
    let all = (0..rounds.max(1)).map(&mut once).collect::<io::Result<Vec<Took>>>()?;
    let of = |figure: fn(&Took) -> f64| percentile(&mut all.iter().map(figure).collect::<Vec<f64>>(), 0.5);
    Ok(Took { copy: of(|took| took.copy), again: of(|took| took.again) })
}

/// Times a piece of work, in seconds.
pub fn timed(work: impl FnOnce() -> io::Result<()>) -> io::Result<f64> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed().max(Duration::from_micros(1)).as_secs_f64())
}

/// Writes the old mail as a Maildir and as an mbox.
fn fill(files: &Path, messages: u64) -> io::Result<()> {
    if files.exists() {
        fs::remove_dir_all(files)?;
    }
    let maildir = files.join("maildir").join(LOGIN);
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(maildir.join(part))?;
    }
    fs::create_dir_all(files.join("mbox"))?;
    let mut mbox = io::BufWriter::new(fs::File::create(files.join("mbox").join(LOGIN))?);
    for n in 0..messages {
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
