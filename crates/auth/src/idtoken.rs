//! Id tokens (OpenID Connect Core §2): who an owner is, signed with RS256 (RFC 7518 §3.3), which every relying party knows.

use anser_base::{Error, Result, Timestamp};
use anser_directory::{Directory, Tokens};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// How long an id token is good, in seconds.
const LIFE: i64 = 600;
/// Its name among the keys that the house keeps.
const KEPT: &str = "id-token";

/// The key that signs, made at the first need and kept by the directory.
#[derive(Default)]
pub struct Signer(OnceCell<Key>);

struct Key {
    pair: KeyPair,
    id: String,
}

impl Signer {
    async fn key(&self, directory: &Directory) -> Result<&Key> {
        self.0.get_or_try_init(|| load(directory)).await
    }

    /// The public half, as a JWK set (RFC 7517 §5).
    pub async fn jwks(&self, directory: &Directory) -> Result<Value> {
        let key = self.key(directory).await?;
        let public = key.pair.public_key();
        let [n, e] = [public.modulus(), public.exponent()]
            .map(|number| URL_SAFE_NO_PAD.encode(number.big_endian_without_leading_zero()));
        Ok(json!({ "keys": [{ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": key.id, "n": n, "e": e }] }))
    }

    /// An id token for a client.
    pub async fn token(&self, directory: &Directory, issuer: &str, tokens: &Tokens, now: Timestamp) -> Result<String> {
        let key = self.key(directory).await?;
        let mut claims = claims(tokens.account.as_ref());
        claims["iss"] = issuer.into();
        claims["aud"] = tokens.wanted.client.clone().into();
        claims["iat"] = now.secs().into();
        claims["exp"] = (now.secs() + LIFE).into();
        claims["auth_time"] = tokens.signed_in.secs().into();
        if !tokens.wanted.nonce.is_empty() {
            claims["nonce"] = tokens.wanted.nonce.clone().into();
        }
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": key.id });
        let signed = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let mut signature = vec![0; key.pair.public_modulus_len()];
        key.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).map_err(broken)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// What is told of an owner (OpenID Connect Core §5.1).
pub fn claims(account: &anser_directory::Account) -> Value {
    let address = account.address.to_string();
    let name = if account.name.is_empty() { account.address.local() } else { &account.name };
    json!({
        "sub": account.id.0.to_string(),
        "email": address,
        "email_verified": true,
        "preferred_username": address,
        "name": name,
        "locale": account.locale.as_str(),
    })
}

async fn load(directory: &Directory) -> Result<Key> {
    let kept = match directory.kept_key(KEPT, None).await? {
        Some(kept) => kept,
        None => {
            let made = tokio::task::spawn_blocking(make).await.map_err(Error::unavailable)??;
            directory.kept_key(KEPT, Some(made)).await?.ok_or_else(|| Error::unavailable("a key was not kept"))?
        }
    };
    let pair = KeyPair::from_pkcs8(&kept).map_err(|rejected| Error::damaged(rejected.to_string()))?;
    let id = blake3::hash(pair.public_key().as_ref()).to_hex()[..16].to_owned();
    Ok(Key { pair, id })
}

fn make() -> Result<Vec<u8>> {
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(broken)?;
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(broken)?;
    Ok(der.as_ref().to_vec())
}

fn broken(_: Unspecified) -> Error {
    Error::unavailable("the cryptographic library refused a key")
}
