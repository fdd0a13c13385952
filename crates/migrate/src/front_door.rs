//! Old servers asked about one login, for the front door of `directory`; and what was learnt, given to the moves.
//!
//! | protocol | how the password goes | wrong | refused for another reason | the server cannot tell |
//! |---|---|---|---|---|
//! | IMAP | AUTHENTICATE PLAIN, else LOGIN with a literal | NO without a reason of another kind | NO with one | all else |
//! | POP3 | AUTH PLAIN, else USER and PASS | `-ERR` without a reason of another kind | `-ERR` with one | all else |
//! | SMTP | AUTH PLAIN, else AUTH LOGIN | 535 (RFC 4954 §6) | another 5yz | all else |
//! | LDAP | a simple bind | as `ldap` has it | as `ldap` has it | all else |
//! | an HTTP hook | POST of JSON with `login` and `password`; 200 is right | 401, 403 | nothing | all else, redirects too |

use std::sync::Arc;
use std::time::Duration;

use anser_base::{Class, Error, Result};
use anser_directory::front_door::LOGIN;
use anser_directory::{Answer, Lesson, OldProtocol, Question};
use anser_wire::Secret;
use anser_wire::sasl::encode_base64;
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use tokio::time::timeout;

use crate::Migrate;
use crate::acts::{NewMailbox, Password};
use crate::entry::Login;
use crate::imap::Imap;
use crate::ldap;
use crate::model::{Kind, MoveState, Priority, Source, State, Tls};
use crate::pop3::Pop3;
use crate::pop3::connection::Said;
use crate::rows;
use crate::talk::{Talk, plain};
use crate::trouble::Trouble;
use crate::web::Web;

/// For a whole login at an old server; a client waits meanwhile.
const WHOLE: Duration = Duration::from_secs(25);
/// For a connection.
const CONNECTION: Duration = Duration::from_secs(10);
/// Lines of one answer.
const LINES: usize = 200;

/// Whether the old server lets them in. Answers within 25 seconds.
pub async fn ask(question: Question) -> Answer {
    match timeout(WHOLE, by_protocol(&question)).await {
        Ok(Ok(true)) => Answer::Good,
        Ok(Ok(false)) => Answer::Wrong,
        Ok(Err(Trouble::Login { why, .. } | Trouble::Refused(why))) => Answer::Refused(why),
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
        admin: None,
        rules: Default::default(),
    };
    match door.protocol {
        OldProtocol::Imap => imap(&source, &question.login, &question.password).await,
        OldProtocol::Pop3 => pop3(&source, &question.login, &question.password).await,
        OldProtocol::Smtp => smtp(&source, &question.login, &question.password).await,
        OldProtocol::Ldap => {
            let template = door.target.as_deref().unwrap_or(LOGIN);
            ldap::bind(&source, template, &question.login, &question.password, [CONNECTION, WHOLE]).await
        }
        OldProtocol::Http => hook(&source, door.target.as_deref().unwrap_or("/"), question).await,
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

async fn pop3(source: &Source, login: &str, password: &Secret) -> Result<bool, Trouble> {
    let mut pop3 = Pop3::connect(source, CONNECTION, WHOLE).await?;
    let line = pop3.ask_in(&Login::from(login), password).await?;
    pop3.leave().await;
    match Said::of(&line) {
        Said::In | Said::InUse(_) => Ok(true),
        Said::Not(Trouble::Login { kind: "wrong", .. }) => Ok(false),
        Said::Not(trouble) => Err(trouble),
    }
}

async fn smtp(source: &Source, login: &str, password: &Secret) -> Result<bool, Trouble> {
    let mut talk = Talk::begin(source, CONNECTION, WHOLE).await?;
    reply(&mut talk, b'2').await?;
    talk.say(b"EHLO anser.invalid").await?;
    let mut can = reply(&mut talk, b'2').await?;
    if matches!(source.tls, Tls::Starttls | Tls::StarttlsAny) {
        talk.say(b"STARTTLS").await?;
        reply(&mut talk, b'2').await?;
        talk.secure(source).await?;
        talk.say(b"EHLO anser.invalid").await?;
        can = reply(&mut talk, b'2').await?;
    }
    let ways = can.iter().find(|line| line.get(4..8) == Some("AUTH")).cloned().unwrap_or_default();
    if ways.split([' ', '=']).any(|way| way == "PLAIN") || !ways.contains("LOGIN") {
        talk.say(format!("AUTH PLAIN {}", plain(&Login::from(login), password)).as_bytes()).await?;
    } else {
        talk.say(b"AUTH LOGIN").await?;
        reply(&mut talk, b'3').await?;
        talk.say(encode_base64(login.as_bytes()).as_bytes()).await?;
        reply(&mut talk, b'3').await?;
        talk.say(encode_base64(password.as_bytes()).as_bytes()).await?;
    }
    let lines = lines(&mut talk).await?;
    let last = lines.last().cloned().unwrap_or_default();
    let _ = talk.say(b"QUIT").await;
    match last.get(..3) {
        Some("235") => Ok(true),
        Some("535") => Ok(false),
        Some(code) if code.starts_with('5') => Err(Trouble::Refused(last)),
        _ => Err(Trouble::lost(last)),
    }
}

/// Asks a program of the organisation's own. Of its answer nothing but the status is read.
async fn hook(source: &Source, path: &str, question: &Question) -> Result<bool, Trouble> {
    // JSON has no other octets: nobody has such a password there.
    let Ok(password) = str::from_utf8(question.password.as_bytes()) else { return Ok(false) };
    let asked = serde_json::json!({ "login": question.login, "password": password }).to_string();
    let request = Request::post(path).header(CONTENT_TYPE, "application/json").body(asked.into());
    let answer = Web::of(source).send(request.map_err(|_| Trouble::lost("a path that nobody knows"))?).await?;
    match answer.status() {
        StatusCode::OK => Ok(true),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(false),
        other => Err(Trouble::lost(format!("the hook answers {other}"))),
    }
}

/// A whole reply.
async fn lines(talk: &mut Talk) -> Result<Vec<String>, Trouble> {
    let mut all = Vec::new();
    while all.len() < LINES {
        let line = talk.line().await?;
        let goes_on = line.as_bytes().get(3) == Some(&b'-');
        all.push(line);
        if !goes_on {
            return Ok(all);
        }
    }
    Err(Trouble::lost("an endless answer"))
}

/// A reply that begins so.
async fn reply(talk: &mut Talk, first: u8) -> Result<Vec<String>, Trouble> {
    let lines = lines(talk).await?;
    match lines.last() {
        Some(last) if last.as_bytes().first() == Some(&first) => Ok(lines),
        last => Err(Trouble::lost(last.cloned().unwrap_or_default())),
    }
}

impl Migrate {
    /// Takes a password that was learnt: wherever a move has this old server, the mailbox that is listed for the account is given it, sealed,
    /// and where none is its login is listed. In a move that runs the mailbox is due at once, before all others: its owner waits. In a draft,
    /// or while the move is paused, it is the first once that runs. How many moves took it.
    pub async fn learned(&self, lesson: Lesson) -> Result<u64> {
        let mut count = 0;
        for of in self.read(rows::moves).await? {
            let id = of.id;
            let sources = self.read(move |tx| rows::sources(tx, id)).await?;
            if let Some((source, mailbox)) = self.taker(id, &sources, &lesson).await? {
                let (address, takes) = (mailbox.address.clone(), mailbox.password.is_some());
                match self.add_mailboxes(&of.name, Some(source), vec![mailbox]).await {
                    // The mail of this login goes to somebody else: that keeps no other move from the password.
                    Err(error) if error.class == Class::Conflict => {
                        tracing::warn!(address, why = error.chain(), "a move takes no password that was learnt");
                        continue;
                    }
                    other => _ = other?,
                }
                self.raise(&of.name, vec![address.clone()], Priority::Awaited).await?;
                count += u64::from(takes);
                if of.state == MoveState::Running {
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

    /// The mailbox of a move that a lesson is for, and the name of its source: one that is listed for the account comes before a new one,
    /// whatever its login is, as an account's mail comes by one way, or the inbox would be here twice. It has no password where that of
    /// another login is known, and was not refused.
    async fn taker(&self, of: u64, sources: &[Source], lesson: &Lesson) -> Result<Option<(String, NewMailbox)>> {
        let is_mail_server = !matches!(lesson.door.protocol, OldProtocol::Ldap | OldProtocol::Http);
        let fits = |source: &&Source| match is_mail_server {
            true => source.host.eq_ignore_ascii_case(&lesson.door.host),
            false => source.takes_passwords(),
        };
        let fitting: Vec<&Source> = sources.iter().filter(fits).collect();
        let account = lesson.account.id;
        let mut listed = self.read(move |tx| rows::mailboxes_of(tx, account)).await?;
        listed.retain(|mailbox| mailbox.of == of);
        let (is_listed, mut known) = (!listed.is_empty(), Vec::new());
        for mailbox in listed {
            let Some(source) = fitting.iter().find(|source| source.id == mailbox.source) else { continue };
            let (is_in, is_named) = (mailbox.state != State::Abandoned, mailbox.login == lesson.login);
            let is_without = mailbox.secret.is_none() || self.inner.is_stale(&mailbox, source).await?;
            let lacks = is_in && is_without && source.takes_passwords();
            let rank = (is_in, is_named, lacks, fitness(source, lesson), u64::MAX - mailbox.id);
            // What is no mail server has one password of everybody, whatever the login.
            known.push((rank, source.name.clone(), mailbox, is_named || lacks || !is_mail_server));
        }
        let password = Password(lesson.password.as_bytes().to_vec());
        if let Some((_, source, mailbox, takes)) = known.into_iter().max_by_key(|(rank, ..)| *rank) {
            let (login, address) = (mailbox.login, mailbox.address);
            return Ok(Some((source, NewMailbox { login, password: takes.then_some(password), address })));
        }
        let found = match (is_mail_server, &*fitting) {
            (true, all) => all.iter().max_by_key(|source| fitness(source, lesson)),
            // The only one there, where others of their domain are in the move.
            (false, [only]) if !is_listed => {
                let domain = lesson.account.address.domain().to_owned();
                self.read(move |tx| rows::has_domain(tx, of, &domain)).await?.then_some(only)
            }
            _ => None,
        };
        let (login, address) = (lesson.login.clone(), lesson.account.address.to_string());
        Ok(found.map(|source| (source.name.clone(), NewMailbox { login, password: Some(password), address })))
    }
}

/// What the roof hands to the directory. It keeps no engine alive: engines hold the directory, and tables that are held by a circle are
/// never closed.
pub fn old_servers(moves: &Migrate) -> anser_directory::OldServers {
    let inner = Arc::downgrade(&moves.inner);
    let (passing, living, holding, lacking) = (inner.clone(), inner.clone(), inner.clone(), inner.clone());
    anser_directory::OldServers {
        pass: Box::new(move |account, service| {
            let inner = passing.upgrade();
            Box::pin(async move {
                match inner {
                    Some(inner) => inner.passage(&account, service).await,
                    None => Ok(None),
                }
            })
        }),
        elsewhere: Box::new(move |accounts| {
            let inner = living.upgrade();
            Box::pin(async move {
                match inner {
                    Some(inner) => inner.elsewhere(accounts).await,
                    None => Ok(Vec::new()),
                }
            })
        }),
        stale: Box::new(move |account| {
            let inner = holding.upgrade();
            Box::pin(async move {
                match inner {
                    Some(inner) => inner.has_stale_secret(account).await,
                    None => Ok(false),
                }
            })
        }),
        lacks: Box::new(move |account| {
            let inner = lacking.upgrade();
            Box::pin(async move {
                match inner {
                    Some(inner) => inner.lacks_secret(account).await,
                    None => Ok(false),
                }
            })
        }),
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

/// How well a source on the host of a front door fits a lesson: one that speaks IMAP comes before another, and the very same port before all.
fn fitness(source: &Source, lesson: &Lesson) -> (bool, bool, u64) {
    (source.kind == Kind::Imap, source.port == lesson.door.port, u64::MAX - source.id)
}

fn note(address: &str, error: &Error) {
    tracing::warn!(address, error = error.chain(), "a learnt password could not be given to the moves");
}
