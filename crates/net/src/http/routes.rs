//! The table of what is served.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Method;

use super::request::Request;
use super::response::Response;

/// Most bytes of a request's body, and longest time of a handler, unless the route says otherwise.
const BODY: u64 = 64 * 1024;
const TIME: Duration = Duration::from_secs(60);

type Handler = Arc<dyn Fn(Request) -> BoxFuture<'static, Response> + Send + Sync>;

/// One line of the table. Its pattern is a path whose segments are taken as they are, but `{name}`, which is any one segment, and
/// `{*name}` at the end, which is all that follows. Where several patterns fit, the first in the table is taken.
#[derive(Clone)]
pub struct Route {
    method: Method,
    pattern: &'static str,
    handler: Handler,
    pub(super) body: u64,
    pub(super) time: Duration,
    pub(super) plain: bool,
    pub(super) any_origin: bool,
}

impl Route {
    /// A route that takes 64 KiB of body and a minute, over TLS.
    pub fn new<H, F>(method: Method, pattern: &'static str, handler: H) -> Self
    where
        H: Fn(Request) -> F + Send + Sync + 'static,
        F: Future<Output = Response> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |request| handler(request).boxed());
        Self { method, pattern, handler, body: BODY, time: TIME, plain: false, any_origin: false }
    }

    /// A route for GET, and with it for HEAD.
    pub fn get<H, F>(pattern: &'static str, handler: H) -> Self
    where
        H: Fn(Request) -> F + Send + Sync + 'static,
        F: Future<Output = Response> + Send + 'static,
    {
        Self::new(Method::GET, pattern, handler)
    }

    /// A route for POST.
    pub fn post<H, F>(pattern: &'static str, handler: H) -> Self
    where
        H: Fn(Request) -> F + Send + Sync + 'static,
        F: Future<Output = Response> + Send + 'static,
    {
        Self::new(Method::POST, pattern, handler)
    }

    /// Takes bodies of so many bytes at most; longer ones are answered 413.
    pub fn body(self, bytes: u64) -> Self {
        Self { body: bytes, ..self }
    }

    /// Lets the handler run for so long, its reading of the body included; then the answer is 503. What a streamed answer takes
    /// after the handler returned does not count.
    pub fn time(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// Serves it without TLS as well, where others redirect to HTTPS.
    pub fn plain(self) -> Self {
        Self { plain: true, ..self }
    }

    /// Lets pages of other sites call it and read its answers (the Fetch standard's CORS). For what is public or wants an
    /// `Authorization` field, never for what goes by cookies.
    pub fn any_origin(self) -> Self {
        Self { any_origin: true, ..self }
    }

    pub(super) fn call(&self, request: Request) -> BoxFuture<'static, Response> {
        (self.handler)(request)
    }

    fn serves(&self, method: &Method) -> bool {
        self.method == method || (self.method == Method::GET && method == Method::HEAD)
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.pattern)
    }
}

/// A table of routes.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    all: Vec<Route>,
}

/// A handler that is given what its door works with, beside the request.
pub fn with<D, H, F>(door: &Arc<D>, handler: H) -> impl Fn(Request) -> F + Send + Sync + 'static
where
    D: Send + Sync + 'static,
    H: Fn(Arc<D>, Request) -> F + Send + Sync + 'static,
{
    let door = door.clone();
    move |request| handler(door.clone(), request)
}

/// The answer, or the refusal as one.
pub fn either(result: Result<Response, Response>) -> Response {
    result.unwrap_or_else(|refusal| refusal)
}

/// What a path stands for in the table.
pub(super) enum Found<'a> {
    /// A route, and the segments that stand for its names.
    Route(&'a Route, Vec<(&'static str, String)>),
    /// The path is there for these methods.
    Otherwise(Vec<Method>, bool),
    /// Nothing.
    Nothing,
    /// A segment that is no text.
    Unreadable,
}

impl Routes {
    /// A table of these.
    pub fn of(routes: impl IntoIterator<Item = Route>) -> Self {
        Self { all: routes.into_iter().collect() }
    }

    /// One table of both; the own routes come first.
    pub fn join(mut self, other: Self) -> Self {
        self.all.extend(other.all);
        self
    }

    pub(super) fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let (mut methods, mut any_origin) = (BTreeSet::new(), false);
        for route in &self.all {
            let Some(parameters) = fit(route.pattern, path) else { continue };
            if !route.serves(method) {
                methods.insert(route.method.as_str());
                any_origin |= route.any_origin;
                continue;
            }
            let Some(parameters) = parameters.into_iter().map(decoded).collect() else { return Found::Unreadable };
            return Found::Route(route, parameters);
        }
        if methods.is_empty() {
            return Found::Nothing;
        }
        if methods.contains("GET") {
            methods.insert("HEAD");
        }
        let methods = methods.into_iter().filter_map(|name| name.parse().ok()).collect();
        Found::Otherwise(methods, any_origin)
    }
}

/// The raw segments of a path that stand for a pattern's names, if it fits.
fn fit<'a>(pattern: &'static str, path: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    let mut parameters = Vec::new();
    let mut at = 0;
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(parameters),
            (Some(name), Some(segment)) => {
                match name.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) => match name.strip_prefix('*') {
                        Some(name) => {
                            parameters.push((name, path.get(at..)?));
                            return Some(parameters);
                        }
                        None if segment.is_empty() => return None,
                        None => parameters.push((name, segment)),
                    },
                    None if name == segment => {}
                    None => return None,
                }
                at += segment.len() + 1;
            }
            _ => return None,
        }
    }
}

fn decoded((name, raw): (&'static str, &str)) -> Option<(&'static str, String)> {
    Some((name, percent_decoded(raw)?))
}

/// A text with its `%xx` taken apart (RFC 3986 §2.1); `None` when it is no UTF-8 then.
pub(super) fn percent_decoded(raw: &str) -> Option<String> {
    let hex = |digit: u8| (digit as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => {
                let [high, low, after @ ..] = rest else { return None };
                bytes.push(hex(*high)? << 4 | hex(*low)?);
                rest = after;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn nothing(_: Request) -> Response {
        Response::empty(204)
    }

    fn found(path: &str, method: Method) -> String {
        let routes = Routes::of([
            Route::get("/", nothing),
            Route::get("/a/{x}", nothing),
            Route::post("/a/{x}", nothing),
            Route::post("/b", nothing),
            Route::get("/files/{account}/{*rest}", nothing),
        ]);
        match routes.find(&method, path) {
            Found::Route(route, parameters) => format!("{route:?} {parameters:?}"),
            Found::Otherwise(methods, _) => format!("{methods:?}"),
            Found::Nothing => "nothing".to_owned(),
            Found::Unreadable => "unreadable".to_owned(),
        }
    }

    #[test]
    fn paths_find_their_route() {
        for (path, said) in [
            ("/", "GET / []"),
            ("/a/b", "GET /a/{x} [(\"x\", \"b\")]"),
            ("/a/%E9%99%88%2F", "GET /a/{x} [(\"x\", \"陈/\")]"),
            ("/a/%FF", "unreadable"),
            ("/a/%4", "unreadable"),
            ("/a/", "nothing"),
            ("/a", "nothing"),
            ("/a/b/c", "nothing"),
            ("//a/b", "nothing"),
            ("/b", "[POST]"),
            ("/files/1/x/y%20z", "GET /files/{account}/{*rest} [(\"account\", \"1\"), (\"rest\", \"x/y z\")]"),
            ("/files/1/", "GET /files/{account}/{*rest} [(\"account\", \"1\"), (\"rest\", \"\")]"),
            ("/files/1", "nothing"),
        ] {
            assert_eq!(found(path, Method::GET), said, "{path}");
        }
        assert_eq!(found("/a/b", Method::HEAD), "GET /a/{x} [(\"x\", \"b\")]");
        assert_eq!(found("/a/b", Method::PUT), "[GET, HEAD, POST]");
    }
}
