//! What an account's POP3 options say.

use std::fmt;
use std::time::Duration;

use anser_base::{Error, Result, Timestamp};

/// Most days that [`Options::days`] takes: a hundred years.
pub const DAYS: u32 = 36_500;

/// The options of one account, as its `pop3_options` holds them: words of the form `name=value`, separated by white space. Empty text
/// is the default.
///
/// | word | meaning |
/// |---|---|
/// | `days=30` | the maildrop shows only messages that came in the last 30 days |
///
/// ```
/// use anser_pop3::Options;
/// let options = Options::parse("days=30").unwrap();
/// assert_eq!(options.days, Some(30));
/// assert_eq!(options.to_string(), "days=30");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Messages received more than this many days ago are not shown; 1 to [`DAYS`].
    pub days: Option<u32>,
}

impl Options {
    /// Reads the text, strictly: for whoever sets it. [`anser_base::Class::Invalid`] names the word that is none.
    pub fn parse(text: &str) -> Result<Self> {
        let mut options = Self::default();
        for word in text.split_whitespace() {
            options.apply(word).ok_or_else(|| {
                Error::invalid(format!("not a POP3 option: {word}"), format!("无效的 POP3 选项：{word}"))
            })?;
        }
        Ok(options)
    }

    /// Reads the text, leaving out words that are none: for a login, which must not fail for them.
    pub(crate) fn read(text: &str) -> Self {
        let mut options = Self::default();
        for word in text.split_whitespace() {
            if options.apply(word).is_none() {
                tracing::warn!(word, "unknown POP3 option");
            }
        }
        options
    }

    fn apply(&mut self, word: &str) -> Option<()> {
        let days = word.strip_prefix("days=")?.parse().ok().filter(|days| (1..=DAYS).contains(days))?;
        self.days = Some(days);
        Some(())
    }

    /// The moment from which on messages are shown.
    pub(crate) fn since(&self, now: Timestamp) -> Option<Timestamp> {
        let window = Duration::from_secs(u64::from(self.days?) * 24 * 3600);
        Some(Timestamp(now.0.saturating_sub(window.as_millis() as i64)))
    }
}

impl fmt::Display for Options {
    /// The text that [`Self::parse`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.days.map_or(Ok(()), |days| write!(f, "days={days}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_and_nonsense_is_named() {
        for text in ["", "days=1", "days=36500"] {
            assert_eq!(Options::parse(text).unwrap().to_string(), text);
        }
        for text in ["days=0", "days=36501", "days=-1", "days=", "days", "weeks=1"] {
            assert!(Options::parse(text).is_err(), "{text}");
            assert_eq!(Options::read(&format!("{text} days=7")).days, Some(7));
        }
    }
}
