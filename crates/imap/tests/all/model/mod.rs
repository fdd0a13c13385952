//! The model test: random commands of many sessions on the mailboxes of one account, some of them of
//! another one to which the mailboxes are shared, compared at every step with a simple model.
//!
//! A run is a list of seeds, one a step; what a seed does depends on the state, so that any part of a list is a run as well, and a
//! run that fails is shortened by leaving steps out.
//!
//! | module | holds |
//! |---|---|
//! | `truth` | the model: what the mailboxes hold |
//! | `told` | what a client knows, from untagged responses alone, and the rules of these |
//! | `world` | sessions, and the exchange of one command |
//! | `steps` | what is done next |
//! | `acts`, `search`, `rooms` | the commands, each with what must come of it |
//! | `wire`, `flags`, `dice` | responses, flags as bits, chance |

mod acts;
mod dice;
mod flags;
mod rooms;
mod search;
mod steps;
mod told;
mod truth;
mod wire;
mod world;

use std::time::{Duration, Instant};

use crate::node::Node;
use dice::Dice;
use world::World;

/// Commands of one account; the next ones go to a fresh account.
const RUN: usize = 20_000;
/// How long a failing run is shortened before it is shown.
const SHORTENING: Duration = Duration::from_secs(120);
/// Lines of a transcript that are shown, the last ones.
const SHOWN: usize = 400;

/// Why and at which step a run failed, with the transcript when one was wanted.
struct Failure {
    at: usize,
    words: String,
    log: Vec<String>,
}

/// Runs so many commands; panics with a short transcript when something differs from the model.
pub async fn agree(node: &Node, seed: u64, commands: usize) {
    let mut dice = Dice(seed);
    let (mut left, mut number) = (commands, 0);
    while left > 0 {
        let seeds: Vec<u64> = (0..left.min(RUN)).map(|_| dice.next()).collect();
        left -= seeds.len();
        if let Err(failure) = play(node, &mut number, &seeds, false).await {
            let (seeds, failure) =
                shorten(node, &mut number, &seeds[..=failure.at.min(seeds.len() - 1)], failure).await;
            let log = &failure.log[failure.log.len().saturating_sub(SHOWN)..];
            panic!("seed {seed}: after {} steps:\n{}\n{}", seeds.len(), log.join("\n"), failure.words);
        }
        assert_eq!(node.counters.panicked(), 0);
    }
}

async fn play(node: &Node, number: &mut usize, seeds: &[u64], logging: bool) -> Result<(), Failure> {
    *number += 1;
    let failure = |at, words, world: &World| {
        let log = world.log.as_ref().map_or_else(Vec::new, |log| log.borrow().clone());
        Failure { at, words, log }
    };
    let mut world = World::new(node, *number, logging).await.expect("an account is made");
    for (at, seed) in seeds.iter().enumerate() {
        if let Err(words) = world.step(*seed).await {
            return Err(failure(at, words, &world));
        }
    }
    let closed = world.close().await;
    closed.map_err(|words| failure(seeds.len(), words, &world))
}

/// Leaves out ever smaller parts as long as the rest fails too.
async fn shorten(node: &Node, number: &mut usize, seeds: &[u64], first: Failure) -> (Vec<u64>, Failure) {
    let (mut seeds, mut words, until) = (seeds.to_vec(), first.words, Instant::now() + SHORTENING);
    let mut part = seeds.len() / 2;
    while part > 0 && Instant::now() < until {
        let (mut at, mut shorter) = (0, false);
        while at < seeds.len() && Instant::now() < until {
            let rest = [&seeds[..at], &seeds[(at + part).min(seeds.len())..]].concat();
            match play(node, number, &rest, false).await {
                Err(failure) => {
                    seeds = rest[..rest.len().min(failure.at + 1)].to_vec();
                    (words, shorter) = (failure.words, true);
                }
                Ok(()) => at += part,
            }
        }
        part = if shorter && part > 1 { part.min(seeds.len() / 2).max(1) } else { part / 2 };
    }
    let last = play(node, number, &seeds, true).await;
    let failure = last.err().unwrap_or(Failure { at: 0, words: format!("{words} (not each time)"), log: Vec::new() });
    (seeds, failure)
}
