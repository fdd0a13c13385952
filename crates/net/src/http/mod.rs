//! The server's side of HTTP (RFC 9110): HTTP/1.1 and HTTP/2 over our own listeners and TLS, chosen by ALPN.
//!
//! Doors contribute [`Routes`]: method, path pattern, handler. The roof joins them into one [`Site`] and hands [`session`] to
//! [`crate::serve()`]. A handler is given a [`Request`] with a bounded body and returns a [`Response`], whose body may be a stream without end.
//!
//! ```no_run
//! use anser_net::http::{Request, Response, Route, Routes, Site};
//!
//! async fn greet(request: Request) -> Response {
//!     Response::text(200, format!("good day, {}\n", request.parameter("name")))
//! }
//!
//! let site = Site::new(Routes::of([Route::get("/greet/{name}", greet)]));
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `routes` | the table, and how a path is found in it |
//! | `request` | what a handler is given |
//! | `response` | what it returns |
//! | `language`, `escape` | the language that is asked for; text in pages |
//! | `site` | the whole of it, and what is the same for all answers |
//! | `session` | one connection |
//! | `watch` | what is under way on a connection, so that silence and peers that do not read end it |
//! | [`client`] | one bounded exchange with a server of others |

pub mod client;
mod escape;
mod language;
mod request;
mod response;
mod routes;
mod session;
mod site;
mod watch;

use std::sync::Arc;
use std::time::Duration;

pub use bytes::Bytes;
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

pub use escape::escaped;
pub use language::language;
pub use request::{Request, Upgraded, form_value, is_own_path};
pub use response::Response;
pub use routes::{Route, Routes, either, with};
pub use session::session;
pub use site::Site;

use crate::serve::Refusal;

/// Limits of every connection. Those of one route are at the [`Route`].
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most bytes of the header of a request.
    pub header_bytes: usize,
    /// Most fields of it.
    pub header_fields: usize,
    /// How long a header may take to come, from the connection's beginning or from the end of the answer before.
    pub header_time: Duration,
    /// How long a connection may be quiet between requests.
    pub idle_time: Duration,
    /// How long a peer may take none of what it asked for.
    pub stall_time: Duration,
    /// Requests at once on one connection (HTTP/2 only).
    pub streams: u32,
    /// Requests at once from one source ([`crate::network::source_of`]), over all its connections; event sources are none.
    pub requests_per_source: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 32 * 1024,
            header_fields: 100,
            header_time: Duration::from_secs(15),
            idle_time: Duration::from_secs(60),
            stall_time: Duration::from_secs(60),
            streams: 100,
            requests_per_source: 500,
        }
    }
}

/// What a refused connection is told, for [`crate::ServeOptions::refusal`].
pub fn refusal_words() -> Arc<dyn Fn(Refusal) -> String + Send + Sync> {
    Arc::new(|refusal| {
        let status = match refusal {
            Refusal::TooMany => "503 Service Unavailable",
            Refusal::TooManyFromSource | Refusal::TooFast => "429 Too Many Requests",
        };
        format!("HTTP/1.1 {status}\r\nRetry-After: 30\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    })
}
