//! What is said of signing in.

use serde::{Deserialize, Serialize};

/// A session of our own pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Its number.
    pub id: u64,
    /// When somebody signed in (RFC 3339).
    pub created: String,
    /// When it was last used.
    pub seen: String,
    /// When it ends at the latest.
    pub expires: String,
    /// The device, in words.
    pub device: String,
    /// The address that it was last used from.
    pub source: String,
}

/// The second factor of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactorView {
    /// An authenticator is set up.
    pub totp: bool,
    /// Passkeys.
    #[serde(default)]
    pub passkeys: u64,
    /// One is required.
    pub required: bool,
    /// Recovery codes that are left.
    pub recovery: u64,
}

/// A program that may ask owners for grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientView {
    /// `client_id`.
    pub id: String,
    /// The name that owners are shown.
    pub name: String,
    /// Where it is sent back to.
    pub redirects: Vec<String>,
    /// The most that it is given.
    pub services: Vec<String>,
    /// Whether it has a secret.
    pub confidential: bool,
}

/// A portal that vouches for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortalView {
    /// Its name.
    pub id: String,
    /// For whom it vouches.
    pub scope: String,
}

/// What the login page of a domain looks like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookView {
    /// A domain, or `*`.
    pub scope: String,
    /// `paper`, `card`, `beside`.
    pub layout: Option<String>,
    /// `#rrggbb`.
    pub colour: Option<String>,
    /// What the page calls the house: for readers of Chinese, and of English.
    pub name: Option<[String; 2]>,
    /// What stands below, likewise.
    pub line: Option<[String; 2]>,
    /// Media type of the logo.
    pub logo: Option<String>,
}

/// A token that acts are done by over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminTokenView {
    /// Its name.
    pub name: String,
    /// What it opens.
    pub scopes: Vec<String>,
    /// The only move that it opens; all without.
    #[serde(default)]
    pub of_move: Option<String>,
    /// When it was made (RFC 3339).
    pub created: String,
    /// When it ends.
    pub expires: String,
    /// When it was last used, to a few minutes.
    pub last_used: Option<String>,
    /// It is over.
    pub over: bool,
}
