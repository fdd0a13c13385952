//! Replies, written and read.

use super::{REPLY_LINE_ACCEPTED_MAX, REPLY_LINE_MAX, REPLY_LINES_MAX};

/// An enhanced status code `class.subject.detail` (RFC 3463).
pub type Enhanced = (u8, u16, u16);

/// A reply of the server (RFC 5321 §4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// 200 to 599.
    pub code: u16,
    /// The enhanced status code, repeated on every line when written (RFC 2034).
    pub enhanced: Option<Enhanced>,
    /// The texts of the lines, at least one, without codes.
    pub lines: Vec<String>,
}

/// What a server sent instead of a reply. The client closes the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyError {
    /// A line does not begin with a three-digit code, or codes differ within a reply.
    Malformed,
    /// A line is over [`super::REPLY_LINE_ACCEPTED_MAX`] or a reply over [`super::REPLY_LINES_MAX`].
    TooLong,
}

/// Collects one reply after another from a server's bytes.
#[derive(Debug, Default)]
pub struct ReplyReader {
    line: Vec<u8>,
    partial: Option<Reply>,
}

impl Reply {
    /// A reply of one line.
    pub fn new(code: u16, enhanced: Option<Enhanced>, text: impl Into<String>) -> Self {
        Self { code, enhanced, lines: vec![text.into()] }
    }

    /// Appends the reply with its CRLFs. Line breaks inside a text become further lines, control characters become
    /// `?`, and a text over [`super::REPLY_LINE_MAX`] goes on in the next line.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let prefix = match self.enhanced {
            Some((class, subject, detail)) => format!("{class}.{subject}.{detail} "),
            None => String::new(),
        };
        let room = REPLY_LINE_MAX - "250-\r\n".len() - prefix.len();
        let lines: Vec<&str> = self.lines.iter().flat_map(|text| text.split('\n')).collect();
        let mut pieces: Vec<&str> =
            lines.into_iter().flat_map(|text| Pieces { text: Some(text.trim_end_matches('\r')), room }).collect();
        if pieces.is_empty() {
            pieces.push("");
        }
        let last = pieces.len() - 1;
        for (at, piece) in pieces.into_iter().enumerate() {
            let separator = if at == last { ' ' } else { '-' };
            let piece = piece.replace(|c: char| c.is_control(), "?");
            out.extend_from_slice(format!("{}{separator}{prefix}{piece}\r\n", self.code).as_bytes());
        }
    }

    /// Whether the code is 2xx.
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// Whether the code is 4xx: try again later.
    pub fn is_transient(&self) -> bool {
        self.code / 100 == 4
    }

    /// Whether the code is 5xx.
    pub fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }
}

/// A text cut at character boundaries into pieces of at most `room` octets.
struct Pieces<'a> {
    text: Option<&'a str>,
    room: usize,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.text.take()?;
        if text.len() <= self.room {
            return Some(text);
        }
        let (piece, rest) = text.split_at(text.floor_char_boundary(self.room));
        self.text = Some(rest);
        Some(piece)
    }
}

impl std::fmt::Display for Reply {
    /// The reply in one line for a log: `550 5.1.1 No such user`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some((class, subject, detail)) = self.enhanced {
            write!(f, " {class}.{subject}.{detail}")?;
        }
        self.lines.iter().try_for_each(|line| write!(f, " {}", line.replace(|c: char| c.is_control(), "?")))
    }
}

impl ReplyReader {
    /// Reader at the beginning of a reply.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads up to the end of one reply: how many octets of `input` it took, and the reply if it is complete. A lone
    /// LF ends a line too, since some servers send it.
    ///
    /// Errors: the peer does not speak SMTP or exceeds a limit; close the connection.
    pub fn push(&mut self, input: &[u8]) -> Result<(usize, Option<Reply>), ReplyError> {
        let mut consumed = 0;
        while let Some(at) = memchr::memchr(b'\n', &input[consumed..]) {
            self.extend(&input[consumed..consumed + at])?;
            consumed += at + 1;
            if let Some(reply) = self.line_complete()? {
                return Ok((consumed, Some(reply)));
            }
        }
        self.extend(&input[consumed..])?;
        Ok((input.len(), None))
    }

    fn extend(&mut self, octets: &[u8]) -> Result<(), ReplyError> {
        if self.line.len() + octets.len() > REPLY_LINE_ACCEPTED_MAX {
            return Err(ReplyError::TooLong);
        }
        self.line.extend_from_slice(octets);
        Ok(())
    }

    fn line_complete(&mut self) -> Result<Option<Reply>, ReplyError> {
        let line = std::mem::take(&mut self.line);
        let (code, last, text) = reply_line(line.strip_suffix(b"\r").unwrap_or(&line)).ok_or(ReplyError::Malformed)?;
        let (enhanced, text) = split_enhanced(code, &text);
        let reply = self.partial.get_or_insert_with(|| Reply { code, enhanced, lines: Vec::new() });
        if reply.code != code {
            return Err(ReplyError::Malformed);
        }
        if reply.lines.len() == REPLY_LINES_MAX {
            return Err(ReplyError::TooLong);
        }
        reply.enhanced = enhanced.or(reply.enhanced);
        reply.lines.push(text.to_owned());
        Ok(if last { self.partial.take() } else { None })
    }
}

/// Code, whether it is the last line, text (what is not UTF-8 is replaced).
fn reply_line(line: &[u8]) -> Option<(u16, bool, String)> {
    let (digits, rest) = line.split_at_checked(3)?;
    if !matches!(digits[0], b'2'..=b'5') || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    let (last, text) = match rest.split_first() {
        None => (true, rest),
        Some((b' ', text)) => (true, text),
        Some((b'-', text)) => (false, text),
        Some(_) => return None,
    };
    Some((code, last, String::from_utf8_lossy(text).into_owned()))
}

/// Takes an enhanced status code off the front of a text if it fits the class of the reply code.
fn split_enhanced(code: u16, text: &str) -> (Option<Enhanced>, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut parts = word.split('.').map(|part| if part.len() <= 3 { super::parameters::number(part) } else { None });
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(Some(class @ (2 | 4 | 5))), Some(Some(subject)), Some(Some(detail)), None)
            if class == u64::from(code / 100) =>
        {
            (Some((class as u8, subject as u16, detail as u16)), rest)
        }
        _ => (None, text),
    }
}
