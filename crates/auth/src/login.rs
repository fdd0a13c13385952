//! Signing in, step by step, and out.

use std::sync::Arc;

use anser_base::Class;
use anser_directory::{
    AuthFailure, Brought, Need, NewSession, NewTotp, Refusal, Session, Shown, Signed, Visitor, cookie_name,
};
use anser_journal::{By, What};
use anser_net::http::{HeaderValue, Request, Response, either, header, is_own_path};
use serde_json::json;

use crate::answer::{failed, foreign, fresh, plain_problem, refused, signed_out, unkept, with_cookie, without_cookie};
use crate::asked::{Asked, unreadable};
use crate::passkeys::Parts;
use crate::{Door, device, page, visitor};

/// Where somebody goes who is in, unless they came from elsewhere.
pub const HOME: &str = "/mail/";

/// `GET /auth/key`: what the page seals a password with.
pub async fn key(door: Arc<Door>, request: Request) -> Response {
    match door.seals.offer().await {
        Ok(offer) => fresh(200, &offer),
        Err(error) => failed(&request, &error),
    }
}

/// `POST /auth/login`: `username` and `password` or `sealed`; or the `ticket` of the step before and what was asked for; or the
/// `credential` of a passkey alone.
pub async fn login(door: Arc<Door>, mut request: Request) -> Response {
    either(step(&door, &mut request).await)
}

async fn step(door: &Door, request: &mut Request) -> Result<Response, Response> {
    // A page of another site must not sign its visitors in as somebody else.
    if request.is_cross_site() {
        return Err(foreign(request));
    }
    let asked = Asked::read(request).await?;
    let device = device::in_words(request.header("user-agent"));
    let visitor = visitor(request, &device);
    let user = asked.text("username").unwrap_or_default();
    let (has_code, has_passkey) = (asked.text("code").is_some(), asked.object("credential").is_some());
    let (taken, shown) = match asked.text("ticket") {
        Some(ticket) => {
            let shown = match (has_code, has_passkey) {
                (true, _) => "code",
                (_, true) => "passkey",
                _ => "password",
            };
            (with_ticket(door, request, &asked, &ticket, visitor).await?, shown)
        }
        None if has_passkey => (by_passkey(door, request, &asked, visitor).await?, "passkey"),
        None => {
            if user.is_empty() {
                return Err(unreadable(request));
            }
            let password = asked.password(door, request, "password", "sealed").await?;
            let signed = door.deps.directory.sign_in(user.as_bytes(), &password, visitor).await;
            // A code that nobody asked for was not what let them in.
            let shown = if matches!(signed, Ok(Signed::In(_))) { "password" } else { "code" };
            (at_once(door, &asked, signed, visitor).await, shown)
        }
    };
    let Shown { signed, recovery } = match taken {
        Ok(shown) => shown,
        Err(failure) => {
            let user = if user.is_empty() { tried(door, &asked).await } else { user };
            return Err(no(door, request, &asked, &user, failure).await);
        }
    };
    let (next, session) = match signed {
        Signed::In(session) => (None, Some(session)),
        Signed::Needs(need, ticket) => {
            let enrol = enrolment(door, request, need, &ticket, visitor).await?;
            (Some(Next { need, ticket, enrol }), None)
        }
    };
    Ok(answer(door, request, &asked, next, session.map(|session| (session, shown)), recovery).await)
}

/// For the journal, who tried without a name: whose ticket or passkey it is, or that nobody knows it.
async fn tried(door: &Door, asked: &Asked) -> String {
    let directory = &door.deps.directory;
    let (kind, owner) = match asked.text("ticket") {
        Some(ticket) => ("ticket", directory.ticket_holder(&ticket).await),
        None => match Parts::of(asked) {
            Some(parts) => ("passkey", directory.passkey_owner(parts.id()).await),
            None => ("passkey", Ok(None)),
        },
    };
    match owner {
        Ok(Some(account)) => account.address.to_string(),
        _ => format!("(unknown {kind})"),
    }
}

/// What else is asked for.
pub struct Next {
    pub need: Need,
    pub ticket: String,
    /// An authenticator that is to be set up.
    pub enrol: Option<NewTotp>,
}

/// The authenticator that is to be set up, where that is asked for.
pub async fn enrolment(
    door: &Door,
    request: &Request,
    need: Need,
    ticket: &str,
    visitor: Visitor<'_>,
) -> Result<Option<NewTotp>, Response> {
    if need != Need::Enrol {
        return Ok(None);
    }
    door.deps.directory.enrol(ticket, visitor).await.map(Some).map_err(|failure| refused(request, &failure))
}

/// The code that came along with the password, where one is asked for.
async fn at_once(
    door: &Door,
    asked: &Asked,
    signed: Result<Signed, AuthFailure>,
    visitor: Visitor<'_>,
) -> Result<Shown, AuthFailure> {
    match (signed?, asked.text("code").filter(|code| !code.is_empty())) {
        (Signed::Needs(Need::Code | Need::Passkey, ticket), Some(code)) => {
            door.deps.directory.show_code(&ticket, &code, visitor).await
        }
        (signed, _) => Ok(Shown { signed, recovery: Vec::new() }),
    }
}

/// A passkey alone: it says whose it is, and is both factors at once.
async fn by_passkey(
    door: &Door,
    request: &Request,
    asked: &Asked,
    visitor: Visitor<'_>,
) -> Result<Result<Shown, AuthFailure>, Response> {
    let parts = Parts::of(asked).ok_or_else(|| unreadable(request))?;
    let Brought::Assertion(assertion) = parts.brought() else { return Err(unreadable(request)) };
    let signed = door.deps.directory.sign_in_with_passkey(&door.relying_party, assertion, visitor).await;
    Ok(signed.map(|signed| Shown { signed, recovery: Vec::new() }))
}

/// The step that a ticket leads to.
async fn with_ticket(
    door: &Door,
    request: &Request,
    asked: &Asked,
    ticket: &str,
    visitor: Visitor<'_>,
) -> Result<Result<Shown, AuthFailure>, Response> {
    if let Some(code) = asked.text("code") {
        return Ok(door.deps.directory.show_code(ticket, &code, visitor).await);
    }
    if asked.object("credential").is_some() {
        let parts = Parts::of(asked).ok_or_else(|| unreadable(request))?;
        return Ok(door.deps.directory.show_passkey(ticket, &door.relying_party, parts.brought(), visitor).await);
    }
    let new = asked.password(door, request, "new", "new_sealed").await?;
    let signed = door.deps.directory.choose_password(ticket, &new, visitor).await;
    Ok(signed.map(|signed| Shown { signed, recovery: Vec::new() }))
}

/// Says where it goes on, gives the cookie to whoever is in, and shows recovery codes this once.
async fn answer(
    door: &Door,
    request: &Request,
    asked: &Asked,
    next: Option<Next>,
    session: Option<(NewSession, &str)>,
    recovery: Vec<String>,
) -> Response {
    let way = asked.text("next").filter(|path| is_own_path(path)).unwrap_or_else(|| HOME.to_owned());
    let response = match (asked.is_form(), next) {
        (true, next) if !recovery.is_empty() => page::recovery(request, &recovery, next.as_ref(), &way),
        (true, Some(next)) => page::step(request, &next, &way, None),
        (true, None) => unkept(Response::redirect(303, &way)),
        (false, next) => {
            let mut said = match &next {
                None => json!({ "next": way }),
                Some(Next { need, ticket, .. }) => json!({ "need": need.to_string(), "ticket": ticket }),
            };
            if let Some(NewTotp { secret, uri }) = next.and_then(|next| next.enrol) {
                said["secret"] = secret.into();
                said["uri"] = uri.into();
            }
            if !recovery.is_empty() {
                said["recovery"] = recovery.into();
            }
            fresh(200, &said)
        }
    };
    match session {
        Some((session, shown)) => welcome(door, request, response, asked, &session, shown).await,
        None => response,
    }
}

/// `shown` is what let them in.
async fn welcome(
    door: &Door,
    request: &Request,
    response: Response,
    asked: &Asked,
    session: &NewSession,
    shown: &str,
) -> Response {
    let (account, user) = (session.account.id, session.account.address.to_string());
    let by = By::of(shown, None).from_device(&device::in_words(request.header("user-agent")));
    door.note(request.peer().ip(), What::Login { account, user, mechanism: "WEB".to_owned(), by }).await;
    with_cookie(response, request, session, asked.is("remember"))
}

async fn no(door: &Door, request: &Request, asked: &Asked, user: &str, failure: AuthFailure) -> Response {
    if failure.reason != Refusal::Unavailable {
        door.note_failure(request, user.to_owned(), &failure).await;
        tokio::time::sleep(failure.delay).await;
    }
    if !asked.is_form() {
        return refused(request, &failure);
    }
    // A wrong code, a weak new password: the same page again, which says so.
    let need = if asked.text("code").is_some() { Need::Code } else { Need::NewPassword };
    if let (Some(ticket), Class::Invalid | Class::Unauthenticated) = (asked.text("ticket"), failure.error.class) {
        let way = asked.text("next").filter(|path| is_own_path(path)).unwrap_or_default();
        return page::step(request, &Next { need, ticket, enrol: None }, &way, Some(&failure.error.text));
    }
    let why = match failure.reason {
        Refusal::Wrong => "wrong",
        Refusal::Locked => "wait",
        Refusal::Unavailable => "unavailable",
        Refusal::NotAllowed | Refusal::NotYourself | Refusal::MustChange | Refusal::NeedsAppPassword => "not-allowed",
    };
    unkept(Response::redirect(303, &format!("/?why={why}")))
}

/// `POST /auth/logout`: the session ends here and now.
pub async fn logout(door: Arc<Door>, mut request: Request) -> Response {
    either(leave(&door, &mut request).await)
}

async fn leave(door: &Door, request: &mut Request) -> Result<Response, Response> {
    let session = session(door, request).await?;
    let form = request.header("content-type").starts_with("application/x-www-form-urlencoded");
    let ended = door.deps.directory.end_session(session.account.id, session.id).await;
    ended.map_err(|error| failed(request, &error))?;
    door.note_act(request.peer().ip(), &session.account.address.to_string(), "session.end", None).await;
    let response = if form { Response::redirect(303, "/") } else { Response::empty(204) };
    // What was shown stays in no cache of the browser.
    let response =
        response.with(header::HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\""));
    Ok(without_cookie(unkept(response), request))
}

/// The session that a request of a page of ours goes by.
pub async fn session(door: &Door, request: &Request) -> Result<Session, Response> {
    let Some(token) = request.cookie(cookie_name(request.tls().is_some())) else { return Err(signed_out(request)) };
    if !request.is_same_origin() {
        return Err(foreign(request));
    }
    match door.deps.directory.session(token.as_bytes(), request.peer().ip()).await {
        Ok(Some(session)) => Ok(session),
        Ok(None) => Err(without_cookie(signed_out(request), request)),
        Err(error) => Err(plain_problem(request, 503, &error.text)),
    }
}
