//! Reports carry a signature (Ed25519, RFC 8032), so that whoever keeps one can show later that it is as this server wrote it.
//!
//! It stands at the end, behind a mark of the format, and is made over every octet before that mark.

use anser_base::{Error, Result};
use anser_wire::sasl::{decode_base64, encode_base64};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

/// What the key is made from the key of the moves for.
const PURPOSE: &str = "anser 2026 signature of move reports";
/// What stands before a signature in HTML, CSV, JSON and PDF, and what behind it. In PDF it is a comment behind the end of the file.
const MARKS: [(&str, &str, &str); 4] = [
    ("html", "\n<!-- seal ", " -->\n"),
    ("csv", "# seal ", "\r\n"),
    ("json", ",\"seal\":\"", "\"}\n"),
    ("pdf", "\n%seal ", "\n"),
];

/// Signs reports.
pub struct Signer {
    pair: Ed25519KeyPair,
}

impl Signer {
    /// By a key that is made from this one.
    pub fn new(key: &[u8; 32]) -> Result<Self> {
        let seed = blake3::derive_key(PURPOSE, key);
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(Error::unavailable)?;
        Ok(Self { pair })
    }

    /// The public key, in base64.
    pub fn key(&self) -> String {
        encode_base64(self.pair.public_key().as_ref())
    }

    /// What a printed page says of who wrote it, and of what: a fingerprint of the same in another format, without its signature.
    pub fn foot(&self, same: &str) -> String {
        format!("BLAKE3 {}\nEd25519 {}", blake3::hash(same.as_bytes()).to_hex(), self.key())
    }

    /// A report with its signature. `format` is `html`, `csv`, `json` or `pdf`; of JSON the last `}` is left out before.
    pub fn sign(&self, format: &str, mut report: String) -> String {
        let (_, before, behind) = MARKS.iter().find(|(known, ..)| *known == format).unwrap_or(&MARKS[0]);
        let signature = encode_base64(self.pair.sign(report.as_bytes()).as_ref());
        report.push_str(&format!("{before}{} {signature}{behind}", self.key()));
        report
    }
}

/// Who signed a report: the public key in base64. `None` when nobody did, or it was changed since, or anything but blanks was put behind
/// the signature: readers of HTML and PDF would show that too.
pub fn signed_by(report: &str) -> Option<String> {
    let found = MARKS.iter().filter_map(|(_, before, behind)| Some((report.rfind(before)?, before, behind)));
    let (at, before, behind) = found.max()?;
    let seal = report[at + before.len()..].trim_end().strip_suffix(behind.trim_end())?;
    let (key, signature) = seal.split_once(' ')?;
    let bytes = |text: &str| decode_base64(text.as_bytes()).ok();
    let public = UnparsedPublicKey::new(&ED25519, bytes(key)?);
    public.verify(&report.as_bytes()[..at], &bytes(signature)?).ok().map(|()| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_was_changed_is_nobodys() {
        let (signer, other) = (Signer::new(&[1; 32]).unwrap(), Signer::new(&[2; 32]).unwrap());
        for (format, text) in
            [("html", "<p>x</p>"), ("csv", "a,b\r\n"), ("json", "{\"a\":[1]"), ("pdf", "%PDF-1.7\n%%EOF")]
        {
            let signed = signer.sign(format, text.to_owned());
            assert_eq!(signed_by(&signed), Some(signer.key()), "{signed}");
            assert_eq!(signed_by(&signed.replacen(&text[..3], "zzz", 1)), None);
            assert_eq!(signed_by(&signed.replace(&signer.key(), &other.key())), None);
            assert_eq!(signed_by(&format!("{signed}more")), None, "nothing is put behind it");
            assert_eq!(signed_by(&format!("{signed}\n")), Some(signer.key()));
            assert_eq!(signed_by(text), None);
        }
        let json = signer.sign("json", "{\"a\":[1]".to_owned());
        assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
    }
}
