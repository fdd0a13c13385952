//! The host names that certificates are wanted for.

use std::collections::BTreeSet;
use std::net::IpAddr;

use anser_base::Result;
use anser_net::Resolver;
use anser_net::dns::{RecordType, ascii_name};

use crate::Deps;

/// Most names: what one server chooses from.
pub(crate) const NAMES: usize = anser_net::tls::CERTIFICATES - 1;
/// Names below a domain that lead here where the domain's records are as wanted.
const SERVICES: [&str; 3] = ["mta-sts", "autoconfig", "autodiscover"];

/// The server's own name first, then those that the operator added, then service names of the domains, as far as they lead to the
/// addresses of the server: for others no proof could be given.
pub(crate) async fn wanted(deps: &Deps, added: &[String]) -> Result<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    let mut take = |name: String| {
        if all.len() < NAMES && !all.contains(&name) {
            all.push(name);
        }
    };
    for name in std::iter::once(&deps.hostname).chain(added) {
        ascii_name(name).into_iter().for_each(&mut take);
    }
    let ours = addresses(&deps.resolver, &deps.hostname).await;
    for domain in deps.directory.domains().await?.into_iter().filter(|domain| !domain.disabled) {
        for service in SERVICES {
            let Some(name) = ascii_name(&format!("{service}.{}", domain.name)) else { continue };
            let leads = addresses(&deps.resolver, &name).await;
            if !leads.is_empty() && leads.is_subset(&ours) {
                take(name);
            }
        }
    }
    Ok(all)
}

async fn addresses(resolver: &Resolver, name: &str) -> BTreeSet<IpAddr> {
    let (six, four) = tokio::join!(resolver.lookup(name, RecordType::Aaaa), resolver.lookup(name, RecordType::A));
    six.addresses().chain(four.addresses()).collect()
}
