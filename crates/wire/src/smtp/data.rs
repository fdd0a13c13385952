//! The DATA stream (RFC 5321 §4.5.2): dot-stuffing and the one true end of data.

/// What one [`DataDecoder::push`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Octets of the input that belong to the message. Behind a finished message the rest is the next command.
    pub consumed: usize,
    /// Whether `<CRLF>.<CRLF>` was found.
    pub done: bool,
    /// Whether a CR without LF or a LF without CR was met so far in this message: refuse it with 554 5.6.0
    /// after its true end, or it may be read as two messages by the next host (SMTP smuggling).
    pub bare_newline: bool,
}

/// Undoes dot-stuffing and finds the end of the message. Exactly `<CRLF>.<CRLF>` ends it, or `.<CRLF>` at the very
/// beginning; a bare CR or LF is data and is reported, never an end of line.
#[derive(Debug, Clone)]
pub struct DataDecoder {
    state: State,
    bare_newline: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Behind a CRLF or at the beginning.
    LineStart,
    /// Behind a dot at the start of a line, held back.
    Dot,
    /// Behind that dot and a CR, both held back.
    DotCr,
    /// Within a line.
    Line,
    /// Within a line, behind a CR already passed on.
    Cr,
    /// Behind the end.
    Done,
}

impl Default for DataDecoder {
    fn default() -> Self {
        Self { state: State::LineStart, bare_newline: false }
    }
}

impl DataDecoder {
    /// Decoder at the beginning of a message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next octets and appends what they hold of the message to `out`, the final CRLF included. The caller
    /// bounds the message by looking at what came out, and reads on to the end even when it has had too much.
    /// Once done, nothing more is consumed.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Progress {
        let mut at = 0;
        while at < input.len() && self.state != State::Done {
            at = match self.state {
                State::Line => self.line(input, at, out),
                _ => self.octet(input[at], at, out),
            };
        }
        Progress { consumed: at, done: self.state == State::Done, bare_newline: self.bare_newline }
    }

    /// Copies from `at` to the next place where something happens, which is returned.
    fn line(&mut self, input: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
        let mut end = at;
        loop {
            let Some(found) = memchr::memchr2(b'\r', b'\n', &input[end..]) else {
                end = input.len();
                break;
            };
            end += found + 1;
            if input[end - 1] == b'\n' {
                self.bare_newline = true;
            } else if input.get(end) != Some(&b'\n') {
                self.state = State::Cr;
                break;
            } else {
                end += 1;
                if matches!(input.get(end), None | Some(b'.')) {
                    self.state = State::LineStart;
                    break;
                }
            }
        }
        out.extend_from_slice(&input[at..end]);
        end
    }

    /// Takes one octet in a state where it decides something; returns the next place.
    fn octet(&mut self, octet: u8, at: usize, out: &mut Vec<u8>) -> usize {
        match (self.state, octet) {
            (State::LineStart, b'.') => self.state = State::Dot,
            (State::Dot, b'\r') => self.state = State::DotCr,
            (State::DotCr, b'\n') => self.state = State::Done,
            (State::DotCr, _) => {
                out.push(b'\r');
                self.state = State::Cr;
                return at;
            }
            (State::Cr, b'\n') => {
                out.push(b'\n');
                self.state = State::LineStart;
            }
            (State::Cr, b'\r') => {
                out.push(b'\r');
                self.bare_newline = true;
            }
            (state, _) => {
                self.bare_newline |= state == State::Cr;
                self.state = State::Line;
                return at;
            }
        }
        at + 1
    }
}

/// Whether every CR has its LF and every LF its CR. Without branches, so that it is done for many octets at once.
pub fn has_whole_line_ends(octets: &[u8]) -> bool {
    let broken = |first: u8, second: u8| (first == b'\r') != (second == b'\n');
    let (Some(first), Some(last)) = (octets.first(), octets.last()) else { return true };
    let within = octets.iter().zip(&octets[1..]).fold(false, |any, (first, second)| any | broken(*first, *second));
    !within && *first != b'\n' && *last != b'\r'
}

/// Writes a message for DATA or as a multi-line response of POP3: stuffs dots, ends every line with CRLF (a bare CR or
/// LF becomes one, so that nobody behind us can find an end of data in it), and adds the end.
#[derive(Debug, Clone)]
pub struct DataEncoder {
    at_line_start: bool,
    after_cr: bool,
}

impl Default for DataEncoder {
    fn default() -> Self {
        Self { at_line_start: true, after_cr: false }
    }
}

impl DataEncoder {
    /// Encoder at the beginning of a message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the next octets of the message, encoded, to `out`.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) {
        out.reserve(input.len() + input.len() / 64 + 2);
        if !self.after_cr && has_whole_line_ends(input) {
            return self.push_lines(input, out);
        }
        let mut rest = input;
        while let Some(&first) = rest.first() {
            if self.after_cr {
                // The CR was written with its LF already; a LF that follows is the same line break.
                self.after_cr = false;
                if first == b'\n' {
                    rest = &rest[1..];
                    continue;
                }
            }
            if self.at_line_start && first == b'.' {
                out.push(b'.');
            }
            let Some(end) = memchr::memchr2(b'\r', b'\n', rest) else {
                out.extend_from_slice(rest);
                self.at_line_start = false;
                return;
            };
            out.extend_from_slice(&rest[..end]);
            out.extend_from_slice(b"\r\n");
            self.at_line_start = true;
            self.after_cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
        }
    }

    /// Appends octets in which every line end is whole, as in nearly all messages: only dots are looked for.
    fn push_lines(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let Some(last) = input.last() else { return };
        if self.at_line_start && input[0] == b'.' {
            out.push(b'.');
        }
        let mut rest = input;
        while let Some(end) = memchr::memmem::find(rest, b"\n.") {
            out.extend_from_slice(&rest[..=end]);
            out.push(b'.');
            rest = &rest[end + 1..];
        }
        out.extend_from_slice(rest);
        self.at_line_start = *last == b'\n';
    }

    /// Appends the missing CRLF, if the message lacks one, and `.<CRLF>`.
    pub fn finish(self, out: &mut Vec<u8>) {
        if !self.at_line_start {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }
}
