//! Names in memory: the second implementation of the resolver, for tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::answer::{Answer, Data, RecordType, Security, Status};
use super::{CHAIN, ascii_name};

/// The TTL of every answer.
const TTL: Duration = Duration::from_secs(300);

/// Names and their records, which may change while resolvers use them. Clones are the same zone.
#[derive(Clone, Default)]
pub struct Zone {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    records: BTreeMap<String, Vec<Data>>,
    /// What was said of names and of everything below them.
    security: BTreeMap<String, Security>,
    failures: Vec<(String, RecordType)>,
    lookups: Vec<(String, RecordType)>,
}

impl Zone {
    /// Without any name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record.
    pub fn add(&self, name: &str, data: Data) {
        self.state().records.entry(key(name)).or_default().push(data);
    }

    /// Removes all records of a name.
    pub fn remove(&self, name: &str) {
        self.state().records.remove(&key(name));
    }

    /// Sets what DNSSEC says of a name and of everything below it; [`Security::Insecure`] where nothing was set. Answers that are
    /// bogus are failures.
    pub fn secure(&self, name: &str, security: Security) {
        self.state().security.insert(key(name), security);
    }

    /// Makes a look-up fail from now on.
    pub fn fail(&self, name: &str, kind: RecordType) {
        self.state().failures.push((key(name), kind));
    }

    /// Undoes [`Self::fail`] for all names.
    pub fn mend(&self) {
        self.state().failures.clear();
    }

    /// What was looked up so far.
    pub fn lookups(&self) -> Vec<(String, RecordType)> {
        self.state().lookups.clone()
    }

    pub(super) fn lookup(&self, asked: &str, kind: RecordType) -> Answer {
        let mut state = self.state();
        state.lookups.push((asked.to_owned(), kind));
        let (mut name, mut security) = (asked.to_owned(), Security::Secure);
        for _ in 0..=CHAIN {
            security = weaker(security, state.security_of(&name));
            if security == Security::Bogus {
                return Answer::failed(asked, security, "bogus");
            }
            if state.failures.contains(&(name.clone(), kind)) {
                return Answer::failed(asked, Security::Indeterminate, "made to fail");
            }
            let records = state.records.get(&name).map_or(&[][..], Vec::as_slice);
            let found: Vec<Data> = records.iter().filter(|data| data.kind() == kind).cloned().collect();
            let next = records.iter().find_map(|data| match data {
                Data::Cname(next) => Some(key(next)),
                _ => None,
            });
            let status = match (found.is_empty(), next) {
                (false, _) => Status::Found(found),
                (true, Some(next)) => {
                    name = next;
                    continue;
                }
                (true, None) if state.exists(&name) => Status::NoData,
                (true, None) => Status::NxDomain,
            };
            return Answer { status, security, ttl: TTL, canonical: name };
        }
        Answer::failed(asked, Security::Indeterminate, "too many CNAMEs")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A name exists when it or one below it has a record (RFC 8020).
    fn exists(&self, name: &str) -> bool {
        let below = format!(".{name}");
        self.records.keys().any(|known| known == name || known.ends_with(&below))
    }

    fn security_of(&self, name: &str) -> Security {
        let mut rest = name;
        loop {
            if let Some(security) = self.security.get(rest) {
                return *security;
            }
            match rest.split_once('.') {
                Some((_, parent)) => rest = parent,
                None => return self.security.get("").copied().unwrap_or(Security::Insecure),
            }
        }
    }
}

fn key(name: &str) -> String {
    ascii_name(name).unwrap_or_else(|| name.to_owned())
}

fn weaker(one: Security, other: Security) -> Security {
    let rank = |security| match security {
        Security::Bogus => 0,
        Security::Indeterminate => 1,
        Security::Insecure => 2,
        Security::Secure => 3,
    };
    if rank(one) <= rank(other) { one } else { other }
}
