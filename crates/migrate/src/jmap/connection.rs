//! The session, and calls. Sessions and calls are asked for at the source's own server; bodies also where it keeps them, over trusted TLS
//! only.

use anser_wire::Secret;
use anser_wire::sasl::encode_base64;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION};
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::entry::Login;
use crate::model::Source;
use crate::oauth::bearer;
use crate::talk::unsaid;
use crate::trouble::Trouble;
use crate::web::{Web, patience};

/// Where the session is found (RFC 8620 §2.2).
const WELL_KNOWN: &str = "/.well-known/jmap";
/// Redirects on the way to it.
const REDIRECTS: usize = 4;
/// Most bytes of a session.
const SESSION: usize = 4 * 1024 * 1024;
/// Most bytes of an answer to a call.
const ANSWER: usize = 32 * 1024 * 1024;
/// Objects that one call asks for, at most; servers say how many they give.
const OBJECTS: u64 = 500;
/// What mail is called (RFC 8621 §1.3.1).
const MAIL: &str = "urn:ietf:params:jmap:mail";

/// A session.
pub struct Jmap {
    api: (Web, String),
    pub(super) download: (Web, String),
    pub(super) account: String,
    /// Objects that one call asks for.
    pub(super) at_once: u64,
    authorization: HeaderValue,
    pub(super) open: super::folder::Open,
    pub(super) folders: Vec<super::folder::Known>,
}

impl Jmap {
    /// Finds the session and the account of a login. An account that the server does not name stands behind the login: `NAME#ACCOUNT`.
    pub async fn open(source: &Source, login: impl Into<Login>, password: &Secret) -> Result<Self, Trouble> {
        let login = login.into();
        if login.whose.is_some() {
            return Err(unsaid("HTTP takes no authorization identity"));
        }
        let (name, by_hand) = login.name.rsplit_once('#').map_or((&*login.name, None), |(name, id)| (name, Some(id)));
        let authorization = authorization(name, password)?;
        let (mut web, mut path) = (Web::of(source), WELL_KNOWN.to_owned());
        for _ in 0..REDIRECTS {
            let answer = web.exchange(request(&authorization, &path, None)?, SESSION).await?;
            if answer.status().is_redirection() {
                let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
                let to = web.path_of(to).ok_or_else(|| Trouble::lost(format!("the server sends us away to {to}")))?;
                path = to;
                continue;
            }
            let session = good(&answer)?;
            return Self::of_session(web, source, &session, by_hand, authorization);
        }
        Err(Trouble::lost("the server sends us round in circles"))
    }

    fn of_session(
        web: Web,
        source: &Source,
        session: &Value,
        by_hand: Option<&str>,
        authorization: HeaderValue,
    ) -> Result<Self, Trouble> {
        let named = session["primaryAccounts"][MAIL].as_str();
        let only = session["accounts"].as_object().filter(|all| all.len() == 1).and_then(|all| all.keys().next());
        let account = by_hand.or(named).or(only.map(String::as_str)).filter(|id| is_id(id));
        let account = account.ok_or_else(|| Trouble::Login {
            kind: "account",
            why: "the server names no account for this login: write it behind the login, as NAME#ACCOUNT".into(),
        })?;
        let limit = session["capabilities"]["urn:ietf:params:jmap:core"]["maxObjectsInGet"].as_u64();
        let url = |name: &str| session[name].as_str().unwrap_or_default().to_owned();
        let missing = |name: &str| Trouble::lost(format!("the session has no {name} that can be used"));
        let (api, download) = (url("apiUrl"), url("downloadUrl"));
        // A server may call itself by another name than we do: calls go to the server that we know.
        let path = path_of(&api).ok_or_else(|| missing("apiUrl"))?;
        let download = match web.path_of(&download).or_else(|| beside(&download, &api)) {
            Some(path) => (Web::of(source), path),
            // Providers keep bodies at hosts of their own, which are trusted by their certificates.
            None if download.starts_with("https://") => Web::at(&download).map_err(|_| missing("downloadUrl"))?,
            None => return Err(missing("downloadUrl")),
        };
        Ok(Self {
            api: (Web::of(source), path),
            download,
            account: account.to_owned(),
            at_once: limit.unwrap_or(OBJECTS).clamp(1, OBJECTS),
            authorization,
            open: Default::default(),
            folders: Vec::new(),
        })
    }

    /// Calls methods; the arguments of each answer, in order. [`Trouble::Refused`] when one of them is an error.
    pub(super) async fn call(&mut self, calls: &[(&str, Value)]) -> Result<Vec<Value>, Trouble> {
        let numbered = calls.iter().enumerate();
        let invocations: Vec<Value> = numbered.map(|(n, (name, args))| json!([name, args, n.to_string()])).collect();
        let body = json!({ "using": ["urn:ietf:params:jmap:core", MAIL], "methodCalls": invocations });
        let (web, path) = &mut self.api;
        let answer = web.exchange(request(&self.authorization, path, Some(&body))?, ANSWER).await?;
        let mut answer = good(&answer)?;
        let Some(responses) = answer["methodResponses"].as_array_mut() else {
            return Err(Trouble::lost("the server's answer is no JMAP"));
        };
        let mut found = Vec::with_capacity(calls.len());
        for (n, (name, _)) in calls.iter().enumerate() {
            let own = responses.iter_mut().find(|one| one[2].as_str() == Some(&*n.to_string()));
            let own = own.ok_or_else(|| Trouble::lost(format!("the server does not answer {name}")))?;
            if own[0] != *name {
                return Err(failed(name, &own[1]));
            }
            found.push(own[1].take());
        }
        Ok(found)
    }

    /// Asks for a body (RFC 8620 §6.2).
    pub(super) fn download_of(&self, blob: &str) -> Result<Request<Bytes>, Trouble> {
        let (_, template) = &self.download;
        let path = template
            .replace("{accountId}", &self.account)
            .replace("{blobId}", blob)
            .replace("{name}", "message.eml")
            .replace("{type}", "application%2Foctet-stream");
        request(&self.authorization, &path, None)
    }
}

/// The path of a URL of the Web, wherever it leads.
fn path_of(url: &str) -> Option<String> {
    if url.starts_with('/') && !url.starts_with("//") {
        return Some(url.to_owned());
    }
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    Some(rest.find('/').map_or("/", |at| &rest[at..]).to_owned())
}

/// The path of a URL that leads to the same host as another one.
fn beside(url: &str, other: &str) -> Option<String> {
    let (path, authority) = (path_of(url)?, |url: &str| url.split('/').take(3).map(str::to_owned).collect::<Vec<_>>());
    (!url.starts_with('/') && authority(url) == authority(other)).then_some(path)
}

/// `Authorization`, by a password (RFC 7617) or an access token (RFC 6750).
fn authorization(login: &str, password: &Secret) -> Result<HeaderValue, Trouble> {
    let text = match bearer(password) {
        Some(token) => format!("Bearer {token}"),
        None => format!("Basic {}", encode_base64(&[login.as_bytes(), b":", password.as_bytes()].concat())),
    };
    let mut value = HeaderValue::from_str(&text).map_err(anser_base::Error::unavailable)?;
    value.set_sensitive(true);
    Ok(value)
}

fn request(authorization: &HeaderValue, path: &str, body: Option<&Value>) -> Result<Request<Bytes>, Trouble> {
    let builder = match body {
        Some(_) => Request::post(path).header(CONTENT_TYPE, "application/json"),
        None => Request::get(path),
    };
    let bytes = body.map(|body| body.to_string().into()).unwrap_or_default();
    let request = builder.header(AUTHORIZATION, authorization).header(ACCEPT, "application/json, */*").body(bytes);
    request.map_err(|_| Trouble::lost(format!("{path} is no path of a web server")))
}

/// The JSON of an answer that went well.
fn good(answer: &Response<Bytes>) -> Result<Value, Trouble> {
    well(answer.status(), answer.headers())?;
    serde_json::from_slice(answer.body())
        .map_err(|error| Trouble::lost(format!("the server's answer is no JMAP: {error}")))
}

/// What a status that is no success means.
pub(super) fn well(status: StatusCode, headers: &http::HeaderMap) -> Result<(), Trouble> {
    if status.is_success() {
        return Ok(());
    }
    if let Some(later) = patience(status, headers) {
        return Err(later);
    }
    match status {
        StatusCode::UNAUTHORIZED => Err(Trouble::Login { kind: "wrong", why: "the server answers 401".into() }),
        StatusCode::FORBIDDEN => Err(Trouble::Login { kind: "locked", why: "the server answers 403".into() }),
        _ => Err(Trouble::Refused(format!("the server answers {status}"))),
    }
}

/// An error of a method (RFC 8620 §3.6.2).
fn failed(method: &str, error: &Value) -> Trouble {
    let kind = error["type"].as_str().unwrap_or("an error without a type");
    let words = error["description"].as_str().unwrap_or_default();
    let text: String = format!("{method}: {kind} {words}").chars().filter(|c| !c.is_control()).take(300).collect();
    match kind {
        "serverUnavailable" | "serverPartialFail" => Trouble::lost(text),
        "accountNotFound" | "accountNotSupportedByMethod" => Trouble::Login { kind: "account", why: text },
        _ => Trouble::Refused(text),
    }
}

/// Whether a text may be an id (RFC 8620 §1.2).
pub(super) fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=255).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_whatever_name_it_gives_itself() {
        assert_eq!(path_of("https://mail.example/jmap/api").as_deref(), Some("/jmap/api"));
        assert_eq!(path_of("/api").as_deref(), Some("/api"));
        assert_eq!(path_of("//evil.example/api"), None);
        assert_eq!(path_of("ftp://mail.example/api"), None);
        let api = "https://mail.example/jmap/api";
        assert_eq!(beside("https://mail.example/dl/{blobId}", api).as_deref(), Some("/dl/{blobId}"));
        assert_eq!(beside("https://bodies.example/dl/{blobId}", api), None);
        assert_eq!(beside("http://mail.example/dl/{blobId}", api), None);
    }
}
