//! Whose folders are, as a server's namespaces tell it (RFC 2342): of whoever logs in, of other users, or shared by many.

use serde::{Deserialize, Serialize};

/// Whose a folder is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Space {
    /// Of whoever logs in.
    #[default]
    Own,
    /// Of another user, who lets this one in.
    Others,
    /// Nobody's own: many share it.
    Shared,
}

/// What names begin with, and how levels are parted, in one namespace.
type Prefix = (Vec<u8>, Option<u8>);

/// The namespaces of a login.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spaces {
    told: [Vec<Prefix>; 3],
    /// Whether the server has some and does not tell them at present.
    #[serde(skip)]
    pub are_hidden: bool,
}

impl Spaces {
    /// As NAMESPACE tells them: personal ones, other users', shared ones.
    pub fn new(told: [Vec<Prefix>; 3]) -> Self {
        Self { told, are_hidden: false }
    }

    /// Those of a server that has some, and does not tell them: all is the user's own as far as is known.
    pub fn hidden() -> Self {
        Self { are_hidden: true, ..Self::default() }
    }

    /// What the names of the user's own folders begin with, such as `INBOX.`.
    pub fn prefix(&self) -> Vec<u8> {
        self.told[0].first().map(|(prefix, _)| prefix.clone()).unwrap_or_default()
    }

    /// What stands between levels of the user's own folders, where that is told.
    pub fn delimiter(&self) -> Option<u8> {
        self.told[0].first().and_then(|(_, delimiter)| *delimiter)
    }

    /// Whether a folder of this name is the user's own.
    pub fn are_own(&self, name: &[u8]) -> bool {
        self.of(name) == Space::Own
    }

    /// Whose a folder of this name is: the longest beginning counts, and what is in none is the user's own, as all is where no personal
    /// namespace is told.
    pub fn of(&self, name: &[u8]) -> Space {
        if name.eq_ignore_ascii_case(INBOX) || self.told[0].is_empty() {
            return Space::Own;
        }
        let length = |at: usize| {
            let fitting = self.told[at].iter().filter(|(prefix, delimiter)| begins(name, prefix, *delimiter));
            fitting.map(|(prefix, _)| prefix.len() + 1).max().unwrap_or(0)
        };
        match (length(0), length(1), length(2)) {
            (own, others, shared) if own >= others && own >= shared => Space::Own,
            (_, others, shared) if others >= shared => Space::Others,
            _ => Space::Shared,
        }
    }
}

const INBOX: &[u8] = b"INBOX";

/// Whether a name lies in a namespace, or is its top. `INBOX` may be written in either case (RFC 9051 §5.1).
fn begins(name: &[u8], prefix: &[u8], delimiter: Option<u8>) -> bool {
    let top = prefix.strip_suffix(delimiter.as_slice()).unwrap_or(prefix);
    let length = if name.len() == top.len() { top.len() } else { prefix.len() };
    let (Some(name), Some(prefix)) = (name.get(..length), prefix.get(..length)) else { return false };
    let of_inbox = |text: &[u8]| text.get(..INBOX.len()).is_some_and(|head| head.eq_ignore_ascii_case(INBOX));
    name == prefix || (of_inbox(name) && of_inbox(prefix) && name[INBOX.len()..] == prefix[INBOX.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spaces(told: [&[&str]; 3], delimiter: u8) -> Spaces {
        Spaces::new(told.map(|all| all.iter().map(|prefix| (prefix.as_bytes().to_vec(), Some(delimiter))).collect()))
    }

    #[test]
    fn the_longest_beginning_says_whose_a_folder_is() {
        let (own, others, shared) = (Space::Own, Space::Others, Space::Shared);
        let dovecot = spaces([&[""], &["shared/"], &["Public/"]], b'/');
        for (name, space) in [
            ("INBOX", own),
            ("Publicity", own),
            ("shared", others),
            ("shared/bob/INBOX", others),
            ("Public", shared),
            ("Public/News", shared),
        ] {
            assert_eq!(dovecot.of(name.as_bytes()), space, "{name}");
        }
        // Cyrus without `altnamespace`.
        let cyrus = spaces([&["INBOX."], &["user."], &[""]], b'.');
        for (name, space) in
            [("inbox", own), ("Inbox.Sent", own), ("INBOX.a.b", own), ("user.bob", others), ("news", shared)]
        {
            assert_eq!(cyrus.of(name.as_bytes()), space, "{name}");
        }
        let courier = spaces([&["INBOX."], &[], &["#shared.", "shared."]], b'.');
        assert_eq!((courier.of(b"shared.x"), courier.of(b"INBOX.shared"), courier.of(b"odd")), (shared, own, own));
        assert_eq!(spaces([&[], &[], &[""]], b'/').of(b"Work"), own, "no personal namespace is told");
        assert_eq!(Spaces::default().of(b"Public/News"), own);
    }

    proptest::proptest! {
        #[test]
        fn no_name_is_a_panic(name: Vec<u8>, prefix: Vec<u8>, delimiter: Option<u8>) {
            let _ = Spaces::new([vec![(Vec::new(), None)], vec![(prefix.clone(), delimiter)], Vec::new()]).of(&name);
            let _ = Spaces::new([vec![(prefix, delimiter)], Vec::new(), vec![(b"inbox.".to_vec(), delimiter)]]).of(&name);
        }
    }
}
