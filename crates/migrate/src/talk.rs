//! A dialogue with an old server: POP3, SMTP and LDAP. Every wait ends.

use std::time::Duration;

use anser_net::{Fill, Line, Stream};
use anser_wire::Secret;
use anser_wire::sasl::encode_base64;

use crate::entry::Login;
use crate::halt;
use crate::imap::connection::secure;
use crate::meaning::text_of;
use crate::model::{Source, Tls};
use crate::reach;
use crate::trouble::Trouble;

/// Longest line of an answer, in bytes.
const LINE: usize = 4096;

/// A dialogue.
pub struct Talk {
    stream: Stream,
}

impl Talk {
    /// Connects within `connection`, with TLS where it comes first; from then on every answer must come within `answer`.
    pub async fn begin(source: &Source, connection: Duration, answer: Duration) -> Result<Self, Trouble> {
        let mut stream = reach::connect(&source.host, source.port, connection).await?;
        stream.set_read_timeout(answer);
        stream.set_write_timeout(answer);
        if matches!(source.tls, Tls::Implicit | Tls::ImplicitAny) {
            secure(&mut stream, source).await?;
        }
        Ok(Self { stream })
    }

    /// Starts TLS, which the server agreed to just now.
    pub async fn secure(&mut self, source: &Source) -> Result<(), Trouble> {
        secure(&mut self.stream, source).await
    }

    /// The connection, for whoever speaks for himself from here on.
    pub fn into_stream(self) -> Stream {
        self.stream
    }

    /// Sends a line.
    pub async fn say(&mut self, line: &[u8]) -> Result<(), Trouble> {
        self.send(&[line, b"\r\n"].concat()).await
    }

    /// Sends octets.
    pub async fn send(&mut self, octets: &[u8]) -> Result<(), Trouble> {
        let sent = async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        };
        halt::answer(sent).await?.map_err(|error| Trouble::lost(error.chain()))
    }

    /// The next line, without its end.
    pub async fn line(&mut self) -> Result<String, Trouble> {
        match halt::answer(self.stream.read_line(LINE)).await?.map_err(|error| Trouble::lost(error.chain()))? {
            // Ids are lines as well, and stay what they are whatever their octets could mean.
            Line::Full(line) if line.starts_with(b"-") => Ok(text_of(&line).trim_end().to_owned()),
            Line::Full(line) => Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
            Line::TooLong => Err(Trouble::lost("an endless line")),
            Line::Closed => Err(Trouble::lost("the server closed the connection")),
            Line::TimedOut => Err(Trouble::lost("no answer in time")),
        }
    }

    /// Octets that came; at least one.
    pub async fn octets(&mut self) -> Result<&[u8], Trouble> {
        if self.stream.buffered_input_len() == 0 {
            match halt::answer(self.stream.fill()).await?.map_err(|error| Trouble::lost(error.chain()))? {
                Fill::Data(_) => {}
                Fill::Closed => return Err(Trouble::lost("the server closed the connection")),
                Fill::TimedOut => return Err(Trouble::lost("no answer in time")),
            }
        }
        Ok(self.stream.buffer())
    }

    /// Steps over octets.
    pub fn used(&mut self, count: usize) {
        self.stream.consume(count);
    }
}

/// The initial response of PLAIN (RFC 4616 §2).
pub fn plain(login: &Login, password: &Secret) -> String {
    let whose = login.whose.as_deref().unwrap_or_default();
    encode_base64(&[whose.as_bytes(), b"\0", login.name.as_bytes(), b"\0", password.as_bytes()].concat())
}

/// A login that cannot be said to a server in any way that it knows.
pub fn unsaid(why: &str) -> Trouble {
    Trouble::Login { kind: "form", why: format!("this server knows no way for this login: {why}") }
}
