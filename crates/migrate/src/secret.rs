//! Passwords of old servers, sealed by a key that lies outside of the database (AES-256-GCM): whoever has the tables, or a backup
//! of them, has no password.

use anser_base::{Entropy, Error, Result};
use anser_directory::sealed;
use anser_wire::Secret;

/// Seals and opens. One per process.
pub struct Seal {
    key: [u8; 32],
    entropy: Entropy,
}

impl Seal {
    /// By this key.
    pub fn new(key: &[u8; 32], entropy: Entropy) -> Self {
        Self { key: *key, entropy }
    }

    /// A password that only the same login of the same source opens again.
    pub fn seal(&self, source: u64, login: &str, secret: &Secret) -> Result<Vec<u8>> {
        sealed::seal(&self.key, bound(source, login), secret.as_bytes(), &self.entropy)
    }

    /// What a secret of a source is known by where it is not to be known itself.
    pub fn mark(&self, source: u64, secret: &Secret) -> Vec<u8> {
        let key = blake3::derive_key("anser moves: secrets that were refused", &self.key);
        blake3::keyed_hash(&key, &[&source.to_le_bytes()[..], secret.as_bytes()].concat()).as_bytes().to_vec()
    }

    /// The inverse. [`anser_base::Class::Damaged`] when the key is another one.
    pub fn open(&self, source: u64, login: &str, sealed: &[u8]) -> Result<Secret> {
        let opened = sealed::open(&self.key, bound(source, login), sealed);
        opened
            .map(|plain| Secret::new(&*plain))
            .map_err(|_| Error::damaged("a sealed password cannot be opened: the key of the moves is another one"))
    }
}

fn bound(source: u64, login: &str) -> Vec<u8> {
    [&source.to_le_bytes()[..], login.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_opens_for_its_own_login_and_key_only() {
        let seal = Seal::new(&[7; 32], Entropy::seeded(1));
        let sealed = seal.seal(1, "ann", &Secret::new("a()*%\"\\ 密".as_bytes())).unwrap();
        assert_eq!(seal.open(1, "ann", &sealed).unwrap().as_bytes(), "a()*%\"\\ 密".as_bytes());
        assert!(seal.open(1, "bob", &sealed).is_err());
        assert!(seal.open(2, "ann", &sealed).is_err());
        assert!(Seal::new(&[8; 32], Entropy::seeded(1)).open(1, "ann", &sealed).is_err());
        assert!(seal.open(1, "ann", &sealed[..5]).is_err());
        let mark = |of: &Seal, source, text: &str| of.mark(source, &Secret::new(text));
        assert_eq!(mark(&seal, 1, "a"), mark(&Seal::new(&[7; 32], Entropy::seeded(2)), 1, "a"));
        assert_ne!(mark(&seal, 1, "a"), mark(&seal, 1, "b"));
        assert_ne!(mark(&seal, 1, "a"), mark(&seal, 2, "a"));
        assert_ne!(mark(&seal, 1, "a"), mark(&Seal::new(&[8; 32], Entropy::seeded(1)), 1, "a"));
    }
}
