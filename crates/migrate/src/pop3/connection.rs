//! A session: TLS, login, and what the maildrop holds.

use std::collections::HashMap;
use std::time::Duration;

use anser_base::BlobId;
use anser_net::Stream;
use anser_wire::Secret;

use super::fetch::Arriving;
use crate::entry::Login;
use crate::meaning;
use crate::model::{Source, Tls};
use crate::oauth::{bearer, initial};
use crate::source::{Folder, KEY, Seen, Space, Standing};
use crate::talk::{Talk, plain, unsaid};
use crate::trouble::Trouble;

/// For a connection.
const CONNECTION: Duration = Duration::from_secs(60);
/// For the next bytes of an answer; servers that index a maildrop first are slow.
const ANSWER: Duration = Duration::from_secs(180);
/// Messages of a maildrop at most; more is no mail server.
const MESSAGES: usize = 1_000_000;
/// Lines of CAPA that are read.
const LINES: usize = 200;
/// The one folder that POP3 knows.
const INBOX: &[u8] = b"INBOX";

/// A session.
pub struct Pop3 {
    pub(super) talk: Talk,
    source: Source,
    /// What CAPA says (RFC 2449 §5), in upper case; nothing from a server that does not know it.
    capabilities: Vec<String>,
    /// Who came in, so that he can come again.
    login: Option<(Login, Secret)>,
    /// What was listed.
    listed: Option<Vec<Seen>>,
}

/// What a server says to a login.
#[derive(Debug)]
pub enum Said {
    /// Come in.
    In,
    /// The password is right, and another session holds the maildrop (RFC 2449 §8.1.2).
    InUse(Trouble),
    /// Not now, or not so: by its code (RFC 2449 §8, RFC 3206) or its words.
    Not(Trouble),
}

impl Said {
    /// What a line means.
    pub fn of(line: &str) -> Self {
        let Some(said) = refused(line) else {
            return if line.starts_with("+OK") { Self::In } else { Self::Not(Trouble::lost(line)) };
        };
        let trouble = meaning::Said { code: &said.0, text: line, is_bad: false }.login();
        if said.0 == "IN-USE" { Self::InUse(trouble) } else { Self::Not(trouble) }
    }
}

/// The code of an `-ERR`, in upper case; empty where it has none.
fn refused(line: &str) -> Option<(String, &str)> {
    let rest = line.strip_prefix("-ERR")?;
    let coded = rest.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']'));
    Some(coded.map_or((String::new(), rest), |(code, text)| (code.to_uppercase(), text)))
}

impl Pop3 {
    /// Connects and logs in.
    pub async fn open(source: &Source, login: impl Into<Login>, password: &Secret) -> Result<Self, Trouble> {
        let login = login.into();
        let mut pop3 = Self::connect(source, CONNECTION, ANSWER).await?;
        pop3.take_all_as_it_is().await?;
        match Said::of(&pop3.ask_in(&login, password).await?) {
            Said::In => {}
            Said::InUse(trouble) | Said::Not(trouble) => return Err(trouble),
        }
        pop3.login = Some((login, password.clone()));
        pop3.capabilities = pop3.ask_capabilities().await?;
        Ok(pop3)
    }

    /// Connects, starts TLS as the source asks for, and reads what the server can do.
    pub async fn connect(source: &Source, connection: Duration, answer: Duration) -> Result<Self, Trouble> {
        let talk = Talk::begin(source, connection, answer).await?;
        let mut pop3 = Self { talk, source: source.clone(), capabilities: Vec::new(), login: None, listed: None };
        pop3.good("the greeting").await?;
        pop3.capabilities = pop3.ask_capabilities().await?;
        if matches!(source.tls, Tls::Starttls | Tls::StarttlsAny) {
            pop3.command("STLS").await?;
            pop3.talk.secure(source).await?;
            pop3.capabilities = pop3.ask_capabilities().await?;
        }
        Ok(pop3)
    }

    /// Asks for messages as they are (RFC 6856 §2.1), before the login. Courier hands out others that no longer are, where they hold
    /// something beyond ASCII that no header says: a note about them, made anew at every RETR, with the message attached.
    pub async fn take_all_as_it_is(&mut self) -> Result<(), Trouble> {
        if !self.capabilities.iter().any(|line| line.split(' ').next() == Some("UTF8")) {
            return Ok(());
        }
        match self.command("UTF8").await {
            Ok(_) | Err(Trouble::Refused(_)) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// Logs in by whatever way takes any password: SASL PLAIN (RFC 5034), else PASS, which takes all but the end of a line. What the
    /// server says to it in the end.
    pub async fn ask_in(&mut self, login: &Login, password: &Secret) -> Result<String, Trouble> {
        let words = self.capabilities.iter().find(|line| line.split(' ').next() == Some("SASL"));
        if let Some(token) = bearer(password) {
            let is_standard = words.is_some_and(|line| line.contains("OAUTHBEARER"));
            return self.ask_in_by(&login.name, token, is_standard).await;
        }
        if words.is_some_and(|line| line.split(' ').any(|word| word == "PLAIN")) {
            self.talk.say(b"AUTH PLAIN").await?;
            let mut line = self.talk.line().await?;
            // What is refused before the password was said is the way to say it.
            let mut is_known = line.starts_with('+');
            if is_known {
                self.talk.say(plain(login, password).as_bytes()).await?;
                line = self.talk.line().await?;
                is_known = refused(&line)
                    .is_none_or(|(code, text)| !meaning::Said { code: &code, text, is_bad: false }.is_of_form());
            }
            if is_known || login.whose.is_some() {
                return Ok(line);
            }
        }
        let breaks_lines = |octets: &[u8]| octets.iter().any(|octet| matches!(octet, b'\r' | b'\n'));
        if login.whose.is_some() {
            return Err(unsaid("it takes no authorization identity"));
        }
        if breaks_lines(password.as_bytes()) || breaks_lines(login.name.as_bytes()) {
            return Err(unsaid("no line can carry it"));
        }
        self.talk.say(format!("USER {}", login.name).as_bytes()).await?;
        let line = self.talk.line().await?;
        if !line.starts_with("+OK") {
            return Ok(line);
        }
        self.talk.say(&[b"PASS ", password.as_bytes()].concat()).await?;
        self.talk.line().await
    }

    /// By an access token: OAUTHBEARER (RFC 7628), else XOAUTH2.
    async fn ask_in_by(&mut self, login: &str, token: &str, is_standard: bool) -> Result<String, Trouble> {
        let mechanism = if is_standard { "OAUTHBEARER" } else { "XOAUTH2" };
        let (response, end) = initial(mechanism, login, token);
        self.talk.say(format!("AUTH {mechanism}").as_bytes()).await?;
        let line = self.talk.line().await?;
        if !line.starts_with("+ ") && line != "+" {
            return Ok(line);
        }
        self.talk.say(response.as_bytes()).await?;
        let line = self.talk.line().await?;
        if line.starts_with("+OK") || !line.starts_with('+') {
            return Ok(line);
        }
        // What it said is why it refuses, and it wants to be heard out (RFC 7628 §3.2.3).
        self.talk.say(end.as_bytes()).await?;
        self.talk.line().await
    }

    /// Ends this session in good order, so that the server does whatever it does then, and begins another.
    pub async fn come_again(&mut self) -> Result<(), Trouble> {
        let Some((login, password)) = self.login.take() else { return Ok(()) };
        self.command("QUIT").await?;
        *self = Self::open(&self.source.clone(), login, &password).await?;
        Ok(())
    }

    /// The connection, for whoever speaks for himself from here on.
    pub fn into_stream(self) -> Stream {
        self.talk.into_stream()
    }

    /// Says goodbye. The connection is of no more use, however it ends.
    pub async fn leave(mut self) {
        let _ = self.talk.say(b"QUIT").await;
    }

    /// Whether commands may be sent before the one before was answered (RFC 2449 §6.6).
    pub fn pipelines(&self) -> bool {
        self.capabilities.iter().any(|line| line.split(' ').next() == Some("PIPELINING"))
    }

    /// A `+OK`.
    async fn good(&mut self, what: &str) -> Result<String, Trouble> {
        let line = self.talk.line().await?;
        match line.starts_with("+OK") {
            true => Ok(line),
            false => Err(match refused(&line) {
                Some((code, text)) => {
                    meaning::Said { code: &code, text, is_bad: false }.command(format!("{what}: {line}"))
                }
                None => Trouble::lost(format!("{what}: {line}")),
            }),
        }
    }

    async fn command(&mut self, command: &str) -> Result<String, Trouble> {
        self.talk.say(command.as_bytes()).await?;
        self.good(command).await
    }

    /// The lines of an answer of many.
    async fn lines(&mut self, most: usize, mut each: impl FnMut(&str)) -> Result<(), Trouble> {
        for _ in 0..=most {
            let line = self.talk.line().await?;
            if line == "." {
                return Ok(());
            }
            each(line.strip_prefix('.').unwrap_or(&line));
        }
        Err(Trouble::lost("an endless answer"))
    }

    async fn ask_capabilities(&mut self) -> Result<Vec<String>, Trouble> {
        let mut all = Vec::new();
        match self.command("CAPA").await {
            Ok(_) => self.lines(LINES, |line| all.push(line.to_uppercase())).await.map(|()| all),
            Err(Trouble::Refused(_)) => Ok(all),
            Err(other) => Err(other),
        }
    }

    /// The maildrop, as the only folder.
    pub fn folder() -> Folder {
        let (name, attributes) = (INBOX.to_vec(), Vec::new());
        Folder {
            name,
            delimiter: None,
            attributes,
            subscribed: true,
            standing: None,
            stamp: 0,
            id: 0,
            space: Space::Own,
        }
    }

    /// How the maildrop stands.
    pub async fn stat(&mut self) -> Result<Standing, Trouble> {
        let (messages, _) = self.totals().await?;
        Ok(Standing { messages, ..Standing::default() })
    }

    /// How many messages there are, and their octets where it tells them (RFC 1939 §5, STAT).
    pub async fn totals(&mut self) -> Result<(u64, Option<u64>), Trouble> {
        let line = self.command("STAT").await?;
        let (_, numbers) = line.split_once(' ').unwrap_or_default();
        let mut numbers = numbers.split(' ').map(|word| word.parse().ok());
        let messages = numbers.next().flatten().ok_or_else(|| Trouble::lost(format!("STAT: {line}")))?;
        Ok((messages, numbers.next().flatten()))
    }

    /// Its messages, as they were listed first in this session: they are the same until it ends (RFC 1939 §8).
    pub async fn listed(&mut self) -> Result<&[Seen], Trouble> {
        let listed = match self.listed.take() {
            Some(listed) => listed,
            None => self.list().await?,
        };
        Ok(self.listed.insert(listed))
    }

    /// The number and size of each message, in its order (RFC 1939 §5, LIST). Nothing is read.
    pub async fn sizes(&mut self) -> Result<Vec<(u32, u64)>, Trouble> {
        let mut sizes = Vec::new();
        self.command("LIST").await?;
        let each = |line: &str| {
            let mut words = line.split_ascii_whitespace();
            let mut next = || words.next().and_then(|word| word.parse::<u64>().ok());
            if let (Some(number), Some(size)) = (next(), next()) {
                sizes.push((u32::try_from(number).unwrap_or(u32::MAX), size));
            }
        };
        self.lines(MESSAGES, each).await?;
        Ok(sizes)
    }

    /// Its messages, in its order.
    pub async fn list(&mut self) -> Result<Vec<Seen>, Trouble> {
        let sizes = self.sizes().await?;
        let ids = self.ids(&sizes).await?;
        let mut met: HashMap<&str, u32> = HashMap::new();
        let mut seen = Vec::with_capacity(sizes.len());
        for (at, size) in sizes {
            let Some((id, is_uidl)) = ids.get(&at) else { continue };
            let count = met.entry(id).or_default();
            let key = key_of(id, *count);
            *count += 1;
            let uidl = Some(id.clone()).filter(|_| *is_uidl);
            let (flags, keywords, received) = Default::default();
            seen.push(Seen { at, key, uid: 0, uidl, identity: None, flags, keywords, received, written: None, size });
        }
        Ok(seen)
    }

    /// What each message is known by, and whether that is its unique id.
    async fn ids(&mut self, listed: &[(u32, u64)]) -> Result<HashMap<u32, (String, bool)>, Trouble> {
        let mut ids = HashMap::with_capacity(listed.len());
        match self.command("UIDL").await {
            Ok(_) => {
                let each = |line: &str| {
                    let (number, id) = line.split_once(' ').unwrap_or((line, ""));
                    if let Ok(number) = number.parse() {
                        ids.insert(number, (held(id.trim()), true));
                    }
                };
                self.lines(MESSAGES, each).await?;
            }
            // A server of 1994.
            Err(Trouble::Refused(_)) => {}
            Err(other) => return Err(other),
        }
        for (number, _) in listed {
            if ids.get(number).is_none_or(|(id, _)| id.is_empty()) {
                ids.insert(*number, (self.hash(*number).await?.to_hex().to_string(), false));
            }
        }
        Ok(ids)
    }

    /// A hash of one message.
    pub(crate) async fn hash(&mut self, number: u32) -> Result<blake3::Hash, Trouble> {
        self.command(&format!("RETR {number}")).await?;
        let (mut hash, mut arriving) = (blake3::Hasher::new(), Arriving::default());
        while let Some(octets) = arriving.next(&mut self.talk).await? {
            hash.update(octets);
        }
        Ok(hash.finalize())
    }
}

/// An id as it is held. Those that are longer than any may be (70 characters, RFC 1939 §7) are known by a hash.
fn held(id: &str) -> String {
    if id.len() > KEY - 5 { BlobId::of(id.as_bytes()).to_hex() } else { id.to_owned() }
}

/// Ids that a maildrop has more than once are told apart by their order.
fn key_of(id: &str, before: u32) -> Vec<u8> {
    let mut key = id.as_bytes().to_vec();
    if before > 0 {
        key.push(0);
        key.extend_from_slice(&before.to_be_bytes());
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_say_to_a_login_is_told_apart() {
        assert!(matches!(Said::of("+OK Logged in."), Said::In));
        for line in ["-ERR [IN-USE] locked", "-ERR [in-use] locked"] {
            assert!(matches!(Said::of(line), Said::InUse(Trouble::Later { pause: Some(_), .. })), "{line}");
        }
        for (line, kind) in [
            ("-ERR [AUTH] Authentication failed.", "wrong"),
            ("-ERR wrong", "wrong"),
            ("-ERR account locked", "locked"),
            ("-ERR POP3 is disabled for this user", "imap-off"),
            ("-ERR 请使用授权码登录", "app-password"),
            ("-ERR [SYS/PERM] the maildrop is damaged", "not-connected"),
        ] {
            match Said::of(line) {
                Said::Not(Trouble::Login { kind: found, .. }) => assert_eq!(found, kind, "{line}"),
                other => panic!("{line}: {other:?}"),
            }
        }
        for line in ["-ERR [SYS/TEMP] later", "-ERR [LOGIN-DELAY] wait", "-ERR too many connections", "hm"] {
            assert!(matches!(Said::of(line), Said::Not(Trouble::Later { .. })), "{line}");
        }
    }
}
