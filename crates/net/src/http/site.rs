//! All that is served, and what is the same for all answers.

use std::sync::Arc;
use std::time::Duration;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_LENGTH,
    CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, Method};

use super::Limits;
use super::request::{About, Asked, Request, host_of};
use super::response::Response;
use super::routes::{Found, Route, Routes};
use crate::serve::Sources;

/// What answers say unless their handler says otherwise: nothing is guessed, framed, loaded, told to others or kept.
const CAREFUL: [(HeaderName, &str); 6] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    (CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The page for an answer that no handler gives: its status, and the header of the request.
pub type ErrorPage = Arc<dyn Fn(u16, &HeaderMap) -> Response + Send + Sync>;

/// What [`super::session`] serves. Plain and TLS listeners share one.
#[derive(Clone)]
pub struct Site {
    /// What is served.
    pub routes: Routes,
    /// Limits of every connection.
    pub limits: Limits,
    /// Where requests without TLS are sent to: the port of HTTPS. `None` serves them all as they are.
    pub redirect: Option<u16>,
    /// For how long browsers are told to use nothing but TLS (RFC 6797 §6.1); `None` says nothing.
    pub strict_transport: Option<Duration>,
    /// What refusals look like: a line of text unless set.
    pub error_page: ErrorPage,
    /// Who asks at the moment.
    pub askers: Askers,
}

/// The requests under way of each source, over all listeners of a site.
#[derive(Clone, Debug, Default)]
pub struct Askers(pub(super) Arc<Sources>);

impl Site {
    /// A site of these routes: default limits, no redirection, no strict transport.
    pub fn new(routes: Routes) -> Self {
        Self {
            routes,
            limits: Limits::default(),
            redirect: None,
            strict_transport: None,
            error_page: Arc::new(plain_page),
            askers: Askers::default(),
        }
    }

    /// What is to be done about a request: a route with it, or an answer at once.
    pub(super) fn judge<'a>(
        &'a self,
        request: http::Request<Asked>,
        about: &Arc<About>,
    ) -> Result<(&'a Route, Request), Box<Response>> {
        let refuse = |status| Box::new((self.error_page)(status, request.headers()));
        // The parsers' own bound is that of their buffers, which may hold more at times.
        let of_header: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if of_header + request.uri().path().len() > self.limits.header_bytes {
            return Err(refuse(431));
        }
        let Some(host) = host_of(&request) else { return Err(refuse(400)) };
        let path = request.uri().path();
        let (route, parameters) = match self.routes.find(request.method(), path) {
            Found::Route(route, parameters) => (route, parameters),
            Found::Unreadable => return Err(refuse(400)),
            // What is not there is not said over a line where others may listen.
            Found::Nothing if self.is_open(about) => return Err(refuse(404)),
            Found::Nothing => return Err(Box::new(self.elsewhere(&host, &request))),
            Found::Otherwise(methods, any_origin) if request.method() == Method::OPTIONS => {
                return Err(Box::new(options(&methods, any_origin)));
            }
            Found::Otherwise(methods, _) => {
                let page = (self.error_page)(405, request.headers());
                return Err(Box::new(page.with(ALLOW, listed(&methods))));
            }
        };
        if !route.plain && !self.is_open(about) {
            return Err(Box::new(self.elsewhere(&host, &request)));
        }
        if length(request.headers()).is_some_and(|length| length > route.body) {
            return Err(refuse(413));
        }
        Ok((route, Request::new(request, host, parameters, route.body, about.clone())))
    }

    /// Whether all is served over this connection.
    fn is_open(&self, about: &About) -> bool {
        about.tls.is_some() || self.redirect.is_none()
    }

    /// The same place over TLS; for what must not be sent twice, a refusal (RFC 9110 §15.4.9).
    fn elsewhere(&self, host: &str, request: &http::Request<Asked>) -> Response {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return (self.error_page)(403, request.headers());
        }
        let port = match self.redirect {
            None | Some(443) => String::new(),
            Some(port) => format!(":{port}"),
        };
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        Response::redirect(308, &format!("https://{host}{port}{path}"))
    }

    /// What every answer gets.
    pub(super) fn finish(&self, mut response: Response, route: Option<&Route>, about: &About) -> Response {
        for (name, value) in &CAREFUL {
            response.headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        if let Some(age) = self.strict_transport.filter(|_| about.tls.is_some())
            && let Ok(value) = HeaderValue::from_str(&format!("max-age={}", age.as_secs()))
        {
            response.headers.insert(STRICT_TRANSPORT_SECURITY, value);
        }
        if matches!(response.status.as_u16(), 429 | 503) {
            response.headers.entry(RETRY_AFTER).or_insert(HeaderValue::from_static("30"));
        }
        match route {
            Some(route) if route.any_origin => any_origin(response),
            _ => response,
        }
    }
}

fn any_origin(response: Response) -> Response {
    response
        .with(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"))
        .with(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"))
        .with(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"))
}

/// The answer to OPTIONS: which methods there are, and to a page of another site that it may use them.
fn options(methods: &[Method], from_anywhere: bool) -> Response {
    let allowed = listed(methods);
    let response = Response::empty(204).with(ALLOW, allowed.clone());
    if !from_anywhere {
        return response;
    }
    any_origin(response)
        .with(ACCESS_CONTROL_ALLOW_METHODS, allowed)
        .with(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Authorization, Content-Type, Accept, *"))
        .with(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"))
}

fn listed(methods: &[Method]) -> HeaderValue {
    let names: Vec<_> = methods.iter().map(Method::as_str).collect();
    HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static("GET"))
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn plain_page(status: u16, _: &HeaderMap) -> Response {
    let response = Response::empty(status);
    let reason = response.status.canonical_reason().unwrap_or("refused").to_ascii_lowercase();
    Response::text(status, format!("{reason}\n"))
}
