//! Texts in the forms that comparators compare.

use std::cell::OnceCell;
use std::sync::OnceLock;

use unicode_normalization::UnicodeNormalization;

use super::Comparator;

/// A text with its folded forms, each made at most once.
#[derive(Debug)]
pub(crate) struct Text {
    plain: Box<str>,
    /// US-ASCII letters in upper case (RFC 4790 §9.2.1).
    ascii: OnceLock<Box<str>>,
    /// RFC 5051 §2.
    unicode: OnceLock<Box<str>>,
}

/// A text of a message that is made when it is first asked for.
pub(crate) type Lazy = OnceCell<std::rc::Rc<Text>>;

impl Text {
    pub(crate) fn new(plain: impl Into<Box<str>>) -> Text {
        Text { plain: plain.into(), ascii: OnceLock::new(), unicode: OnceLock::new() }
    }

    pub(crate) fn plain(&self) -> &str {
        &self.plain
    }

    /// The form in which `comparator` compares octet by octet.
    pub(crate) fn folded(&self, comparator: Comparator) -> &str {
        match comparator {
            Comparator::Octet | Comparator::AsciiNumeric => &self.plain,
            Comparator::AsciiCasemap => self.ascii.get_or_init(|| self.plain.to_ascii_uppercase().into()),
            Comparator::UnicodeCasemap => self.unicode.get_or_init(|| fold_unicode(&self.plain).into()),
        }
    }

    /// The folded form, and for every byte of it, and for its end, the byte of the plain text that it comes from; `None`
    /// when bytes correspond one to one.
    pub(crate) fn origins(&self, comparator: Comparator) -> Option<Vec<u32>> {
        if comparator != Comparator::UnicodeCasemap || self.plain.is_ascii() {
            return None;
        }
        let mut origins = Vec::with_capacity(self.plain.len() + 1);
        let mut folded = String::new();
        for (at, c) in self.plain.char_indices() {
            folded.clear();
            fold_char(c, &mut folded);
            origins.extend(std::iter::repeat_n(at as u32, folded.len()));
        }
        origins.push(self.plain.len() as u32);
        Some(origins)
    }
}

/// Title case, then decomposed (RFC 5051 §2): both by character, so that a text can be told apart again. Upper case stands
/// for title case, with its expansions (ß is SS): some texts are equal that simple mappings would tell apart.
fn fold_unicode(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_uppercase();
    }
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| fold_char(c, &mut out));
    out
}

fn fold_char(c: char, out: &mut String) {
    if c.is_ascii() {
        out.push(c.to_ascii_uppercase());
    } else {
        out.extend(c.to_uppercase().nfkd());
    }
}
