//! From bytes as they arrive to commands.

use std::collections::VecDeque;

use super::parse::{self, Bad, Cursor, Fragment, MessageHead, Place, Step, Target};
use super::{Bound, COMMAND_MAX, Command, DateTime, Flag, LINE_MAX, LITERAL_MAX};

/// What the reader found.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The client waits before a literal: send a continuation request (`+ OK`).
    NeedContinuation {
        /// Octets announced.
        size: u64,
    },
    /// A whole command other than APPEND.
    Command {
        /// The tag to answer with.
        tag: String,
        /// The command.
        command: Command,
    },
    /// APPEND reached a message. To refuse it, call [`CommandReader::refuse_append`] and answer NO at once; otherwise
    /// go on reading: [`Event::NeedContinuation`] follows if the client waits, then the message.
    Append(AppendMessage),
    /// The next octets of that message, or of that text of CATENATE. All pieces together are as long as announced.
    AppendData(&'a [u8]),
    /// The message under way goes on with what this IMAP URL names (RFC 4469 §2).
    CatenateUrl(String),
    /// The message under way goes on with these octets.
    CatenateText(CatenateText),
    /// The message under way is complete.
    CatenateEnd,
    /// The APPEND command is complete: store its messages (RFC 3502: all or none) and answer.
    AppendEnd {
        /// The tag to answer with.
        tag: String,
    },
    /// The line asked for with [`CommandReader::expect_line`], without its CRLF.
    Line(Vec<u8>),
    /// The command cannot be understood: answer BAD, with `*` if no tag is known. The reader finds its way to the next
    /// command by itself. An APPEND under way is void.
    Error {
        /// The tag, if one was read.
        tag: Option<String>,
        /// What to tell the peer.
        text: &'static str,
    },
}

/// One message of an APPEND command (RFC 9051 §6.3.12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendMessage {
    /// The tag to answer with.
    pub tag: String,
    /// The target.
    pub mailbox: String,
    /// 0 for the first message of the command, 1 for the next under MULTIAPPEND.
    pub index: usize,
    /// The flags, empty if none were given.
    pub flags: Vec<Flag>,
    /// The date, if one was given.
    pub internal_date: Option<DateTime>,
    /// Octets of the message; the caller has a limit. 0 cancels a MULTIAPPEND (RFC 3502 §6.3.11).
    pub size: u64,
    /// Sent as literal8, so that it may hold NUL (RFC 3516).
    pub binary: bool,
    /// Sent inside UTF8 (...): its header may hold UTF-8 (RFC 6855 §4).
    pub utf8: bool,
    /// Whether the client waits for a continuation request, so that a refusal saves it from sending the message.
    pub synchronizing: bool,
    /// Whether the message comes in parts (RFC 4469): [`Event::CatenateUrl`] and [`Event::CatenateText`], up to
    /// [`Event::CatenateEnd`]. `size` is 0 then.
    pub catenate: bool,
    /// The message of the selected mailbox that this one takes the place of (RFC 8508).
    pub replaces: Option<Replaced>,
}

/// What REPLACE and UID REPLACE replace (RFC 8508 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced {
    /// UID REPLACE
    pub uid: bool,
    /// Which message.
    pub message: Bound,
}

/// A text of CATENATE (RFC 4469 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatenateText {
    /// Its octets; the caller has a limit.
    pub size: u64,
    /// Sent as literal8.
    pub binary: bool,
}

/// Turns the client's bytes into events. Holds at most one command, within the limits of [`super`].
#[derive(Debug, Default)]
pub struct CommandReader {
    /// The command so far: lines, and literals with their headers.
    buffer: Vec<u8>,
    /// Where the line being read begins in `buffer`.
    line_start: usize,
    /// Octets of `buffer` that are no literals.
    line_octets: usize,
    state: State,
    append: Option<AppendUnderWay>,
    /// Events of the fragment that was read last.
    waiting: VecDeque<Event<'static>>,
    utf8: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Reading a line of a command.
    #[default]
    Line,
    /// Reading a line that is no command.
    RawLine,
    /// Reading a literal into the command.
    Literal(u64),
    /// A message of APPEND was announced, and the client waits.
    AppendWaits(u64),
    /// Passing on a message of APPEND.
    AppendData(u64),
    /// Skipping the rest of a line of a refused command; `buffer` keeps its tail.
    SkipLine,
    /// Skipping a literal of a refused command.
    SkipLiteral(u64),
}

#[derive(Debug)]
struct AppendUnderWay {
    tag: String,
    target: Target,
    /// Messages so far.
    messages: usize,
    /// Where the next fragment begins.
    place: Place,
}

/// The header of a literal at the end of a line.
struct LiteralHeader {
    /// Where it begins in the line.
    start: usize,
    size: u64,
    synchronizing: bool,
    binary: bool,
}

impl CommandReader {
    /// Reader at the beginning of a command, with LITERAL+ and modified UTF-7.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets that mailbox names come in UTF-8: after ENABLE of UTF8=ACCEPT (RFC 6855) or IMAP4rev2.
    pub fn set_utf8(&mut self, utf8: bool) {
        self.utf8 = utf8;
    }

    /// Makes the next line come as [`Event::Line`]: for the responses of AUTHENTICATE and the DONE of IDLE. Call it
    /// between the event that asks for it and the next [`CommandReader::read`].
    pub fn expect_line(&mut self) {
        self.reset(State::RawLine);
    }

    /// Refuses the message that [`Event::Append`] announced, or gives up on it midway. The caller answers NO; the
    /// reader skips what the client sends of it all the same.
    pub fn refuse_append(&mut self) {
        self.waiting.clear();
        match self.state {
            _ if self.append.is_none() => {}
            State::Literal(left) | State::AppendData(left) => self.reset(State::SkipLiteral(left)),
            State::Line => {
                let line = std::mem::take(&mut self.buffer);
                self.reset(State::SkipLine);
                self.buffer = line;
            }
            _ => self.reset(State::Line),
        }
    }

    /// Octets of a refused literal that the client has announced and not yet sent: they would be skipped.
    pub fn left_to_skip(&self) -> u64 {
        match self.state {
            State::SkipLiteral(left) => left,
            _ => 0,
        }
    }

    /// Takes octets off the front of `input` up to the next event. `None`: all was taken and more is needed.
    pub fn read<'a>(&mut self, input: &mut &'a [u8]) -> Option<Event<'a>> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            let event = match self.state {
                State::AppendWaits(size) => {
                    self.state = State::AppendData(size);
                    Some(Event::NeedContinuation { size })
                }
                State::AppendData(0) => {
                    self.state = State::Line;
                    None
                }
                State::Literal(0) => {
                    self.line_start = self.buffer.len();
                    self.state = State::Line;
                    None
                }
                State::SkipLiteral(0) => {
                    self.reset(State::SkipLine);
                    None
                }
                _ if input.is_empty() => return None,
                State::AppendData(left) => {
                    let piece = take(input, left);
                    self.state = State::AppendData(left - piece.len() as u64);
                    Some(Event::AppendData(piece))
                }
                State::Literal(left) => {
                    let piece = take(input, left);
                    self.buffer.extend_from_slice(piece);
                    self.state = State::Literal(left - piece.len() as u64);
                    None
                }
                State::SkipLiteral(left) => {
                    self.state = State::SkipLiteral(left - take(input, left).len() as u64);
                    None
                }
                State::SkipLine => {
                    self.skip_line(input);
                    None
                }
                State::Line | State::RawLine => self.line(input),
            };
            if event.is_some() {
                return event;
            }
        }
    }

    fn reset(&mut self, state: State) {
        self.buffer.clear();
        self.line_start = 0;
        self.line_octets = 0;
        self.append = None;
        self.waiting.clear();
        self.state = state;
    }

    fn line<'a>(&mut self, input: &mut &[u8]) -> Option<Event<'a>> {
        let end = memchr::memchr(b'\n', input);
        let piece = take(input, end.map_or(input.len(), |at| at + 1) as u64);
        self.line_octets += piece.len();
        if self.line_octets > LINE_MAX {
            let skip = if end.is_some() { State::Line } else { State::SkipLine };
            return Some(self.refuse_line(piece, skip));
        }
        self.buffer.extend_from_slice(piece);
        end?;
        if self.state == State::RawLine {
            let line = without_newline(&self.buffer).to_vec();
            self.reset(State::Line);
            return Some(Event::Line(line));
        }
        self.line_complete()
    }

    /// A line over its limit. Its tail is kept, since it may announce a literal that has to be skipped too.
    fn refuse_line<'a>(&mut self, piece: &[u8], state: State) -> Event<'a> {
        self.buffer.extend_from_slice(piece);
        let tag = self.known_tag();
        let tail = self.buffer.split_off(self.buffer.len().saturating_sub(TAIL_MAX));
        self.reset(state);
        match state {
            State::SkipLine => self.buffer = tail,
            _ => self.state = after_skipped_line(&tail),
        }
        Event::Error { tag, text: "Line too long" }
    }

    fn skip_line(&mut self, input: &mut &[u8]) {
        let end = memchr::memchr(b'\n', input);
        let piece = take(input, end.map_or(input.len(), |at| at + 1) as u64);
        self.buffer.extend_from_slice(&piece[piece.len().saturating_sub(TAIL_MAX)..]);
        self.buffer.drain(..self.buffer.len().saturating_sub(TAIL_MAX));
        if end.is_some() {
            let state = after_skipped_line(&self.buffer);
            self.reset(state);
        }
    }

    fn line_complete<'a>(&mut self) -> Option<Event<'a>> {
        let line = without_newline(&self.buffer[self.line_start..]);
        if let Some(header) = literal_header(line) {
            return self.literal_announced(header);
        }
        let complete = self.line_start + line.len();
        if complete == 0 && self.append.is_none() {
            self.reset(State::Line);
            return None;
        }
        if let Some(outcome) = self.fragment(complete, None) {
            return match outcome {
                Ok(event) => Some(event),
                Err(Bad(text)) => {
                    let tag = self.known_tag();
                    self.reset(State::Line);
                    Some(Event::Error { tag, text })
                }
            };
        }
        let event = whole_command(&self.buffer[..complete], self.utf8);
        self.reset(State::Line);
        Some(event)
    }

    /// A literal begins, whether its client waits or not (RFC 7888: LITERAL+).
    fn literal_announced<'a>(&mut self, header: LiteralHeader) -> Option<Event<'a>> {
        match self.fragment(self.line_start + header.start, Some(&header)) {
            Some(Ok(event)) => return Some(event),
            Some(Err(Bad(text))) => return Some(self.refuse_literal(&header, text)),
            None => {}
        }
        if header.size > LITERAL_MAX || self.buffer.len() as u64 + header.size > COMMAND_MAX as u64 {
            return Some(self.refuse_literal(&header, "Literal too long"));
        }
        self.state = State::Literal(header.size);
        header.synchronizing.then_some(Event::NeedContinuation { size: header.size })
    }

    /// Reads what the buffer holds up to `end` as a fragment of APPEND; `literal` stands behind it. `None` where it is another
    /// command, or where the literal belongs to the fragment.
    fn fragment<'a>(&mut self, end: usize, literal: Option<&LiteralHeader>) -> Option<Result<Event<'a>, Bad>> {
        let mut c = Cursor::new(&self.buffer[..end], self.utf8);
        let (mut append, place) = match self.append.take() {
            Some(append) => {
                let place = append.place;
                (append, place)
            }
            None => match parse::target(&mut c) {
                Err(bad) => return Some(Err(bad)),
                Ok(None | Some(None)) => return None,
                Ok(Some(Some(target))) => {
                    let tag = self.known_tag().unwrap_or_default();
                    (AppendUnderWay { tag, target, messages: 0, place: Place::Message }, Place::Message)
                }
            },
        };
        let single = append.target.replaces.is_some();
        match parse::fragment(&mut c, place, append.messages, literal.is_some(), single) {
            Ok(Fragment::Incomplete) => {
                // Read once more when the literal is there; a command that has only begun is found anew.
                self.append = (append.messages > 0).then_some(append);
                None
            }
            Ok(Fragment::Steps(steps, place)) => {
                append.place = place;
                Some(self.take_steps(append, steps, literal).ok_or(Bad("Bad arguments of APPEND")))
            }
            Err(bad) => {
                self.append = Some(append);
                Some(Err(bad))
            }
        }
    }

    /// Makes events of a fragment's steps and goes on behind it; returns the first.
    fn take_steps<'a>(
        &mut self,
        mut append: AppendUnderWay,
        steps: Vec<Step>,
        literal: Option<&LiteralHeader>,
    ) -> Option<Event<'a>> {
        let (size, binary) = literal.map_or((0, false), |header| (header.size, header.binary));
        let synchronizing = literal.is_some_and(|header| header.synchronizing);
        self.reset(match literal {
            Some(_) if synchronizing => State::AppendWaits(size),
            Some(_) => State::AppendData(size),
            None => State::Line,
        });
        let mut ended = false;
        for step in steps {
            let event = match step {
                Step::Message(MessageHead { flags, internal_date, utf8, catenate }) => {
                    append.messages += 1;
                    let Target { mailbox, replaces } = append.target.clone();
                    let (size, binary) = if catenate { (0, false) } else { (size, binary) };
                    let (tag, index) = (append.tag.clone(), append.messages - 1);
                    Event::Append(AppendMessage {
                        tag,
                        mailbox,
                        index,
                        flags,
                        internal_date,
                        size,
                        binary,
                        utf8,
                        synchronizing: synchronizing && !catenate,
                        catenate,
                        replaces,
                    })
                }
                Step::Url(url) => Event::CatenateUrl(url),
                Step::Text => Event::CatenateText(CatenateText { size, binary }),
                Step::CatenateEnd => Event::CatenateEnd,
                Step::End => {
                    ended = true;
                    Event::AppendEnd { tag: append.tag.clone() }
                }
            };
            self.waiting.push_back(event);
        }
        self.append = (!ended).then_some(append);
        self.waiting.pop_front()
    }

    /// After BAD a client does not send a literal for which it waits; any other is on its way.
    fn refuse_literal<'a>(&mut self, header: &LiteralHeader, text: &'static str) -> Event<'a> {
        let tag = self.known_tag();
        self.reset(if header.synchronizing { State::Line } else { State::SkipLiteral(header.size) });
        Event::Error { tag, text }
    }

    fn known_tag(&self) -> Option<String> {
        match &self.append {
            Some(append) => Some(append.tag.clone()),
            None if self.state == State::RawLine => None,
            None => parse::tag(&mut Cursor::new(&self.buffer, false)).ok(),
        }
    }
}

/// Octets at the end of a line that can hold the header of a literal: `~{18446744073709551615+}` and CRLF.
const TAIL_MAX: usize = 32;

/// Whereto, when a line of a refused command has ended.
fn after_skipped_line(tail: &[u8]) -> State {
    match literal_header(without_newline(tail)) {
        Some(header) if !header.synchronizing => State::SkipLiteral(header.size),
        _ => State::Line,
    }
}

fn take<'a>(input: &mut &'a [u8], most: u64) -> &'a [u8] {
    let length = usize::try_from(most).map_or(input.len(), |most| most.min(input.len()));
    let (piece, rest) = input.split_at(length);
    *input = rest;
    piece
}

fn without_newline(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn literal_header(line: &[u8]) -> Option<LiteralHeader> {
    let inner = line.strip_suffix(b"}")?;
    let (inner, synchronizing) = match inner.strip_suffix(b"+") {
        Some(inner) => (inner, false),
        None => (inner, true),
    };
    let digits = inner.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let (front, digits) = inner.split_at(inner.len() - digits);
    let front = front.strip_suffix(b"{")?;
    let size = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let binary = front.ends_with(b"~");
    Some(LiteralHeader { start: front.len() - usize::from(binary), size, synchronizing, binary })
}

fn whole_command<'a>(octets: &[u8], utf8: bool) -> Event<'a> {
    let mut cursor = Cursor::new(octets, utf8);
    match parse::tag(&mut cursor) {
        Err(parse::Bad(text)) => Event::Error { tag: None, text },
        Ok(tag) => match parse::command(&mut cursor) {
            Ok(command) => Event::Command { tag, command },
            Err(parse::Bad(text)) => Event::Error { tag: Some(tag), text },
        },
    }
}
