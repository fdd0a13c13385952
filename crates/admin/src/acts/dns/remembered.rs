//! What others remember of a domain that moves: names that programs and servers use, as their name servers allow it, and the MX as some
//! resolvers hold it.

use anser_migrate::Remembered;
use anser_net::dns::{Data, RecordType};

use super::world::World;
use crate::Admin;

/// Names below a domain that programs are set to, or look for.
const NAMES: [&str; 9] = ["mail", "imap", "pop", "pop3", "smtp", "mx", "webmail", "autodiscover", "autoconfig"];
/// Hosts of the present MX that are looked at.
const HOSTS: usize = 10;

impl Admin {
    /// The names of the domain itself that lead to mail servers, and for how long others may remember each.
    pub(super) async fn names_remembered(&self, domain: &str, world: &mut World<'_>) -> Vec<Remembered> {
        let behind = format!(".{domain}");
        let mut names: Vec<String> = NAMES.iter().map(|name| format!("{name}{behind}")).collect();
        let found = self.deps.resolver.lookup(domain, RecordType::Mx).await;
        for data in found.records().iter().take(HOSTS) {
            // The names of others are theirs to lower.
            if let Data::Mx { exchange, .. } = data
                && exchange.to_lowercase().ends_with(&behind)
                && !names.contains(&exchange.to_lowercase())
            {
                names.push(exchange.to_lowercase());
            }
        }
        let mut all = Vec::new();
        for name in names {
            for (kind, word) in [(RecordType::A, "A"), (RecordType::Aaaa, "AAAA")] {
                if let Some(ttl) = world.ttl(&name, kind).await {
                    all.push(Remembered { name: format!("{word} {name}"), ttl });
                }
            }
        }
        all
    }

    /// The resolvers of the boot file that hold an MX of the domain, and for how much longer.
    pub(super) async fn held_elsewhere(&self, domain: &str) -> Vec<Remembered> {
        let asked = self.deps.witnesses.iter().map(|(name, witness)| async move {
            let answer = witness.lookup(domain, RecordType::Mx).await;
            let is_there = !answer.is_failure() && !answer.records().is_empty();
            is_there.then(|| Remembered { name: name.clone(), ttl: answer.ttl.as_secs() })
        });
        futures_util::future::join_all(asked).await.into_iter().flatten().collect()
    }
}
