//! `./x bench imap`: what clients do with mail that is there, over IMAP and POP3. Both servers hold the same messages; each figure is
//! the median of the rounds, and the ratio is above 1 where Anser is ahead.

mod cases;
mod client;
mod idle;
pub mod seed;

use std::io;
use std::path::{Path, PathBuf};

use crate::servers::Server;
use cases::{CASES, Case};

/// How the part runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Turns that each server gets at each case.
    pub rounds: usize,
    /// Messages of the small mailbox.
    pub small: usize,
    /// Messages of the large mailbox.
    pub large: usize,
    /// Connections that idle at once.
    pub idle: usize,
    /// Whether the mail of the last run is used again.
    pub reuse: bool,
    /// Whether the peer takes part.
    pub peer: bool,
    /// Parts of the names of the cases that run; none for all.
    pub only: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { rounds: 3, small: 10_000, large: 100_000, idle: 1000, reuse: false, peer: true, only: Vec::new() }
    }
}

impl Options {
    /// `[--rounds N] [--small N] [--large N] [--idle N] [--reuse] [--alone] [CASE …]`; an error names the word that is none.
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut number = || words.next().and_then(|next| next.parse::<usize>().ok()).ok_or_else(|| word.clone());
            match word.as_str() {
                "--rounds" => options.rounds = number()?.max(1),
                "--small" => options.small = number()?.max(cases::STORED),
                "--large" => options.large = number()?.max(cases::STORED),
                "--idle" => options.idle = number()?,
                "--reuse" => options.reuse = true,
                "--alone" => options.peer = false,
                other if other.starts_with('-') => return Err(word.clone()),
                other => options.only.push(other.to_owned()),
            }
        }
        Ok(options)
    }

    fn wants(&self, case: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| case.contains(only.as_str()))
    }
}

/// Runs the part and prints its table.
pub async fn run(options: &Options) -> io::Result<()> {
    let folder = PathBuf::from("target/bench");
    let mut servers = start(&folder, options)?;
    let peer = servers.get(1).map_or("-", |peer| peer.name);
    println!("{:<44} {:>14} {peer:>14} {:>8}", "work", servers[0].name, "ratio");
    for case in CASES.iter().filter(|case| options.wants(case.name)) {
        let mut all: Vec<Vec<Vec<f64>>> = vec![Vec::new(); servers.len()];
        for _ in 0..options.rounds {
            for (server, figures) in servers.iter_mut().zip(&mut all) {
                figures.push((case.measure)(server, options)?);
            }
        }
        show(case, &all);
    }
    if options.wants("idle") {
        idle::show(&mut servers, options.idle).await?;
    }
    if options.wants("notice") {
        for server in &servers {
            println!("{:<44} {:<14} {}", "IDLE notice", server.name, crate::cases::Notice::measure(server).await?);
        }
    }
    Ok(())
}

fn start(folder: &Path, options: &Options) -> io::Result<Vec<Server>> {
    let mut servers = vec![Server::anser_at(folder, options.reuse)?];
    if options.peer {
        servers.push(Server::dovecot(folder, options.reuse)?);
    }
    if !options.reuse {
        seed::fill(folder, &servers, options.small, options.large)?;
    }
    Ok(servers)
}

/// A line for each figure of a case.
fn show(case: &Case, all: &[Vec<Vec<f64>>]) {
    for (at, figure) in case.figures.iter().enumerate() {
        let median = |rounds: &Vec<Vec<f64>>| {
            let mut values: Vec<f64> = rounds.iter().map(|round| round[at]).collect();
            crate::cases::percentile(&mut values, 0.5)
        };
        let (ours, theirs) = (all.first().map(median), all.get(1).map(median));
        let ratio = ours.zip(theirs).map(|(ours, theirs)| if figure.more { ours / theirs } else { theirs / ours });
        let text = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
        println!(
            "{:<44} {:>14} {:>14} {:>8}",
            format!("{} {}", case.name, figure.name),
            text(ours),
            text(theirs),
            text(ratio)
        );
    }
}
