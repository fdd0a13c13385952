//! The PROXY protocol, versions 1 and 2, as a receiver (the specification of HAProxy, §2). Not a byte behind the header is
//! read, so that whatever follows it, plain or TLS, is untouched.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anser_base::{Error, Result};
use tokio::time::Instant;

use crate::stream::{Fill, Stream};

/// Longest a proxy may take for its header.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Longest header of version 1 in bytes, `CR LF` included (§2.1).
const V1_LENGTH: usize = 107;
/// What opens a header of version 2 (§2.2); a header of version 1 is longer than that, too.
const V2_SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes of a version 2 header before its variable part.
const V2_FIXED: usize = 16;
/// Most bytes of the variable part, addresses and TLVs together.
const V2_LENGTH: usize = 4096;

/// Source and destination of the connection that the proxy took; `None` when it speaks for itself (`LOCAL`, `UNKNOWN`).
type Addresses = Option<(SocketAddr, SocketAddr)>;

/// Reads the header, which a trusted proxy must send first of all, and gives the stream the addresses that it names.
pub(crate) async fn take_header(stream: &mut Stream) -> Result<()> {
    let deadline = Instant::now() + TIMEOUT;
    need(stream, V2_SIGNATURE.len(), deadline).await?;
    let addresses = if stream.buffer() == V2_SIGNATURE {
        take_v2(stream, deadline).await?
    } else {
        take_v1(stream, deadline).await?
    };
    if let Some((source, destination)) = addresses {
        stream.set_addresses(source, destination);
    }
    Ok(())
}

async fn take_v1(stream: &mut Stream, deadline: Instant) -> Result<Addresses> {
    while !stream.buffer().ends_with(b"\r\n") {
        let length = stream.buffered_input_len();
        if length >= V1_LENGTH || !stream.buffer().starts_with(b"PROXY ") {
            return Err(bad("no PROXY header"));
        }
        need(stream, length + 1, deadline).await?;
    }
    let addresses = parse_v1(stream.buffer()).ok_or_else(|| bad("malformed PROXY header"));
    stream.consume(stream.buffered_input_len());
    addresses
}

async fn take_v2(stream: &mut Stream, deadline: Instant) -> Result<Addresses> {
    need(stream, V2_FIXED, deadline).await?;
    let length = usize::from(u16::from_be_bytes([stream.buffer()[14], stream.buffer()[15]]));
    if length > V2_LENGTH {
        return Err(bad("PROXY header too long"));
    }
    need(stream, V2_FIXED + length, deadline).await?;
    let addresses = parse_v2(stream.buffer()).ok_or_else(|| bad("malformed PROXY header"));
    stream.consume(stream.buffered_input_len());
    addresses
}

async fn need(stream: &mut Stream, count: usize, deadline: Instant) -> Result<()> {
    match stream.fill_to(count, deadline).await? {
        Fill::Data(_) => Ok(()),
        Fill::Closed => Err(bad("closed before the PROXY header was whole")),
        Fill::TimedOut => Err(bad("no PROXY header in time")),
    }
}

fn bad(what: &'static str) -> Error {
    Error::invalid("bad PROXY header", "PROXY 头无效").caused_by(what)
}

/// A whole header of version 1; `None` when it is malformed.
fn parse_v1(header: &[u8]) -> Option<Addresses> {
    let text = std::str::from_utf8(header).ok()?.strip_suffix("\r\n")?;
    let fields: Vec<&str> = text.split(' ').collect();
    match fields[..] {
        ["PROXY", "UNKNOWN", ..] => Some(None),
        ["PROXY", "TCP4", source, destination, from, to] => {
            let (source, destination) = (source.parse::<Ipv4Addr>().ok()?, destination.parse::<Ipv4Addr>().ok()?);
            Some(Some((socket(source.into(), from)?, socket(destination.into(), to)?)))
        }
        ["PROXY", "TCP6", source, destination, from, to] => {
            let (source, destination) = (source.parse::<Ipv6Addr>().ok()?, destination.parse::<Ipv6Addr>().ok()?);
            Some(Some((socket(source.into(), from)?, socket(destination.into(), to)?)))
        }
        _ => None,
    }
}

fn socket(address: IpAddr, port: &str) -> Option<SocketAddr> {
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| port.parse().ok().map(|port| SocketAddr::new(address, port))).flatten()
}

/// A whole header of version 2, TLVs and all; `None` when it is malformed.
fn parse_v2(header: &[u8]) -> Option<Addresses> {
    let (fixed, body) = header.split_at_checked(V2_FIXED)?;
    match (fixed[12], fixed[13]) {
        (0x20, _) => Some(None),
        (0x21, 0x11) => Some(Some((
            SocketAddr::from((array::<4>(body, 0)?, port(body, 8)?)),
            SocketAddr::from((array::<4>(body, 4)?, port(body, 10)?)),
        ))),
        (0x21, 0x21) => Some(Some((
            SocketAddr::from((array::<16>(body, 0)?, port(body, 32)?)),
            SocketAddr::from((array::<16>(body, 16)?, port(body, 34)?)),
        ))),
        // Unspecified, datagrams and UNIX sockets: the proxy's own address has to do (§2.2).
        (0x21, 0x00 | 0x12 | 0x22 | 0x31 | 0x32) => Some(None),
        _ => None,
    }
}

fn array<const N: usize>(body: &[u8], at: usize) -> Option<[u8; N]> {
    body.get(at..at + N)?.try_into().ok()
}

fn port(body: &[u8], at: usize) -> Option<u16> {
    array(body, at).map(u16::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes that look like a header more often than chance would have it.
    fn headers() -> impl Strategy<Value = Vec<u8>> {
        let v1 = "PROXY (TCP4|TCP6|UNKNOWN) [0-9a-f.:]{0,20} [0-9.]{0,20} [0-9]{0,6} [0-9]{0,6}(\r\n)?";
        let v2 = prop::collection::vec(any::<u8>(), 0..60);
        prop_oneof![
            v1.prop_map(String::into_bytes),
            v2.prop_map(|rest| [V2_SIGNATURE.as_slice(), &[0x21, 0x11, 0], &rest].concat()),
            prop::collection::vec(any::<u8>(), 0..200),
        ]
    }

    async fn take(bytes: &[u8]) -> (Result<()>, usize) {
        let (mut server, mut client) = Stream::pair();
        client.write_all(bytes).await.unwrap();
        client.half_close().await.unwrap();
        let taken = take_header(&mut server).await;
        (taken, server.buffered_input_len())
    }

    proptest! {
        #[test]
        fn no_header_does_harm_and_nothing_behind_it_is_read(header in headers()) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let (taken, unread) = runtime.block_on(take(&header));
            prop_assert!(taken.is_err() || unread == 0);
        }
    }
}
