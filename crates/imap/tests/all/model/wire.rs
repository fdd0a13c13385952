//! A client of the model test: sends lines, reads responses as typed values.

use std::cell::RefCell;
use std::rc::Rc;

use anser_net::{Fill, Stream};

use super::flags;

/// A refusal to go on, in words.
pub type Checked<T = ()> = Result<T, String>;

/// Returns an error in words unless the condition holds.
macro_rules! check {
    ($condition:expr, $($words:tt)+) => {
        if !$condition {
            return Err(format!($($words)+));
        }
    };
}
pub(super) use check;

/// What the server said, as far as the model looks at it.
#[derive(Clone, Debug)]
pub enum Response {
    Exists(u32),
    Expunge(u32),
    Vanished {
        earlier: bool,
        uids: Vec<(u32, u32)>,
    },
    Fetch(u32, Items),
    Flags(Vec<String>),
    Search {
        numbers: Vec<u32>,
        modseq: Option<u64>,
    },
    Esearch(Vec<Token>),
    Status(Vec<Token>),
    List(Vec<u8>),
    /// An untagged OK, NO or BAD with its response code.
    Told(String),
    Bye,
    Continue,
    Other,
}

/// The items of one FETCH response.
#[derive(Clone, Debug, Default)]
pub struct Items {
    pub uid: Option<u32>,
    pub flags: Option<u32>,
    pub modseq: Option<u64>,
    pub size: Option<u64>,
    pub body: Option<Vec<u8>>,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With its response code.
    Ok(String),
    No(String),
    Bad,
    /// The server closed.
    Closed,
}

/// A piece of a response.
#[derive(Clone, Debug)]
pub enum Token {
    Atom(String),
    Text(Vec<u8>),
    List(Vec<Token>),
}

/// A connection.
pub struct Client {
    pub stream: Stream,
    tag: u32,
    name: usize,
    log: Option<Rc<RefCell<Vec<String>>>>,
}

impl Client {
    pub fn new(stream: Stream, name: usize, log: Option<Rc<RefCell<Vec<String>>>>) -> Self {
        Self { stream, tag: 0, name, log }
    }

    fn note(&mut self, who: char, bytes: &[u8]) {
        if let Some(log) = &self.log {
            log.borrow_mut().push(format!("{who}{}: {}", self.name, String::from_utf8_lossy(bytes).trim_end()));
        }
    }

    /// Sends a line of a command; returns its tag.
    pub async fn send(&mut self, command: &[u8]) -> Checked<String> {
        self.tag += 1;
        let tag = format!("t{}", self.tag);
        let line = [tag.as_bytes(), b" ", command].concat();
        self.send_raw(&line).await?;
        Ok(tag)
    }

    pub async fn send_raw(&mut self, line: &[u8]) -> Checked {
        self.note('C', line);
        let bytes = [line, b"\r\n"].concat();
        self.stream.write_all(&bytes).await.map_err(|error| error.chain())?;
        self.stream.flush().await.map_err(|error| error.chain())
    }

    /// Reads the next response; the tagged one of `tag` is the end.
    pub async fn read(&mut self, tag: &str) -> Checked<Result<Response, End>> {
        let Some(raw) = self.raw().await? else { return Ok(Err(End::Closed)) };
        if let Some(rest) = raw.strip_prefix(tag.as_bytes()).and_then(|rest| rest.strip_prefix(b" ")) {
            return end(rest).map(Err);
        }
        response(&raw).map(Ok)
    }

    /// Everything up to the tagged reply.
    pub async fn finish(&mut self, tag: &str) -> Checked<(Vec<Response>, End)> {
        let mut all = Vec::new();
        loop {
            match self.read(tag).await? {
                Ok(response) => all.push(response),
                Err(end) => return Ok((all, end)),
            }
        }
    }

    /// One response with its literals; `None` at the end of the connection.
    async fn raw(&mut self) -> Checked<Option<Vec<u8>>> {
        let mut raw = Vec::new();
        loop {
            let start = raw.len();
            if !self.line(&mut raw).await? {
                return Ok(None);
            }
            let Some(size) = literal(&raw[start..]) else { break };
            while self.stream.buffered_input_len() < size {
                check!(matches!(self.stream.fill().await, Ok(Fill::Data(_))), "the server stopped in a literal");
            }
            raw.extend_from_slice(&self.stream.buffer()[..size]);
            self.stream.consume(size);
        }
        self.note('S', &raw);
        Ok(Some(raw))
    }

    async fn line(&mut self, raw: &mut Vec<u8>) -> Checked<bool> {
        loop {
            let buffer = self.stream.buffer();
            if let Some(at) = buffer.iter().position(|byte| *byte == b'\n') {
                raw.extend_from_slice(&buffer[..=at]);
                self.stream.consume(at + 1);
                return Ok(true);
            }
            match self.stream.fill().await {
                Ok(Fill::Data(_)) => {}
                Ok(Fill::Closed) => return Ok(false),
                other => return Err(format!("the server says nothing: {other:?}")),
            }
        }
    }
}

/// The size of the literal that a line ends with.
fn literal(line: &[u8]) -> Option<usize> {
    let text = line.strip_suffix(b"}\r\n")?;
    let at = text.iter().rposition(|byte| *byte == b'{')?;
    std::str::from_utf8(&text[at + 1..]).ok()?.parse().ok()
}

fn end(rest: &[u8]) -> Checked<End> {
    let text = String::from_utf8_lossy(rest);
    let (word, rest) = text.trim_end().split_once(' ').unwrap_or((text.trim_end(), ""));
    let code = code(rest);
    match word {
        "OK" => Ok(End::Ok(code)),
        "NO" => Ok(End::No(code)),
        "BAD" => Ok(End::Bad),
        _ => Err(format!("a strange end: {text}")),
    }
}

fn code(rest: &str) -> String {
    let inside = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    inside.map_or_else(String::new, |(code, _)| code.to_owned())
}

fn response(raw: &[u8]) -> Checked<Response> {
    if raw.starts_with(b"+") {
        return Ok(Response::Continue);
    }
    let strange = || format!("a strange response: {}", String::from_utf8_lossy(raw));
    let rest = raw.strip_prefix(b"* ").ok_or_else(strange)?;
    for status in ["OK ", "NO ", "BAD "] {
        if let Some(rest) = rest.strip_prefix(status.as_bytes()) {
            return Ok(Response::Told(code(&String::from_utf8_lossy(rest))));
        }
    }
    if rest.starts_with(b"BYE") {
        return Ok(Response::Bye);
    }
    let mut tokens = tokens(&mut &rest[..]).ok_or_else(strange)?.into_iter();
    let first = tokens.next().and_then(Token::atom).ok_or_else(strange)?;
    if let Ok(number) = first.parse::<u32>() {
        let word = tokens.next().and_then(Token::atom).ok_or_else(strange)?;
        return Ok(match (word.as_str(), tokens.next()) {
            ("EXISTS", None) => Response::Exists(number),
            ("EXPUNGE", None) => Response::Expunge(number),
            ("FETCH", Some(Token::List(list))) => Response::Fetch(number, items(list).ok_or_else(strange)?),
            ("RECENT", None) => Response::Other,
            _ => return Err(strange()),
        });
    }
    let rest: Vec<Token> = tokens.collect();
    Ok(match (first.as_str(), rest.as_slice()) {
        ("VANISHED", [Token::List(_), set]) => {
            Response::Vanished { earlier: true, uids: ranges(set).ok_or_else(strange)? }
        }
        ("VANISHED", [set]) => Response::Vanished { earlier: false, uids: ranges(set).ok_or_else(strange)? },
        ("FLAGS", [Token::List(list)]) => {
            Response::Flags(list.iter().filter_map(|token| token.clone().atom()).collect())
        }
        ("SEARCH", _) => search(&rest).ok_or_else(strange)?,
        ("ESEARCH", _) => Response::Esearch(rest),
        ("STATUS", [_, Token::List(list)]) => Response::Status(list.clone()),
        ("LIST", [_, _, name, ..]) => Response::List(name.octets()),
        _ => Response::Other,
    })
}

fn search(rest: &[Token]) -> Option<Response> {
    let (mut numbers, mut modseq) = (Vec::new(), None);
    for token in rest {
        match token {
            Token::List(pair) => modseq = pair.get(1)?.clone().atom()?.parse().ok(),
            other => numbers.push(other.clone().atom()?.parse().ok()?),
        }
    }
    Some(Response::Search { numbers, modseq })
}

fn items(list: Vec<Token>) -> Option<Items> {
    let mut items = Items::default();
    let mut list = list.into_iter();
    while let Some(name) = list.next() {
        let (name, value) = (name.atom()?, list.next()?);
        match (name.as_str(), value) {
            ("UID", value) => items.uid = value.atom()?.parse().ok(),
            ("FLAGS", Token::List(list)) => items.flags = Some(flags::mask(&list)?),
            ("MODSEQ", Token::List(list)) => items.modseq = list.into_iter().next()?.atom()?.parse().ok(),
            ("RFC822.SIZE", value) => items.size = value.atom()?.parse().ok(),
            (name, Token::Text(text)) if name.starts_with("BODY[") => items.body = Some(text),
            _ => {}
        }
    }
    Some(items)
}

/// `1:3,7` as ranges.
pub fn ranges(token: &Token) -> Option<Vec<(u32, u32)>> {
    let Token::Atom(text) = token else { return None };
    number_ranges(text)
}

pub fn number_ranges(text: &str) -> Option<Vec<(u32, u32)>> {
    let range = |member: &str| match member.split_once(':') {
        Some((a, b)) => Some((a.parse().ok()?, b.parse().ok()?)),
        None => member.parse().ok().map(|number| (number, number)),
    };
    text.split(',').map(range).collect()
}

impl Token {
    pub fn atom(self) -> Option<String> {
        match self {
            Token::Atom(text) => Some(text),
            _ => None,
        }
    }

    /// What an astring stands for.
    pub fn octets(&self) -> Vec<u8> {
        match self {
            Token::Atom(text) => text.clone().into_bytes(),
            Token::Text(text) => text.clone(),
            Token::List(_) => Vec::new(),
        }
    }
}

/// Tokens up to the end of the line or the closing parenthesis.
fn tokens(rest: &mut &[u8]) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    loop {
        match rest.first()? {
            b' ' => *rest = &rest[1..],
            b'\r' => return Some(found),
            b')' => {
                *rest = &rest[1..];
                return Some(found);
            }
            b'(' => {
                *rest = &rest[1..];
                found.push(Token::List(tokens(rest)?));
            }
            b'"' => found.push(quoted(rest)?),
            b'{' => {
                let at = rest.iter().position(|byte| *byte == b'\n')?;
                let size = literal(&rest[..=at])?;
                found.push(Token::Text(rest.get(at + 1..at + 1 + size)?.to_vec()));
                *rest = &rest[at + 1 + size..];
            }
            _ => found.push(atom(rest)?),
        }
    }
}

fn quoted(rest: &mut &[u8]) -> Option<Token> {
    let (mut text, mut at) = (Vec::new(), 1);
    loop {
        match rest.get(at)? {
            b'"' => break,
            b'\\' => {
                at += 1;
                text.push(*rest.get(at)?);
            }
            byte => text.push(*byte),
        }
        at += 1;
    }
    *rest = &rest[at + 1..];
    Some(Token::Text(text))
}

/// An atom; brackets keep what is inside together.
fn atom(rest: &mut &[u8]) -> Option<Token> {
    let mut inside = false;
    let ends = |byte: &u8| {
        inside = (inside || *byte == b'[') && *byte != b']';
        !inside && b" ()\r".contains(byte)
    };
    let length = rest.iter().position(ends)?;
    let text = String::from_utf8(rest[..length].to_vec()).ok()?;
    *rest = &rest[length..];
    Some(Token::Atom(text))
}
