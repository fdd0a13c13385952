//! Who asks (RFC 8620 §1.7, §8.2): by Basic (RFC 7617) with the password or an app password, or by a bearer token (RFC 6750).

use std::net::IpAddr;
use std::sync::Arc;

use anser_base::Error;
use anser_directory::{Account, Attempt, AuthFailure, Login, Refusal, Service};
use anser_journal::{Entry, Origin, What};
use anser_net::http::{HeaderValue, Request, Response, header};
use anser_store::Subject;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::door::Door;
use crate::error::{failed, plain_problem};

/// The door's name in the journal.
const PROTOCOL: &str = "jmap";
/// Longest `Authorization` field, in bytes.
const FIELD: usize = 8 * 1024;

/// Who asks, and whose accounts are open to them.
pub(crate) struct User {
    pub account: Arc<Account>,
    pub subject: Subject,
    /// Other accounts that share something with this one.
    pub others: Arc<[Arc<Account>]>,
}

/// Who sent this request, or the refusal.
pub(crate) async fn user(door: &Door, request: &Request) -> Result<User, Response> {
    let field = request.header("authorization");
    let (scheme, rest) = field.split_once(' ').unwrap_or((field, ""));
    if field.len() > FIELD || field.is_empty() {
        return Err(unauthorized("Log in"));
    }
    let login = match scheme.to_ascii_lowercase().as_str() {
        "basic" => basic(door, request, rest.trim()).await?,
        "bearer" => bearer(door, request, rest.trim()).await?,
        _ => return Err(unauthorized("This way of logging in is not known")),
    };
    welcome(door, request, login, scheme).await.map_err(|error| failed(&error))
}

async fn basic(door: &Door, request: &Request, encoded: &str) -> Result<Login, Response> {
    let decoded = STANDARD.decode(encoded).map_err(|_| unauthorized("The credentials cannot be read"))?;
    let Some(colon) = decoded.iter().position(|byte| *byte == b':') else {
        return Err(unauthorized("The credentials cannot be read"));
    };
    let (name, password) = (&decoded[..colon], &decoded[colon + 1..]);
    let result = door.deps.directory.authenticate(attempt(request, name, password)).await;
    conclude(door, request, &String::from_utf8_lossy(name), result).await
}

async fn bearer(door: &Door, request: &Request, token: &str) -> Result<Login, Response> {
    let result = door.deps.directory.authenticate_token(attempt(request, b"", token.as_bytes())).await;
    conclude(door, request, "", result).await
}

fn attempt<'a>(request: &Request, name: &'a [u8], password: &'a [u8]) -> Attempt<'a> {
    Attempt { name, password, service: Service::Web, source: request.peer().ip(), tls: request.tls().is_some() }
}

async fn conclude(
    door: &Door,
    request: &Request,
    user: &str,
    result: Result<Login, AuthFailure>,
) -> Result<Login, Response> {
    let failure = match result {
        Ok(login) => return Ok(login),
        Err(failure) => failure,
    };
    if failure.reason == Refusal::Unavailable {
        return Err(failed(&failure.error));
    }
    let why = failure.error.text.en.clone().into_owned();
    note(door, request.peer().ip(), What::LoginFailed { user: user.to_owned(), why }).await;
    tokio::time::sleep(failure.delay).await;
    Err(match failure.reason {
        Refusal::Locked => plain_problem(429, &failure.error.text.en),
        Refusal::Wrong => unauthorized(&failure.error.text.en),
        _ => plain_problem(403, &failure.error.text.en),
    })
}

async fn welcome(door: &Door, request: &Request, login: Login, scheme: &str) -> Result<User, Error> {
    let account = login.account;
    if door.is_new_login(account.id, request.peer().ip()) {
        door.deps.store.ensure(account.id).await?;
        let user = account.address.to_string();
        note(door, request.peer().ip(), What::Login { account: account.id, user, mechanism: scheme.to_uppercase() })
            .await;
    }
    let groups = door.deps.directory.groups_of(account.id).await?;
    let others = door.deps.directory.owners_for(&account, false).await?;
    Ok(User { subject: Subject { account: account.id, groups }, account, others })
}

/// Notes an event in the journal.
pub(crate) async fn note(door: &Door, client: IpAddr, what: What) {
    let origin = Origin::peer(PROTOCOL, client);
    if let Err(error) = door.deps.journal.append(Entry { origin, what }).await {
        tracing::error!(error = error.chain(), "the journal does not take an event");
    }
}

/// 401, and by which ways one may log in (RFC 9110 §11.6.1).
fn unauthorized(detail: &str) -> Response {
    let mut response = plain_problem(401, detail);
    for way in ["Bearer realm=\"Anser\"", "Basic realm=\"Anser\", charset=\"UTF-8\""] {
        response.headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(way));
    }
    response
}
