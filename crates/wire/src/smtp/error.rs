//! Why a command was refused, as the reply to give.

use super::reply::{Enhanced, Reply};

/// A command that cannot be carried out as written. The caller answers [`CommandError::reply`] and goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandError {
    /// The reply code (RFC 5321 §4.2).
    pub code: u16,
    /// The enhanced status code (RFC 3463).
    pub enhanced: Enhanced,
    /// What to tell the peer, in English as the protocol asks.
    pub text: &'static str,
}

impl CommandError {
    /// Error with these three parts.
    pub const fn new(code: u16, enhanced: Enhanced, text: &'static str) -> Self {
        Self { code, enhanced, text }
    }

    /// 501 5.5.4: a known command with arguments that are not understood.
    pub const fn arguments(text: &'static str) -> Self {
        Self::new(501, (5, 5, 4), text)
    }

    /// 500 5.5.2: not a command line at all.
    pub const fn syntax(text: &'static str) -> Self {
        Self::new(500, (5, 5, 2), text)
    }

    /// The reply to give.
    pub fn reply(&self) -> Reply {
        Reply::new(self.code, Some(self.enhanced), self.text)
    }
}

impl std::fmt::Display for CommandError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (class, subject, detail) = self.enhanced;
        write!(f, "{} {class}.{subject}.{detail} {}", self.code, self.text)
    }
}

impl std::error::Error for CommandError {}
