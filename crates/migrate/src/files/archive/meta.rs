//! What Zimbra tells of a message beside it, as JSON: flags, tags, and when it was received.

use anser_store::{Flags, Keywords};
use serde::Deserialize;

use super::super::{keyword_of, written};

/// Letters of flags.
const LETTERS: [(char, Flags); 4] =
    [('f', Flags::FLAGGED), ('r', Flags::ANSWERED), ('d', Flags::DRAFT), ('x', Flags::DELETED)];
/// It was not read.
const UNREAD: char = 'u';
/// It was passed on.
const PASSED: char = 'w';
/// Tags of one message that are kept.
const TAGS: usize = 500;

/// What is told of a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    pub flags: Flags,
    pub keywords: Keywords,
    /// As the list of a source writes it; empty when it is not told.
    pub received: String,
}

#[derive(Deserialize)]
struct Json {
    #[serde(rename = "FlagStr", default)]
    flags: String,
    #[serde(rename = "TagNames", default)]
    tags: String,
    #[serde(rename = "TagStr", default)]
    old_tags: String,
    #[serde(default)]
    date: i64,
}

impl Meta {
    /// Reads it; `None` when it is something else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let json: Json = serde_json::from_slice(text).ok()?;
        let has = |letter: char| json.flags.contains(letter);
        let mut flags = if has(UNREAD) { Flags::default() } else { Flags::SEEN };
        for (letter, flag) in LETTERS {
            flags = if has(letter) { flags.with(flag) } else { flags };
        }
        // Before 6.0.7 names began with a colon, and before that there were numbers.
        let tags = if json.tags.is_empty() { json.old_tags.strip_prefix(':').unwrap_or_default() } else { &json.tags };
        let mut words: Vec<String> = tags_of(tags).iter().map(|tag| keyword_of(tag)).collect();
        if has(PASSED) {
            words.push("$Forwarded".to_owned());
        }
        let received = if json.date > 0 { written(json.date, 0) } else { String::new() };
        Some(Self { flags, keywords: Keywords::new(words.iter().map(String::as_str)), received })
    }
}

/// Names with colons between; a backslash stands before a colon, or a backslash, that is part of one.
fn tags_of(text: &str) -> Vec<String> {
    let (mut tags, mut tag, mut escaped) = (Vec::new(), String::new(), false);
    for letter in text.chars() {
        match letter {
            '\\' if !escaped => escaped = true,
            ':' if !escaped => tags.push(std::mem::take(&mut tag)),
            _ => {
                tag.push(letter);
                escaped = false;
            }
        }
    }
    tags.push(tag);
    tags.retain(|tag| !tag.is_empty());
    tags.truncate(TAGS);
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_tags_and_date_are_read() {
        let meta = Meta::parse(
            br#"{"id":257,"imap_id":257,"date":1600000000,"FlagStr":"ufw","TagNames":"To Do:a\\:b","Ver":1}"#,
        )
        .unwrap();
        assert_eq!((meta.flags, &*meta.received), (Flags::FLAGGED, "13-Sep-2020 12:26:40 +0000"));
        assert_eq!(meta.keywords.iter().collect::<Vec<_>>(), ["$Forwarded", "a:b", "To_Do"]);
        let old = Meta::parse(br#"{"FlagStr":"","TagStr":":red"}"#).unwrap();
        assert_eq!((old.flags, old.keywords.iter().collect::<Vec<_>>()), (Flags::SEEN, vec!["red"]));
        assert_eq!(Meta::parse(b"Subject: no"), None);
    }
}
