//! Rich text: groups, control words, and bytes in the code page that the document names. Linear.

use anser_mime::charset;

use super::Limited;

/// Groups whose content is not text.
const HIDDEN: [&str; 12] = [
    "fonttbl",
    "colortbl",
    "stylesheet",
    "pict",
    "object",
    "info",
    "themedata",
    "datastore",
    "listtable",
    "listoverridetable",
    "generator",
    "latentstyles",
];
/// Nested groups that are told apart; deeper ones are as their parent.
const DEPTH: usize = 1000;

pub(super) fn text(bytes: &[u8], out: &mut Limited) {
    let mut reader = Reader {
        bytes,
        at: 0,
        code_page: "windows-1252".to_owned(),
        pending: Vec::new(),
        skip: 0,
        groups: vec![Group::START],
    };
    while !out.is_full && reader.step(out) {}
    reader.flush(out);
}

#[derive(Clone, Copy)]
struct Group {
    hidden: bool,
    /// Characters after `\u` that stand in for it where it is not understood.
    stand_ins: usize,
}

impl Group {
    const START: Group = Group { hidden: false, stand_ins: 1 };
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    code_page: String,
    /// Bytes in the code page that were not decoded yet.
    pending: Vec<u8>,
    skip: usize,
    groups: Vec<Group>,
}

impl Reader<'_> {
    fn step(&mut self, out: &mut Limited) -> bool {
        let Some(&byte) = self.bytes.get(self.at) else { return false };
        self.at += 1;
        match byte {
            b'{' => {
                let group = self.group();
                if self.groups.len() < DEPTH {
                    self.groups.push(group);
                }
            }
            b'}' => {
                if self.groups.len() > 1 {
                    self.groups.pop();
                }
                self.skip = 0;
            }
            b'\\' => self.control(out),
            b'\r' | b'\n' => {}
            byte => self.byte(byte),
        }
        true
    }

    fn group(&self) -> Group {
        self.groups.last().copied().unwrap_or(Group::START)
    }

    fn byte(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if !self.group().hidden {
            self.pending.push(byte);
        }
    }

    fn char(&mut self, c: char, out: &mut Limited) {
        self.flush(out);
        if !self.group().hidden {
            out.push(c.encode_utf8(&mut [0; 4]));
        }
    }

    fn flush(&mut self, out: &mut Limited) {
        if !self.pending.is_empty() {
            out.push(&charset::decode(Some(&self.code_page), &self.pending));
            self.pending.clear();
        }
    }

    fn control(&mut self, out: &mut Limited) {
        let Some(&byte) = self.bytes.get(self.at) else { return };
        if !byte.is_ascii_alphabetic() {
            self.at += 1;
            return self.symbol(byte);
        }
        let word = self.take(|byte| byte.is_ascii_alphabetic());
        let number = self.take(|byte| byte.is_ascii_digit() || byte == b'-');
        if self.bytes.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        self.word(&word, number.parse().ok(), out);
    }

    fn take(&mut self, is_of: impl Fn(u8) -> bool) -> String {
        /// Letters of a control word or digits of its number; the longest of the standard has 32.
        const LONGEST: usize = 40;
        let rest = &self.bytes[self.at..];
        let taken = rest.iter().take(LONGEST).take_while(|byte| is_of(**byte)).count();
        self.at += taken;
        String::from_utf8_lossy(&rest[..taken]).into_owned()
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'\'' => {
                let digits = self.bytes.get(self.at..self.at + 2).and_then(|digits| std::str::from_utf8(digits).ok());
                if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                    self.at += 2;
                    self.byte(byte);
                }
            }
            b'*' => self.hide(),
            b'~' => self.byte(b' '),
            b'\\' | b'{' | b'}' => self.byte(symbol),
            b'\r' | b'\n' => self.byte(b'\n'),
            _ => {}
        }
    }

    fn hide(&mut self) {
        if let Some(group) = self.groups.last_mut() {
            group.hidden = true;
        }
    }

    fn word(&mut self, word: &str, number: Option<i32>, out: &mut Limited) {
        match word {
            "par" | "line" | "tab" | "cell" | "row" | "sect" | "page" => self.char('\n', out),
            "u" => {
                // Numbers above 32767 are written as negative ones; those of surrogates make no character alone.
                let unit = number.unwrap_or(0).rem_euclid(65_536) as u32;
                self.char(char::from_u32(unit).unwrap_or('\u{fffd}'), out);
                self.skip = self.group().stand_ins;
            }
            "uc" => {
                if let Some(group) = self.groups.last_mut() {
                    group.stand_ins = number.unwrap_or(1).clamp(0, 16) as usize;
                }
            }
            "ansicpg" => {
                self.flush(out);
                self.code_page = number.map_or_else(|| "windows-1252".to_owned(), code_page);
            }
            "bin" => self.at = self.at.saturating_add(number.unwrap_or(0).max(0) as usize).min(self.bytes.len()),
            "emdash" => self.char('—', out),
            "endash" => self.char('–', out),
            "lquote" => self.char('‘', out),
            "rquote" => self.char('’', out),
            "ldblquote" => self.char('“', out),
            "rdblquote" => self.char('”', out),
            word if HIDDEN.contains(&word) => self.hide(),
            _ => {}
        }
    }
}

fn code_page(number: i32) -> String {
    match number {
        932 => "shift_jis".to_owned(),
        936 => "gb18030".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        65_001 => "utf-8".to_owned(),
        number => format!("windows-{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, text};

    #[test]
    fn rich_text_is_its_text() {
        let rtf = br"{\rtf1\ansi\ansicpg936{\fonttbl{\f0 Arial;}}{\*\generator x;}\f0 Hello \b bold\b0  \'d6\'d0\'b9\'fa\par \u20013?\u22269? \{ok\} a\~b}";
        let (text, cut) = text(Kind::Rtf, rtf).unwrap();
        assert_eq!(text, "Hello bold 中国\n中国 {ok} a b");
        assert!(!cut);
    }

    #[test]
    fn broken_rich_text_ends() {
        for rtf in [
            &b"{\\rtf"[..],
            b"{\\rtf\\",
            b"{\\rtf\\'",
            b"{\\rtf\\'4",
            b"{\\rtf\\bin999999999 x",
            b"}}}}{\\rtf\\u-1",
            b"{\\rtf\\uc99999999\\u1",
        ] {
            text(Kind::Rtf, rtf).unwrap();
        }
        text(Kind::Rtf, "{\\rtf".repeat(100_000).as_bytes()).unwrap();
    }
}
