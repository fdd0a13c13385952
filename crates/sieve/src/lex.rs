//! From the bytes of a script to tokens (RFC 5228 §8.1).

use std::borrow::Cow;

use crate::mistake::{Mistake, Place};

/// A token of the grammar.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    Identifier(&'a str),
    /// Without its colon.
    Tag(&'a str),
    Number(u64),
    /// A quoted or multi-line string, unescaped.
    Text(Cow<'a, str>),
    /// One of `( ) { } [ ] , ;`.
    Mark(char),
    End,
}

impl Token<'_> {
    /// How it is shown in a mistake.
    pub(crate) fn shown(&self) -> String {
        match self {
            Token::Identifier(name) => format!("\"{name}\""),
            Token::Tag(name) => format!("\":{name}\""),
            Token::Number(number) => number.to_string(),
            Token::Text(text) => format!("the string \"{text}\""),
            Token::Mark(mark) => format!("\"{mark}\""),
            Token::End => "the end of the script".to_owned(),
        }
    }
}

/// Goes through a script token by token. Linear in its length.
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    /// The last place asked for on this line, in bytes, and its column: long lines are counted once.
    counted: (usize, u32),
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, at, line: 1, counted: (at, 1) }
    }

    /// The next token and where it starts.
    pub(crate) fn next(&mut self) -> Result<(Token<'a>, Place), Mistake> {
        self.skip_space()?;
        let place = self.place();
        let rest = &self.text[self.at..];
        let Some(first) = rest.chars().next() else { return Ok((Token::End, place)) };
        let token = match first {
            '(' | ')' | '{' | '}' | '[' | ']' | ',' | ';' => {
                self.at += 1;
                Token::Mark(first)
            }
            '"' => Token::Text(self.quoted()?),
            ':' => Token::Tag(self.tag(place)?),
            '0'..='9' => Token::Number(self.number(place)?),
            'a'..='z' | 'A'..='Z' | '_' => {
                let word = self.word();
                if word.eq_ignore_ascii_case("text") && self.text[self.at..].starts_with(':') {
                    self.at += 1;
                    return Ok((Token::Text(self.multi_line(place)?), place));
                }
                Token::Identifier(word)
            }
            other => {
                let shown = other.to_string();
                return Err(Mistake::expected(place, "a command or an argument", "命令或参数", &shown));
            }
        };
        Ok((token, place))
    }

    /// Where the token that was read last ends, in bytes.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// The place behind the token that was read last.
    pub(crate) fn place(&mut self) -> Place {
        let (from, column) = self.counted;
        let column = column + self.text[from..self.at].chars().count() as u32;
        self.counted = (self.at, column);
        Place { line: self.line, column }
    }

    /// Passes `length` bytes and counts their lines.
    fn pass(&mut self, length: usize) {
        let end = self.at + length;
        while let Some(found) = memchr::memchr(b'\n', &self.text.as_bytes()[self.at..end]) {
            self.at += found + 1;
            self.line += 1;
            self.counted = (self.at, 1);
        }
        self.at = end;
    }

    fn skip_space(&mut self) -> Result<(), Mistake> {
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let space = rest.iter().position(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n')).unwrap_or(rest.len());
            self.pass(space);
            let rest = &self.text.as_bytes()[self.at..];
            if rest.starts_with(b"#") {
                self.pass(memchr::memchr(b'\n', rest).unwrap_or(rest.len()));
            } else if rest.starts_with(b"/*") {
                let Some(end) = memchr::memmem::find(&rest[2..], b"*/") else {
                    let place = self.place();
                    return Err(Mistake::new(place, "this comment is not closed with */", "此注释没有以 */ 结束"));
                };
                self.pass(2 + end + 2);
            } else {
                return Ok(());
            }
        }
    }

    fn word(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn tag(&mut self, place: Place) -> Result<&'a str, Mistake> {
        self.at += 1;
        let starts = self.text[self.at..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts {
            let found: String = self.text[self.at..].chars().take(1).collect();
            return Err(Mistake::expected(place, "a name after the colon", "冒号后的名称", &found));
        }
        Ok(self.word())
    }

    /// Digits with `K`, `M` or `G` behind them (RFC 5228 §2.4.1).
    fn number(&mut self, place: Place) -> Result<u64, Mistake> {
        let word = self.word();
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
        let factor = match word[digits.len()..].to_ascii_lowercase().as_str() {
            "" => 1u64,
            "k" => 1 << 10,
            "m" => 1 << 20,
            "g" => 1 << 30,
            _ => {
                return Err(Mistake::expected(place, "a number, with K, M or G at most", "数字（可带 K、M、G）", word));
            }
        };
        let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
        number
            .filter(|number| *number <= i64::MAX as u64)
            .ok_or_else(|| Mistake::new(place, format!("the number {word} is too large"), format!("数字 {word} 太大")))
    }

    fn quoted(&mut self) -> Result<Cow<'a, str>, Mistake> {
        let place = self.place();
        let content = &self.text[self.at + 1..];
        let bytes = content.as_bytes();
        let mut at = 0;
        let mut out: Option<String> = None;
        let mut copied = 0;
        loop {
            let Some(found) = memchr::memchr3(b'"', b'\\', 0, &bytes[at..]) else {
                return Err(Mistake::new(place, "this string is not closed with \"", "此字符串没有以 \" 结束"));
            };
            at += found;
            match bytes[at] {
                b'"' => break,
                b'\\' => {
                    out.get_or_insert_with(String::new).push_str(&content[copied..at]);
                    copied = at + 1;
                    at += 1 + content[at + 1..].chars().next().map_or(0, char::len_utf8);
                }
                _ => return Err(Mistake::new(place, "a string cannot hold NUL", "字符串中不能有 NUL 字符")),
            }
        }
        self.pass(1 + at + 1);
        Ok(match out {
            Some(mut out) => {
                out.push_str(&content[copied..at]);
                Cow::Owned(out)
            }
            None => Cow::Borrowed(&content[..at]),
        })
    }

    /// What follows `text:` up to the line with a single dot, dot-stuffing undone (RFC 5228 §2.4.2).
    fn multi_line(&mut self, place: Place) -> Result<Cow<'a, str>, Mistake> {
        let rest = &self.text[self.at..];
        let head_end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let head = rest[..head_end].trim();
        if !(head.is_empty() || head.starts_with('#')) {
            return Err(Mistake::expected(place, "the end of the line after text:", "text: 之后换行", head));
        }
        let content = &rest[head_end..];
        let mut out = String::new();
        let mut read = head_end;
        for line in content.split_inclusive('\n') {
            read += line.len();
            if line.trim_end_matches(['\r', '\n']) == "." && (line.ends_with('\n') || read == rest.len()) {
                self.pass(read);
                return Ok(Cow::Owned(out));
            }
            if line.contains('\0') {
                return Err(Mistake::new(place, "a string cannot hold NUL", "字符串中不能有 NUL 字符"));
            }
            out.push_str(if line.starts_with("..") { &line[1..] } else { line });
        }
        Err(Mistake::new(
            place,
            "this text is not closed with a line that is a single dot",
            "此文本没有以单独一行的“.”结束",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        let mut lexer = Lexer::new(text);
        let mut found = Vec::new();
        loop {
            match lexer.next().unwrap().0 {
                Token::End => return found,
                token => found.push(token),
            }
        }
    }

    #[test]
    fn strings_numbers_and_comments_are_read_as_the_rfc_says() {
        assert_eq!(tokens("# a\n/* b\n */ 100K 2M 1g"), [102_400, 2 << 20, 1 << 30].map(Token::Number));
        assert_eq!(tokens(r#""a\"b\\c\d""#), [Token::Text("a\"b\\cd".into())]);
        assert_eq!(tokens("text: # c\r\na\r\n..b\r\n.\r\n;"), [Token::Text("a\r\n.b\r\n".into()), Token::Mark(';')]);
        assert_eq!(tokens("text"), [Token::Identifier("text")]);
        assert_eq!(tokens("\"中文\n\" :is"), [Token::Text("中文\n".into()), Token::Tag("is")]);
    }

    #[test]
    fn places_count_lines_and_characters() {
        let mut lexer = Lexer::new("\"中文\n一\" /*\n*/ keep");
        lexer.next().unwrap();
        assert_eq!(lexer.next().unwrap().1, Place { line: 3, column: 4 });
        for text in ["\"a", "/* a", "text:\na\n", "12x", "99999999999999999999", ": a", "!", "text: x\n.\n"] {
            assert!(Lexer::new(text).next().is_err(), "{text}");
        }
    }
}
