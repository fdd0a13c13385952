//! The form in which texts are compared: one text is in another when its folded form is a substring of the other's folded form.
//!
//! Compatibility forms are one (Unicode NFKC: full-width letters and digits, half-width katakana, ligatures, the ideographic
//! space), case does not matter (every character through upper to lower case, after RFC 5051), a run of white space is one
//! space, characters that nobody sees are nothing. A folded text holds no line break and no control character.

use unicode_normalization::UnicodeNormalization;

/// Folds a whole text. Linear.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold_into(text, &mut out);
    out
}

/// Appends the folded form of a text.
pub fn fold_into(text: &str, out: &mut String) {
    let mut folder = Folder { out, space: false };
    // Nothing is composed over the end of a line, so that only lines with rare characters take the slow way.
    for line in text.split_inclusive('\n') {
        if line.is_ascii() {
            line.bytes().for_each(|byte| folder.ascii(byte));
        } else if line.chars().all(is_plain) {
            line.chars().for_each(|c| folder.char(c));
        } else {
            line.nfkc().for_each(|c| folder.char(c));
        }
    }
    if folder.space {
        folder.out.push(' ');
    }
}

struct Folder<'a> {
    out: &'a mut String,
    space: bool,
}

impl Folder<'_> {
    fn ascii(&mut self, byte: u8) {
        if byte <= b' ' || byte == 0x7f {
            self.space = true;
        } else {
            self.shown();
            self.out.push(byte.to_ascii_lowercase() as char);
        }
    }

    fn char(&mut self, c: char) {
        match c {
            '\0'..='\x7f' => self.ascii(c as u8),
            // Full-width forms of ASCII; NFKC turns them into the same.
            '\u{ff01}'..='\u{ff5e}' => self.ascii((c as u32 - 0xfee0) as u8),
            '\u{3040}'..='\u{9fff}' => {
                self.shown();
                self.out.push(c);
            }
            c if c.is_whitespace() || c.is_control() => self.space = true,
            c if is_invisible(c) => {}
            c => {
                self.shown();
                self.out.extend(c.to_uppercase().flat_map(char::to_lowercase));
            }
        }
    }

    fn shown(&mut self) {
        if std::mem::take(&mut self.space) {
            self.out.push(' ');
        }
    }
}

/// Whether NFKC leaves a character as [`Folder::char`] does, whatever stands beside it.
fn is_plain(c: char) -> bool {
    matches!(c, '\0'..='\x7f' | '\u{c0}'..='\u{ff}' | '\u{391}'..='\u{3a9}' | '\u{3b1}'..='\u{3c9}' | '\u{400}'..='\u{44f}'
        | '\u{2010}' | '\u{2013}'..='\u{2014}' | '\u{2018}'..='\u{2019}' | '\u{201c}'..='\u{201d}'
        | '\u{3001}'..='\u{3002}' | '\u{3008}'..='\u{3011}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff01}'..='\u{ff5e}')
}

/// Soft hyphens, joiners, direction and byte order marks.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_has_one_form() {
        for (text, folded) in [
            ("STRASSE", "strasse"),
            ("Straße", "strasse"),
            ("ПРИВЕТ", "привет"),
            ("ΣΟΦΟΣ", "σοφοσ"),
            ("σοφος", "σοφοσ"),
            ("ＡＢＣ１２３，中国", "abc123,中国"),
            ("ﾃｽﾄ", "テスト"),
            ("e\u{301}\u{200b}t\u{e9}", "été"),
            ("a \t\r\n b\u{3000}c", "a b c"),
            (" a ", " a "),
            ("so\u{ad}ft", "soft"),
            ("…ﬁ", "...fi"),
        ] {
            assert_eq!(fold(text), folded, "{text:?}");
        }
    }

    #[test]
    fn the_quick_way_agrees_with_the_slow_one() {
        for c in (0..0x11_0000).filter_map(char::from_u32).filter(|c| is_plain(*c)) {
            for text in [format!("{c}"), format!("a{c}b"), format!("{c}{c}")] {
                let slow: String = text.nfkc().collect();
                assert_eq!(fold(&text), fold(&slow), "{c:?}");
                // A character that NFKC changes is seen by the quick way only if it folds it itself.
                assert!(slow == text || ('\u{ff01}'..='\u{ff5e}').contains(&c), "{c:?}");
            }
        }
    }

    #[test]
    fn folding_twice_is_folding_once() {
        for text in ["Straße ＡＢＣ", "  a  b ", "中国 科学院", "ﾃｽﾄ e\u{301}"] {
            assert_eq!(fold(&fold(text)), fold(text));
        }
    }
}
