//! OpenID Connect as a relying party (OpenID Connect Core, Discovery; RFC 6749, 7636, 9207): code flow with PKCE and nonce.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anser_base::{Error, Result, Timestamp};
use anser_directory::Provider;
use anser_directory::providers::TEXT;
use anser_net::http::client::post;
use anser_net::http::{HeaderValue, Request, header};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::jwt::{self, Expected, Unsound};
use super::{BACK, Begun, ask, back, get, not_signed_in, unavailable};
use crate::Door;
use crate::page::percent;

/// How long what a provider tells of itself is believed.
const KNOWN: Duration = Duration::from_secs(3600);
/// How long it is taken where the provider does not answer: its pages may work when this does not.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// How long nobody is asked again who did not answer.
const SILENT: Duration = Duration::from_secs(15);
/// How often a key that nobody knows makes us look for newer ones.
const LOOK: Duration = Duration::from_secs(60);
/// The claim that names somebody where none is registered.
const CLAIM: &str = "email";

/// What providers told of themselves, by issuer: as many as are registered, and those that were until a day ago.
pub type Known = HashMap<String, Arc<Issuer>>;

/// One provider.
#[derive(Default)]
pub struct Issuer {
    /// Held by who asks it: the others wait, or take what was told before.
    asking: tokio::sync::Mutex<()>,
    told: Mutex<(Option<Arc<Told>>, Option<Timestamp>)>,
}

/// What a provider told of itself (OpenID Connect Discovery §3, RFC 8414 §2).
struct Told {
    authorization: String,
    token: String,
    userinfo: Option<String>,
    /// Whether it says in every answer who it is (RFC 9207 §3).
    says_issuer: bool,
    /// Whether a client's secret goes into the body.
    secret_in_body: bool,
    /// Its keys (RFC 7517 §5), and since when they are known.
    keys: Value,
    at: Timestamp,
}

/// Where the browser goes (OpenID Connect Core §3.1.2.1).
pub async fn page(door: &Door, provider: &Provider, begun: &Begun, redirect: &str) -> Result<String> {
    let told = told(door, &provider.url, KNOWN).await?;
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, begun.verifier.as_bytes()));
    let parameters = [
        ("response_type", "code"),
        ("client_id", &provider.client),
        ("redirect_uri", redirect),
        ("scope", "openid email profile"),
        ("state", &begun.state),
        ("nonce", &begun.nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let join = if told.authorization.contains('?') { '&' } else { '?' };
    Ok(format!("{}{join}{}", told.authorization, form(&parameters)))
}

/// What the provider calls whom it signed in.
pub async fn named(
    door: &Door,
    request: &Request,
    provider: &Provider,
    secret: Option<&str>,
    begun: &Begun,
) -> Result<String> {
    let told = told(door, &provider.url, KNOWN).await?;
    match request.query("iss") {
        Some(issuer) if issuer != provider.url => return Err(not_signed_in().caused_by("another issuer answers")),
        None if told.says_issuer => return Err(not_signed_in().caused_by("it does not say who it is")),
        _ => {}
    }
    let code = request.query("code").filter(|code| !code.is_empty() && code.len() <= BACK).ok_or_else(not_signed_in)?;
    let tokens = exchanged(door, &told, provider, secret, begun, &code).await?;
    let token = tokens["id_token"].as_str().ok_or_else(|| not_signed_in().caused_by("it gives no id token"))?;
    let expected =
        Expected { issuer: &provider.url, client: &provider.client, nonce: &begun.nonce, now: door.deps.clock.now() };
    let claims = match jwt::verify(token, &told.keys, expected) {
        // It may have begun to sign with a new key.
        Err(Unsound::UnknownKey) => jwt::verify(token, &self::told(door, &provider.url, LOOK).await?.keys, expected),
        verified => verified,
    };
    let claims =
        claims.map_err(|unsound| not_signed_in().caused_by(format!("its id token is unsound: {unsound:?}")))?;
    let claim = if provider.claim.is_empty() { CLAIM } else { &provider.claim };
    // An address that the provider itself does not hold for its owner's names nobody (§5.7); some write that as a text.
    let denies =
        |said: &Value| claim == CLAIM && (said["email_verified"] == false || said["email_verified"] == "false");
    let nobody = || not_signed_in().caused_by(format!("it does not tell {claim}"));
    if denies(&claims) {
        return Err(nobody());
    }
    if let Some(name) = value(&claims, claim) {
        return Ok(name);
    }
    let more = userinfo(door, &told, &tokens, &claims).await?;
    value(&more, claim).filter(|_| !denies(&more)).ok_or_else(nobody)
}

/// A claim as text: numbers of employees may be numbers.
fn value(claims: &Value, claim: &str) -> Option<String> {
    match &claims[claim] {
        Value::String(text) => Some(text.clone()).filter(|text| text.len() <= TEXT),
        Value::Number(number) => number.as_u64().map(|number| number.to_string()),
        _ => None,
    }
}

/// The code for tokens (RFC 6749 §4.1.3).
async fn exchanged(
    door: &Door,
    told: &Told,
    provider: &Provider,
    secret: Option<&str>,
    begun: &Begun,
    code: &str,
) -> Result<Value> {
    let redirect = back(door, &provider.id);
    let mut parameters = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &redirect),
        ("code_verifier", &begun.verifier),
    ];
    let basic = secret.filter(|_| !told.secret_in_body);
    if basic.is_none() {
        parameters.push(("client_id", &provider.client));
        parameters.extend(secret.map(|secret| ("client_secret", secret)));
    }
    let mut request = post(&told.token, "application/x-www-form-urlencoded", form(&parameters))
        .map_err(|_| unavailable("it names no address of the Web"))?;
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    if let Some(secret) = basic {
        // RFC 6749 §2.3.1: each half as in a form.
        let both = STANDARD.encode(format!("{}:{}", percent(&provider.client), percent(secret)));
        let field = HeaderValue::from_str(&format!("Basic {both}")).map_err(Error::unavailable)?;
        request.headers_mut().insert(header::AUTHORIZATION, field);
    }
    let answer = ask(door, request).await?;
    match answer.status().as_u16() {
        200 => object(answer.body()),
        400..=499 => Err(not_signed_in().caused_by(format!("its token endpoint answers {}", answer.status()))),
        _ => Err(unavailable(&format!("its token endpoint answers {}", answer.status()))),
    }
}

/// What it tells beside the id token (OpenID Connect Core §5.3), of the same person.
async fn userinfo(door: &Door, told: &Told, tokens: &Value, claims: &Value) -> Result<Value> {
    let (Some(uri), Some(token)) = (&told.userinfo, tokens["access_token"].as_str()) else { return Ok(Value::Null) };
    let more = object(&get(door, uri, Some(token)).await?)?;
    if more["sub"] != claims["sub"] {
        return Err(not_signed_in().caused_by("it tells of somebody else"));
    }
    Ok(more)
}

/// What a provider tells of itself, no older than that where it answers. It is asked once, however many want to know, and not again for
/// [`SILENT`] where it did not answer.
async fn told(door: &Door, issuer: &str, age: Duration) -> Result<Arc<Told>> {
    let now = door.deps.clock.now();
    let one = {
        let mut known = door.outside.openid.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains_key(issuer) {
            let is_recent = |one: &Issuer| one.known().0.is_some_and(|told| now.since(told.at) < STALE);
            known.retain(|_, one| Arc::strong_count(one) > 1 || is_recent(one));
        }
        known.entry(issuer.to_owned()).or_default().clone()
    };
    let fresh = || one.known().0.filter(|told| now.since(told.at) < age);
    let stale = || one.known().0.filter(|told| now.since(told.at) < STALE);
    if let Some(told) = fresh() {
        return Ok(told);
    }
    let _turn = match (one.asking.try_lock(), stale()) {
        (Ok(turn), _) => turn,
        // Whoever looks for a new key has no use for the old ones.
        (Err(_), Some(told)) if age >= KNOWN => return Ok(told),
        (Err(_), _) => one.asking.lock().await,
    };
    if let Some(told) = fresh() {
        return Ok(told);
    }
    if one.known().1.is_some_and(|failed| now.since(failed) < SILENT) {
        return stale().ok_or_else(|| unavailable("it did not answer a moment ago"));
    }
    let asked = fetched(door, issuer, now).await;
    let mut known = one.told.lock().unwrap_or_else(PoisonError::into_inner);
    match asked {
        Ok(told) => {
            let told = Arc::new(told);
            *known = (Some(told.clone()), None);
            Ok(told)
        }
        Err(error) => {
            known.1 = Some(door.deps.clock.now());
            let before = known.0.clone().filter(|told| now.since(told.at) < STALE);
            if before.is_some() {
                tracing::warn!(
                    issuer,
                    error = error.chain(),
                    "a provider does not tell of itself: what it told before is taken"
                );
            }
            before.ok_or(error)
        }
    }
}

impl Issuer {
    /// What it told last, and when it did not answer.
    fn known(&self) -> (Option<Arc<Told>>, Option<Timestamp>) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn fetched(door: &Door, issuer: &str, now: Timestamp) -> Result<Told> {
    let at = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let said = object(&get(door, &at, None).await?)?;
    // §4.3: it is who we asked, or somebody answers for another.
    if said["issuer"] != issuer {
        return Err(unavailable("it says that it is another issuer"));
    }
    let endpoint = |name: &str| said[name].as_str().filter(|uri| uri.starts_with("https://")).map(str::to_owned);
    let wanted = |name: &str| endpoint(name).ok_or_else(|| unavailable(&format!("it tells no {name}")));
    let keys = object(&get(door, &wanted("jwks_uri")?, None).await?)?;
    let methods = said["token_endpoint_auth_methods_supported"].as_array();
    let takes = |method: &str| methods.is_some_and(|all| all.iter().any(|one| one == method));
    Ok(Told {
        authorization: wanted("authorization_endpoint")?,
        token: wanted("token_endpoint")?,
        userinfo: endpoint("userinfo_endpoint"),
        says_issuer: said["authorization_response_iss_parameter_supported"] == true,
        secret_in_body: takes("client_secret_post") && !takes("client_secret_basic"),
        keys,
        at: now,
    })
}

fn object(bytes: &[u8]) -> Result<Value> {
    let read = serde_json::from_slice(bytes).ok().filter(Value::is_object);
    read.ok_or_else(|| unavailable("it answers what is no JSON object"))
}

fn form(parameters: &[(&str, &str)]) -> String {
    let pairs = parameters.iter().map(|(name, value)| format!("{name}={}", percent(value)));
    pairs.collect::<Vec<_>>().join("&")
}
