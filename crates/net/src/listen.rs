//! Binding. It happens early and without a runtime, so that a server which starts as root can drop its privileges between
//! [`bind`] and [`crate::serve()`].

use std::io;
use std::net::{SocketAddr, TcpListener};

use anser_base::{Class, Error, Result};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};

/// Connections that the kernel completes and holds until they are accepted; the kernel may cut it to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// A bound, listening socket that nobody accepts from yet: peers connect and wait.
#[derive(Debug)]
pub struct BoundListener {
    socket: TcpListener,
    address: SocketAddr,
}

impl BoundListener {
    /// The address it is bound to; with the port that the kernel chose when port 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn into_tokio(self) -> io::Result<tokio::net::TcpListener> {
        tokio::net::TcpListener::from_std(self.socket)
    }
}

/// Binds all of the addresses, or none. `[::]` takes IPv4 as well (dual stack); on a machine without IPv6 it means `0.0.0.0`.
/// [`Class::Unavailable`], naming the address, when one is taken or needs privileges.
pub fn bind(addresses: &[SocketAddr]) -> Result<Vec<BoundListener>> {
    addresses.iter().map(|address| bind_one(*address)).collect()
}

/// Raises this process's limit of open files to the most that the kernel allows it, and returns that limit. Each connection
/// needs one; the usual default of 1024 is too low for a mail server. Call it once at start-up.
pub fn raise_open_files() -> Result<u64> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).map_err(|error| Error::io(error.into()))?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).map_err(|error| Error::io(error.into()))?;
    Ok(most)
}

fn bind_one(address: SocketAddr) -> Result<BoundListener> {
    let bound = match listening(address) {
        Err(error) if address.ip() == std::net::Ipv6Addr::UNSPECIFIED && no_ipv6(&error) => {
            listening(SocketAddr::from(([0, 0, 0, 0], address.port())))
        }
        other => other,
    };
    bound.map_err(|error| {
        Error::new(Class::Unavailable, format!("cannot listen on {address}"), format!("无法监听 {address}"))
            .caused_by(error)
    })
}

fn listening(address: SocketAddr) -> io::Result<BoundListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let socket = TcpListener::from(socket);
    let address = socket.local_addr()?;
    Ok(BoundListener { socket, address })
}

fn no_ipv6(error: &io::Error) -> bool {
    use nix::errno::Errno;
    let unsupported = [Errno::EAFNOSUPPORT, Errno::EADDRNOTAVAIL, Errno::EPROTONOSUPPORT];
    error.raw_os_error().is_some_and(|code| unsupported.contains(&Errno::from_raw(code)))
}
