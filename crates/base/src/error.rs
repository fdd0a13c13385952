//! The one error type of the house: what kind of trouble, what the peer may read, and the whole chain for the log.

use std::borrow::Cow;
use std::fmt;

/// What the caller can do about it. A door turns the class into its protocol's code and nothing else decides permanence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The request makes no sense; asking again cannot help.
    Invalid,
    /// The named thing does not exist.
    NotFound,
    /// The named thing exists already.
    Exists,
    /// It exists and is well, but this caller may not.
    Forbidden,
    /// Who the caller is was not shown: wrong password, no login.
    Unauthenticated,
    /// The account or tenant has no room left.
    OverQuota,
    /// A limit of the house; less or later may work.
    Limit,
    /// Somebody else changed it meanwhile; read and try again.
    Conflict,
    /// The disk is full. Nothing was changed; try again when there is room.
    Full,
    /// Stored data does not verify. `anser check` says what to do; other accounts are not touched.
    Damaged,
    /// Not now: an engine, a file or a peer is out of reach. Try again.
    Unavailable,
}

impl Class {
    /// Whether trying the same again later can succeed.
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::Limit | Self::Conflict | Self::Full | Self::Damaged | Self::Unavailable | Self::OverQuota)
    }
}

/// A text for a person, in both languages of the house. Never holds secrets or inner details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: Cow<'static, str>,
    /// Chinese.
    pub zh: Cow<'static, str>,
}

impl Text {
    /// A text in both languages.
    pub fn new(en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}

/// Trouble. `text` goes to the peer; `source` goes to the log, once, at the edge.
#[derive(Debug)]
pub struct Error {
    /// What can be done about it.
    pub class: Class,
    /// What the peer may read.
    pub text: Text,
    /// What caused it; for the log only.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of anything that can fail in the house's own terms.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error without an inner cause.
    pub fn new(class: Class, en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) -> Self {
        Self { class, text: Text::new(en, zh), source: None }
    }

    /// Adds the inner cause, for the log.
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// [`Class::Invalid`].
    pub fn invalid(en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Class::Invalid, en, zh)
    }

    /// [`Class::NotFound`].
    pub fn not_found(en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Class::NotFound, en, zh)
    }

    /// [`Class::Exists`].
    pub fn exists(en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Class::Exists, en, zh)
    }

    /// [`Class::Damaged`], with what was found.
    pub fn damaged(detail: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(
            Class::Damaged,
            "temporarily unavailable: stored data is damaged; run anser check",
            "暂时不可用：存储数据已损坏，请运行 anser check",
        )
        .caused_by(detail)
    }

    /// [`Class::Unavailable`], with the cause for the log.
    pub fn unavailable(detail: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(Class::Unavailable, "temporarily unavailable", "暂时不可用").caused_by(detail)
    }

    /// A file operation's failure: no room becomes [`Class::Full`], everything else [`Class::Unavailable`].
    pub fn io(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::new(Class::Full, "insufficient system storage", "系统存储空间不足").caused_by(error)
            }
            _ => Self::unavailable(error),
        }
    }

    /// The whole chain on one line, for the log.
    pub fn chain(&self) -> String {
        let mut line = format!("{:?}: {}", self.class, self.text.en);
        let mut next = self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static));
        while let Some(source) = next {
            line.push_str(": ");
            line.push_str(&source.to_string());
            next = source.source();
        }
        line
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text.en)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}
