//! From bytes as they arrive to responses.

use super::{HELD_LITERAL_MAX, LITERALS_MAX, NoImap, RESPONSE_MAX, Response, parse};

/// What the reader found.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// Everything was taken in; more is needed.
    More,
    /// The body of a message begins, which has so many octets. Whose it is comes with the [`super::Response::Fetch`] at its end.
    Body(u64),
    /// So many octets at the front of what was taken in this time are the next of the body.
    Octets(usize),
    /// A whole response.
    Response(Response),
}

/// Turns the server's bytes into events.
#[derive(Debug, Default)]
pub struct ResponseReader {
    /// The response so far: lines, and literals that are no bodies with their headers.
    buffer: Vec<u8>,
    /// Where the line being read begins in `buffer`.
    line_start: usize,
    literals: usize,
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Line,
    /// A literal that is held.
    Held(u64),
    /// A body on its way.
    Body(u64),
}

impl ResponseReader {
    /// Takes in some of `input`: how much, and what it made of it. Call again with the rest. After [`NoImap`] nothing can be read.
    pub fn read(&mut self, input: &[u8]) -> Result<(usize, Event), NoImap> {
        match self.state {
            State::Line => self.read_line(input),
            State::Held(left) => {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                self.buffer.extend_from_slice(&input[..taken]);
                let left = left - taken as u64;
                self.state = if left == 0 { self.next_line() } else { State::Held(left) };
                Ok((taken, Event::More))
            }
            State::Body(0) => {
                self.state = self.next_line();
                Ok((0, Event::More))
            }
            State::Body(left) => {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                self.state = State::Body(left - taken as u64);
                Ok((taken, if taken == 0 { Event::More } else { Event::Octets(taken) }))
            }
        }
    }

    fn next_line(&mut self) -> State {
        self.line_start = self.buffer.len();
        State::Line
    }

    fn read_line(&mut self, input: &[u8]) -> Result<(usize, Event), NoImap> {
        let end = memchr::memchr(b'\n', input);
        let taken = end.map_or(input.len(), |at| at + 1);
        if self.buffer.len() + taken > RESPONSE_MAX {
            return Err(NoImap("a response is too long"));
        }
        self.buffer.extend_from_slice(&input[..taken]);
        if end.is_none() {
            return Ok((taken, Event::More));
        }
        // Text that people read may end like a literal.
        let announced = match self.line_start == 0 && parse::is_condition(&self.buffer) {
            true => None,
            false => announced(&self.buffer[self.line_start..]),
        };
        match announced {
            Some(size) => Ok((taken, self.begin_literal(size)?)),
            None => {
                let response = parse::response(&self.buffer);
                self.buffer.clear();
                (self.line_start, self.literals) = (0, 0);
                Ok((taken, Event::Response(response)))
            }
        }
    }

    fn begin_literal(&mut self, size: u64) -> Result<Event, NoImap> {
        self.literals += 1;
        if self.literals > LITERALS_MAX {
            return Err(NoImap("a response has too many literals"));
        }
        if parse::announces_body(&self.buffer) {
            self.state = State::Body(size);
            return Ok(Event::Body(size));
        }
        if size > HELD_LITERAL_MAX || self.buffer.len() as u64 + size > RESPONSE_MAX as u64 {
            return Err(NoImap("a literal is too long"));
        }
        self.state = State::Held(size);
        Ok(Event::More)
    }
}

/// The size of the literal that a line ends with: `{12}`, `~{12}`, `{12+}`.
fn announced(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line).strip_suffix(b"}")?;
    let line = line.strip_suffix(b"+").unwrap_or(line);
    let open = memchr::memrchr(b'{', line)?;
    let digits = &line[open + 1..];
    // In the text of a condition braces are only text: a number of them is not.
    if digits.is_empty() || digits.len() > 19 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}
