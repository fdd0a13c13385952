//! A POP3 server as data: a maildrop, and habits.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use anser_migrate::source::Origin;
use anser_migrate::trouble::Trouble;
use anser_migrate::{Kind, Source, Tls};
use anser_wire::Secret;

/// What a server does.
#[derive(Clone, Debug, Default)]
pub struct Habits {
    /// What CAPA says; none is a server that does not know it.
    pub capabilities: Option<&'static str>,
    /// Does not know UIDL.
    pub has_no_ids: bool,
    /// Has other ids in each session.
    pub changes_ids: bool,
    /// Removes at QUIT what was read.
    pub removes: bool,
    /// Refuses RETR of this message.
    pub refuses: Option<usize>,
    /// Closes each connection after so many RETRs, while there are entries.
    pub cuts: Vec<usize>,
    /// Comes before all others at the next QUIT, twice.
    pub shifts: Option<(String, Vec<u8>)>,
}

/// What is behind the port.
#[derive(Debug, Default)]
pub struct State {
    /// Ids and messages.
    pub mails: Vec<(String, Vec<u8>)>,
    pub habits: Habits,
    pub sessions: usize,
    /// Commands that came.
    pub heard: Vec<String>,
}

/// A running server; it lives until the process ends.
pub struct Fake {
    port: u16,
    pub state: Arc<Mutex<State>>,
}

impl Fake {
    pub fn start(mails: Vec<(String, Vec<u8>)>, habits: Habits) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { mails, habits, ..State::default() }));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                std::thread::spawn(move || drop(session(stream, &state)));
            }
        });
        Self { port, state }
    }

    pub fn source(&self) -> Source {
        Source {
            id: 1,
            name: "old".into(),
            kind: Kind::Pop3,
            host: "127.0.0.1".into(),
            port: self.port,
            tls: Tls::None,
            profile: "generic".into(),
            connections: 2,
            admin: None,
            rules: Default::default(),
        }
    }

    pub async fn open(&self) -> Result<Origin, Trouble> {
        Origin::open(&self.source(), "ann", Some(&Secret::new("a secret"))).await
    }

    pub fn heard(&self, verb: &str) -> usize {
        self.state.lock().unwrap().heard.iter().filter(|line| line.starts_with(verb)).count()
    }
}

fn session(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let (habits, mails, session, mut left) = {
        let mut state = state.lock().unwrap();
        state.sessions += 1;
        let left = state.habits.cuts.pop();
        (state.habits.clone(), state.mails.clone(), state.sessions, left)
    };
    let mut out = stream.try_clone()?;
    let mut read = Vec::new();
    out.write_all(b"+OK ready\r\n")?;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        state.lock().unwrap().heard.push(line.clone());
        let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
        let answer = match verb {
            "CAPA" => match habits.capabilities {
                Some(words) => {
                    format!("+OK\r\n{}.\r\n", words.split(' ').map(|word| format!("{word}\r\n")).collect::<String>())
                }
                None => "-ERR what\r\n".to_owned(),
            },
            "USER" => "+OK\r\n".to_owned(),
            "PASS" if argument == "a secret" => "+OK in\r\n".to_owned(),
            "PASS" => "-ERR wrong\r\n".to_owned(),
            "STAT" => format!("+OK {} {}\r\n", mails.len(), mails.iter().map(|mail| mail.1.len()).sum::<usize>()),
            "LIST" => listing(&mails, |_, mail| mail.1.len().to_string()),
            "UIDL" if habits.has_no_ids => "-ERR what\r\n".to_owned(),
            "UIDL" if habits.changes_ids => listing(&mails, |at, _| format!("{session}-{at}")),
            "UIDL" => listing(&mails, |_, mail| mail.0.clone()),
            "RETR" => {
                let number: usize = argument.parse().unwrap_or(0);
                match mails.get(number.wrapping_sub(1)) {
                    Some((_, body)) if habits.refuses != Some(number) => {
                        if left == Some(0) {
                            out.write_all(b"+OK\r\nSubject: ha")?;
                            return Ok(());
                        }
                        left = left.map(|left| left - 1);
                        read.push(number - 1);
                        out.write_all(b"+OK\r\n")?;
                        out.write_all(&stuffed(body))?;
                        ".\r\n".to_owned()
                    }
                    _ => "-ERR no such message\r\n".to_owned(),
                }
            }
            "QUIT" => {
                if habits.removes {
                    let gone: Vec<&String> = read.iter().map(|at| &mails[*at].0).collect();
                    state.lock().unwrap().mails.retain(|(id, _)| !gone.contains(&id));
                }
                let mut state = state.lock().unwrap();
                if let Some(mail) = state.habits.shifts.take() {
                    drop(state.mails.splice(..0, [mail.clone(), (mail.0 + "-2", mail.1)]));
                }
                drop(state);
                out.write_all(b"+OK\r\n")?;
                return Ok(());
            }
            _ => "-ERR what\r\n".to_owned(),
        };
        out.write_all(answer.as_bytes())?;
    }
    Ok(())
}

fn listing(mails: &[(String, Vec<u8>)], what: impl Fn(usize, &(String, Vec<u8>)) -> String) -> String {
    let lines = mails.iter().enumerate().map(|(at, mail)| format!("{} {}\r\n", at + 1, what(at, mail)));
    format!("+OK\r\n{}.\r\n", lines.collect::<String>())
}

fn stuffed(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut is_start = true;
    for octet in body {
        if is_start && *octet == b'.' {
            out.push(b'.');
        }
        out.push(*octet);
        is_start = *octet == b'\n';
    }
    out
}
