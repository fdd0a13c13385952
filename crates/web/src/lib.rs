//! The Web door: the pages of the login and the webmail, what programs look up to set themselves up, what other servers ask about our
//! domains, and the pages of refusal.
//!
//! Nothing here wants a login or tells whether an address exists: the pages ask JMAP for what they show. Other doors that speak HTTP have tables of their own; the roof joins
//! all of them to one [`anser_net::http::Site`].
//!
//! | module | holds |
//! |---|---|
//! | `page` | pages for people, in English or Chinese |
//! | `login` | the first page |
//! | `look` | what the first page looks like in a house |
//! | `shell` | the pages that a script fills, and what they may do |
//! | `assets` | the scripts and style sheets, as built in `web/` |
//! | `home` | health and status, about, robots |
//! | `domain` | which of our domains is meant |
//! | [`offer`] | what mail programs are told to use |
//! | `autoconfig` | as Thunderbird reads it |
//! | `autodiscover` | as Outlook reads it |
//! | `mobileconfig` | as Apple's devices read it |
//! | [`sts`] | the MTA-STS policy of our domains |

mod assets;
mod autoconfig;
mod autodiscover;
mod domain;
mod home;
mod login;
mod look;
mod mobileconfig;
pub mod offer;
mod page;
mod shell;
pub mod sts;

use std::sync::Arc;

use anser_base::Error;
use anser_directory::Directory;
use anser_net::http::{HeaderMap, Request, Response, Route, Routes, with};

use crate::offer::Offer;

/// What the door works with.
#[derive(Clone)]
pub struct Deps {
    /// The domains.
    pub directory: Directory,
    /// This server's name.
    pub hostname: String,
    /// What mail programs are told to use.
    pub offers: Vec<Offer>,
    /// What other servers are asked for.
    pub mta_sts: sts::Mode,
}

/// The table of this door.
pub fn routes(deps: Deps) -> Routes {
    let deps = Arc::new(deps);
    Routes::of([
        Route::get("/", with(&deps, login::login)),
        Route::get("/mail", shell::to_webmail),
        Route::get("/mail/", shell::webmail),
        Route::get("/mail/letter", shell::letter),
        Route::get("/mail/pdf", shell::pdf),
        // The page in which a PDF is read is of no origin.
        Route::get("/assets/{name}", assets::serve).any_origin(),
        Route::get("/health", with(&deps, home::health)).plain(),
        Route::get("/status", with(&deps, home::status)),
        Route::get("/about", with(&deps, home::about)),
        Route::get("/robots.txt", home::robots).plain(),
        Route::get("/.well-known/mta-sts.txt", with(&deps, sts::serve)),
        Route::get("/mail/config-v1.1.xml", with(&deps, autoconfig::serve)).plain(),
        Route::get("/.well-known/autoconfig/mail/config-v1.1.xml", with(&deps, autoconfig::serve)).plain(),
        Route::post("/autodiscover/autodiscover.xml", with(&deps, autodiscover::pox)),
        Route::post("/Autodiscover/Autodiscover.xml", with(&deps, autodiscover::pox)),
        Route::post("/AutoDiscover/AutoDiscover.xml", with(&deps, autodiscover::pox)),
        Route::get("/autodiscover/autodiscover.json", with(&deps, autodiscover::json)),
        Route::get("/autodiscover/autodiscover.json/v1.0/{address}", with(&deps, autodiscover::json)),
        Route::get("/mail.mobileconfig", with(&deps, mobileconfig::serve)),
    ])
}

/// The page for an answer that no handler gives, for [`anser_net::http::Site::error_page`].
pub fn error_page(status: u16, headers: &HeaderMap) -> Response {
    page::error(status, headers)
}

/// 404.
fn nothing(request: &Request) -> Response {
    page::error(404, request.headers())
}

/// 503: the engine did not answer.
fn failed(request: &Request, error: &Error) -> Response {
    tracing::error!(path = request.path(), error = error.chain(), "a request was not answered");
    page::error(503, request.headers())
}
