//! Message encryption for Web Push (RFC 8291): to the key of a browser, in one record of `aes128gcm` (RFC 8188).

use anser_base::{Error, Result};
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};

/// Bytes of a public key of P-256, not compressed (RFC 8291 §3.1).
pub(super) const PUBLIC: usize = 65;
/// Bytes of the authentication secret (RFC 8291 §3.2).
pub(super) const SECRET: usize = 16;
/// Bytes of a salt (RFC 8188 §2.1).
const SALT: usize = 16;
/// `rs`, the size of the record (RFC 8291 §4): all of a message, which push services take up to this (RFC 8030 §7.2).
const RECORD: u32 = 4096;
/// Bytes of a text that fit: without the header, its end and the tag.
pub(super) const TEXT: usize = RECORD as usize - (SALT + 4 + 1 + PUBLIC) - 1 - 16;

/// The public half of a browser's key, and the secret that goes with it.
pub(super) struct Keys {
    pub public: [u8; PUBLIC],
    pub secret: [u8; SECRET],
}

/// How many bytes are derived.
struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

/// Seals a text of at most [`TEXT`] bytes with a key pair that is used this once.
pub(super) fn seal(to: &Keys, salt: [u8; SALT], text: &[u8]) -> Result<Vec<u8>> {
    let own = PrivateKey::generate(&ECDH_P256).map_err(broken)?;
    seal_with(to, &own, salt, text)
}

fn seal_with(to: &Keys, own: &PrivateKey, salt: [u8; SALT], text: &[u8]) -> Result<Vec<u8>> {
    if text.len() > TEXT {
        return Err(Error::unavailable("a push message is too long"));
    }
    let public = own.compute_public_key().map_err(broken)?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, &to.public);
    // RFC 8291 §3.4
    let info = [b"WebPush: info\0", &to.public[..], public.as_ref()].concat();
    let ikm: [u8; 32] = agree(own, theirs, Unspecified, |shared| derived(&to.secret, shared, &info)).map_err(broken)?;
    // RFC 8188 §2.2, §2.3
    let key: [u8; 16] = derived(&salt, &ikm, b"Content-Encoding: aes128gcm\0").map_err(broken)?;
    let nonce: [u8; NONCE_LEN] = derived(&salt, &ikm, b"Content-Encoding: nonce\0").map_err(broken)?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).map_err(broken)?);
    // The end of the last record.
    let mut sealed = [text, &[2]].concat();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed).map_err(broken)?;
    Ok([&salt[..], &RECORD.to_be_bytes(), &[PUBLIC as u8], public.as_ref(), &sealed].concat())
}

fn derived<const N: usize>(salt: &[u8], secret: &[u8], info: &[u8]) -> std::result::Result<[u8; N], Unspecified> {
    let mut bytes = [0; N];
    let info = [info];
    Salt::new(HKDF_SHA256, salt).extract(secret).expand(&info, Bytes(N))?.fill(&mut bytes)?;
    Ok(bytes)
}

fn broken(_: Unspecified) -> Error {
    Error::unavailable("a push message cannot be sealed with this key")
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
    }

    /// The example of RFC 8291 §5 and Appendix A.
    #[test]
    fn a_message_is_sealed_as_the_rfc_does() {
        let own: [u8; 32] = bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let own = PrivateKey::from_private_key(&ECDH_P256, &own).unwrap();
        let to = Keys {
            public: bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
            secret: bytes("BTBZMqHH6r4Tts7J_aSIgg"),
        };
        let text = b"When I grow up, I want to be a watermelon";
        let sealed = seal_with(&to, &own, bytes("DGv6ra1nlYgDCS1FRnbzlw"), text).unwrap();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(sealed),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn what_does_not_fit_or_is_no_key_is_refused() {
        let to = Keys {
            public: bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
            secret: [1; SECRET],
        };
        assert_eq!(seal(&to, [0; SALT], &[b'x'; TEXT]).unwrap().len(), RECORD as usize);
        assert!(seal(&to, [0; SALT], &[b'x'; TEXT + 1]).is_err());
        assert!(seal(&Keys { public: [4; PUBLIC], ..to }, [0; SALT], b"x").is_err(), "not on the curve");
    }
}
