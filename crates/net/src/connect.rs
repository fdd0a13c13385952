//! Outgoing connections.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anser_base::{Class, Error, Result};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;

use crate::network::{Network, is_public};
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
    /// Where somebody else says whom to connect to: what may be reached. `None` reaches everything.
    pub reach: Option<Arc<Reach>>,
}

/// Which addresses may be connected to for somebody who named them, so that nobody has us talk to what only we can reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Whether addresses of the public Internet may be: see [`is_public`]. Those of this machine never are.
    pub public: bool,
    /// What else may be, at whatever address.
    pub networks: Vec<Network>,
}

impl Reach {
    fn names(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// Whether a connection from one address to another may be made; the first is not known before there is one.
    fn allows(&self, from: Option<IpAddr>, to: IpAddr) -> bool {
        self.names(to) || (self.public && is_public(to) && from != Some(to))
    }
}

impl Default for ConnectOptions {
    /// 30 seconds, the system's order, any own address.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), ipv6_first: None, from: None, reach: None }
    }
}

/// Connects to a host, given by name or address, trying its addresses one after the other. [`anser_base::Class::Unavailable`]
/// when the name has no address or none answers; the cause names each that was tried. [`anser_base::Class::Forbidden`] when it has only
/// addresses that [`ConnectOptions::reach`] leaves out.
pub async fn connect(host: &str, port: u16, options: &ConnectOptions) -> Result<Stream> {
    let mut failures = Vec::new();
    for address in resolve(host, port, options).await? {
        match connect_to(address, options).await {
            // Whoever has one address on both ends is this machine.
            Ok(stream) if !is_allowed(&stream, options) => return Err(not_allowed()),
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
    if let Some(reach) = &options.reach
        && !addresses.is_empty()
    {
        addresses.retain(|address| reach.allows(None, address.ip()));
        if addresses.is_empty() {
            return Err(not_allowed());
        }
    }
    if let Some(ipv6_first) = options.ipv6_first {
        addresses.sort_by_key(|address| address.is_ipv6() != ipv6_first);
    }
    addresses.truncate(ADDRESSES);
    if addresses.is_empty() { Err(Error::unavailable(format!("{host} has no address"))) } else { Ok(addresses) }
}

fn is_allowed(stream: &Stream, options: &ConnectOptions) -> bool {
    let ends = (stream.local_addr().ip(), stream.peer_addr().ip());
    options.reach.as_ref().is_none_or(|reach| reach.allows(Some(ends.0), ends.1))
}

fn not_allowed() -> Error {
    let (en, zh) = ("servers of this network are not connected to", "不允许连接内部网络的服务器");
    Error::new(Class::Forbidden, en, zh)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn who_is_sent_somewhere_reaches_the_internet_and_what_was_named() {
        let reach = Reach { public: true, networks: vec![Network::parse("10.1.0.0/16").unwrap()] };
        for (to, may) in [
            ("9.9.9.9", true),
            ("10.1.2.3", true),
            ("10.2.2.3", false),
            ("127.0.0.1", false),
            ("::1", false),
            ("::ffff:192.168.0.1", false),
            ("169.254.169.254", false),
            ("2620:fe::fe", true),
        ] {
            assert_eq!(reach.allows(None, ip(to)), may, "{to}");
        }
        assert!(!reach.allows(Some(ip("9.9.9.9")), ip("9.9.9.9")), "this machine, by its public address");
        assert!(!Reach { public: false, ..reach }.allows(None, ip("9.9.9.9")));
    }

    #[tokio::test]
    async fn a_server_of_this_machine_is_not_reached_by_name_or_number() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let reach = |networks| Some(Arc::new(Reach { public: true, networks }));
        for host in ["127.0.0.1", "localhost", "::ffff:127.0.0.1"] {
            let options = ConnectOptions { reach: reach(Vec::new()), ..ConnectOptions::default() };
            let refused = connect(host, port, &options).await.unwrap_err();
            assert_eq!(refused.class, Class::Forbidden, "{host}");
        }
        let options = ConnectOptions { reach: reach(Network::loopback()), ..ConnectOptions::default() };
        assert!(connect("127.0.0.1", port, &options).await.is_ok(), "unless somebody said so");
    }
}
