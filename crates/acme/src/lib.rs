//! Certificates that an authority gives by itself (ACME, RFC 8555): asked for, proved, kept, renewed long before their end, and told
//! about when that fails. Without this the house serves the files that its boot file names.
//!
//! ```text
//! keeper: every hour ─▶ names ─▶ which are due ─▶ order: account, challenge, answer, certificate
//!                                                    │
//!                        alarm ◀── failures          └─▶ directory (durable) ─▶ TlsAcceptor::install
//! ```
//!
//! One certificate a host name: the server's own, and of each domain those service names that lead here. A renewed certificate keeps
//! its key, so that TLSA records stay true (RFC 7671 §8.1).
//!
//! | module | holds |
//! |---|---|
//! | `keeper` | when what is done |
//! | `names` | the host names that lead here |
//! | `order` | one certificate, from the account to the chain |
//! | `proof` | the answers to challenges |
//! | `client` | the authority's web server, over our own connections |
//! | `alarm` | what the administrator is told |
//! | `watch` | certificates of files, which nobody renews here |

mod alarm;
mod client;
mod keeper;
mod names;
mod order;
mod proof;
mod watch;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use anser_base::{Clock, Entropy};
use anser_directory::Directory;
use anser_journal::Journal;
use anser_net::http::client::Options;
use anser_net::http::{Request, Response, Route, Routes};
use anser_net::{Resolver, TlsAcceptor};
use anser_queue::Queue;

pub use keeper::{CHECK_EVERY, Round, Trouble};
pub use watch::{Standing, look, watch};

/// How the authority is shown that a name is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A file at port 80 (http-01, RFC 8555 §8.3).
    Http,
    /// A certificate at port 443 (tls-alpn-01, RFC 8737).
    TlsAlpn,
    /// A record in the DNS (dns-01, RFC 8555 §8.4), which this program adds and removes: it is called with `add` or `remove`, the
    /// name of the record and its text, and ends with status 0 once all name servers have it.
    Dns(PathBuf),
}

/// What the operator chose.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The URL of the authority's directory (RFC 8555 §7.1.1).
    pub authority: String,
    /// Addresses at which the authority may reach somebody: `mailto:…`.
    pub contact: Vec<String>,
    /// How names are proved.
    pub proof: Proof,
    /// Names besides the server's and those of the domains.
    pub names: Vec<String>,
    /// How the authority is reached.
    pub web: Options,
}

/// What it works with.
#[derive(Clone)]
pub struct Deps {
    /// Where certificates, keys and the account are kept; whose domains they are.
    pub directory: Directory,
    /// Where it is noted.
    pub journal: Journal,
    /// By which the administrator is told.
    pub queue: Queue,
    /// Which names lead here.
    pub resolver: Resolver,
    /// What uses the certificates.
    pub tls: TlsAcceptor,
    /// The clock.
    pub clock: Clock,
    /// For Message-IDs.
    pub entropy: Entropy,
    /// This server's name.
    pub hostname: String,
}

/// The keeper of certificates; cheap to clone.
#[derive(Clone)]
pub struct Acme {
    deps: Arc<Deps>,
    settings: Arc<Settings>,
    answers: proof::Answers,
    troubles: Arc<Mutex<keeper::Troubles>>,
}

impl Acme {
    /// A keeper that does nothing until it is asked to.
    pub fn new(deps: Deps, settings: Settings) -> Self {
        Self {
            deps: Arc::new(deps),
            settings: Arc::new(settings),
            answers: proof::Answers::default(),
            troubles: Arc::default(),
        }
    }

    /// What is served over HTTP: the answers to challenges (RFC 8555 §8.3).
    pub fn routes(&self) -> Routes {
        let answers = self.answers.clone();
        let serve = move |request: Request| {
            let answer = answers.of(request.parameter("token"));
            async move {
                match answer {
                    Some(answer) => Response::new(200, "application/octet-stream", answer),
                    None => Response::text(404, "no such challenge\n"),
                }
            }
        };
        Routes::of([Route::get("/.well-known/acme-challenge/{token}", serve).plain()])
    }
}
