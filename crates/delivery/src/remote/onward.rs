//! What a message gets on its way out, at each attempt: mail of the house's own is signed, mail of others that goes on is sealed. Keys may
//! change while a message waits, and nothing but what leaves needs either.

use anser_base::{Address, Result};
use anser_directory::{Directory, Resolution};
use anser_mime::header;
use anser_queue::{Entry, Protocol};
use anser_senderauth::arc::{self, Sealing};
use anser_senderauth::dkim::{Algorithm, Signer};
use anser_senderauth::{Author, dns, results};

use super::{Relay, author};
use crate::content::Content;
use crate::forward::LOOP_FIELD;

/// Names above that of an author that may have the keys for it (RFC 9989 §4.10.2: they align).
const ABOVE: usize = 5;

/// Puts before the message what it lacks. Trouble lets it go as it is.
pub(super) async fn mark(relay: &Relay, entry: &Entry, content: &mut Content) {
    let front = match entry.envelope.origin.protocol {
        Protocol::Internal => signatures(&relay.directory, content).await,
        Protocol::Smtp => pass_on(relay, entry, content).await,
        _ => return,
    };
    match front {
        Ok(front) => content.prepend(&front),
        Err(error) => tracing::error!(error = error.chain(), "a message goes without a signature"),
    }
}

/// The signatures of the author's domain, or of one above it.
pub(super) async fn signatures(directory: &Directory, content: &mut Content) -> Result<String> {
    let passed = content.passed().await?;
    let author = Author::of(&passed).domains.into_iter().next().unwrap_or_default();
    directory.sign(&passed, names_above(&author)).await
}

/// What mail of others gets: a seal, and where a group passes it on that would be refused, the group as its author, and its signature.
/// Nothing for what was not checked when it came.
async fn pass_on(relay: &Relay, entry: &Entry, content: &mut Content) -> Result<String> {
    let header = content.header();
    let Some(results) = results::written_by(&header, &relay.hostname) else { return Ok(String::new()) };
    let via = header::value(&header, LOOP_FIELD);
    let via = via.and_then(|value| Address::parse(&String::from_utf8_lossy(&value)));
    let mut signature = String::new();
    if let Some(via) = &via
        && matches!(relay.directory.resolve(via).await?, Resolution::Group(_))
        && content.replace_header(|head| author::in_name_of(via, head, &results))
    {
        signature = signatures(&relay.directory, content).await?;
    }
    Ok(seal(relay, entry, content, via, &results).await? + &signature)
}

/// A seal with what was found when the message came (RFC 8617 §5.1), by the domain that it goes on from; empty where that has no key.
async fn seal(
    relay: &Relay,
    entry: &Entry,
    content: &mut Content,
    via: Option<Address>,
    results: &str,
) -> Result<String> {
    let recipient = entry.envelope.recipients.first().map(|recipient| &recipient.address);
    for domain in via.as_ref().into_iter().chain(recipient).map(Address::domain) {
        let keys = relay.directory.signing_keys(domain).await?;
        // What validates chains need not know Ed25519 (RFC 8617 §4.1.2).
        let rsa = keys.iter().find(|one| one.key.algorithm() == Algorithm::RsaSha256);
        let (Some(one), Some(domain)) = (rsa.or(keys.first()), dns::domain(domain)) else { continue };
        let passed = content.passed().await?;
        let signer = Signer { key: &one.key, domain: &domain, selector: &one.selector, now: relay.clock.now().secs() };
        let sealing = Sealing { signer, authserv_id: &relay.hostname, results };
        let seal = arc::seal(&passed, &arc::recalled(&passed, results), sealing)?;
        return Ok(seal.unwrap_or_default());
    }
    Ok(String::new())
}

/// A name and those above it, but for the last label.
fn names_above(name: &str) -> Vec<String> {
    let cuts = name.match_indices('.').map(|(at, _)| &name[at + 1..]);
    let names = std::iter::once(name).chain(cuts).take(ABOVE);
    names.filter(|name| name.contains('.')).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_above_a_name_are_its_ends() {
        assert_eq!(names_above("a.b.example.org"), ["a.b.example.org", "b.example.org", "example.org"]);
        assert_eq!(names_above("localhost"), [""; 0]);
    }
}
