//! Signing in at a provider outside: OpenID Connect or CAS (see [`anser_directory::providers`]).
//!
//! ```text
//! GET /auth/outside/{provider} ──▶ a cookie with what was begun, sealed ──▶ the provider's page
//!                                                                               │ code and state, or ticket
//! GET /auth/outside/{provider}/back ◀───────────────────────────────────────────┘
//!     the cookie opens, is of this provider, has this state, and was never used ──▶ the provider is asked who it is ──▶ a session, or
//!     what else the account wants
//! ```
//!
//! Each provider is returned from at a path of its own and a login begun at one is over at another, so that no answer is taken for another
//! provider's (RFC 9700 §4.4). Nothing is kept here: any node can go on with what another began.

pub mod cas;
pub mod jwt;
mod openid;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anser_base::{Class, Error, Result, Text};
use anser_directory::{Provider, ProviderKind};
use anser_net::Resolver;
use anser_net::http::client::{Options, exchange};
use anser_net::http::{HeaderValue, Request, Response, either, escaped, header, is_own_path};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::answer::{failed, unkept};
use crate::login::HOME;
use crate::page::percent;
use crate::portal::taken_in;
use crate::{Door, device, page, visitor};

/// How long somebody may be at the provider.
const AWAY: Duration = Duration::from_secs(15 * 60);
/// Longest code, ticket or state that comes back, in bytes.
const BACK: usize = 4096;
/// Most bytes of a provider's answer.
const ANSWER: usize = 256 * 1024;

/// How providers are reached.
#[derive(Clone)]
pub struct Web {
    /// Who knows their addresses.
    pub resolver: Resolver,
    /// By which port, authorities, and in what time.
    pub options: Options,
}

/// What is known of providers for a while.
#[derive(Default)]
pub struct Outside {
    openid: Mutex<openid::Known>,
}

/// A login that was begun; it lies sealed in a cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Begun {
    provider: String,
    state: String,
    nonce: String,
    /// `code_verifier` (RFC 7636 §4.1).
    verifier: String,
    /// Where somebody goes on to.
    way: String,
    /// Until when, in seconds since 1970.
    until: i64,
}

/// `GET /auth/outside/{provider}`, and perhaps `next`: off to the provider.
pub(crate) async fn leave(door: Arc<Door>, request: Request) -> Response {
    either(leaving(&door, &request).await)
}

async fn leaving(door: &Door, request: &Request) -> Result<Response, Response> {
    let (provider, _) = found(door, request).await?;
    let token = || door.deps.entropy.token(52);
    let begun = Begun {
        provider: provider.id.clone(),
        state: token(),
        nonce: token(),
        verifier: token(),
        way: request.query("next").filter(|path| is_own_path(path)).unwrap_or_else(|| HOME.to_owned()),
        until: door.deps.clock.now().after(AWAY).secs(),
    };
    let to = match provider.kind {
        ProviderKind::OpenId => openid::page(door, &provider, &begun, &back(door, &provider.id)).await,
        ProviderKind::Cas | ProviderKind::Cas2 => {
            Ok(format!("{}/login?service={}", provider.url, percent(&service(door, &begun))))
        }
    };
    let to = to.map_err(|error| refusal(request, &provider, &error))?;
    let sealed = door.deps.directory.seal("outside", begun.written().as_bytes()).await;
    let sealed = sealed.map_err(|error| failed(request, &error))?;
    let sealed = URL_SAFE_NO_PAD.encode(sealed);
    Ok(with_note(unkept(Response::redirect(303, &to)), request, &sealed, AWAY.as_secs()))
}

/// `GET /auth/outside/{provider}/back`: what the provider says.
pub(crate) async fn arrive(door: Arc<Door>, request: Request) -> Response {
    let response = either(arrived(&door, &request).await);
    with_note(response, &request, "", 0)
}

async fn arrived(door: &Door, request: &Request) -> Result<Response, Response> {
    let (provider, secret) = found(door, request).await?;
    let refused = |error: Error| refusal(request, &provider, &error);
    let begun = begun(door, request, &provider).await.map_err(refused)?;
    let named = match provider.kind {
        ProviderKind::OpenId => openid::named(door, request, &provider, secret.as_deref(), &begun).await,
        ProviderKind::Cas | ProviderKind::Cas2 => by_cas(door, request, &provider, &begun).await,
    };
    let named = match named {
        Ok(named) => named,
        Err(error) => {
            tracing::warn!(provider = provider.id, error = error.chain(), "a provider's answer was not taken");
            let (user, why) = (format!("(provider {})", provider.id), error.text.en.clone().into_owned());
            door.note(request.peer().ip(), anser_journal::What::LoginFailed { user, why, reason: None }).await;
            return Err(refused(error));
        }
    };
    let device = device::in_words(request.header("user-agent"));
    let visitor = visitor(request, &device);
    let outcome = door.deps.directory.sign_in_from_provider(&provider, &named, visitor).await;
    let (mechanism, who) = (format!("PROVIDER {}", provider.id), format!("{named} (provider {})", provider.id));
    taken_in(door, request, outcome, visitor, mechanism, who, &begun.way).await
}

/// The provider of the path.
async fn found(door: &Door, request: &Request) -> Result<(Provider, Option<String>), Response> {
    match door.deps.directory.provider(request.parameter("provider")).await {
        Ok(Some(found)) => Ok(found),
        Ok(None) => {
            let error = Error::not_found("nobody can be signed in there", "没有这个登录方式");
            Err(failed(request, &error))
        }
        Err(error) => Err(failed(request, &error)),
    }
}

/// What this browser began with this provider; used up by that.
async fn begun(door: &Door, request: &Request, provider: &Provider) -> Result<Begun> {
    let note = request.cookie(note_name(request)).filter(|note| note.len() <= BACK);
    let note = note.and_then(|note| URL_SAFE_NO_PAD.decode(note).ok()).ok_or_else(not_begun)?;
    let begun = door.deps.directory.unseal("outside", &note).await?;
    let begun = begun.as_deref().and_then(Begun::read).ok_or_else(not_begun)?;
    let state = request.query("state").unwrap_or_default();
    let is_good = begun.provider == provider.id && begun.state == state && door.deps.clock.now().secs() < begun.until;
    if !is_good || !door.deps.directory.use_once(format!("outside {state}").as_bytes(), AWAY * 2).await? {
        return Err(not_begun());
    }
    Ok(begun)
}

impl Begun {
    fn written(&self) -> String {
        let Self { provider, state, nonce, verifier, way, until } = self;
        json!([provider, state, nonce, verifier, way, until]).to_string()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let text = |at: usize| value[at].as_str().map(str::to_owned);
        let (provider, state, nonce, verifier, way) = (text(0)?, text(1)?, text(2)?, text(3)?, text(4)?);
        Some(Self { provider, state, nonce, verifier, way, until: value[5].as_i64()? })
    }
}

/// What CAS says of the ticket that came.
async fn by_cas(door: &Door, request: &Request, provider: &Provider, begun: &Begun) -> Result<String> {
    let ticket = request.query("ticket").filter(|ticket| !ticket.is_empty() && ticket.len() <= BACK);
    let ticket = ticket.ok_or_else(not_signed_in)?;
    let path = if provider.kind == ProviderKind::Cas { "/p3/serviceValidate" } else { "/serviceValidate" };
    let (service, ticket) = (percent(&service(door, begun)), percent(&ticket));
    let answer = get(door, &format!("{}{path}?service={service}&ticket={ticket}", provider.url), None).await?;
    let said = cas::read(&answer).ok_or_else(|| unavailable("its answer is no answer of CAS"))?;
    said.named(&provider.claim).map(str::to_owned).ok_or_else(not_signed_in)
}

/// Where a provider sends people back to.
fn back(door: &Door, provider: &str) -> String {
    format!("{}/auth/outside/{provider}/back", door.deps.url)
}

/// The same for CAS, which knows no state but what is part of it.
fn service(door: &Door, begun: &Begun) -> String {
    format!("{}?state={}", back(door, &begun.provider), begun.state)
}

/// The body of a GET, perhaps with an access token. `Class::Unavailable` for anything but 200; redirects are not followed.
async fn get(door: &Door, uri: &str, token: Option<&str>) -> Result<Vec<u8>> {
    let mut request = http::Request::get(uri).header(header::ACCEPT, "application/json, text/xml, application/xml");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Default::default()).map_err(|_| unavailable("it names no address of the Web"))?;
    let answer = ask(door, request).await?;
    if answer.status() != http::StatusCode::OK {
        return Err(unavailable(&format!("it answers {}", answer.status())));
    }
    Ok(answer.into_body().into())
}

async fn ask(
    door: &Door,
    request: http::Request<anser_net::http::Bytes>,
) -> Result<http::Response<anser_net::http::Bytes>> {
    let Web { resolver, options } = &door.deps.web;
    exchange(resolver, request, ANSWER, options).await.map_err(|error| unavailable(&error.chain().to_string()))
}

fn note_name(request: &Request) -> &'static str {
    if request.tls().is_some() { "__Host-anser-outside" } else { "anser-outside" }
}

/// With the cookie of a login that was begun, or with it taken back. It has to come along from the provider's site: `Lax`.
fn with_note(mut response: Response, request: &Request, note: &str, age: u64) -> Response {
    let secure = if request.tls().is_some() { "; Secure" } else { "" };
    let field = format!("{}={note}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}", note_name(request));
    if let Ok(field) = HeaderValue::from_str(&field) {
        response.headers.append(header::SET_COOKIE, field);
    }
    response
}

/// The page of somebody who was not signed in, and the way back to the login page.
fn refusal(request: &Request, provider: &Provider, error: &Error) -> Response {
    let say = |text: &Text| escaped(request.language().of_text(text));
    let status = if error.class.is_temporary() { 503 } else { 401 };
    let on = if provider.password {
        Text::new("Back to the login page, where your password works too", "返回登录页，也可使用密码登录")
    } else {
        Text::new("Back to the login page", "返回登录页")
    };
    let content = format!("<p>{}</p>\n<p><a href=\"/\">{}</a></p>\n", say(&error.text), say(&on));
    page::of(request, status, &Text::new("Not signed in", "未能登录"), &content)
}

/// The provider does not work at present.
fn unavailable(why: &str) -> Error {
    Error::new(
        Class::Unavailable,
        "the sign-in of your organisation cannot be reached at present; try again in a while",
        "暂时无法连接统一身份认证系统，请稍后再试",
    )
    .caused_by(why.to_owned())
}

fn not_begun() -> Error {
    Error::new(
        Class::Unauthenticated,
        "this sign-in was not begun in this browser, or too long ago; begin again",
        "该登录并非由本浏览器发起或已超时，请重新登录",
    )
}

fn not_signed_in() -> Error {
    Error::new(Class::Unauthenticated, "the provider did not sign you in", "统一身份认证未通过")
}
