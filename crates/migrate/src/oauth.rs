//! Logins by OAuth 2.0 (RFC 6749): what stands in a password's place, and the access tokens that come of it.
//!
//! | a grant has | is given by | whose mailboxes |
//! |---|---|---|
//! | a refresh token | an owner, at a page of the provider's, with a code ([`begin`], RFC 8628) | the owner's |
//! | a secret and no refresh token | an administrator (RFC 6749 §4.4) | everybody's of the organisation |
//!
//! A grant is sealed where a password would be. NUL, which no password holds (RFC 4616 §2), says that it is one: so does it before an
//! access token on its way to a door.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anser_base::{Error, Result, Timestamp};
use anser_db::{Durability, Place};
use anser_wire::Secret;
use anser_wire::sasl::encode_base64;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Inner;
use crate::model::{Mailbox, Source};
use crate::profile::{self, OAuth};
use crate::rows;
use crate::trouble::Trouble;
use crate::web::{Web, form, patience};

/// Most bytes of an answer with a token.
const ANSWER: usize = 64 * 1024;
/// What stands before the JSON of a grant.
const GRANT: u8 = 0;
/// What stands before an access token.
const BEARER: &[u8] = b"\0bearer ";
/// Access tokens are taken for over so long before they are.
const MARGIN: Duration = Duration::from_secs(120);
/// How long an access token is good whose end is not told.
const UNTOLD: u64 = 600;
/// Access tokens that are remembered.
const TOKENS: usize = 10_000;
/// Turns in which tokens are asked for: one mailbox always has the same.
const TURNS: usize = 16;
/// Seconds between two questions for the answer to a code: where the provider says nothing, and the most (RFC 8628 §3.2). The first is also
/// what one that wants it slower is given besides (§3.5).
const INTERVAL: (u64, u64) = (5, 120);
/// The longest that a code is waited for.
const WAITING: u64 = 1800;

/// What opens mailboxes in a password's place.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// `client_id`, as the provider registered it.
    pub client: String,
    /// `client_secret`, where the client has one.
    pub secret: Option<String>,
    /// The organisation at the provider, where its profile asks for one.
    pub tenant: Option<String>,
    /// `refresh_token`; without one the client acts for itself.
    pub refresh: Option<String>,
    /// Where tokens are given, when it is not where the profile says.
    pub endpoint: Option<String>,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("client", &self.client).field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// A code that an owner types at a page of the provider's.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    /// The page.
    pub page: String,
    /// The code.
    pub code: String,
    /// For how many seconds it is good.
    pub seconds: u64,
    /// What the answer is asked for with.
    device: String,
    /// Seconds between two questions.
    interval: u64,
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code").field("page", &self.page).field("code", &self.code).finish_non_exhaustive()
    }
}

/// What a provider gives.
struct Tokens {
    access: String,
    seconds: u64,
    refresh: Option<String>,
}

/// Access tokens that are good for a while.
#[derive(Default)]
pub(crate) struct Keeper {
    /// By mailbox: the token, and until when.
    tokens: Mutex<HashMap<u64, (String, Timestamp)>>,
    turns: [tokio::sync::Mutex<()>; TURNS],
}

impl Keeper {
    /// A mailbox is opened by another grant from now on.
    pub(crate) fn forget(&self, id: u64) {
        self.tokens(|all| drop(all.remove(&id)));
    }

    fn tokens<T>(&self, work: impl FnOnce(&mut HashMap<u64, (String, Timestamp)>) -> T) -> T {
        work(&mut self.tokens.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Grant {
    /// As it is sealed.
    pub fn to_secret(&self) -> Result<Secret> {
        let json = serde_json::to_vec(self).map_err(Error::unavailable)?;
        Ok(Secret::new([&[GRANT], &json[..]].concat()))
    }

    /// The inverse; `None` for a password.
    pub fn of_secret(secret: &Secret) -> Option<Self> {
        let (first, json) = secret.as_bytes().split_first()?;
        (*first == GRANT).then(|| serde_json::from_slice(json).ok()).flatten()
    }

    fn fields<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let secret = self.secret.as_deref().map(|secret| ("client_secret", secret));
        [("client_id", self.client.as_str())].into_iter().chain(secret).chain(more.iter().copied()).collect()
    }

    pub(crate) fn place(&self, template: &str) -> String {
        template.replace("{tenant}", self.tenant.as_deref().unwrap_or("organizations"))
    }

    /// The host and port of [`Self::endpoint`], where it has one. [`anser_base::Class::Invalid`] for one that is neither `https` nor on this
    /// machine.
    pub fn server(&self) -> Result<Option<(String, u16)>> {
        self.endpoint.as_deref().map(|endpoint| Ok(Web::at(endpoint)?.0.server())).transpose()
    }

    fn token_place(&self, known: &OAuth) -> Result<String, Trouble> {
        let place = self.endpoint.clone().or_else(|| Some(self.place(known.token.as_deref()?)));
        place.ok_or_else(|| client("nothing is known of where this provider gives tokens"))
    }

    /// Asks for an access token.
    async fn ask(&self, known: &OAuth) -> Result<Tokens, Trouble> {
        let place = self.token_place(known)?;
        let fields = match &self.refresh {
            Some(refresh) => self.fields(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]),
            None => {
                let scope = known.application.as_deref().unwrap_or_default();
                self.fields(&[("grant_type", "client_credentials"), ("scope", scope)])
            }
        };
        Tokens::of(&post(&place, &fields).await?.map_err(|error| error.trouble())?)
    }
}

impl Tokens {
    fn of(answer: &Value) -> Result<Self, Trouble> {
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        let access = text("access_token").filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic()));
        let access = access.ok_or_else(|| Trouble::lost("the provider's answer holds no token"))?;
        // Some write the number as a text.
        let told = answer["expires_in"].as_u64().or_else(|| answer["expires_in"].as_str()?.parse().ok());
        Ok(Self { access, seconds: told.unwrap_or(UNTOLD), refresh: text("refresh_token") })
    }
}

/// A refusal of RFC 6749 §5.2.
struct Refusal {
    error: String,
    words: String,
}

impl Refusal {
    fn trouble(&self) -> Trouble {
        match self.error.as_str() {
            // The owner took it back, changed the password, or nobody used it for too long.
            "invalid_grant" | "interaction_required" => Trouble::Login {
                kind: "consent",
                why: format!("the permission is no longer good: may its owner give it once more? ({})", self.words),
            },
            "access_denied" | "authorization_declined" => {
                Trouble::Login { kind: "declined", why: format!("its owner did not allow it ({})", self.words) }
            }
            "expired_token" | "code_expired" => Trouble::Login { kind: "expired", why: "nobody typed the code".into() },
            "temporarily_unavailable" | "server_error" => Trouble::lost(self.words.clone()),
            _ => client(&self.words),
        }
    }
}

fn client(why: &str) -> Trouble {
    Trouble::Login { kind: "client", why: format!("the provider gives this program no token: {why}") }
}

/// A form, and the JSON that answers it.
async fn post(place: &str, fields: &[(&str, &str)]) -> Result<Result<Value, Refusal>, Trouble> {
    let (mut web, path) = Web::at(place)?;
    let answer = web.exchange(form(&path, fields)?, ANSWER).await?;
    if let Some(later) = patience(answer.status(), answer.headers()) {
        return Err(later);
    }
    let value: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    if answer.status().is_success() {
        return Ok(Ok(value));
    }
    let error = value["error"].as_str().unwrap_or_default().to_owned();
    let said = value["error_description"].as_str().unwrap_or(&error);
    let words: String = format!("{}: {said}", answer.status()).chars().filter(|c| !c.is_control()).take(300).collect();
    Ok(Err(Refusal { error, words }))
}

/// Asks for a code that an owner types (RFC 8628 §3.1).
pub async fn begin(grant: &Grant, known: &OAuth) -> Result<Code, Trouble> {
    let place = known.device.as_deref().map(|place| grant.place(place));
    let place = place.ok_or_else(|| client("this provider has no codes for mailboxes: a refresh token is needed"))?;
    let scope = known.scope.as_deref().unwrap_or_default();
    let answer = post(&place, &grant.fields(&[("scope", scope)])).await?.map_err(|error| error.trouble())?;
    // They are shown on terminals.
    let text = |name: &str| answer[name].as_str().filter(|text| !text.contains(char::is_control)).map(str::to_owned);
    // Google has another name for the page.
    let page = text("verification_uri").or_else(|| text("verification_url"));
    // It is opened by browsers.
    let page = page.filter(|page| Web::at(page).is_ok());
    let (Some(page), Some(code), Some(device)) = (page, text("user_code"), text("device_code")) else {
        return Err(Trouble::lost("the provider's answer holds no code"));
    };
    let (first, last) = INTERVAL;
    let interval = answer["interval"].as_u64().unwrap_or(first).clamp(1, last);
    let seconds = answer["expires_in"].as_u64().unwrap_or(WAITING).min(WAITING);
    Ok(Code { page, code, seconds, device, interval })
}

/// Waits for an owner's answer to a code; the grant that comes of it (RFC 8628 §3.4).
pub async fn answered(grant: &Grant, known: &OAuth, code: &Code) -> Result<Grant, Trouble> {
    let place = grant.token_place(known)?;
    let fields = [("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", &*code.device)];
    let (mut interval, mut waited) = (code.interval, 0);
    while waited < code.seconds {
        tokio::time::sleep(Duration::from_secs(interval)).await;
        waited += interval;
        match post(&place, &grant.fields(&fields)).await {
            Ok(Ok(answer)) => {
                let refresh = Tokens::of(&answer)?.refresh;
                let refresh = refresh.ok_or_else(|| client("it gives no refresh token"))?;
                return Ok(Grant { refresh: Some(refresh), ..grant.clone() });
            }
            Ok(Err(refusal)) => match refusal.error.as_str() {
                "authorization_pending" => {}
                "slow_down" => interval += INTERVAL.0,
                _ => return Err(refusal.trouble()),
            },
            Err(Trouble::Later { .. }) => interval += 1,
            Err(other) => return Err(other),
        }
    }
    Err(Refusal { error: "expired_token".into(), words: String::new() }.trouble())
}

/// An access token as a door is handed it, in a password's place.
fn bearer_secret(token: &str) -> Secret {
    Secret::new([BEARER, token.as_bytes()].concat())
}

/// The access token that is handed in a password's place.
pub(crate) fn bearer(secret: &Secret) -> Option<&str> {
    str::from_utf8(secret.as_bytes().strip_prefix(BEARER)?).ok()
}

/// The initial response of OAUTHBEARER (RFC 7628 §3.1) or of XOAUTH2, which came before it; and what ends an exchange after an error.
pub(crate) fn initial(mechanism: &str, login: &str, token: &str) -> (String, &'static str) {
    let (end, said) = match mechanism {
        "OAUTHBEARER" => {
            let name = login.replace('=', "=3D").replace(',', "=2C");
            ("AQ==", format!("n,a={name},\u{1}auth=Bearer {token}\u{1}\u{1}"))
        }
        _ => ("", format!("user={login}\u{1}auth=Bearer {token}\u{1}\u{1}")),
    };
    (encode_base64(said.as_bytes()), end)
}

impl Inner {
    /// What a mailbox is opened with: its password, or an access token; a new one, where the last was refused. `None` when nothing is known.
    pub(crate) async fn key_of(
        &self,
        mailbox: &Mailbox,
        source: &Source,
        refused: bool,
    ) -> Result<Option<Secret>, Trouble> {
        let Some(sealed) = &mailbox.secret else { return Ok(None) };
        let secret = self.seal.open(source.id, &mailbox.login, sealed)?;
        match Grant::of_secret(&secret) {
            Some(_) => self.access(mailbox, source, refused).await.map(Some),
            None => Ok(Some(secret)),
        }
    }

    async fn access(&self, mailbox: &Mailbox, source: &Source, refused: bool) -> Result<Secret, Trouble> {
        let (id, now) = (mailbox.id, self.deps.clock.now());
        let before = self.keeper.tokens(|all| all.get(&id).cloned());
        // Providers give a refresh token only once: two who ask at a time would spend each other's.
        let _turn = self.keeper.turns[id as usize % TURNS].lock().await;
        let known = self.keeper.tokens(|all| all.get(&id).cloned());
        let is_another = known != before;
        if let Some((token, _)) = known.filter(|(_, until)| now < *until && (!refused || is_another)) {
            return Ok(bearer_secret(&token));
        }
        let sealed = self.deps.db.read(Place::Moves, move |tx| rows::secret(tx, id)).await?;
        let open = |sealed| self.seal.open(source.id, &mailbox.login, sealed);
        let secret = sealed.as_deref().map(open).transpose()?;
        let grant = secret.as_ref().and_then(Grant::of_secret);
        let grant = grant.ok_or_else(|| Trouble::lost("the mailbox has another secret by now"))?;
        let tokens = grant.ask(&profile::of_source(source).oauth).await?;
        if let Some(refresh) = tokens.refresh.filter(|refresh| Some(refresh) != grant.refresh.as_ref()) {
            let renewed = Grant { refresh: Some(refresh), ..grant }.to_secret()?;
            let renewed = self.seal.seal(source.id, &mailbox.login, &renewed)?;
            // Whoever brought another secret meanwhile, or ended the move, which forgets them, has the last word.
            let keep = move |tx: &mut anser_db::Tx<'_>| match rows::secret(tx, id)? == sealed {
                true => rows::set_secret(tx, id, &renewed),
                false => Ok(()),
            };
            self.deps.db.write(Place::Moves, Durability::Sync, keep).await?;
        }
        let until = now.after(Duration::from_secs(tokens.seconds).saturating_sub(MARGIN));
        self.keeper.tokens(|all| {
            if all.len() >= TOKENS {
                all.retain(|_, (_, until)| now < *until);
            }
            if all.len() < TOKENS {
                all.insert(id, (tokens.access.clone(), until));
            }
        });
        Ok(bearer_secret(&tokens.access))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_and_a_token_are_no_passwords() {
        let grant = Grant {
            client: "id".into(),
            secret: Some("s".into()),
            tenant: None,
            refresh: Some("r".into()),
            endpoint: None,
        };
        assert_eq!(Grant::of_secret(&grant.to_secret().unwrap()), Some(grant.clone()));
        assert_eq!(Grant::of_secret(&Secret::new("{\"client\":\"id\"}")), None);
        assert_eq!(Grant::of_secret(&Secret::new("")), None);
        assert_eq!(bearer(&bearer_secret("abc")), Some("abc"));
        assert_eq!(bearer(&Secret::new("abc")), None);
        assert_eq!(format!("{grant:?}"), "Grant { client: \"id\", tenant: None, .. }");
    }

    #[test]
    fn initial_responses_are_as_their_papers_have_them() {
        // RFC 7628 §4.1, without the host and port that it leaves to the client.
        let (said, end) = initial("OAUTHBEARER", "user@example.com", "vF9");
        assert_eq!(said, encode_base64(b"n,a=user@example.com,\x01auth=Bearer vF9\x01\x01"));
        assert_eq!(end, "AQ==");
        let (said, end) = initial("XOAUTH2", "a=b@x", "vF9");
        assert_eq!((said, end), (encode_base64(b"user=a=b@x\x01auth=Bearer vF9\x01\x01"), ""));
        assert_eq!(initial("OAUTHBEARER", "a=b,c", "t").0, encode_base64(b"n,a=a=3Db=2Cc,\x01auth=Bearer t\x01\x01"));
    }
}
