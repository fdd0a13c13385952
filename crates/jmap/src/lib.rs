//! JMAP (RFC 8620): Anser's open API, for mail (RFC 8621), and the only one that the webmail uses.
//!
//! ```text
//! POST /jmap/api ── auth ── json ── api: for each call: references ─▶ METHODS row ─▶ its function ─▶ law + store ─▶ response
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `auth`, `session` | who asks; what there is for them |
//! | `json` | JSON within limits |
//! | `api`, `reference` | one request: its calls, and results that refer to earlier ones |
//! | `method` | the table of methods, and what a method is given |
//! | `error`, `words` | what goes wrong, in the words of the RFCs; the same in Chinese |
//! | `law` | `/get`, `/changes`, `/set`, `/query`, `/queryChanges`: what is the same for all types |
//! | `access`, `ids` | whose account, which rights; ids on the wire |
//! | `blob` | uploading, downloading, blobs within requests |
//! | `push` | who follows is told of changes |
//! | `door` | what all requests share |
//! | `mailbox`, `thread`, `email`, `identity`, `submission`, `vacation` | the types |
//! | `rules` | the active script, as the form that shows it |
//! | `mdn` | telling senders that their mail was read |
//! | `sieve` | scripts |
//! | `quota`, `principal`, `share` | how much room there is; who there is; what was shared |
//! | `contact` | address books and cards |
//! | `vendor` | what `urn:anser:mail` adds |

mod access;
mod api;
mod auth;
mod blob;
mod contact;
mod door;
mod email;
mod error;
mod identity;
mod ids;
mod json;
mod law;
mod mailbox;
mod mdn;
mod method;
#[cfg(test)]
mod page;
mod principal;
mod push;
mod quota;
mod reference;
mod rules;
mod session;
mod share;
mod sieve;
mod submission;
mod thread;
mod vacation;
mod vendor;
mod words;

use std::sync::Arc;
use std::time::Duration;

use anser_base::{Clock, Entropy};
use anser_directory::Directory;
use anser_journal::Journal;
use anser_migrate::Migrate;
use anser_net::http::{Method, Request, Response, Route, Routes, with};
use anser_queue::Queue;
use anser_store::Store;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::door::Door;

pub use crate::contact::{cards_in, writer as card_writer};
pub use crate::identity::{Taken, add_identity, has_identity, take_identity};
pub use crate::submission::{Letter, NotSent, Submit};
pub use crate::vendor::Web;

/// What the door works with.
#[derive(Clone)]
pub struct Deps {
    /// Mail.
    pub store: Store,
    /// Who there is.
    pub directory: Directory,
    /// What is told of logins, and of what became of mail that was sent.
    pub journal: Journal,
    /// Mail under way.
    pub queue: Queue,
    /// Takes mail to be sent.
    pub submit: Submit,
    /// What time it is.
    pub clock: Clock,
    /// Randomness, for Message-IDs and boundaries.
    pub entropy: Entropy,
    /// Where clients find this door: scheme, host, and port where it is no usual one, without a slash at the end.
    pub url: String,
    /// What clients may do at most.
    pub limits: Limits,
    /// How pictures in messages are fetched; `None` fetches none.
    pub web: Option<Web>,
    /// Moves persons' mail in; `None` moves none.
    pub moves: Option<Migrate>,
}

/// What clients may do at most; the capability object tells them (RFC 8620 §2).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `maxSizeUpload`, in bytes.
    pub size_upload: u64,
    /// `maxConcurrentUpload`, of one account.
    pub concurrent_upload: usize,
    /// Connections that one account is told of changes by.
    pub concurrent_push: usize,
    /// Pictures of other servers that are fetched at once for one account.
    pub concurrent_images: usize,
    /// `maxSizeRequest`, in bytes.
    pub size_request: u64,
    /// `maxConcurrentRequests`, of one account.
    pub concurrent_requests: usize,
    /// `maxCallsInRequest`.
    pub calls_in_request: usize,
    /// `maxObjectsInGet`.
    pub objects_in_get: usize,
    /// `maxObjectsInSet`.
    pub objects_in_set: usize,
    /// Values of JSON that one request may hold.
    pub json_values: usize,
    /// Bytes of one answer, about.
    pub size_answer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            size_upload: anser_base::limits::MESSAGE_SIZE,
            concurrent_upload: 4,
            concurrent_push: 32,
            concurrent_images: 16,
            size_request: 10_000_000,
            concurrent_requests: 8,
            calls_in_request: 32,
            objects_in_get: 1_000,
            objects_in_set: 1_000,
            json_values: 200_000,
            size_answer: 64 * 1024 * 1024,
        }
    }
}

/// How long a request may take, its reading included.
const TIME: Duration = Duration::from_secs(120);

/// How long an upload may take.
const UPLOAD_TIME: Duration = Duration::from_secs(3600);

/// The table of this door.
pub fn routes(deps: Deps) -> Routes {
    // More than is allowed is taken here, so that the refusal can say which limit it is: the handlers keep them.
    let request = deps.limits.size_request.saturating_mul(2);
    let door = Arc::new(Door::new(deps));
    push::begin(&door);
    Routes::of([
        Route::get("/.well-known/jmap", spoken(&door, session::get)).any_origin(),
        Route::get("/jmap/session", spoken(&door, session::get)).any_origin(),
        Route::new(Method::POST, "/jmap/api", spoken(&door, api::post)).body(request).time(TIME).any_origin(),
        Route::post("/jmap/upload/{accountId}", spoken(&door, blob::upload))
            .body(u64::MAX)
            .time(UPLOAD_TIME)
            .any_origin(),
        Route::get("/jmap/events", spoken(&door, push::events)).any_origin(),
        Route::get("/jmap/ws", spoken(&door, push::socket)),
        Route::get("/jmap/image/{accountId}/{until}/{seal}", spoken(&door, vendor::image)).any_origin(),
        Route::get("/jmap/moved/{accountId}/{id}/{message}", spoken(&door, vendor::moved)).any_origin(),
        Route::get("/jmap/download/{accountId}/{blobId}/{name}", spoken(&door, blob::download)).any_origin(),
    ])
}

/// A handler of the door, which answers in the language that the request asks for.
fn spoken<F, A>(
    door: &Arc<Door>,
    handler: F,
) -> impl Fn(Request) -> BoxFuture<'static, Response> + Send + Sync + 'static
where
    F: Fn(Arc<Door>, Request) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Response> + Send + 'static,
{
    with(door, move |door, request: Request| {
        let language = request.language();
        words::speaking(language, handler(door, request)).boxed()
    })
}
