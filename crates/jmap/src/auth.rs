//! Who asks (RFC 8620 §1.7, §8.2): by Basic (RFC 7617) with the password or an app password, by a bearer token (RFC 6750), or, as a page
//! of ours, by the cookie of its session.

use std::net::IpAddr;
use std::sync::Arc;

use anser_base::{AccountId, Error};
use anser_directory::{Account, Attempt, AuthFailure, Login, Pass, Refusal, Service, Services, Session, cookie_name};
use anser_journal::{By, Entry, Origin, What};
use anser_net::http::{HeaderValue, Request, Response, header};
use anser_store::Subject;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::door::Door;
use crate::error::{failed, plain_problem};
use crate::words::Said;

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
    /// Of these accounts, those whose mailbox lives at an old server.
    pub elsewhere: Vec<AccountId>,
    /// What may be done with what they came in by.
    pub services: Services,
    /// What they came in by.
    pass: Pass,
}

impl User {
    /// Whether nothing may be changed.
    pub fn is_read_only(&self) -> bool {
        self.services.contains(Services::READ_ONLY)
    }

    /// What they came in by.
    pub fn pass(&self) -> &Pass {
        &self.pass
    }

    /// Whether mail may be sent.
    pub fn may_send(&self) -> bool {
        self.services.contains(Services::SUBMISSION)
    }
}

/// Who sent this request, or the refusal.
pub(crate) async fn user(door: &Door, request: &Request) -> Result<User, Response> {
    let field = request.header("authorization");
    let (scheme, rest) = field.split_once(' ').unwrap_or((field, ""));
    if field.is_empty() {
        let session = by_cookie(door, request).await?;
        let came = (session.account, session.services, session.pass);
        return welcome(door, request, came, None).await.map_err(|error| failed(&error));
    }
    if field.len() > FIELD {
        return Err(unauthorized(request, "Log in"));
    }
    let login = match scheme.to_ascii_lowercase().as_str() {
        "basic" => basic(door, request, rest.trim()).await?,
        "bearer" => bearer(door, request, rest.trim()).await?,
        _ => return Err(unauthorized(request, "This way of logging in is not known")),
    };
    let came = (login.account, login.services, login.pass);
    welcome(door, request, came, Some(scheme)).await.map_err(|error| failed(&error))
}

/// Whose session a page of ours goes by. Pages of others can make a browser send the cookie, but not say that they are ours.
async fn by_cookie(door: &Door, request: &Request) -> Result<Session, Response> {
    let Some(token) = request.cookie(cookie_name(request.tls().is_some())) else {
        return Err(unauthorized(request, "Log in"));
    };
    if !request.is_same_origin() {
        return Err(plain_problem(403, "This must be asked by a page of this site"));
    }
    let session = door.deps.directory.session(token.as_bytes(), request.peer().ip()).await;
    let session = session.map_err(|error| failed(&error))?;
    session.ok_or_else(|| unauthorized(request, "The session is over; log in"))
}

async fn basic(door: &Door, request: &Request, encoded: &str) -> Result<Login, Response> {
    let decoded = STANDARD.decode(encoded).map_err(|_| unauthorized(request, "The credentials cannot be read"))?;
    let Some(colon) = decoded.iter().position(|byte| *byte == b':') else {
        return Err(unauthorized(request, "The credentials cannot be read"));
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
    let (why, reason) = (failure.error.text.en.clone().into_owned(), Some(failure.reason.name().to_owned()));
    note(door, request.peer().ip(), What::LoginFailed { user: user.to_owned(), why, reason }).await;
    tokio::time::sleep(failure.delay).await;
    Err(match failure.reason {
        Refusal::Locked => plain_problem(429, &failure.error.text),
        Refusal::Wrong => unauthorized(request, &failure.error.text),
        _ => plain_problem(403, &failure.error.text),
    })
}

/// `scheme` is what somebody logs in by just now; a session was noted when it began.
async fn welcome(
    door: &Door,
    request: &Request,
    came: (Arc<Account>, Services, Pass),
    scheme: Option<&str>,
) -> Result<User, Error> {
    let (account, via) = (&came.0, came.2.via());
    if door.is_new_login((account.id, request.peer().ip(), via.name(), via.number())) {
        door.deps.store.ensure(account.id).await?;
        if let Some(scheme) = scheme {
            let (user, mechanism) = (account.address.to_string(), scheme.to_uppercase());
            let by = By::of(via.name(), via.number());
            note(door, request.peer().ip(), What::Login { account: account.id, user, mechanism, by }).await;
        }
    }
    whole(door, came).await
}

/// Who it is by now; `None` when what they came in by is good no more.
pub(crate) async fn again(door: &Door, user: &User) -> Result<Option<User>, Error> {
    of_pass(door, &user.pass).await
}

/// Who came in by this some time ago; `None` when it is good no more.
pub(crate) async fn of_pass(door: &Door, pass: &Pass) -> Result<Option<User>, Error> {
    match door.deps.directory.recheck(pass).await? {
        Some((account, services)) => whole(door, (account, services, pass.clone())).await.map(Some),
        None => Ok(None),
    }
}

async fn whole(door: &Door, came: (Arc<Account>, Services, Pass)) -> Result<User, Error> {
    let (account, services, pass) = came;
    // The session tells it, and what the session tells has one state.
    if door.deps.web.is_some()
        && let Err(error) = door.vapid.key(&door.deps.directory).await
    {
        tracing::error!(error = error.chain(), "there is no key to push with");
    }
    let groups = door.deps.directory.groups_of(account.id).await?;
    let others = door.deps.directory.owners_for(&account, false).await?;
    let all = std::iter::once(account.id).chain(others.iter().map(|other| other.id)).collect();
    let elsewhere = door.deps.directory.living_elsewhere(all).await?;
    Ok(User { subject: Subject { account: account.id, groups }, account, others, elsewhere, services, pass })
}

/// Notes an event in the journal.
pub(crate) async fn note(door: &Door, client: IpAddr, what: What) {
    let origin = Origin::peer(PROTOCOL, client);
    if let Err(error) = door.deps.journal.append(Entry { origin, what }).await {
        tracing::error!(error = error.chain(), "the journal does not take an event");
    }
}

/// 401, and by which ways one may log in (RFC 9110 §11.6.1). Pages are not offered Basic: the browser would ask for a password itself.
fn unauthorized(request: &Request, detail: impl Into<Said>) -> Response {
    let mut response = plain_problem(401, detail);
    let ways = ["Bearer realm=\"Anser\"", "Basic realm=\"Anser\", charset=\"UTF-8\""];
    let offered = if request.header("sec-fetch-site").is_empty() { 2 } else { 1 };
    for way in &ways[..offered] {
        response.headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(way));
    }
    response
}
