//! What is asked for about how people sign in.

use serde::{Deserialize, Serialize};

use super::Plain;

/// What is done about how people sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignInAct {
    /// Lists the sessions of our own pages.
    Sessions {
        /// The account.
        address: String,
    },
    /// Ends one of them, or all.
    End {
        /// The account.
        address: String,
        /// Which one.
        id: Option<u64>,
    },
    /// Shows the second factor.
    SecondFactor {
        /// The account.
        address: String,
    },
    /// Takes the second factor away, so that its owner can set up another.
    Reset {
        /// The account.
        address: String,
    },
    /// Says where a second factor is required.
    Require {
        /// An account, a domain, `*`.
        scope: String,
        /// Whether it is.
        required: bool,
    },
    /// Lists where it is required.
    Required,
    /// Registers a client (RFC 6749 §2).
    ClientAdd {
        /// The client.
        client: ClientSpec,
    },
    /// Lists clients.
    ClientList,
    /// Registers a portal that vouches for people.
    PortalAdd {
        /// Its name.
        id: String,
        /// For whom it vouches: a domain, or `*`.
        scope: String,
        /// Its Ed25519 key in base64url; without one it gets a secret.
        key: Option<String>,
    },
    /// Lists portals.
    PortalList,
    /// Removes a portal.
    PortalRemove {
        /// Its name.
        id: String,
    },
    /// Sets rules of signing in; what is not named stays.
    RulesSet {
        /// The rules.
        rules: SignInRules,
    },
    /// Lists rules.
    RulesList,
    /// Removes the rules of a scope.
    RulesRemove {
        /// A domain, or `*`.
        scope: String,
    },
    /// Sets what the login page looks like; what is not named stays.
    LookSet {
        /// The look.
        look: LookSpec,
    },
    /// Lists looks.
    LookList,
    /// Removes the look of a scope.
    LookRemove {
        /// A domain, or `*`.
        scope: String,
    },
    /// Registers a provider that tells who somebody is.
    ProviderAdd {
        /// The provider.
        provider: ProviderSpec,
        /// Its client's secret.
        secret: Option<Plain>,
    },
    /// Lists providers.
    ProviderList,
    /// Removes a provider, with its links.
    ProviderRemove {
        /// Its name.
        id: String,
    },
    /// Says whose account somebody is whom a provider calls by a name, or takes that back.
    ProviderLink {
        /// The provider.
        id: String,
        /// What it calls them.
        person: String,
        /// The account; `None` takes it back.
        address: Option<String>,
    },
    /// Removes a client, with all grants that it was given.
    ClientRemove {
        /// `client_id`.
        id: String,
    },
}

/// What is done about tokens that acts are done by over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenAct {
    /// Makes one.
    Add {
        /// Its name.
        name: String,
        /// `moves:read`, `moves:write`.
        scopes: Vec<String>,
        /// The only move that it opens, by its name.
        #[serde(default)]
        of_move: Option<String>,
        /// How many days it is good for.
        days: u32,
    },
    /// Lists them.
    List,
    /// Makes one worthless.
    Revoke {
        /// Its name.
        name: String,
    },
}

/// Rules of signing in, to be set or as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInRules {
    /// A domain, or `*`.
    pub scope: String,
    /// Minutes that a session lasts without a request.
    pub idle_minutes: Option<u64>,
    /// Hours that it lasts at most.
    pub longest_hours: Option<u64>,
    /// Characters of a new password at least.
    pub password_length: Option<usize>,
    /// Kinds of characters in it at least.
    pub password_kinds: Option<usize>,
    /// The doors that are there; none named is as it was.
    pub services: Vec<String>,
}

/// What the login page of a domain is to look like; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookSpec {
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
    /// A picture, at most 16 KiB.
    pub logo: Option<Vec<u8>>,
}

/// A provider of sign-in, to be registered or as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderSpec {
    /// Its name in paths.
    pub id: String,
    /// Its name on the login page.
    pub name: String,
    /// For whom it speaks: a domain, or `*`.
    pub scope: String,
    /// `openid`, `cas`, `cas2`.
    pub kind: String,
    /// The issuer, or what stands before `/login` of CAS.
    pub url: String,
    /// `client_id`.
    pub client: String,
    /// The claim or attribute that names somebody.
    pub claim: String,
    /// What that is here: `address`, `user`, `linked`.
    pub names: String,
    /// Whether the own password still opens the login page.
    pub password: bool,
    /// Whether the second factor is asked for after it.
    pub second_factor: bool,
}

/// A client to be registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSpec {
    /// `client_id`.
    pub id: String,
    /// The name that owners are shown.
    pub name: String,
    /// Where it is sent back to.
    pub redirects: Vec<String>,
    /// The most that it is given; none is who the owner is, and nothing else.
    pub services: Vec<String>,
    /// Whether it gets a secret.
    pub confidential: bool,
}
