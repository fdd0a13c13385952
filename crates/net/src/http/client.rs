//! One bounded exchange with a web server of others: a policy, a report, an authority, a picture. Over verified TLS but where plain
//! connections are allowed too, without redirects. Beside it [`Connection`], over which many go, one after the other, however it was opened.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anser_base::{Error, Result};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::client::TlsConnector;
use crate::connect::{ConnectOptions, connect_address};
use crate::dns::{RecordType, Resolver};
use crate::network::is_public;
use crate::stream::Stream;

/// How long connecting may take, for each address.
const CONNECT: Duration = Duration::from_secs(20);
/// Addresses that are tried.
const ADDRESSES: usize = 4;
/// Most bytes of an answer's header.
const HEADER: usize = 64 * 1024;

/// How to reach web servers.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port where a URL names none: 443, but in a loopback internet.
    pub port: u16,
    /// Whether a server may have an address that is not public.
    pub private: bool,
    /// Whether a URI may be one of `http`, at port 80 where it names none.
    pub plain: bool,
    /// Who vouches for certificates: a file of PEM certificates.
    pub authorities: PathBuf,
    /// How long an exchange may take in all.
    pub time: Duration,
}

impl Options {
    /// For public servers over TLS.
    pub fn new(authorities: PathBuf, time: Duration) -> Self {
        Self { port: 443, private: false, plain: false, authorities, time }
    }
}

/// A GET of a whole URI, and which media types will do. [`anser_base::Class::Invalid`] when it is none.
pub fn get(uri: &str, accept: &'static str) -> Result<http::Request<Bytes>> {
    http::Request::get(uri).header(ACCEPT, accept).body(Bytes::new()).map_err(|_| no_https())
}

/// A POST of a body to a whole URI. [`anser_base::Class::Invalid`] when it is none.
pub fn post(uri: &str, media_type: &str, body: impl Into<Bytes>) -> Result<http::Request<Bytes>> {
    http::Request::post(uri).header(CONTENT_TYPE, media_type).body(body.into()).map_err(|_| no_https())
}

/// Sends a request whose URI is whole (`https://host/path`) and returns the answer with its body of at most so many bytes. The
/// certificate has to be for the host; redirects are answers like others. [`anser_base::Class::Unavailable`] when there is no whole answer in
/// time, [`anser_base::Class::Invalid`] when the URI is none for HTTPS.
pub async fn exchange(
    resolver: &Resolver,
    request: http::Request<Bytes>,
    most: usize,
    options: &Options,
) -> Result<http::Response<Bytes>> {
    match timeout(options.time, exchange_now(resolver, request, most, options)).await {
        Ok(result) => result,
        Err(_) => Err(Error::unavailable("the web server is too slow")),
    }
}

/// A connection to a web server of others (RFC 9112). Nothing here ends a wait: whoever asks bounds the time.
pub struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    authority: HeaderValue,
    driver: JoinHandle<()>,
}

impl Connection {
    /// Over a stream that is open, and encrypted where it has to be. `authority` is the server's name, with its port where it is no usual one.
    pub async fn over(stream: Stream, authority: &str) -> Result<Self> {
        let handshake = http1::Builder::new().max_buf_size(HEADER).handshake(TokioIo::new(stream.into_io()));
        let (sender, connection) = handshake.await.map_err(Error::unavailable)?;
        let authority = HeaderValue::from_str(authority).map_err(Error::unavailable)?;
        // How the connection ends is told by the exchange that it ends.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, authority, driver })
    }

    /// Whether another request may be sent.
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends a request whose URI is a path; the body of its answer comes piece by piece, and is read or dropped before the next.
    /// [`anser_base::Class::Unavailable`] when there is no answer.
    pub async fn send(&mut self, mut request: http::Request<Bytes>) -> Result<http::Response<Body>> {
        request.headers_mut().insert(HOST, self.authority.clone());
        request.headers_mut().entry(USER_AGENT).or_insert(HeaderValue::from_static("anser"));
        self.sender.ready().await.map_err(Error::unavailable)?;
        let answer = self.sender.send_request(request.map(Full::new)).await.map_err(Error::unavailable)?;
        Ok(answer.map(Body))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("authority", &self.authority).finish_non_exhaustive()
    }
}

/// The body of an answer.
#[derive(Debug)]
pub struct Body(Incoming);

impl Body {
    /// Its next piece; `None` after the last. [`anser_base::Class::Unavailable`] when it is cut off.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        while let Some(frame) = self.0.frame().await {
            if let Ok(data) = frame.map_err(Error::unavailable)?.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// All of it. [`anser_base::Class::Unavailable`] when it has more than `most` bytes, too.
    pub async fn whole(self, most: usize) -> Result<Bytes> {
        let body = Limited::new(self.0, most).collect().await;
        Ok(body.map_err(|error| Error::unavailable(format!("the answer is not whole: {error}")))?.to_bytes())
    }
}

async fn exchange_now(
    resolver: &Resolver,
    mut request: http::Request<Bytes>,
    most: usize,
    options: &Options,
) -> Result<http::Response<Bytes>> {
    let uri = request.uri().clone();
    let is_tls = match uri.scheme_str() {
        Some("https") => true,
        Some("http") if options.plain => false,
        _ => return Err(no_https()),
    };
    let authority = uri.authority().ok_or_else(no_https)?;
    if authority.as_str().contains('@') {
        return Err(no_https());
    }
    let port = authority.port_u16().unwrap_or(if is_tls { options.port } else { 80 });
    let mut stream = open(resolver, authority.host(), port, options).await?;
    if is_tls {
        stream.start_tls_as_client(&TlsConnector::verified(&options.authorities)?, authority.host()).await?;
    }

    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse().map_err(Error::unavailable)?;
    let mut connection = Connection::over(stream, authority.as_str()).await?;
    let (head, body) = connection.send(request).await?.into_parts();
    Ok(http::Response::from_parts(head, body.whole(most).await?))
}

async fn open(resolver: &Resolver, host: &str, port: u16, options: &Options) -> Result<Stream> {
    let may = |address: &std::net::IpAddr| options.private || is_public(*address);
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let addresses: Vec<_> = match literal {
        Some(address) => vec![address],
        None => {
            let (six, four) =
                tokio::join!(resolver.lookup(host, RecordType::Aaaa), resolver.lookup(host, RecordType::A));
            six.addresses().chain(four.addresses()).collect()
        }
    };
    let mut last = Error::unavailable(format!("{host} has no public address"));
    for address in addresses.into_iter().filter(may).take(ADDRESSES) {
        let connect = ConnectOptions { timeout: CONNECT, ..ConnectOptions::default() };
        match connect_address(SocketAddr::new(address, port), &connect).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn no_https() -> Error {
    Error::invalid("not an address of the Web over TLS", "不是有效的 HTTPS 地址")
}
