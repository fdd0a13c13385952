//! Problems and cookies.

use anser_base::{Class, Error, Language, Text};
use anser_directory::{AuthFailure, NewSession, Refusal, cookie_name};
use anser_net::http::{HeaderValue, Request, Response, header};
use serde_json::{Value, json};

/// The page fetches a new key and tries again.
pub const STALE_KEY: &str = "urn:anser:auth:stale-key";

/// JSON that nobody keeps.
pub fn fresh(status: u16, body: &Value) -> Response {
    unkept(Response::json(status, body.to_string()))
}

/// An answer that nobody keeps.
pub fn unkept(response: Response) -> Response {
    response.with(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

/// A refusal (RFC 9457), in the language that the request asks for.
pub fn problem(request: &Request, status: u16, kind: &str, text: &Text) -> Response {
    let language = request.language();
    let tag = if language == Language::Chinese { "zh" } else { "en" };
    let body = problem_value(language, status, kind, text);
    unkept(Response::new(status, "application/problem+json", body.to_string()))
        .with(header::CONTENT_LANGUAGE, HeaderValue::from_static(tag))
        .with(header::VARY, HeaderValue::from_static("Accept-Language"))
}

/// The object of a refusal.
pub fn problem_value(language: Language, status: u16, kind: &str, text: &Text) -> Value {
    json!({ "type": kind, "status": status, "detail": language.of_text(text) })
}

/// A refusal without a kind of its own.
pub fn plain_problem(request: &Request, status: u16, text: &Text) -> Response {
    problem(request, status, "about:blank", text)
}

/// The status code of an error.
pub fn status_of(error: &Error) -> u16 {
    match error.class {
        Class::NotFound => 404,
        Class::Conflict | Class::Exists => 409,
        Class::Forbidden => 403,
        Class::Unauthenticated => 401,
        Class::Limit => 429,
        class if class.is_temporary() => 503,
        _ => 400,
    }
}

/// What an error from below is here.
pub fn failed(request: &Request, error: &Error) -> Response {
    let status = status_of(error);
    if status == 503 {
        tracing::error!(path = request.path(), error = error.chain(), "a request was not answered");
    }
    plain_problem(request, status, &error.text)
}

/// What a login that failed is here, once its delay is over.
pub fn refused(request: &Request, failure: &AuthFailure) -> Response {
    let status = match failure.reason {
        Refusal::Unavailable => return failed(request, &failure.error),
        Refusal::Wrong => 401,
        Refusal::Locked => 429,
        Refusal::NotAllowed | Refusal::NotYourself | Refusal::MustChange | Refusal::NeedsAppPassword => 403,
    };
    plain_problem(request, status, &failure.error.text)
}

/// 401: there is no session, or it is over.
pub fn signed_out(request: &Request) -> Response {
    plain_problem(request, 401, &Text::new("you are not signed in any more", "登录已过期，请重新登录"))
}

/// 403: the request does not come from a page of ours.
pub fn foreign(request: &Request) -> Response {
    plain_problem(request, 403, &Text::new("this must be asked by a page of this site", "该请求必须来自本站页面"))
}

/// With the cookie of a session; it lasts as long as the browser runs, or with `stays` as long as the session may.
pub fn with_cookie(response: Response, request: &Request, session: &NewSession, stays: bool) -> Response {
    let age = if stays { format!("; Max-Age={}", session.longest.as_secs()) } else { String::new() };
    set_cookie(response, request, &format!("{}{age}", session.token))
}

/// With the cookie taken back.
pub fn without_cookie(response: Response, request: &Request) -> Response {
    set_cookie(response, request, "; Max-Age=0")
}

fn set_cookie(mut response: Response, request: &Request, value: &str) -> Response {
    let tls = request.tls().is_some();
    let secure = if tls { "; Secure" } else { "" };
    let field = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict{secure}", cookie_name(tls));
    if let Ok(field) = HeaderValue::from_str(&field) {
        response.headers.append(header::SET_COOKIE, field);
    }
    response
}
