//! `./x bench`: Anser beside postfix and dovecot on this machine, in the same run, turn by turn. What counts is the ratio; absolute
//! figures depend on the machine and on who else uses it.
//!
//! | figure | of |
//! |---|---|
//! | accepted/s | messages with their 250, over all connections |
//! | visible/s | the same messages counted by IMAP STATUS |
//! | p50, p99 | one SMTP transaction, MAIL to 250, ms |
//! | cpu | processor time of the server's processes a message, ms |
//! | flush | flushes that the machine's disks finished, a message |
//! | KB | bytes that the server's processes wrote to disk a message, in 1000 |
//! | notice | from 250 to the EXISTS of an idle IMAP session, ms |
//!
//! | part | of |
//! |---|---|
//! | `./x bench imap` | IMAP and POP3 over mail that is there, beside dovecot (`access`) |
//! | `./x bench move` | a mailbox that moves in, beside the tools for it |
//! | `./x bench jmap` | what a webmail asks for, over mailboxes of two sizes |
//! | `./x bench sieve` | rules, beside Pigeonhole |
//! | `./x bench trust` | the cost of checking senders |
//! | `./x bench outbound` | mail that leaves, beside postfix |
//! | `./x bench deferred` | a queue of a million entries that wait |

mod access;
mod cases;
mod deferred;
mod imap;
mod jmap;
mod load;
mod moving;
mod outbound;
mod process;
mod servers;
mod sieve;
mod smtp;
mod trust;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use cases::{CASES, Figures, Notice};
use servers::Server;

/// Turns that each server gets at each case; the table shows the medians.
const ROUNDS: u64 = 3;

const USAGE: &str = "[--rounds N] [--messages N] [CASE …] | imap [--rounds N] [--small N] [--large N] [--idle N] [--reuse] [--alone] [CASE …] | jmap [--small N] [--large N] [--times N] [--push N] [--reuse 1] | outbound [--rounds N] [--messages N] | deferred [--rounds N] [--messages N] [--deferred N] | move [--rounds N] [--messages N] [CASE …] | trust | sieve";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map(|runtime| match arguments.split_first() {
        Some((part, _)) if part == "trust" => Ok(trust::run()),
        Some((part, rest)) if part == "sieve" && rest.is_empty() => Ok(sieve::measure()),
        Some((part, rest)) if part == "outbound" => {
            outbound::Options::parse(rest).map(|options| runtime.block_on(outbound::run(&options)))
        }
        Some((part, rest)) if part == "deferred" => {
            deferred::Options::parse(rest).map(|options| runtime.block_on(deferred::run(&options)))
        }
        Some((part, rest)) if part == "move" => moving::Options::parse(rest).map(|options| moving::run(&options)),
        Some((part, rest)) if part == "jmap" => {
            jmap::Options::parse(rest).map(|options| runtime.block_on(jmap::run(&options)))
        }
        Some((part, rest)) if part == "imap" => {
            access::Options::parse(rest).map(|options| runtime.block_on(access::run(&options)))
        }
        _ => Options::parse(&arguments).map(|options| runtime.block_on(bench(&options))),
    });
    let done = done.and_then(|parsed| match parsed {
        Ok(done) => done,
        Err(word) => Err(io::Error::other(format!("what is {word}?  {USAGE}"))),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Reads each `--name N` into its place; returns the other words. An error names the word that is none.
fn numbers(arguments: &[String], places: &mut [(&str, &mut u64)]) -> Result<Vec<String>, String> {
    let (mut words, mut others) = (arguments.iter(), Vec::new());
    while let Some(word) = words.next() {
        match places.iter_mut().find(|(name, _)| name == word) {
            Some((_, place)) => {
                **place = words.next().and_then(|next| next.parse().ok()).ok_or_else(|| word.clone())?
            }
            None => others.push(word.clone()),
        }
    }
    Ok(others)
}

/// [`numbers`] where there are no other words.
fn only_numbers(arguments: &[String], places: &mut [(&str, &mut u64)]) -> Result<(), String> {
    numbers(arguments, places)?.into_iter().next().map_or(Ok(()), Err)
}

struct Options {
    rounds: u64,
    messages: u64,
    only: Vec<String>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { rounds: ROUNDS, messages: 1000, only: Vec::new() };
        let places = &mut [("--rounds", &mut options.rounds), ("--messages", &mut options.messages)];
        options.only = numbers(arguments, places)?;
        match options.only.iter().find(|word| word.starts_with('-')) {
            Some(word) => Err(word.clone()),
            None => Ok(options),
        }
    }

    fn wants(&self, case: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| case.contains(only.as_str()))
    }
}

async fn bench(options: &Options) -> io::Result<()> {
    let folder = PathBuf::from("target/bench");
    let anser = Server::anser(&folder)?;
    let peer = Server::postfix_dovecot(&folder)?;
    println!("{:<22} {:<16} {}", "case", "server", Figures::HEAD);
    for case in CASES.iter().filter(|case| options.wants(case.name)) {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds.max(1) {
            ours.push(case.run(&anser, options.messages).await?);
            theirs.push(case.run(&peer, options.messages).await?);
        }
        let (ours, theirs) = (Figures::median(&ours), Figures::median(&theirs));
        println!("{:<22} {:<16} {ours}", case.name, anser.name);
        println!("{:<22} {:<16} {theirs}", "", peer.name);
        println!("{:<22} {:<16} {}", "", "ratio", ours.ratio(&theirs));
    }
    if options.wants("notice") {
        for server in [&anser, &peer] {
            println!("{:<22} {:<16} {}", "notice", server.name, Notice::measure(server).await?);
        }
    }
    if options.wants("alone") {
        cases::alone(anser, &folder).await?;
    }
    Ok(())
}
