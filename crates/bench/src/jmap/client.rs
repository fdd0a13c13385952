//! A JMAP client that costs little beside the server it measures: blocking, one connection, answers looked into by their text.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::servers::{PASSWORD, Server};

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(180);

/// One connection of one account.
pub struct Client {
    stream: BufReader<TcpStream>,
    authorization: String,
    /// The account's id.
    pub account: String,
}

impl Client {
    /// Connects as one of the server's accounts.
    pub fn connect(server: &Server, name: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", server.http()))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let authorization = STANDARD.encode(format!("{}:{PASSWORD}", server.address(name)));
        let mut client = Self { stream: BufReader::new(stream), authorization, account: String::new() };
        let session = client.http("GET", "/jmap/session", "")?;
        client.account = text_after(&session, "\"urn:ietf:params:jmap:mail\":\"")?;
        Ok(client)
    }

    /// A request of these calls, and how long it took, in ms. An error in the answer is one here.
    pub fn calls(&mut self, calls: &str) -> io::Result<(String, f64)> {
        let body = format!(
            "{{\"using\":[\"urn:ietf:params:jmap:core\",\"urn:ietf:params:jmap:mail\"],\"methodCalls\":{}}}",
            calls.replace("ACCOUNT", &self.account)
        );
        let started = Instant::now();
        let answer = self.http("POST", "/jmap/api", &body)?;
        let time = started.elapsed().as_secs_f64() * 1000.0;
        match answer.contains("[\"error\"") {
            true => Err(io::Error::other(answer)),
            false => Ok((answer, time)),
        }
    }

    /// One request.
    fn http(&mut self, method: &str, path: &str, body: &str) -> io::Result<String> {
        self.send(method, path, body)?;
        let (status, mut length) = (self.line()?, 0);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if let Some(count) = line.strip_prefix("content-length:") {
                length = count.trim().parse().map_err(io::Error::other)?;
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        let body = String::from_utf8_lossy(&body).into_owned();
        if status.contains(" 200 ") { Ok(body) } else { Err(io::Error::other(format!("{status} {body}"))) }
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> io::Result<()> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.authorization,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line)? {
            0 => Err(io::Error::other("the server closed the connection")),
            _ => Ok(line.trim_end().to_owned()),
        }
    }

    /// Opens the event source, on which nothing else can be asked any more.
    pub fn follow(mut self) -> io::Result<Events> {
        self.send("GET", "/jmap/events?types=*&closeafter=no&ping=300", "")?;
        let mut events = Events { stream: self.stream };
        events.until("ping")?;
        Ok(events)
    }
}

/// An open event source.
pub struct Events {
    stream: BufReader<TcpStream>,
}

impl Events {
    /// Reads until a line says so.
    pub fn until(&mut self, word: &str) -> io::Result<()> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::Error::other("the event source was closed"));
            }
            if line.contains(word) {
                return Ok(());
            }
        }
    }
}

/// What stands between a text and the next quotation mark.
pub fn text_after(answer: &str, mark: &str) -> io::Result<String> {
    let rest = answer.split_once(mark).map(|(_, rest)| rest);
    let text = rest.and_then(|rest| Some(rest.split_once('"')?.0.to_owned()));
    text.ok_or_else(|| io::Error::other(format!("no {mark} in {answer:.300}")))
}
