//! HTTP towards old servers, and towards what gives tokens for them. Every wait ends.

use std::time::Duration;

use anser_base::{Error, Result};
use anser_net::http::client::{Body, Connection};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use tokio::time::timeout;

use crate::halt;
use crate::imap::connection::secure;
use crate::model::{Kind, Source, Tls};
use crate::reach;
use crate::trouble::Trouble;

/// For a connection.
const CONNECTING: Duration = Duration::from_secs(60);
/// For the head of an answer, and for each piece of its body.
pub const ANSWER: Duration = Duration::from_secs(180);
/// The longest pause that a server's `Retry-After` is believed.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// A web server. It is connected to when something is asked.
#[derive(Debug)]
pub struct Web {
    to: Source,
    connection: Option<Connection>,
}

impl Web {
    /// The server of a source.
    pub fn of(source: &Source) -> Self {
        Self { to: source.clone(), connection: None }
    }

    /// The server of a URL, and the path there. [`anser_base::Class::Invalid`] for one that is neither `https` nor on this machine.
    pub fn at(url: &str) -> Result<(Self, String)> {
        let wrong = || Error::invalid("this is no https URL", "不是有效的 https 地址");
        let uri: http::Uri = url.parse().map_err(|_| wrong())?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(wrong)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let (tls, standard) = match uri.scheme_str() {
            Some("https") => (Tls::Implicit, 443),
            Some("http") if matches!(&*host, "127.0.0.1" | "::1" | "localhost") => (Tls::None, 80),
            _ => return Err(wrong()),
        };
        let port = authority.port_u16().unwrap_or(standard);
        let (name, profile) = (String::new(), String::new());
        let to = Source {
            id: 0,
            name,
            kind: Kind::Jmap,
            host,
            port,
            tls,
            profile,
            connections: 1,
            admin: None,
            rules: Default::default(),
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok((Self { to, connection: None }, path))
    }

    /// Its host and port.
    pub fn server(&self) -> (String, u16) {
        (self.to.host.clone(), self.to.port)
    }

    /// Whether a URL leads to this server, and as protected as it is now; its path there.
    pub fn path_of(&self, url: &str) -> Option<String> {
        if url.starts_with('/') && !url.starts_with("//") {
            return Some(url.to_owned());
        }
        let (scheme, standard) = if self.to.tls == Tls::None { ("http", 80) } else { ("https", 443) };
        let uri: http::Uri = url.parse().ok()?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let is_here = uri.scheme_str() == Some(scheme)
            && host.eq_ignore_ascii_case(&self.to.host)
            && authority.port_u16().unwrap_or(standard) == self.to.port;
        is_here.then(|| uri.path_and_query().map_or("/", |path| path.as_str()).to_owned())
    }

    /// Sends a request that may be sent twice; its URI is a path. The head of the answer, and its body on the way.
    pub async fn send(&mut self, request: Request<Bytes>) -> Result<Response<Body>, Trouble> {
        let is_old = self.connection.as_ref().is_some_and(Connection::is_open);
        if !is_old {
            self.connection = Some(self.open().await?);
        }
        match self.send_now(request.clone()).await {
            // A server may end a connection between two requests.
            Err(Trouble::Later { .. }) if is_old => {
                self.connection = Some(self.open().await?);
                self.send_now(request).await
            }
            sent => sent,
        }
    }

    async fn send_now(&mut self, request: Request<Bytes>) -> Result<Response<Body>, Trouble> {
        let Some(connection) = &mut self.connection else { return Err(Trouble::lost("there is no connection")) };
        let answer = halt::answer(timeout(ANSWER, connection.send(request))).await?;
        let answer = answer.map_err(|_| Trouble::lost("the server does not answer"))?;
        answer.map_err(|error| Trouble::lost(error.chain()))
    }

    /// Sends such a request and reads an answer of at most so many bytes.
    pub async fn exchange(&mut self, request: Request<Bytes>, most: usize) -> Result<Response<Bytes>, Trouble> {
        let (head, body) = self.send(request).await?.into_parts();
        let body = halt::answer(timeout(ANSWER, body.whole(most)))
            .await?
            .map_err(|_| Trouble::lost("the answer does not end"))?;
        Ok(Response::from_parts(head, body.map_err(|error| Trouble::lost(error.chain()))?))
    }

    async fn open(&self) -> Result<Connection, Trouble> {
        let mut stream = reach::connect(&self.to.host, self.to.port, CONNECTING).await?;
        let standard = if self.to.tls == Tls::None { 80 } else { 443 };
        if self.to.tls != Tls::None {
            secure(&mut stream, &self.to).await?;
        }
        let host = if self.to.host.contains(':') { format!("[{}]", self.to.host) } else { self.to.host.clone() };
        let authority = if self.to.port == standard { host } else { format!("{host}:{}", self.to.port) };
        halt::answer(Connection::over(stream, &authority)).await?.map_err(|error| Trouble::lost(error.chain()))
    }
}

/// A form on its way to a path (RFC 6749 §3.2).
pub fn form(path: &str, fields: &[(&str, &str)]) -> Result<Request<Bytes>> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded = |text: &str| -> String {
        let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        text.bytes().map(one).collect()
    };
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    request.body(body.join("&").into()).map_err(Error::unavailable)
}

/// What a server means that has no time: 429 and 503, and how long it wants to be left alone (RFC 9110 §10.2.3).
pub fn patience(status: StatusCode, headers: &HeaderMap) -> Option<Trouble> {
    if status != StatusCode::TOO_MANY_REQUESTS && !status.is_server_error() {
        return None;
    }
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let pause = seconds.map(|seconds| Duration::from_secs(seconds).min(PATIENCE));
    Some(Trouble::Later { why: format!("the server answers {status}"), pause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_protected_ways_are_gone() {
        for (url, to) in [
            ("https://login.example/a/b?c", Some(("login.example", 443, "/a/b?c"))),
            ("https://login.example:8443", Some(("login.example", 8443, "/"))),
            ("http://127.0.0.1:9/x", Some(("127.0.0.1", 9, "/x"))),
            ("http://login.example/x", None),
            ("http://127.0.0.1@login.example/x", None),
            ("https://u@login.example/", None),
            ("ftp://login.example/", None),
            ("", None),
        ] {
            let found = Web::at(url).ok().map(|(web, path)| (web.to.host, web.to.port, path));
            assert_eq!(found, to.map(|(host, port, path)| (host.to_owned(), port, path.to_owned())), "{url}");
        }
        let (web, _) = Web::at("https://mail.example/").unwrap();
        assert_eq!(web.path_of("https://MAIL.example/jmap").as_deref(), Some("/jmap"));
        assert_eq!(web.path_of("/jmap").as_deref(), Some("/jmap"));
        assert_eq!(web.path_of("//evil.example/jmap"), None);
        for away in ["https://evil.example/jmap", "http://mail.example:443/jmap", "https://u@mail.example/jmap"] {
            assert_eq!(web.path_of(away), None, "{away}");
        }
        let plain = Source { tls: Tls::None, port: 80, host: "mail.example".into(), ..web.to };
        let plain = Web::of(&plain);
        assert_eq!(plain.path_of("http://mail.example/jmap?x").as_deref(), Some("/jmap?x"));
        for away in ["https://mail.example/jmap", "https://mail.example:80/jmap", "http://mail.example:8080/jmap"] {
            assert_eq!(plain.path_of(away), None, "{away}");
        }
    }
}
