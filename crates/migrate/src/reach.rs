//! Connections to old servers, and the one place that says how far whoever wants one reaches.
//!
//! | who | reaches |
//! |---|---|
//! | an administrator, the command line, the passes of an organisation's move | everything |
//! | a person, who named the server: [`within`] | servers of mail on the Internet, and networks that the administrator lets persons reach |
//! | a program with a token, which has a survey made: [`from_afar`] | old servers of moves, and the Internet |

use std::sync::Arc;
use std::time::Duration;

use anser_base::Class;
use anser_net::{ConnectOptions, Network, Reach, Stream};

use crate::halt;
use crate::trouble::Trouble;

/// Ports of mail (RFC 8314 §3, RFC 8620 §2.2). A server at another one is none that a stranger may have us look for.
pub const PORTS: [u16; 5] = [110, 143, 443, 993, 995];

/// How far something reaches.
#[derive(Clone)]
struct Bounds {
    /// Networks beside the Internet.
    networks: Arc<[Network]>,
    /// Hosts that are reached wherever they are.
    hosts: Arc<[String]>,
    /// Whether every port of the Internet, or [`PORTS`] alone.
    every_port: bool,
}

impl Bounds {
    /// `None` for a host that is reached wherever it is.
    fn of(&self, host: &str, port: u16) -> Option<Reach> {
        let is_known = self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
        let public = self.every_port || PORTS.contains(&port);
        (!is_known).then(|| Reach { public, networks: self.networks.to_vec() })
    }
}

tokio::task_local! {
    /// Not set where nothing is bounded.
    static BOUNDS: Bounds;
}

/// Does work that connects to servers of mail on the public Internet and in these networks, and to nothing else.
pub async fn within<T>(networks: Arc<[Network]>, work: impl Future<Output = T>) -> T {
    BOUNDS.scope(Bounds { networks, hosts: Arc::default(), every_port: false }, work).await
}

/// Does work that connects to these hosts and to the public Internet, and to nothing else.
pub async fn from_afar<T>(hosts: Arc<[String]>, work: impl Future<Output = T>) -> T {
    BOUNDS.scope(Bounds { networks: Arc::default(), hosts, every_port: true }, work).await
}

/// Connects. [`Trouble::Login`] of the kind `forbidden` to what is out of bounds.
pub async fn connect(host: &str, port: u16, timeout: Duration) -> Result<Stream, Trouble> {
    let reach = BOUNDS.try_with(|bounds| bounds.of(host, port)).ok().flatten().map(Arc::new);
    let options = ConnectOptions { timeout, reach, ..ConnectOptions::default() };
    halt::answer(anser_net::connect(host, port, &options)).await?.map_err(|error| match error.class {
        Class::Forbidden => Trouble::Login { kind: "forbidden", why: error.chain() },
        _ => Trouble::lost(error.chain()),
    })
}
