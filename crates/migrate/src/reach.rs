//! Connections to old servers. What is done for a person who named the server reaches no more than the administrator lets persons reach:
//! [`within`] is around all of it.

use std::sync::Arc;
use std::time::Duration;

use anser_base::Class;
use anser_net::{ConnectOptions, Network, Reach, Stream};

use crate::halt;
use crate::trouble::Trouble;

/// Ports of mail (RFC 8314 §3, RFC 8620 §2.2). A server at another one is none that a stranger may have us look for.
pub const PORTS: [u16; 5] = [110, 143, 443, 993, 995];

tokio::task_local! {
    /// Networks beside the Internet that may be reached; not set where nothing is bounded.
    static BOUNDS: Arc<[Network]>;
}

/// Does work that connects to the public Internet and these networks, and to nothing else.
pub async fn within<T>(networks: Arc<[Network]>, work: impl Future<Output = T>) -> T {
    BOUNDS.scope(networks, work).await
}

/// Connects. [`Trouble::Login`] of the kind `forbidden` to what is out of bounds.
pub async fn connect(host: &str, port: u16, timeout: Duration) -> Result<Stream, Trouble> {
    let bounds = BOUNDS.try_with(Clone::clone).ok();
    let reach = bounds.map(|networks| Arc::new(Reach { public: PORTS.contains(&port), networks: networks.to_vec() }));
    let options = ConnectOptions { timeout, reach, ..ConnectOptions::default() };
    halt::answer(anser_net::connect(host, port, &options)).await?.map_err(|error| match error.class {
        Class::Forbidden => Trouble::Login { kind: "forbidden", why: error.chain() },
        _ => Trouble::lost(error.chain()),
    })
}
