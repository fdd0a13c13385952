//! One text from a web server over HTTPS, for what mail needs of the Web: bounded, verified, without redirects.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anser_base::{Error, Result};

use crate::client::TlsConnector;
use crate::connect::{ConnectOptions, connect_address};
use crate::dns::{RecordType, Resolver};
use crate::network::is_public;
use crate::stream::{Fill, Line, Stream};

/// Longest header line, in bytes.
const LINE: usize = 8192;
/// Header lines.
const LINES: usize = 100;
/// For each step.
const STEP: Duration = Duration::from_secs(20);
/// Addresses that are tried.
const ADDRESSES: usize = 4;

/// How to fetch.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port: 443, but in a loopback internet.
    pub port: u16,
    /// Whether the server may have an address that is not public.
    pub private: bool,
    /// Who vouches for certificates: a file of PEM certificates.
    pub authorities: PathBuf,
}

/// GET of `https://<host><path>`, at most so many bytes of it as UTF-8 text. The certificate has to be for the host, redirects are
/// not followed (RFC 8461 §3.3). [`anser_base::Class::Unavailable`] for anything but a whole text/plain answer with status 200.
pub async fn text(resolver: &Resolver, host: &str, path: &str, most: usize, options: &Options) -> Result<String> {
    let mut stream = open(resolver, host, options).await?;
    stream.set_read_timeout(STEP);
    stream.set_write_timeout(STEP);
    stream.start_tls_as_client(&TlsConnector::verified(&options.authorities)?, host).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: anser\r\nAccept: text/plain\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let body = match head(&mut stream).await? {
        Length::Chunked => chunks(&mut stream, most).await?,
        Length::Known(length) if length > most => return Err(bad("it is too long")),
        Length::Known(length) => exactly(&mut stream, length).await?,
        Length::UntilClosed => rest(&mut stream, most).await?,
    };
    String::from_utf8(body).map_err(|_| bad("it is no text"))
}

async fn open(resolver: &Resolver, host: &str, options: &Options) -> Result<Stream> {
    let (six, four) = tokio::join!(resolver.lookup(host, RecordType::Aaaa), resolver.lookup(host, RecordType::A));
    let addresses = six.addresses().chain(four.addresses()).filter(|address| options.private || is_public(*address));
    let mut last = bad("no public address");
    for address in addresses.take(ADDRESSES) {
        let connect = ConnectOptions { timeout: STEP, ..ConnectOptions::default() };
        match connect_address(SocketAddr::new(address, options.port), &connect).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// How the end of the body is told (RFC 9112 §6.3).
enum Length {
    Known(usize),
    Chunked,
    UntilClosed,
}

/// The status line and the header (RFC 9112 §2.1).
async fn head(stream: &mut Stream) -> Result<Length> {
    let status = line(stream).await?;
    let mut words = status.split_ascii_whitespace();
    if !words.next().is_some_and(|version| version.starts_with("HTTP/1.")) || words.next() != Some("200") {
        return Err(bad(&format!("it answers {}", status.chars().take(60).collect::<String>())));
    }
    let (mut length, mut is_text) = (Length::UntilClosed, false);
    for _ in 0..LINES {
        let line = line(stream).await?;
        if line.is_empty() {
            return if is_text { Ok(length) } else { Err(bad("it is no text/plain")) };
        }
        let Some((name, value)) = line.split_once(':') else { return Err(bad("it speaks no HTTP")) };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = Length::Known(value.parse().map_err(|_| bad("it speaks no HTTP"))?),
            "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => length = Length::Chunked,
            "transfer-encoding" => return Err(bad("it is encoded in a way that was not asked for")),
            "content-type" => {
                let kind = value.split(';').next().unwrap_or_default().trim();
                is_text = kind.eq_ignore_ascii_case("text/plain");
            }
            _ => {}
        }
    }
    Err(bad("its header is too long"))
}

async fn line(stream: &mut Stream) -> Result<String> {
    match stream.read_line(LINE).await? {
        Line::Full(line) => Ok(String::from_utf8_lossy(line.trim_ascii_end()).into_owned()),
        Line::TooLong => Err(bad("a line is too long")),
        Line::Closed | Line::TimedOut => Err(bad("it ends early")),
    }
}

async fn exactly(stream: &mut Stream, length: usize) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while body.len() < length {
        if stream.buffered_input_len() == 0 && !more(stream).await? {
            return Err(bad("it ends early"));
        }
        let take = stream.buffer().len().min(length - body.len());
        body.extend_from_slice(&stream.buffer()[..take]);
        stream.consume(take);
    }
    Ok(body)
}

async fn rest(stream: &mut Stream, most: usize) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while stream.buffered_input_len() > 0 || more(stream).await? {
        body.extend_from_slice(stream.buffer());
        stream.consume(stream.buffered_input_len());
        if body.len() > most {
            return Err(bad("it is too long"));
        }
    }
    Ok(body)
}

/// RFC 9112 §7.1.
async fn chunks(stream: &mut Stream, most: usize) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(stream).await?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| bad("it speaks no HTTP"))?;
        if size == 0 {
            return Ok(body);
        }
        if size > most - body.len() {
            return Err(bad("it is too long"));
        }
        body.extend(exactly(stream, size).await?);
        line(stream).await?;
    }
}

async fn more(stream: &mut Stream) -> Result<bool> {
    match stream.fill().await? {
        Fill::Data(_) => Ok(true),
        Fill::Closed => Ok(false),
        Fill::TimedOut => Err(bad("it is too slow")),
    }
}

fn bad(why: &str) -> Error {
    Error::unavailable(why.to_owned())
}
