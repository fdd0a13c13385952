//! The language that a peer is answered in (RFC 6856 §3, RFC 5255 §3).

use crate::Text;

/// A language that answers come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// `i-default`: English for everybody (RFC 2277 §4.5).
    #[default]
    Default,
    /// English.
    English,
    /// Chinese.
    Chinese,
}

impl Language {
    /// Tags and their names in their own language.
    pub const LISTED: [(Language, &'static str, &'static str); 3] = [
        (Language::Default, "i-default", "Default language"),
        (Language::English, "en", "English"),
        (Language::Chinese, "zh", "中文"),
    ];

    /// The language that a client's range means: the tag itself, or the language of its first subtag (RFC 4647 §3.4).
    pub fn named(range: &str) -> Option<Self> {
        let first = range.split('-').next().unwrap_or_default();
        let found =
            Self::LISTED.iter().find(|(_, tag, _)| tag.eq_ignore_ascii_case(range) || tag.eq_ignore_ascii_case(first));
        found.map(|(language, ..)| *language)
    }

    /// Its tag (RFC 5646).
    pub fn tag(self) -> &'static str {
        let listed = Self::LISTED.iter().find(|(language, ..)| *language == self);
        listed.map_or("i-default", |(_, tag, _)| tag)
    }

    /// The text in this language.
    pub fn of_text(self, text: &Text) -> &str {
        match self {
            Self::Chinese => &text.zh,
            Self::Default | Self::English => &text.en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_find_the_nearest_language() {
        for (range, language) in [
            ("zh", Some(Language::Chinese)),
            ("ZH-Hans-CN", Some(Language::Chinese)),
            ("en-GB", Some(Language::English)),
            ("I-DEFAULT", Some(Language::Default)),
            ("i", None),
            ("fr", None),
            ("", None),
        ] {
            assert_eq!(Language::named(range), language, "{range}");
        }
    }
}
