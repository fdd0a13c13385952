//! Asks the server that has a domain's mailboxes whether it has an address, with MAIL and RCPT and nothing more, while the sender of
//! the message waits. What it said is remembered for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anser_base::{Address, Timestamp};
use anser_directory::{Route, RouteWay, Standing};
use anser_wire::smtp::Reply;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::client::{Client, ENVELOPE, Phase, Target};
use super::servers::hop;
use super::stop::Stop;
use super::{Relay, Smarthost};

/// How long an address that exists is not asked for again, and how long it counts while the server is down.
const KNOWN: Duration = Duration::from_secs(6 * 3600);
const STALE: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long an address that does not exist is not asked for again: short, for accounts are made any time.
const UNKNOWN: Duration = Duration::from_secs(600);
/// How long a server that could not be asked is left alone.
const DOWN: Duration = Duration::from_secs(20);
/// Addresses remembered, of each kind.
const ADDRESSES: usize = 50_000;
/// Servers remembered to be down.
const SERVERS: usize = 1000;
/// Questions at once; more are not asked.
const AT_ONCE: usize = 50;
/// The longest that a sender waits.
const PATIENCE: Duration = Duration::from_secs(45);

/// What is remembered, and since when.
pub(super) struct Callouts {
    known: Memory<()>,
    unknown: Memory<String>,
    down: Memory<String>,
    asking: Semaphore,
}

impl Callouts {
    pub fn new() -> Self {
        let (known, unknown, down) = (Memory::new(ADDRESSES), Memory::new(ADDRESSES), Memory::new(SERVERS));
        Self { known, unknown, down, asking: Semaphore::new(AT_ONCE) }
    }
}

impl Relay {
    /// What the server at the end of a route knows of an address. It is asked at most once in a while.
    pub async fn standing(&self, route: &Route, address: &Address) -> Standing {
        let RouteWay::Host(next) = &route.way else { return Standing::Known };
        let (memory, now) = (&self.callouts, self.clock.now());
        let server = format!("{}:{}", next.host, next.port);
        let key = format!("{} {server}", address.key());
        if memory.known.get(&key, now, KNOWN).is_some() {
            return Standing::Known;
        }
        if let Some(why) = memory.unknown.get(&key, now, UNKNOWN) {
            return Standing::Unknown(why);
        }
        let answer = match memory.down.get(&server, now, DOWN) {
            Some(why) => Err(why),
            None => self.ask(&Smarthost::of(next), address).await,
        };
        match answer {
            Ok(reply) if reply.is_positive() => {
                memory.known.put(key, (), now);
                Standing::Known
            }
            Ok(reply) if reply.is_permanent() && !is_policy(&reply) => {
                memory.unknown.put(key, reply.to_string(), now);
                Standing::Unknown(reply.to_string())
            }
            answer => {
                let why = answer.map_or_else(
                    |why| {
                        memory.down.put(server, why.clone(), now);
                        why
                    },
                    |reply| reply.to_string(),
                );
                match memory.known.get(&key, now, STALE) {
                    Some(()) => Standing::Known,
                    None => Standing::Unsure(why),
                }
            }
        }
    }

    /// The reply to RCPT, or why there is none.
    async fn ask(&self, next: &Smarthost, address: &Address) -> Result<Reply, String> {
        let Ok(_asking) = self.callouts.asking.try_acquire() else { return Err("too many questions at once".into()) };
        let asked = async {
            let mut last = None;
            for target in hop(next, None, self.outward.as_ref()).await? {
                match self.probe(&target, address).await {
                    Ok(reply) => return Ok(reply),
                    Err(stop) => last = Some(stop),
                }
            }
            Err(last.unwrap_or_else(|| Stop::later("4.4.4 the server has no address")))
        };
        match timeout(PATIENCE, asked).await {
            Ok(answer) => answer.map_err(|stop| stop.why().to_owned()),
            Err(_) => Err(format!("{} takes too long to answer", next.host)),
        }
    }

    async fn probe(&self, target: &Target, address: &Address) -> Result<Reply, Stop> {
        let key = target.key();
        if let Some(mut client) = self.pool.take(&key).await
            && let Ok(reply) = client.probe(address).await
        {
            self.keep(key, client).await;
            return Ok(reply);
        }
        let mut client = self.connector.connect(target).await?;
        let reply = client.probe(address).await;
        self.keep(key, client).await;
        reply
    }

    async fn keep(&self, key: String, mut client: Client) {
        if client.reset().await {
            self.pool.put(key, client);
        }
    }
}

impl Client {
    /// The reply to RCPT from the null sender, whose mail everybody has to take (RFC 5321 §4.5.5).
    async fn probe(&mut self, address: &Address) -> Result<Reply, Stop> {
        let (mail, rcpt) = self.lines(None, address)?;
        self.phase = Phase::Envelope;
        let reply = self.command(&mail, ENVELOPE).await?;
        match reply.is_positive() {
            true => self.command(&rcpt, ENVELOPE).await,
            // It speaks of us and not of the address.
            false => Err(self.said(&reply)),
        }
    }
}

/// A refusal for who asks, and not for the address (RFC 3463 §3.8).
fn is_policy(reply: &Reply) -> bool {
    reply.enhanced.is_some_and(|(_, subject, _)| subject == 7)
}

/// A bounded map whose entries say since when they are there.
struct Memory<V> {
    most: usize,
    entries: Mutex<HashMap<String, (Timestamp, V)>>,
}

impl<V: Clone> Memory<V> {
    fn new(most: usize) -> Self {
        Self { most, entries: Mutex::default() }
    }

    fn get(&self, key: &str, now: Timestamp, life: Duration) -> Option<V> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(key).filter(|(since, _)| now.since(*since) < life).map(|(_, value)| value.clone())
    }

    /// The older half makes room for a new one.
    fn put(&self, key: String, value: V, now: Timestamp) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= self.most {
            let mut times: Vec<Timestamp> = entries.values().map(|(since, _)| *since).collect();
            let middle = times.len() / 2;
            let (_, median, _) = times.select_nth_unstable(middle);
            let median = *median;
            let mut room = self.most / 2;
            entries.retain(|_, (since, _)| {
                let stays = *since > median || (*since == median && room > 0);
                room -= usize::from(stays && room > 0);
                stays
            });
        }
        entries.insert(key, (now, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded_and_ends() {
        let memory = Memory::new(10);
        for second in 0..100 {
            memory.put(format!("{}", second / 2), second, Timestamp::from_secs(second / 7));
        }
        assert!(memory.entries.lock().unwrap().len() <= 10);
        let now = Timestamp::from_secs(14);
        assert_eq!(memory.get("49", now, KNOWN), Some(99));
        assert_eq!(memory.get("49", now.after(KNOWN), KNOWN), None);
    }
}
