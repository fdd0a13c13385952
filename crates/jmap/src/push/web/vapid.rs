//! Voluntary application server identification (RFC 8292): a push service sees that it is always we who send. Browsers ask for the public
//! half when they subscribe (RFC 9749).

use anser_base::{Error, Result, Timestamp};
use anser_directory::Directory;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tokio::sync::OnceCell;
use url::Url;

/// How long a token is good, in seconds; the RFC allows a day (§2).
const LIFE: i64 = 12 * 3600;
/// Its name among the keys that the house keeps.
const KEPT: &str = "vapid";

/// The key that signs, made at the first need and kept by the directory.
#[derive(Default)]
pub(crate) struct Vapid(OnceCell<Key>);

/// The key.
pub(crate) struct Key {
    pair: EcdsaKeyPair,
    /// `applicationServerKey` (RFC 9749 §3).
    pub public: String,
}

impl Vapid {
    /// The key, which all nodes share.
    pub async fn key(&self, directory: &Directory) -> Result<&Key> {
        self.0.get_or_try_init(|| load(directory)).await
    }

    /// The public half, once somebody has asked for the key.
    pub fn public(&self) -> Option<&str> {
        self.0.get().map(|key| key.public.as_str())
    }
}

impl Key {
    /// The `Authorization` of a message for this address (RFC 8292 §2, §3.1), from whom is found at `own`.
    pub fn authorization(&self, to: &Url, own: &str, now: Timestamp) -> Result<String> {
        let header = json!({ "typ": "JWT", "alg": "ES256" });
        let claims = json!({ "aud": to.origin().ascii_serialization(), "exp": now.secs() + LIFE, "sub": own });
        let signed = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).map_err(broken)?;
        Ok(format!("vapid t={signed}.{}, k={}", URL_SAFE_NO_PAD.encode(signature), self.public))
    }
}

async fn load(directory: &Directory) -> Result<Key> {
    let kept = match directory.kept_key(KEPT, None).await? {
        Some(kept) => kept,
        None => {
            let made = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(broken)?;
            let made = made.to_pkcs8v1().map_err(broken)?.as_ref().to_vec();
            directory.kept_key(KEPT, Some(made)).await?.ok_or_else(|| Error::unavailable("a key was not kept"))?
        }
    };
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &kept);
    let pair = pair.map_err(|rejected| Error::damaged(rejected.to_string()))?;
    let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    Ok(Key { pair, public })
}

fn broken(_: Unspecified) -> Error {
    Error::unavailable("the cryptographic library refused a key")
}
