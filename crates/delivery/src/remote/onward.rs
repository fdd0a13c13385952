//! What a message gets on its way out, at each attempt: mail of the house's own is signed. Keys may change while a message waits, and
//! nothing but what leaves needs a signature.

use anser_base::Result;
use anser_directory::Directory;
use anser_queue::{Entry, Protocol};
use anser_senderauth::Author;

use crate::content::Content;

/// Names above that of an author that may have the keys for it (RFC 9989 §4.10.2: they align).
const ABOVE: usize = 5;

/// Puts before the message what it lacks. Trouble lets it go as it is.
pub(super) async fn mark(directory: &Directory, entry: &Entry, content: &mut Content) {
    let front = match entry.envelope.origin.protocol {
        Protocol::Internal => signatures(directory, content).await,
        _ => return,
    };
    match front {
        Ok(front) => content.prepend(&front),
        Err(error) => tracing::error!(error = error.chain(), "a message goes without a signature"),
    }
}

/// The signatures of the author's domain, or of one above it.
async fn signatures(directory: &Directory, content: &mut Content) -> Result<String> {
    let passed = content.passed().await?;
    let author = Author::of(&passed).domains.into_iter().next().unwrap_or_default();
    directory.sign(&passed, names_above(&author)).await
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
