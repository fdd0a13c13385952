//! The Web door: what programs look up to set themselves up, what other servers ask about our domains, and the pages of refusal.
//!
//! Nothing here wants a login or tells whether an address exists. Other doors that speak HTTP have tables of their own; the roof joins
//! all of them to one [`anser_net::http::Site`].
//!
//! | module | holds |
//! |---|---|
//! | `page` | pages for people, in English or Chinese |
//! | `home` | the first page, health |

mod home;
mod page;

use std::sync::Arc;

use anser_directory::Directory;
use anser_net::http::{HeaderMap, Request, Response, Route, Routes};

/// What the door works with.
#[derive(Clone)]
pub struct Deps {
    /// The domains.
    pub directory: Directory,
    /// This server's name.
    pub hostname: String,
}

/// The table of this door.
pub fn routes(deps: Deps) -> Routes {
    let deps = Arc::new(deps);
    Routes::of([Route::get("/", with(&deps, home::home)), Route::get("/health", with(&deps, home::health)).plain()])
}

/// The page for an answer that no handler gives, for [`anser_net::http::Site::error_page`].
pub fn error_page(status: u16, headers: &HeaderMap) -> Response {
    page::error(status, headers)
}

/// A handler that is given what the door works with.
fn with<H, F>(deps: &Arc<Deps>, handler: H) -> impl Fn(Request) -> F + Send + Sync + 'static
where
    H: Fn(Arc<Deps>, Request) -> F + Send + Sync + 'static,
{
    let deps = deps.clone();
    move |request| handler(deps.clone(), request)
}
