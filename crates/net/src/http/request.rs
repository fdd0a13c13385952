//! What a handler is given.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anser_base::{Class, Error, Language, Result};
use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::routes::percent_decoded;
use crate::tls::TlsInfo;

/// A connection that left HTTP after the answer 101 (RFC 9110 §7.8), as WebSocket does (RFC 6455 §4.2.2): bytes, both ways.
pub type Upgraded = TokioIo<hyper::upgrade::Upgraded>;

/// Who is on the other side of the connection, and how.
#[derive(Debug)]
pub(super) struct About {
    pub peer: SocketAddr,
    pub local: SocketAddr,
    pub tls: Option<TlsInfo>,
}

/// Most bytes of a body that nobody wants which are read nevertheless, and for how long.
const DRAIN: usize = 256 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// The body of a request. What nobody read of it when it is dropped is read away, within bounds: clients that are cut off while they
/// send do not see the answer.
#[derive(Debug)]
pub(super) struct Asked(Option<Incoming>);

impl Asked {
    pub fn new(body: Incoming) -> Self {
        Self(Some(body))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let Some(body) = self.0.take().filter(|body| !body.is_end_stream()) else { return };
        tokio::spawn(timeout(DRAIN_TIME, drain(body)));
    }
}

async fn drain(mut body: Incoming) {
    let mut read = 0;
    while read < DRAIN
        && let Some(Ok(frame)) = body.frame().await
    {
        read += frame.data_ref().map_or(1, Bytes::len);
    }
}

/// A request.
#[derive(Debug)]
pub struct Request {
    parts: Parts,
    body: Asked,
    /// Bytes of the body that may still come.
    left: u64,
    host: String,
    parameters: Vec<(&'static str, String)>,
    about: Arc<About>,
}

impl Request {
    pub(super) fn new(
        request: http::Request<Asked>,
        host: String,
        parameters: Vec<(&'static str, String)>,
        most: u64,
        about: Arc<About>,
    ) -> Self {
        let (parts, body) = request.into_parts();
        Self { parts, body, left: most, host, parameters, about }
    }

    /// The peer; behind a trusted proxy the client that it names.
    pub fn peer(&self) -> SocketAddr {
        self.about.peer
    }

    /// Our own address on this connection.
    pub fn local(&self) -> SocketAddr {
        self.about.local
    }

    /// What TLS agreed on; `None` on a plain connection.
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.about.tls.as_ref()
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// The host that was asked (RFC 9110 §7.2), in lower case and without its port: a claim of the peer's.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path as it came, `%xx` and all.
    pub fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// The query as it came; empty without one.
    pub fn target_query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// The header.
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// A header field's value, the first where it is repeated; empty when it is not there or no text.
    pub fn header(&self, name: &str) -> &str {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// A cookie's value (RFC 6265 §5.4); of several with this name, the first.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let fields = self.parts.headers.get_all(http::header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Whether a page of ours sent it, as the browser says (Fetch Metadata, `Sec-Fetch-Site`; else RFC 6454 §7, `Origin`). What goes by
    /// a cookie wants this: other sites can make a browser send requests, but not say that. Programs say nothing, which is `false`.
    pub fn is_same_origin(&self) -> bool {
        match (self.header("sec-fetch-site"), self.header("origin").split_once("://")) {
            ("", Some((_, origin))) => origin.eq_ignore_ascii_case(self.authority()),
            (site, _) => site == "same-origin",
        }
    }

    /// Whether a page of another site sent it, as far as the browser says so: what changes who is logged in refuses those.
    pub fn is_cross_site(&self) -> bool {
        match (self.header("sec-fetch-site"), self.header("origin")) {
            ("", "") => false,
            ("none", "") => false,
            _ => !self.is_same_origin(),
        }
    }

    /// The language that is asked for (RFC 9110 §12.5.4).
    pub fn language(&self) -> Language {
        super::language(&self.parts.headers)
    }

    /// Host and port that were asked, as they came.
    fn authority(&self) -> &str {
        self.parts.uri.authority().map_or_else(|| self.header("host"), |authority| authority.as_str())
    }

    /// What stands in the path for `{name}` of the route's pattern.
    pub fn parameter(&self, name: &str) -> &str {
        let found = self.parameters.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// A value of the query, as forms write it; the first where it is repeated.
    pub fn query(&self, name: &str) -> Option<String> {
        form_value(self.parts.uri.query()?, name)
    }

    /// The next piece of the body; `None` at its end. [`Class::Limit`] when it is longer than the route allows,
    /// [`Class::Invalid`] when it breaks off.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(body) = &mut self.body.0 else { return Ok(None) };
        while let Some(frame) = body.frame().await {
            let frame = frame
                .map_err(|error| Error::new(Class::Invalid, "the body breaks off", "请求正文中断").caused_by(error))?;
            // Trailers say nothing that a handler has asked for.
            let Ok(data) = frame.into_data() else { continue };
            self.left = self.left.checked_sub(data.len() as u64).ok_or_else(too_long)?;
            if !data.is_empty() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// The whole body. Errors as [`Self::next`].
    pub async fn body(&mut self) -> Result<Bytes> {
        let Some(first) = self.next().await? else { return Ok(Bytes::new()) };
        let Some(second) = self.next().await? else { return Ok(first) };
        let mut whole = BytesMut::from(&*first);
        whole.extend_from_slice(&second);
        while let Some(piece) = self.next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    /// The connection itself, once the handler's answer 101 is sent; call it before answering, and wait for it in a task of its
    /// own. [`Class::Unavailable`] when the connection ends first, or cannot leave HTTP (HTTP/2).
    pub fn upgrade(&mut self) -> impl Future<Output = Result<Upgraded>> + Send + use<> {
        let upgrade = self.parts.extensions.remove::<hyper::upgrade::OnUpgrade>();
        async move {
            let upgrade = upgrade.ok_or_else(|| Error::unavailable("this connection cannot be upgraded"))?;
            Ok(TokioIo::new(upgrade.await.map_err(Error::unavailable)?))
        }
    }
}

fn too_long() -> Error {
    Error::new(Class::Limit, "the body is too long", "请求正文过长")
}

/// A value of what a form says (`application/x-www-form-urlencoded`, the URL standard §5.1); the first where it is repeated.
pub fn form_value(form: &str, name: &str) -> Option<String> {
    let pairs = form.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let decoded = |raw: &str| percent_decoded(&raw.replace('+', " "));
    pairs.into_iter().find(|(key, _)| decoded(key).as_deref() == Some(name)).and_then(|(_, value)| decoded(value))
}

/// Longest path that somebody is sent on to, in bytes.
const PATH: usize = 2000;

/// Whether a text that came from outside is a path of this site, to which a browser may be sent on: browsers take `//` and `/\` for
/// another host.
pub fn is_own_path(path: &str) -> bool {
    path.len() <= PATH
        && path.starts_with('/')
        && !path[1..].starts_with(['/', '\\'])
        && path.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The host that a request names: of its target, else of its `Host` field (RFC 9110 §7.2, RFC 9113 §8.3.1). `None` where it names
/// none, or what can be none.
pub(super) fn host_of(request: &http::Request<Asked>) -> Option<String> {
    let named = match request.uri().authority() {
        Some(authority) => authority.as_str(),
        None => {
            let mut all = request.headers().get_all(http::header::HOST).iter();
            let only = all.next()?.to_str().ok()?;
            if all.next().is_some() {
                return None;
            }
            only
        }
    };
    let host = match named.strip_prefix('[') {
        Some(literal) => format!("[{}]", literal.split_once(']')?.0),
        None => named.split_once(':').map_or(named, |(host, _)| host).to_owned(),
    };
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    (!host.is_empty() && host.len() <= 255 && host.bytes().all(may_stand))
        .then(|| host.trim_end_matches('.').to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::is_own_path;

    #[test]
    fn only_places_of_this_site_are_gone_on_to() {
        for path in ["/", "/mail/", "/auth/authorize?client_id=x&state=%2F"] {
            assert!(is_own_path(path), "{path}");
        }
        for path in
            ["", "mail", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nSet-Cookie: b", "/ä"]
        {
            assert!(!is_own_path(path), "{path}");
        }
    }
}
