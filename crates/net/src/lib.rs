//! The only sockets of the house: listeners, TLS, the PROXY protocol, outgoing connections, deadlines and rate limits.
//!
//! | module | holds |
//! |---|---|
//! | [`listen`] | binding, before privileges are dropped |
//! | [`mod@serve`] | the accept loop: limits, refusals, PROXY, implicit TLS, panics, draining |
//! | [`shutdown`] | the handle that tells every session to end |
//! | [`stream`] | [`Stream`], the one byte stream that protocol sessions use, plain or TLS |
//! | [`tls`] | the server's side of TLS: certificates, their reload, channel bindings |
//! | [`client`] | the client's side of TLS |
//! | [`mod@connect`] | outgoing connections |
//! | [`dane`] | TLSA records instead of authorities |
//! | [`dns`] | look-ups in the DNS, with their DNSSEC status |
//! | [`fetch`] | one bounded text over HTTPS |
//! | [`limit`] | token buckets |
//! | [`network`] | address ranges such as `10.0.0.0/8`, and what counts as one source |
//! | [`local`] | sockets of this machine alone, for the command line |
//! | [`http`] | the server of HTTP: routes, requests, answers; one exchange as a client |
//! | [`certificate`] | what TLS needs to know of an X.509 certificate; self-signed ones |
//!
//! # A session
//!
//! ```no_run
//! use anser_net::{Line, Shutdown, Stream};
//!
//! async fn session(mut stream: Stream, shutdown: Shutdown) -> anser_base::Result<()> {
//!     stream.write_all(b"220 ready\r\n").await?;
//!     loop {
//!         if stream.buffered_input_len() == 0 {
//!             stream.flush().await?; // once per pipelined group
//!         }
//!         let Some(line) = shutdown.or(stream.read_line(4096)).await else {
//!             stream.write_all(b"421 shutting down\r\n").await?;
//!             return stream.close().await;
//!         };
//!         match line? {
//!             Line::Full(raw) => stream.write_all(&raw).await?,
//!             Line::TooLong => stream.write_all(b"500 line too long\r\n").await?,
//!             Line::TimedOut => {
//!                 stream.write_all(b"421 timeout\r\n").await?;
//!                 return stream.close().await;
//!             }
//!             Line::Closed => return Ok(()),
//!         }
//!     }
//! }
//! ```

pub mod certificate;
pub mod client;
pub mod connect;
pub mod dane;
mod deflate;
pub mod dns;
pub mod fetch;
pub mod halves;
pub mod http;
mod input;
mod judge;
pub mod limit;
pub mod listen;
pub mod local;
pub mod network;
mod proxy;
pub mod serve;
pub mod shutdown;
pub mod stream;
pub mod tls;
mod transport;

pub use client::{TlsConnector, tls_failure};
pub use connect::{ConnectOptions, Reach, connect, connect_address};
pub use dane::Association;
pub use dns::Resolver;
pub use halves::{Reader, Writer};
pub use limit::{Rate, RateLimiter};
pub use listen::{BoundListener, bind};
pub use local::{LocalReader, LocalWriter, bind_local, connect_local, serve_local};
pub use network::{Network, is_public};
pub use serve::{Counters, Refusal, ServeOptions, serve};
pub use shutdown::Shutdown;
pub use stream::{Fill, Line, Stream, without_end};
pub use tls::{CertificateSource, ChannelBinding, TlsAcceptor, TlsInfo};
