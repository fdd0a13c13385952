//! The door of sign-in: sessions of our own pages, by cookie, and grants for programs, by OAuth 2.0.
//!
//! ```text
//! GET /auth/key ─▶ key, nonce        POST /auth/login ─▶ directory: sign_in ─▶ cookie, or what else is asked for
//!                       └─ the page seals the password ─┘
//! ```
//!
//! Every answer is JSON for scripts, and for plain forms a redirect or a page. Whatever goes by the cookie must come from a page of ours
//! ([`Request::is_same_origin`]). Names and passwords are judged by the directory, with the guard of all doors.
//!
//! | module | holds |
//! |---|---|
//! | `seal` | the password once more sealed, inside TLS |
//! | `login` | signing in, step by step, and out |
//! | `happened` | what the journal tells them of themselves: logins, deliveries |
//! | `own` | what somebody who is signed in does with their own: sessions, password |
//! | `portal` | people whom a portal hands over |
//! | [`outside`] | people whom a provider tells of: OpenID Connect, CAS |
//! | `second`, `passkeys` | the own second factors |
//! | `programs` | the own app passwords and tokens |
//! | `oauth`, `scope`, `idtoken` | the authorisation server (RFC 6749) to programs |
//! | `consent`, `grants` | and to owners: yes or no, and what was allowed |
//! | `asked` | what a request says: JSON or a form |
//! | [`answer`] | problems, cookies |
//! | `page` | the pages of those without scripts |
//! | `device` | a browser in words |

pub mod answer;
mod asked;
mod consent;
mod device;
mod grants;
mod happened;
mod idtoken;
mod login;
mod oauth;
pub mod outside;
mod own;
mod page;
mod passkeys;
mod portal;
mod programs;
mod scope;
mod seal;
mod second;

use std::net::IpAddr;
use std::sync::Arc;

use anser_base::{Clock, Entropy};
use anser_directory::webauthn::RelyingParty;
use anser_directory::{AuthFailure, Directory, Visitor};
use anser_journal::{Entry, Journal, Origin, What};
use anser_net::http::{Method, Request, Route, Routes, with};

use crate::idtoken::Signer;
use crate::outside::{Outside, Web};
use crate::seal::Seals;

/// What the door works with.
#[derive(Clone)]
pub struct Deps {
    /// Who there is.
    pub directory: Directory,
    /// What is told of logins.
    pub journal: Journal,
    /// What time it is.
    pub clock: Clock,
    /// Randomness, for nonces.
    pub entropy: Entropy,
    /// How providers outside are reached.
    pub web: Web,
    /// Where this door is found, and who vouches for id tokens: scheme, host, and port where it is no usual one.
    pub url: String,
}

/// The door.
pub(crate) struct Door {
    deps: Deps,
    seals: Seals,
    signer: Signer,
    relying_party: RelyingParty,
    outside: Outside,
}

/// The door's name in the journal.
const PROTOCOL: &str = "web";

/// The table of this door.
pub fn routes(deps: Deps) -> Routes {
    let seals = Seals::new(&deps.directory, &deps.clock, &deps.entropy);
    let relying_party = RelyingParty::of(&deps.url);
    let door = Arc::new(Door { seals, signer: Signer::default(), relying_party, outside: Outside::default(), deps });
    Routes::of([
        Route::get("/auth/key", with(&door, login::key)),
        Route::post("/auth/login", with(&door, login::login)),
        Route::post("/auth/logout", with(&door, login::logout)),
        Route::get("/auth/sessions", with(&door, own::sessions)),
        Route::new(Method::DELETE, "/auth/sessions", with(&door, own::end_others)),
        Route::new(Method::DELETE, "/auth/sessions/{id}", with(&door, own::end_session)),
        Route::get("/auth/password", with(&door, own::password_rules)),
        Route::post("/auth/password", with(&door, own::change_password)),
        Route::get("/auth/logins", with(&door, happened::logins)),
        Route::get("/auth/deliveries", with(&door, happened::deliveries)),
        Route::get("/auth/second-factor", with(&door, second::show)),
        Route::post("/auth/totp", with(&door, second::begin)),
        Route::post("/auth/totp/confirm", with(&door, second::confirm)),
        Route::post("/auth/totp/remove", with(&door, second::remove)),
        Route::post("/auth/totp/recovery", with(&door, second::renew)),
        Route::post("/auth/passkey", with(&door, passkeys::ask)),
        Route::post("/auth/passkeys/begin", with(&door, passkeys::begin)),
        Route::post("/auth/passkeys", with(&door, passkeys::add)),
        Route::post("/auth/passkeys/{id}", with(&door, passkeys::rename)),
        Route::post("/auth/passkeys/{id}/remove", with(&door, passkeys::remove)),
        Route::get("/auth/portal/{portal}", with(&door, portal::arrive)),
        Route::get("/auth/outside/{provider}", with(&door, outside::leave)),
        Route::get("/auth/outside/{provider}/back", with(&door, outside::arrive)),
        Route::get("/.well-known/oauth-authorization-server", with(&door, oauth::metadata)).any_origin(),
        Route::get("/.well-known/openid-configuration", with(&door, oauth::metadata)).any_origin(),
        Route::get("/auth/jwks", with(&door, oauth::jwks)).any_origin(),
        Route::post("/auth/token", with(&door, oauth::token)).any_origin(),
        Route::post("/auth/revoke", with(&door, oauth::revoke)).any_origin(),
        Route::get("/auth/userinfo", with(&door, oauth::userinfo)).any_origin(),
        Route::post("/auth/device/code", with(&door, oauth::device)),
        Route::get("/auth/authorize", with(&door, consent::authorize)),
        Route::post("/auth/authorize", with(&door, consent::decide)),
        Route::get("/auth/device", with(&door, consent::device)),
        Route::post("/auth/device", with(&door, consent::device_decide)),
        Route::get("/auth/grants", with(&door, grants::list)),
        Route::new(Method::DELETE, "/auth/grants/{id}", with(&door, grants::revoke)),
        Route::get("/auth/app-passwords", with(&door, programs::list)),
        Route::post("/auth/app-passwords", with(&door, programs::add)),
        Route::new(Method::DELETE, "/auth/app-passwords/{id}", with(&door, programs::revoke)),
        Route::get("/auth/tokens", with(&door, programs::list)),
        Route::post("/auth/tokens", with(&door, programs::add)),
        Route::new(Method::DELETE, "/auth/tokens/{id}", with(&door, programs::revoke)),
    ])
}

impl Door {
    /// Notes an event in the journal.
    async fn note(&self, client: IpAddr, what: What) {
        let origin = Origin::peer(PROTOCOL, client);
        if let Err(error) = self.deps.journal.append(Entry { origin, what }).await {
            tracing::error!(error = error.chain(), "the journal does not take an event");
        }
    }

    /// Notes a login that failed.
    async fn note_failure(&self, request: &Request, user: String, failure: &AuthFailure) {
        let (why, reason) = (failure.error.text.en.clone().into_owned(), Some(failure.reason.name().to_owned()));
        self.note(request.peer().ip(), What::LoginFailed { user, why, reason }).await;
    }

    /// Notes what somebody did with their own account.
    async fn note_act(&self, client: IpAddr, actor: &str, act: &str, after: Option<String>) {
        let (actor, object) = (actor.to_owned(), actor.to_owned());
        self.note(client, What::Administered { actor, act: act.to_owned(), object, before: None, after }).await;
    }
}

/// Who sent a request.
fn visitor<'a>(request: &Request, device: &'a str) -> Visitor<'a> {
    Visitor { source: request.peer().ip(), device, tls: request.tls().is_some() }
}
