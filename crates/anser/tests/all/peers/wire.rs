//! The smallest clients that a test needs to see exactly what is on the wire.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::node::PASSWORD;

/// How long a client waits for the other side.
const PATIENCE: Duration = Duration::from_secs(60);

fn connect(port: u16) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(BufReader::with_capacity(64 * 1024, stream))
}

fn line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = Vec::new();
    match stream.read_until(b'\n', &mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
    }
}

/// A sender that pipelines all that RFC 2920 §3.1 allows: the end of one message and the envelope of the next travel together.
pub struct Smtp {
    stream: BufReader<TcpStream>,
    out: Vec<u8>,
}

impl Smtp {
    /// Connects and says `EHLO`.
    pub fn connect(port: u16) -> io::Result<Self> {
        Self::greet(port, b"EHLO sender.example\r\n")
    }

    fn greet(port: u16, hello: &[u8]) -> io::Result<Self> {
        let mut smtp = Self { stream: connect(port)?, out: Vec::new() };
        smtp.expect("220")?;
        smtp.out.extend_from_slice(hello);
        smtp.flush()?;
        smtp.expect("250")?;
        Ok(smtp)
    }

    /// Sends one message with lines that end in CRLF; `Ok` only after the reply to its end was positive.
    pub fn send(&mut self, from: &str, to: &str, message: &[u8]) -> io::Result<()> {
        self.envelope(from, to);
        self.flush()?;
        self.accepted()?;
        self.content(message);
        self.flush()?;
        self.expect("250")
    }

    /// Sends many, the next envelope behind each content.
    pub fn send_all(&mut self, from: &str, to: &str, messages: &[Vec<u8>]) -> io::Result<()> {
        self.envelope(from, to);
        for (n, message) in messages.iter().enumerate() {
            self.flush()?;
            self.accepted()?;
            self.content(message);
            if n + 1 < messages.len() {
                self.envelope(from, to);
            }
            self.flush()?;
            self.expect("250")?;
        }
        Ok(())
    }

    fn accepted(&mut self) -> io::Result<()> {
        ["250", "250", "354"].iter().try_for_each(|code| self.expect(code))
    }

    fn envelope(&mut self, from: &str, to: &str) {
        let lines = format!("MAIL FROM:<{from}>\r\nRCPT TO:<{to}>\r\nDATA\r\n");
        self.out.extend_from_slice(lines.as_bytes());
    }

    fn content(&mut self, message: &[u8]) {
        self.out.extend_from_slice(&stuffed(message));
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.get_mut().write_all(&std::mem::take(&mut self.out))
    }

    fn expect(&mut self, code: &str) -> io::Result<()> {
        loop {
            let reply = line(&mut self.stream)?;
            if !reply.starts_with(code) {
                return Err(io::Error::other(format!("smtp: {reply} instead of {code}")));
            }
            if reply.as_bytes().get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }
}

/// The content of `DATA`: dots at the start of lines doubled, the line with one dot at the end.
pub fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 16);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b".\r\n");
    out
}

/// One IMAP session.
pub struct Imap {
    stream: BufReader<TcpStream>,
    tag: u32,
}

/// One response: its text with the literals taken out, and the literals.
#[derive(Debug)]
pub struct Response {
    /// For example `* 1 FETCH (UID 7 BODY[] )`.
    pub text: String,
    /// In their order.
    pub literals: Vec<Vec<u8>>,
}

impl Response {
    /// The word that follows `name` and a space, without brackets.
    pub fn value(&self, name: &str) -> Option<&str> {
        let rest = &self.text[self.text.find(&format!("{name} "))? + name.len() + 1..];
        rest.split([' ', ')', ']']).next()
    }

    /// The number that follows `name`.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.value(name)?.parse().ok()
    }
}

/// A message of a mailbox.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its UID.
    pub uid: u64,
    /// Its flags without `\Recent`, in alphabetical order.
    pub flags: Vec<String>,
    /// The whole message.
    pub body: Vec<u8>,
}

impl Imap {
    /// Connects and logs in.
    pub fn login(port: u16, user: &str) -> io::Result<Self> {
        let mut imap = Self { stream: connect(port)?, tag: 0 };
        line(&mut imap.stream)?;
        imap.run(&format!("LOGIN {user} {PASSWORD}"))?;
        Ok(imap)
    }

    /// Runs a command; returns all responses, the tagged one last. An error when that is not `OK`.
    pub fn run(&mut self, command: &str) -> io::Result<Vec<Response>> {
        let tag = self.send(command)?;
        self.finish(&tag)
    }

    /// `SELECT`; returns the responses.
    pub fn select(&mut self, mailbox: &str) -> io::Result<Vec<Response>> {
        self.run(&format!("SELECT \"{mailbox}\""))
    }

    /// Appends a message; returns its UID when the server says it (RFC 4315 §3).
    pub fn append(&mut self, mailbox: &str, flags: &str, message: &[u8]) -> io::Result<Option<u64>> {
        let tag = self.send(&format!("APPEND \"{mailbox}\" ({flags}) {{{}}}", message.len()))?;
        let reply = self.response()?;
        if !reply.text.starts_with('+') {
            return Err(io::Error::other(format!("imap: {}", reply.text)));
        }
        self.stream.get_mut().write_all(message)?;
        self.stream.get_mut().write_all(b"\r\n")?;
        let done = self.finish(&tag)?;
        let text = done.last().map(|response| response.text.clone()).unwrap_or_default();
        let code = text.split_once("APPENDUID ").and_then(|(_, rest)| rest.split([' ', ']']).nth(1)?.parse().ok());
        Ok(code)
    }

    /// Everything in the mailbox that is open.
    pub fn fetch_all(&mut self) -> io::Result<Vec<Fetched>> {
        let responses = self.run("UID FETCH 1:* (UID FLAGS BODY.PEEK[])")?;
        Ok(responses.into_iter().filter_map(fetched).collect())
    }

    /// Sends a command that the server answers with `+`, and waits for that.
    pub fn begin(&mut self, command: &str) -> io::Result<()> {
        self.send(command)?;
        match self.response()?.text {
            text if text.starts_with('+') => Ok(()),
            text => Err(io::Error::other(format!("imap: {text}"))),
        }
    }

    /// What the server says up to the end of the connection.
    pub fn read_to_end(&mut self) -> String {
        let mut said = Vec::new();
        let _ = self.stream.read_to_end(&mut said);
        String::from_utf8_lossy(&said).into_owned()
    }

    fn send(&mut self, command: &str) -> io::Result<String> {
        self.tag += 1;
        let tag = format!("a{}", self.tag);
        self.stream.get_mut().write_all(format!("{tag} {command}\r\n").as_bytes())?;
        Ok(tag)
    }

    fn finish(&mut self, tag: &str) -> io::Result<Vec<Response>> {
        let mut responses = Vec::new();
        loop {
            let response = self.response()?;
            let tagged = response.text.strip_prefix(tag).map(|rest| rest.trim_start().starts_with("OK"));
            if tagged == Some(false) {
                return Err(io::Error::other(format!("imap: {}", response.text)));
            }
            responses.push(response);
            if tagged == Some(true) {
                return Ok(responses);
            }
        }
    }

    fn response(&mut self) -> io::Result<Response> {
        let mut response = Response { text: String::new(), literals: Vec::new() };
        loop {
            let line = line(&mut self.stream)?;
            let Some(length) = literal_length(&line) else {
                response.text.push_str(&line);
                return Ok(response);
            };
            response.text.push_str(&line[..line.rfind('{').unwrap_or(0)]);
            let mut literal = vec![0; length];
            self.stream.read_exact(&mut literal)?;
            response.literals.push(literal);
        }
    }
}

fn literal_length(line: &str) -> Option<usize> {
    line.strip_suffix('}')?.rsplit_once('{')?.1.parse().ok()
}

fn fetched(response: Response) -> Option<Fetched> {
    let uid = response.number("UID")?;
    let list = response.text.split_once("FLAGS (")?.1.split_once(')')?.0;
    let mut flags: Vec<String> =
        list.split_whitespace().filter(|flag| *flag != "\\Recent").map(str::to_owned).collect();
    flags.sort();
    Some(Fetched { uid, flags, body: response.literals.into_iter().next()? })
}
