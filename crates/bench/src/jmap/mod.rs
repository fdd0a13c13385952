//! `./x bench jmap`: what a webmail asks for, over mailboxes of two sizes; and open push connections. There is no peer in it: what counts
//! is that the large mailbox costs what the small one does.

mod cases;
mod client;
mod push;

use std::io;
use std::path::PathBuf;

use crate::access::seed::{self, LARGE, SMALL};
use crate::only_numbers;
use crate::servers::Server;

/// How the part runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Messages of the small mailbox.
    small: u64,
    /// Messages of the large mailbox.
    large: u64,
    /// Times that each figure is taken.
    times: u64,
    /// Connections that are open at once; 0 leaves that out.
    push: u64,
    /// Whether the mail of the last run is used again: 0 for no.
    reuse: u64,
}

impl Options {
    /// `[--small N] [--large N] [--times N] [--push N] [--reuse 1]`; an error names the word that is none.
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { small: 10_000, large: 100_000, times: 300, push: 5_000, reuse: 0 };
        let places = &mut [
            ("--small", &mut options.small),
            ("--large", &mut options.large),
            ("--times", &mut options.times),
            ("--push", &mut options.push),
            ("--reuse", &mut options.reuse),
        ];
        only_numbers(arguments, places)?;
        options.times = options.times.max(1);
        Ok(options)
    }
}

/// Runs the part and prints its table.
pub async fn run(options: &Options) -> io::Result<()> {
    let folder = PathBuf::from("target/bench");
    let server = Server::anser_at(&folder, options.reuse > 0)?;
    if options.reuse == 0 {
        let (small, large) = (options.small as usize, options.large as usize);
        seed::fill(&folder, std::slice::from_ref(&server), small, large)?;
    }
    println!("{:<40} {:>10} {:>10} {:>10} {:>10}", "work", "small p50", "p99", "large p50", "p99");
    for case in &cases::CASES {
        print!("{:<40}", case.name);
        for name in [SMALL, LARGE] {
            let mut times = (case.measure)(&server, name, options.times as usize)?;
            for share in [0.5, 0.99] {
                print!(" {:>10.2}", crate::cases::percentile(&mut times, share));
            }
        }
        println!(" ms");
    }
    push::notice(&server, options.times as usize)?;
    match options.push {
        0 => Ok(()),
        connections => push::memory(&server, connections as usize),
    }
}
