//! Secrets that have to be read again, sealed for their place (AES-256-GCM): whoever sees a table, or moves a row to another account, has
//! nothing. The directory's key lies in `dir_secrets`; of what a key outside of the database seals see [`Directory::use_key`].

use anser_base::{Entropy, Error, Result};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::Directory;

/// Seals for a place, which is what the secret is of.
pub fn seal(key: &[u8; 32], place: impl AsRef<[u8]>, secret: &[u8], entropy: &Entropy) -> Result<Vec<u8>> {
    let nonce: [u8; NONCE_LEN] = entropy.bytes();
    let mut bytes = secret.to_vec();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).map_err(Error::unavailable)?);
    let sealed =
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place.as_ref()), &mut bytes);
    sealed.map_err(Error::unavailable)?;
    Ok([&nonce[..], &bytes].concat())
}

/// The inverse. [`anser_base::Class::Damaged`] for anything else than was sealed for this place.
pub fn open(key: &[u8; 32], place: impl AsRef<[u8]>, sealed: &[u8]) -> Result<Vec<u8>> {
    let broken =
        || Error::damaged(format!("the secret of {} cannot be opened", String::from_utf8_lossy(place.as_ref())));
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(broken)?;
    let mut bytes = rest.to_vec();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).map_err(Error::unavailable)?);
    let opened = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(place.as_ref()), &mut bytes);
    Ok(opened.map_err(|_| broken())?.to_vec())
}

impl Directory {
    /// Seals what comes back later, to whichever node, for what it is for.
    pub async fn seal(&self, purpose: &str, what: &[u8]) -> Result<Vec<u8>> {
        seal(&self.secrets().await?.oauth, format!("note {purpose}"), what, &self.inner.deps.entropy)
    }

    /// The inverse; `None` for anything that was not sealed so for this.
    pub async fn unseal(&self, purpose: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(open(&self.secrets().await?.oauth, format!("note {purpose}"), sealed).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_in_its_place_only() {
        let sealed = seal(&[7; 32], "totp 1", b"secret", &Entropy::system()).unwrap();
        assert_eq!(open(&[7; 32], "totp 1", &sealed).unwrap(), b"secret");
        assert!(open(&[7; 32], "totp 2", &sealed).is_err());
        assert!(open(&[8; 32], "totp 1", &sealed).is_err());
        assert!(open(&[7; 32], "totp 1", &sealed[..9]).is_err());
    }
}
