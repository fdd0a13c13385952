//! Outgoing connections.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anser_base::{Error, Result};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;

use crate::stream::Stream;

/// Most addresses of one host that are tried.
pub const ADDRESSES: usize = 16;

/// How to connect.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// How long each address may take, and the look-up of the name.
    pub timeout: Duration,
    /// Which family is tried first; the other one follows. `None` keeps the system's order (RFC 6724).
    pub ipv6_first: Option<bool>,
    /// The own address to connect from; addresses of the other family are then not tried.
    pub from: Option<IpAddr>,
}

impl Default for ConnectOptions {
    /// 30 seconds, the system's order, any own address.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), ipv6_first: None, from: None }
    }
}

/// Connects to a host, given by name or address, trying its addresses one after the other. [`anser_base::Class::Unavailable`]
/// when the name has no address or none answers; the cause names each that was tried.
pub async fn connect(host: &str, port: u16, options: &ConnectOptions) -> Result<Stream> {
    let mut failures = Vec::new();
    for address in resolve(host, port, options).await? {
        match connect_to(address, options).await {
            Ok(stream) => return Ok(stream),
            Err(failure) => failures.push(format!("{address}: {failure}")),
        }
    }
    Err(Error::unavailable(format!("cannot connect to {host} port {port}: {}", failures.join("; "))))
}

/// Connects to one address. [`anser_base::Class::Unavailable`] when it does not answer.
pub async fn connect_address(address: SocketAddr, options: &ConnectOptions) -> Result<Stream> {
    let opened = connect_to(address, options).await;
    opened.map_err(|failure| Error::unavailable(format!("cannot connect to {address}: {failure}")))
}

async fn resolve(host: &str, port: u16, options: &ConnectOptions) -> Result<Vec<SocketAddr>> {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let found = match timeout(options.timeout, lookup_host((host, port))).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => return Err(Error::unavailable(format!("{host}: {error}"))),
        Err(_) => return Err(Error::unavailable(format!("{host}: no answer from the resolver"))),
    };
    let mut addresses: Vec<_> = found.filter(|address| may_reach(address, options)).collect();
    if let Some(ipv6_first) = options.ipv6_first {
        addresses.sort_by_key(|address| address.is_ipv6() != ipv6_first);
    }
    addresses.truncate(ADDRESSES);
    if addresses.is_empty() { Err(Error::unavailable(format!("{host} has no address"))) } else { Ok(addresses) }
}

fn may_reach(address: &SocketAddr, options: &ConnectOptions) -> bool {
    options.from.is_none_or(|from| from.is_ipv4() == address.is_ipv4())
}

async fn connect_to(address: SocketAddr, options: &ConnectOptions) -> Result<Stream, String> {
    match timeout(options.timeout, open(address, options.from)).await {
        Ok(opened) => opened.and_then(Stream::from_tcp).map_err(|error| error.to_string()),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

async fn open(address: SocketAddr, from: Option<IpAddr>) -> std::io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(from) = from {
        socket.bind(SocketAddr::new(from, 0))?;
    }
    socket.connect(address).await
}
