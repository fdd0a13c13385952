//! What the directory knows about: tenants, domains, accounts, groups.

use std::fmt;

use anser_base::{AccountId, Address, DomainId, Language, TenantId, Timestamp};

use crate::zone::TimeZone;

/// The tenant that every installation has.
pub const DEFAULT_TENANT: TenantId = TenantId(1);

/// A domain that mail is taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Its number.
    pub id: DomainId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Its name in normal form: lower case, Unicode labels.
    pub name: String,
    /// Whether it takes no mail and no logins at present.
    pub disabled: bool,
    /// The domain whose addresses it repeats, if it has none of its own.
    pub alias_of: Option<DomainId>,
    /// Where mail to addresses that nobody has goes.
    pub catch_all: Option<Address>,
    /// Who reads `postmaster@` (RFC 5321 §4.5.1); the administrator when `None`.
    pub postmaster: Option<Address>,
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountState {
    /// In use.
    Active,
    /// Keeps its mail and address, but nobody logs in and mail to it waits or is refused.
    Suspended,
    /// Looks gone, but can be restored until it is purged. Its addresses stay taken.
    Removed,
}

impl AccountState {
    pub(crate) fn to_sql(self) -> i64 {
        match self {
            Self::Active => 1,
            Self::Suspended => 2,
            Self::Removed => 3,
        }
    }

    /// Anything unknown counts as suspended: nobody gets in and no mail is lost.
    pub(crate) fn from_sql(value: i64) -> Self {
        match value {
            1 => Self::Active,
            3 => Self::Removed,
            _ => Self::Suspended,
        }
    }
}

/// The language that the house speaks with an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Locale {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

impl Locale {
    /// `zh` or `en`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// The inverse of [`Self::as_str`]; Chinese for anything else.
    pub fn from_text(text: &str) -> Self {
        if text == "en" { Self::En } else { Self::Zh }
    }
}

impl From<Locale> for Language {
    fn from(locale: Locale) -> Self {
        match locale {
            Locale::Zh => Self::Chinese,
            Locale::En => Self::English,
        }
    }
}

/// What an account may do besides using its own mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// Nothing.
    #[default]
    None,
    /// Everything: the administrator, who also reads `postmaster@` by default.
    System,
    /// The accounts of the own organisation.
    Organisation,
    /// Reading the records of what happened.
    Audit,
}

impl Role {
    /// Its name, empty for [`Role::None`].
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::System => "system",
            Self::Organisation => "organisation",
            Self::Audit => "audit",
        }
    }

    /// The inverse of [`Self::as_str`]; `None` for an unknown name.
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::None, Self::System, Self::Organisation, Self::Audit].into_iter().find(|role| role.as_str() == text)
    }
}

/// A door that asks for a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Message submission (RFC 6409).
    Submission,
    /// IMAP (RFC 9051).
    Imap,
    /// POP3 (RFC 1939).
    Pop3,
    /// JMAP (RFC 8620) and the web mail.
    Web,
    /// ManageSieve (RFC 5804).
    ManageSieve,
    /// The login page. The only one where somebody may come who must choose a new password first, or shows a second factor; app
    /// passwords and tokens open nothing there.
    SignIn,
}

impl Service {
    const NAMES: [(Self, &'static str); 6] = [
        (Self::Submission, "smtp"),
        (Self::Imap, "imap"),
        (Self::Pop3, "pop3"),
        (Self::Web, "jmap"),
        (Self::ManageSieve, "sieve"),
        (Self::SignIn, "web"),
    ];

    /// `smtp`, `imap`, `pop3`, `jmap`, `sieve`, `web`.
    pub fn word(self) -> &'static str {
        Self::NAMES.iter().find(|(one, _)| *one == self).map_or("", |(_, word)| word)
    }

    pub(crate) fn to_sql(self) -> i64 {
        Self::NAMES.iter().position(|(one, _)| *one == self).map_or(-1, |at| at as i64)
    }

    pub(crate) fn from_sql(number: i64) -> Option<Self> {
        Self::NAMES.get(usize::try_from(number).ok()?).map(|(one, _)| *one)
    }
}

/// A set of service switches.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Services(pub u32);

impl Services {
    /// No service.
    pub const NONE: Self = Self(0);
    /// [`Service::Submission`].
    pub const SUBMISSION: Self = Self(1);
    /// [`Service::Imap`].
    pub const IMAP: Self = Self(2);
    /// [`Service::Pop3`].
    pub const POP3: Self = Self(4);
    /// [`Service::Web`].
    pub const WEB: Self = Self(8);
    /// [`Service::ManageSieve`].
    pub const MANAGE_SIEVE: Self = Self(16);
    /// Mail to and from other organisations. Not a door: `smtp` and `delivery` ask for it.
    pub const OUTSIDE_MAIL: Self = Self(32);
    /// Nothing is changed. Not a door: who has this, or comes with what has it, reads over the web only.
    pub const READ_ONLY: Self = Self(64);
    /// All that give something.
    pub const ALL: Self = Self(63);

    const NAMES: [(&'static str, Self); 7] = [
        ("submission", Self::SUBMISSION),
        ("imap", Self::IMAP),
        ("pop3", Self::POP3),
        ("web", Self::WEB),
        ("managesieve", Self::MANAGE_SIEVE),
        ("outside-mail", Self::OUTSIDE_MAIL),
        ("read-only", Self::READ_ONLY),
    ];

    /// Whether all switches of `other` are on.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// With the switches of `other` on as well.
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// With the switches of `other` off.
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// One switch by its name: `submission`, `imap`, `pop3`, `web`, `managesieve`, `outside-mail`, `read-only`.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, switch)| *switch)
    }

    /// The names of the switches that are on.
    pub fn names(self) -> Vec<&'static str> {
        Self::NAMES.iter().filter(|(_, switch)| self.contains(*switch)).map(|(name, _)| *name).collect()
    }
}

impl From<Service> for Services {
    fn from(service: Service) -> Self {
        match service {
            Service::Submission => Self::SUBMISSION,
            Service::Imap => Self::IMAP,
            Service::Pop3 => Self::POP3,
            Service::Web | Service::SignIn => Self::WEB,
            Service::ManageSieve => Self::MANAGE_SIEVE,
        }
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// An account: one person's or department's mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number, never used twice.
    pub id: AccountId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The domain of its primary address.
    pub domain: DomainId,
    /// Its primary address, in normal form.
    pub address: Address,
    /// The name shown beside the address; may be empty.
    pub name: String,
    /// Whether it may be used.
    pub state: AccountState,
    /// Room for its mail in bytes; 0 is no limit.
    pub quota_bytes: u64,
    /// Its language.
    pub locale: Locale,
    /// Its service switches.
    pub services: Services,
    /// Its role.
    pub role: Role,
    /// Whether its owner must choose a new password before doing anything else.
    pub must_change_password: bool,
    /// POP3 options as `pop3` writes and reads them; empty by default.
    pub pop3_options: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was removed, while it can still be restored.
    pub removed: Option<Timestamp>,
    /// Whether it is nobody's own: its mailboxes show as shared ones to those who were given rights on them.
    pub shared: bool,
    /// Where its owner lives, when that was said; what counts is [`Self::zone`].
    pub time_zone: Option<TimeZone>,
}

impl Account {
    /// The zone in which its owner's days begin: the one that was set, else that of the language.
    pub fn zone(&self) -> TimeZone {
        self.time_zone.clone().unwrap_or_else(|| TimeZone::of_locale(self.locale))
    }
}

/// A list of people under one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its number.
    pub id: GroupId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Its address, in normal form.
    pub address: Address,
    /// The name shown beside the address; may be empty.
    pub name: String,
}

/// A group. Unique in the whole system, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u64);

/// An app password or a token. Unique in the whole system, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppPasswordId(pub u64);

/// A session of our own pages. Unique in the whole system, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// How a random secret of an account is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AppPasswordKind {
    /// Typed like a password: LOGIN, PLAIN, USER and PASS.
    Typed,
    /// A bearer token (RFC 6750), for OAUTHBEARER and XOAUTH2.
    Bearer,
}

/// What is known about an app password or a token; the secret itself is shown once, when it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPassword {
    /// Its number.
    pub id: AppPasswordId,
    /// The name its owner gave it, unique in the account.
    pub name: String,
    /// The doors it opens.
    pub services: Services,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used, to a quarter of an hour.
    pub last_used: Option<Timestamp>,
    /// From when on it opens nothing; `None` is never.
    pub expires: Option<Timestamp>,
}
