//! A client that costs little beside the server it measures: blocking, one large buffer, answers are counted and not parsed.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Bytes taken by one read.
const READ: usize = 256 * 1024;
/// Bytes at the end of an answer in which its tagged line is looked for.
const TAIL: usize = 1024;
/// The end of a message in POP3.
const DOT: &[u8] = b"\r\n.\r\n";
/// Bytes of it that may come in the read before.
const CARRY: usize = DOT.len() - 1;
/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(180);

/// One connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The end of what was received, as far as an answer's last line may reach.
    tail: Vec<u8>,
    tag: u32,
}

/// What an answer came to.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// From the command's first byte to the answer's last one.
    pub time: Duration,
    /// Its bytes.
    pub bytes: u64,
}

impl Client {
    /// Connects and takes the greeting.
    pub fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut client = Self { stream, buffer: vec![0; READ], tail: Vec::new(), tag: 0 };
        client.until(|tail| tail.ends_with(b"\r\n"))?;
        Ok(client)
    }

    /// Connects to an IMAP server and logs in.
    pub fn login(port: u16, user: &str, password: &str) -> io::Result<Self> {
        let mut client = Self::connect(port)?;
        client.run(&format!("LOGIN {user} {password}"))?;
        Ok(client)
    }

    /// Sends an IMAP command and takes its answer; `NO` and `BAD` are errors.
    pub fn run(&mut self, command: &str) -> io::Result<Answer> {
        self.run_bytes(command.as_bytes())
    }

    /// [`Self::run`] of a command that holds a literal.
    pub fn run_bytes(&mut self, command: &[u8]) -> io::Result<Answer> {
        self.tag += 1;
        let tag = format!("a{} ", self.tag);
        let started = Instant::now();
        self.send(&[tag.as_bytes(), command, b"\r\n"].concat())?;
        let bytes = self.until(|tail| last_line(tail).is_some_and(|line| line.starts_with(tag.as_bytes())))?;
        let time = started.elapsed();
        let line = last_line(&self.tail).unwrap_or_default();
        match line[tag.len()..].starts_with(b"OK") {
            true => Ok(Answer { time, bytes }),
            false => Err(io::Error::other(String::from_utf8_lossy(line).trim_end().to_owned())),
        }
    }

    /// The last answer's end, about [`TAIL`] bytes: all of a short answer.
    pub fn tail(&self) -> String {
        String::from_utf8_lossy(&self.tail).into_owned()
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// A second handle on the connection, to send on while answers are taken.
    pub fn sender(&self) -> io::Result<TcpStream> {
        self.stream.try_clone()
    }

    /// Reads until what came last looks like the end; returns how many bytes came.
    pub fn until(&mut self, is_end: impl Fn(&[u8]) -> bool) -> io::Result<u64> {
        self.tail.clear();
        let mut bytes = 0;
        loop {
            let count = self.stream.read(&mut self.buffer)?;
            if count == 0 {
                return Err(io::Error::other("the server closed the connection"));
            }
            bytes += count as u64;
            let new = &self.buffer[count.saturating_sub(TAIL)..count];
            let old = self.tail.len().saturating_sub(TAIL - new.len());
            self.tail.drain(..old);
            self.tail.extend_from_slice(new);
            if is_end(&self.tail) {
                return Ok(bytes);
            }
        }
    }

    /// Reads until so many lines consist of a dot alone; returns how many bytes came.
    pub fn until_dots(&mut self, dots: usize) -> io::Result<u64> {
        let (mut bytes, mut found) = (0, 0);
        // The last bytes of the read before stand in front, so that no mark falls in between.
        let mut buffer = vec![0; CARRY + READ];
        while found < dots {
            let count = self.stream.read(&mut buffer[CARRY..])?;
            if count == 0 {
                return Err(io::Error::other("the server closed the connection"));
            }
            bytes += count as u64;
            let seen = &buffer[..CARRY + count];
            found += seen.windows(DOT.len()).filter(|window| *window == DOT).count();
            buffer.copy_within(count..CARRY + count, 0);
        }
        Ok(bytes)
    }
}

fn last_line(tail: &[u8]) -> Option<&[u8]> {
    let line = tail.strip_suffix(b"\r\n")?;
    let start = line.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Some(&tail[start..])
}
