//! One bounded exchange with a web server of others: a policy, a report, an authority, a picture. Over verified TLS but where plain
//! connections are allowed too, without redirects.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anser_base::{Error, Result};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
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

    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEADER)
        .handshake(TokioIo::new(stream.into_io()))
        .await
        .map_err(Error::unavailable)?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse().map_err(Error::unavailable)?;
    let host = HeaderValue::from_str(authority.as_str()).map_err(Error::unavailable)?;
    request.headers_mut().insert(HOST, host);
    request.headers_mut().entry(USER_AGENT).or_insert(HeaderValue::from_static("anser"));
    let exchange = async move {
        let answer = sender.send_request(request.map(Full::new)).await.map_err(Error::unavailable)?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, most).collect().await;
        let body = body.map_err(|error| Error::unavailable(format!("the answer is not whole: {error}")))?;
        Ok(http::Response::from_parts(head, body.to_bytes()))
    };
    tokio::pin!(exchange, connection);
    tokio::select! {
        answer = &mut exchange => answer,
        // What the connection still brought is with the exchange.
        _ = &mut connection => exchange.await,
    }
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
