//! Old servers asked about one login, for the front door of `directory`; and what was learnt, given to the moves.
//!
//! | protocol | how the password goes | wrong | the server cannot tell |
//! |---|---|---|---|
//! | IMAP | AUTHENTICATE PLAIN, else LOGIN with a literal | NO without a reason of another kind | all else |
//! | POP3 | AUTH PLAIN, else USER and PASS | `-ERR` without a code (RFC 2449 §8), or `[AUTH]` | `[SYS/…]`, `[LOGIN-DELAY]` |
//! | SMTP | AUTH PLAIN, else AUTH LOGIN | 535 (RFC 4954 §6) | all else |

use std::sync::Arc;
use std::time::Duration;

use anser_base::{Error, Result};
use anser_directory::{Answer, Lesson, OldProtocol, Question};
use anser_net::{ConnectOptions, Line, Stream, connect};
use anser_wire::Secret;
use anser_wire::sasl::encode_base64;
use tokio::time::timeout;

use crate::Migrate;
use crate::acts::{NewMailbox, Password};
use crate::imap::Imap;
use crate::imap::connection::secure;
use crate::model::{Kind, Source, Tls};
use crate::trouble::Trouble;

/// For a whole login at an old server; a client waits meanwhile.
const WHOLE: Duration = Duration::from_secs(25);
/// For a connection.
const CONNECTION: Duration = Duration::from_secs(10);
/// Longest line of an answer, in bytes.
const LINE: usize = 4096;
/// Lines of one answer.
const LINES: usize = 200;

/// Whether the old server lets them in. Answers within 25 seconds.
pub async fn ask(question: Question) -> Answer {
    match timeout(WHOLE, by_protocol(&question)).await {
        Ok(Ok(true)) => Answer::Good,
        Ok(Ok(false)) => Answer::Wrong,
        Ok(Err(trouble)) => Answer::Down(trouble.words()),
        Err(_) => Answer::Down("no answer in time".to_owned()),
    }
}

async fn by_protocol(question: &Question) -> Result<bool, Trouble> {
    let door = &question.door;
    let tls = Tls::from_word(&door.tls).ok_or_else(|| Trouble::lost("a TLS policy that nobody knows"))?;
    let source = Source {
        id: 0,
        name: String::new(),
        kind: Kind::Imap,
        host: door.host.clone(),
        port: door.port,
        tls,
        profile: String::new(),
        connections: 1,
    };
    match door.protocol {
        OldProtocol::Imap => imap(&source, &question.login, &question.password).await,
        OldProtocol::Pop3 => pop3(&source, &question.login, &question.password).await,
        OldProtocol::Smtp => smtp(&source, &question.login, &question.password).await,
    }
}

async fn imap(source: &Source, login: &str, password: &Secret) -> Result<bool, Trouble> {
    let mut imap = Imap::connect(source).await?;
    let outcome = imap.log_in(login, password).await;
    imap.leave().await;
    match outcome {
        Ok(()) => Ok(true),
        Err(Trouble::Login { kind: "wrong", .. }) => Ok(false),
        Err(trouble) => Err(trouble),
    }
}

/// The initial response of PLAIN (RFC 4616 §2).
fn plain(login: &str, password: &Secret) -> String {
    encode_base64(&[b"\0", login.as_bytes(), b"\0", password.as_bytes()].concat())
}

async fn pop3(source: &Source, login: &str, password: &Secret) -> Result<bool, Trouble> {
    let mut talk = Talk::begin(source).await?;
    talk.good("the greeting").await?;
    let mut can = talk.pop3_capabilities().await?;
    if matches!(source.tls, Tls::Starttls | Tls::StarttlsAny) {
        talk.say(b"STLS").await?;
        talk.good("STLS").await?;
        secure(&mut talk.stream, source).await?;
        can = talk.pop3_capabilities().await?;
    }
    let has_plain =
        can.iter().any(|line| line.split(' ').next() == Some("SASL") && line.split(' ').any(|word| word == "PLAIN"));
    if has_plain {
        talk.say(b"AUTH PLAIN").await?;
        let line = talk.line().await?;
        if !line.starts_with('+') {
            return Err(Trouble::lost(line));
        }
        talk.say(plain(login, password).as_bytes()).await?;
    } else {
        // A line carries anything but its own end.
        if password.as_bytes().contains(&b'\n') || password.as_bytes().contains(&b'\r') {
            return Ok(false);
        }
        talk.say(format!("USER {login}").as_bytes()).await?;
        talk.good("USER").await?;
        talk.say(&[b"PASS ", password.as_bytes()].concat()).await?;
    }
    let line = talk.line().await?;
    let verdict = pop3_verdict(&line);
    // The connection is of no more use, however it ends.
    let _ = talk.say(b"QUIT").await;
    verdict
}

fn pop3_verdict(line: &str) -> Result<bool, Trouble> {
    let code = line.strip_prefix("-ERR [").and_then(|rest| rest.split_once(']')).map(|(code, _)| code.to_uppercase());
    match code.as_deref() {
        _ if line.starts_with("+OK") => Ok(true),
        // The password is right, and another session holds the maildrop (RFC 2449 §8.1.2).
        Some("IN-USE") => Ok(true),
        None | Some("AUTH") if line.starts_with("-ERR") => Ok(false),
        _ => Err(Trouble::lost(line)),
    }
}

async fn smtp(source: &Source, login: &str, password: &Secret) -> Result<bool, Trouble> {
    let mut talk = Talk::begin(source).await?;
    talk.reply(b'2').await?;
    talk.say(b"EHLO anser.invalid").await?;
    let mut can = talk.reply(b'2').await?;
    if matches!(source.tls, Tls::Starttls | Tls::StarttlsAny) {
        talk.say(b"STARTTLS").await?;
        talk.reply(b'2').await?;
        secure(&mut talk.stream, source).await?;
        talk.say(b"EHLO anser.invalid").await?;
        can = talk.reply(b'2').await?;
    }
    let ways = can.iter().find(|line| line.get(4..8) == Some("AUTH")).cloned().unwrap_or_default();
    if ways.split([' ', '=']).any(|way| way == "PLAIN") || !ways.contains("LOGIN") {
        talk.say(format!("AUTH PLAIN {}", plain(login, password)).as_bytes()).await?;
    } else {
        talk.say(b"AUTH LOGIN").await?;
        talk.reply(b'3').await?;
        talk.say(encode_base64(login.as_bytes()).as_bytes()).await?;
        talk.reply(b'3').await?;
        talk.say(encode_base64(password.as_bytes()).as_bytes()).await?;
    }
    let lines = talk.lines().await?;
    let last = lines.last().cloned().unwrap_or_default();
    let _ = talk.say(b"QUIT").await;
    match last.get(..3) {
        Some("235") => Ok(true),
        Some("535") => Ok(false),
        _ => Err(Trouble::lost(last)),
    }
}

/// A dialogue of lines.
struct Talk {
    stream: Stream,
}

impl Talk {
    async fn begin(source: &Source) -> Result<Self, Trouble> {
        let options = ConnectOptions { timeout: CONNECTION, ..ConnectOptions::default() };
        let mut stream =
            connect(&source.host, source.port, &options).await.map_err(|error| Trouble::lost(error.chain()))?;
        stream.set_read_timeout(WHOLE);
        stream.set_write_timeout(WHOLE);
        if matches!(source.tls, Tls::Implicit | Tls::ImplicitAny) {
            secure(&mut stream, source).await?;
        }
        Ok(Self { stream })
    }

    async fn say(&mut self, line: &[u8]) -> Result<(), Trouble> {
        self.stream.write_all(&[line, b"\r\n"].concat()).await?;
        Ok(self.stream.flush().await?)
    }

    async fn line(&mut self) -> Result<String, Trouble> {
        match self.stream.read_line(LINE).await? {
            Line::Full(line) => Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
            Line::TooLong => Err(Trouble::lost("an endless line")),
            Line::Closed => Err(Trouble::lost("the server closed the connection")),
            Line::TimedOut => Err(Trouble::lost("no answer in time")),
        }
    }

    /// A `+OK` of POP3.
    async fn good(&mut self, what: &str) -> Result<(), Trouble> {
        let line = self.line().await?;
        if line.starts_with("+OK") { Ok(()) } else { Err(Trouble::lost(format!("{what}: {line}"))) }
    }

    /// What CAPA says (RFC 2449 §5); nothing from a server that does not know it.
    async fn pop3_capabilities(&mut self) -> Result<Vec<String>, Trouble> {
        self.say(b"CAPA").await?;
        let mut all = Vec::new();
        if !self.line().await?.starts_with("+OK") {
            return Ok(all);
        }
        while all.len() < LINES {
            let line = self.line().await?;
            if line == "." {
                return Ok(all);
            }
            all.push(line.to_uppercase());
        }
        Err(Trouble::lost("an endless answer"))
    }

    /// A whole reply of SMTP.
    async fn lines(&mut self) -> Result<Vec<String>, Trouble> {
        let mut all = Vec::new();
        while all.len() < LINES {
            let line = self.line().await?;
            let goes_on = line.as_bytes().get(3) == Some(&b'-');
            all.push(line);
            if !goes_on {
                return Ok(all);
            }
        }
        Err(Trouble::lost("an endless answer"))
    }

    /// A reply of SMTP that begins so.
    async fn reply(&mut self, first: u8) -> Result<Vec<String>, Trouble> {
        let lines = self.lines().await?;
        match lines.last() {
            Some(last) if last.as_bytes().first() == Some(&first) => Ok(lines),
            last => Err(Trouble::lost(last.cloned().unwrap_or_default())),
        }
    }
}

impl Migrate {
    /// Takes a password that was learnt: wherever a move has this old server, its login is listed with the password sealed, and in a
    /// move that runs its mailbox is due at once. How many moves took it.
    pub async fn learned(&self, lesson: Lesson) -> Result<u64> {
        let (mut count, address) = (0, lesson.account.address.to_string());
        for of in self.moves().await? {
            for source in of.sources.iter().filter(|source| source.host.eq_ignore_ascii_case(&lesson.door.host)) {
                let password = Some(Password(lesson.password.as_bytes().to_vec()));
                let mailbox = NewMailbox { login: lesson.login.clone(), password, address: address.clone() };
                self.add_mailboxes(&of.name, Some(source.name.clone()), vec![mailbox]).await?;
                count += 1;
                if of.state == "running" {
                    let which = vec![address.clone()];
                    let begun = self.start(&of.name, which.clone()).await?;
                    if begun == 0 {
                        self.retry(&of.name, which).await?;
                    }
                }
            }
        }
        Ok(count)
    }
}

/// What the roof hands to the directory. It keeps no engine alive: engines hold the directory, and tables that are held by a circle are
/// never closed.
pub fn old_servers(moves: &Migrate) -> anser_directory::OldServers {
    let inner = Arc::downgrade(&moves.inner);
    anser_directory::OldServers {
        ask: Box::new(|question| Box::pin(ask(question))),
        learned: Box::new(move |lesson| {
            let inner = inner.upgrade();
            Box::pin(async move {
                let Some(inner) = inner else { return };
                let moves = Migrate { inner };
                let address = lesson.account.address.to_string();
                if let Err(error) = moves.learned(lesson).await {
                    note(&address, &error);
                }
            })
        }),
    }
}

fn note(address: &str, error: &Error) {
    tracing::warn!(address, error = error.chain(), "a learnt password could not be given to the moves");
}
