//! Passwords of old servers, sealed by a key that lies outside of the database (AES-256-GCM): whoever has the tables, or a backup
//! of them, has no password.

use anser_base::{Entropy, Error, Result};
use anser_wire::Secret;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// Seals and opens. Cheap to clone is not needed: one per process.
pub struct Seal {
    key: LessSafeKey,
    entropy: Entropy,
}

impl Seal {
    /// By this key.
    pub fn new(key: &[u8; 32], entropy: Entropy) -> Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(Error::unavailable)?;
        Ok(Self { key: LessSafeKey::new(key), entropy })
    }

    /// A password that only the same login of the same source opens again.
    pub fn seal(&self, source: u64, login: &str, secret: &Secret) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = self.entropy.bytes();
        let mut bytes = secret.as_bytes().to_vec();
        let bound = Aad::from(bound(source, login));
        let sealed = self.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound, &mut bytes);
        sealed.map_err(Error::unavailable)?;
        Ok([&nonce[..], &bytes].concat())
    }

    /// The inverse. [`anser_base::Class::Damaged`] when the key is another one.
    pub fn open(&self, source: u64, login: &str, sealed: &[u8]) -> Result<Secret> {
        let broken = || Error::damaged("a sealed password cannot be opened: the key of the moves is another one");
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(broken)?;
        let mut bytes = rest.to_vec();
        let bound = Aad::from(bound(source, login));
        let opened = self.key.open_in_place(Nonce::assume_unique_for_key(*nonce), bound, &mut bytes);
        opened.map(|plain| Secret::new(&*plain)).map_err(|_| broken())
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
        let seal = Seal::new(&[7; 32], Entropy::seeded(1)).unwrap();
        let sealed = seal.seal(1, "ann", &Secret::new("a()*%\"\\ 密".as_bytes())).unwrap();
        assert_eq!(seal.open(1, "ann", &sealed).unwrap().as_bytes(), "a()*%\"\\ 密".as_bytes());
        assert!(seal.open(1, "bob", &sealed).is_err());
        assert!(seal.open(2, "ann", &sealed).is_err());
        assert!(Seal::new(&[8; 32], Entropy::seeded(1)).unwrap().open(1, "ann", &sealed).is_err());
        assert!(seal.open(1, "ann", &sealed[..5]).is_err());
    }
}
