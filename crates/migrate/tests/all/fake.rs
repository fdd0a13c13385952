//! An IMAP server as data: folders, messages, and habits.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anser_migrate::{Kind, Source, Tls};
use anser_wire::sasl::decode_base64;
use tokio::sync::mpsc::UnboundedSender;

use crate::fake_names::{of_folder, of_mail, of_open};

/// A message.
#[derive(Clone, Debug)]
pub struct Mail {
    pub uid: u32,
    pub flags: String,
    pub date: &'static str,
    /// When it last changed.
    pub modseq: u64,
    pub body: Vec<u8>,
    /// What the server names it by in every folder, where it does; a hash of the body when it has none of its own.
    pub name: Option<&'static str>,
}

/// A folder.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Its name on the wire, in the form in which LIST and STATUS give it.
    pub name: Vec<u8>,
    pub attributes: &'static str,
    pub uidvalidity: u32,
    pub uidnext: u32,
    pub mails: Vec<Mail>,
    /// UIDs that left, and when; told where QRESYNC is.
    pub vanished: Vec<(u64, u32)>,
    /// What it is known by whatever its name; nothing without.
    pub id: &'static str,
}

/// What a server does that no grammar asks for.
#[derive(Clone, Debug, Default)]
pub struct Habits {
    /// Capabilities besides IMAP4rev1.
    pub capabilities: &'static str,
    /// Answers pipelined FETCHes of bodies in the wrong order, with noise between.
    pub mixes: bool,
    /// Closes each connection after so many bytes, while there are entries.
    pub cuts: Vec<usize>,
    /// Added to RFC822.SIZE.
    pub size_off: i64,
    /// Says each line of a list twice.
    pub repeats: bool,
    /// Refuses BODY.PEEK[] of this UID.
    pub refuses: Option<u32>,
    /// Says this of what it refuses.
    pub refuses_with: Option<&'static str>,
    /// In whatever way it is asked for.
    pub refuses_any_way: bool,
    /// Closes the connection when this UID is asked for.
    pub breaks: Option<u32>,
    /// Opens no folder before ID.
    pub wants_id: bool,
    /// Announces each body as so long, and sends it as it is.
    pub announces: Option<u64>,
    /// Arrives in the first folder right after its next list.
    pub late: Option<Mail>,
    /// Is subscribed to, and nowhere else.
    pub ghost: Option<&'static str>,
    /// Opens no folder of this name.
    pub locked: Option<&'static str>,
    /// Ends the connection when this folder is opened.
    pub shuts: Option<&'static str>,
    /// What NAMESPACE is answered with.
    pub namespace: Option<&'static str>,
    /// Refuses the next command for bodies with these words, and ends the connection.
    pub throttles: Option<&'static str>,
    /// Takes passwords in quoted strings alone.
    pub quoted_only: bool,
    /// Refuses each command of this name with these words.
    pub busy: Option<(&'static str, &'static str)>,
    /// Lets everybody in.
    pub admits_anybody: bool,
    /// Lets so many in, and refuses the others.
    pub admits: Option<usize>,
    /// Opens folders for so many connections at a time, and for none before they are as many.
    pub opens_together: Option<Together>,
    /// What it says that it is (RFC 2971).
    pub calls_itself: Option<&'static str>,
    /// Refuses to name messages, and folders in LIST, whatever it offers.
    pub boasts: bool,
    /// Is sent in answer to LIST, without end.
    pub floods: Option<&'static [u8]>,
}

impl Habits {
    fn refusal(&self) -> &'static str {
        self.refuses_with.unwrap_or("NO some messages could not be read")
    }
}

/// Where connections wait for each other.
pub type Together = Arc<std::sync::Barrier>;

/// What is behind the port.
#[derive(Debug, Default)]
pub struct State {
    pub folders: Vec<Folder>,
    pub habits: Habits,
    pub user: String,
    pub password: Vec<u8>,
    /// Commands that came.
    pub heard: Vec<String>,
    /// Whom it was asked to act for (RFC 4616 §2).
    pub acted_for: Vec<String>,
    /// Access tokens that let the user in, in place of a password.
    pub tokens: Vec<String>,
    /// Connections that a token opened.
    pub opened: usize,
    /// Who is killed when so much was sent.
    pub victim: Option<Victim>,
    /// Octets that were sent.
    pub sent: usize,
    /// UIDs whose bodies were handed out.
    pub handed: Vec<u32>,
    /// Hands out bodies without end, an octet at a time, and tells of each when it begins.
    pub trickles: Option<UnboundedSender<()>>,
}

/// A process that is killed when so many octets more were sent, to whomever.
#[derive(Debug)]
pub struct Victim {
    pub left: usize,
    pub child: Arc<Mutex<Child>>,
}

/// A running server; it lives until the process ends.
#[derive(Clone)]
pub struct Fake {
    pub port: u16,
    pub state: Arc<Mutex<State>>,
}

/// A plain message.
pub fn mail(uid: u32, flags: &str, text: &str) -> Mail {
    let body = format!("From: ann@old.test\r\nSubject: {text}\r\n\r\n{text} body\r\n").into_bytes();
    Mail { uid, flags: flags.to_owned(), date: "21-Nov-2020 08:00:00 +0800", modseq: 1, body, name: None }
}

/// A folder of these.
pub fn folder(name: &str, mails: Vec<Mail>) -> Folder {
    let uidnext = mails.iter().map(|mail| mail.uid).max().unwrap_or(0) + 1;
    Folder {
        name: format!("\"{name}\"").into_bytes(),
        attributes: "",
        uidvalidity: 1_234_567,
        uidnext,
        mails,
        vanished: Vec::new(),
        id: "",
    }
}

impl Fake {
    pub fn start(folders: Vec<Folder>, habits: Habits) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State { folders, habits, user: "ann".into(), password: b"secret".to_vec(), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                std::thread::spawn(move || drop(Session::new(stream, state).run()));
            }
        });
        Self { port, state }
    }

    pub fn source(&self) -> Source {
        Source {
            id: 1,
            name: "old".into(),
            kind: Kind::Imap,
            host: "127.0.0.1".into(),
            port: self.port,
            tls: Tls::None,
            profile: "generic".into(),
            connections: 2,
            admin: None,
            rules: Default::default(),
        }
    }

    pub fn change(&self, act: impl FnOnce(&mut State)) {
        act(&mut self.state.lock().unwrap());
    }

    /// Logins that were tried.
    pub fn logins(&self) -> usize {
        let is_login = |line: &&String| line.contains(" LOGIN ") || line.contains(" AUTHENTICATE ");
        self.heard().iter().filter(is_login).count()
    }

    /// UIDs whose bodies were handed out since this was asked last, ascending.
    pub fn handed(&self) -> Vec<u32> {
        let mut handed = std::mem::take(&mut self.state.lock().unwrap().handed);
        handed.sort_unstable();
        handed
    }

    pub fn heard(&self) -> Vec<String> {
        self.state.lock().unwrap().heard.clone()
    }
}

struct Session {
    input: BufReader<TcpStream>,
    state: Arc<Mutex<State>>,
    /// Bytes that may still be sent.
    left: Option<usize>,
    folder: Option<usize>,
    said_id: bool,
}

impl Session {
    fn new(stream: TcpStream, state: Arc<Mutex<State>>) -> Self {
        let left = state.lock().unwrap().habits.cuts.pop();
        Self { input: BufReader::new(stream), state, left, folder: None, said_id: false }
    }

    fn say(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let killed = {
            let mut state = self.state.lock().unwrap();
            let end = state.victim.as_mut().and_then(|victim| {
                let end = victim.left;
                victim.left = end.saturating_sub(bytes.len());
                (end < bytes.len()).then_some(end)
            });
            end.and_then(|end| Some((end, state.victim.take()?.child)))
        };
        if let Some((end, child)) = killed {
            self.input.get_mut().write_all(&bytes[..end])?;
            child.lock().unwrap().kill()?;
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        self.state.lock().unwrap().sent += bytes.len();
        let count = self.left.map_or(bytes.len(), |left| left.min(bytes.len()));
        self.input.get_mut().write_all(&bytes[..count])?;
        if let Some(left) = &mut self.left {
            *left -= count;
            if *left == 0 {
                return Err(std::io::ErrorKind::BrokenPipe.into());
            }
        }
        Ok(())
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = Vec::new();
        match self.input.read_until(b'\n', &mut line)? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
        }
    }

    fn run(&mut self) -> std::io::Result<()> {
        self.say(b"* OK ready\r\n")?;
        loop {
            let line = self.line()?;
            self.state.lock().unwrap().heard.push(line.clone());
            let (tag, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let (verb, arguments) = rest.split_once(' ').unwrap_or((rest, ""));
            let busy = self.state.lock().unwrap().habits.busy.filter(|(of, _)| *of == verb);
            if let Some((_, words)) = busy {
                self.say(format!("{tag} NO {words}\r\n").as_bytes())?;
                continue;
            }
            match verb {
                "CAPABILITY" => {
                    let more = self.state.lock().unwrap().habits.capabilities;
                    self.say(format!("* CAPABILITY IMAP4rev1 {more}\r\n{tag} OK done\r\n").as_bytes())?;
                }
                "AUTHENTICATE" if self.state.lock().unwrap().habits.quoted_only => {
                    self.say(format!("{tag} NO unsupported authentication mechanism\r\n").as_bytes())?
                }
                "LOGIN" if self.state.lock().unwrap().habits.quoted_only => {
                    let strings = strings(arguments);
                    match strings.as_slice() {
                        [user, password] => self.admit(tag, user.as_bytes(), password.as_bytes())?,
                        _ => self.say(format!("{tag} BAD two strings are wanted\r\n").as_bytes())?,
                    }
                }
                "LOGIN" => self.login(tag, arguments)?,
                "AUTHENTICATE" if arguments.contains("BEARER") || arguments.contains("XOAUTH2") => {
                    self.authenticate_bearer(tag, arguments)?
                }
                "AUTHENTICATE" => self.authenticate(tag)?,
                "ID" => {
                    self.said_id = true;
                    let answer = match self.state.lock().unwrap().habits.calls_itself {
                        Some(name) => format!("* ID (\"version\" NIL \"name\" \"{name}\")\r\n{tag} OK done\r\n"),
                        None => format!("* ID NIL\r\n{tag} BAD what\r\n"),
                    };
                    self.say(answer.as_bytes())?;
                }
                "ENABLE" => self.say(format!("* ENABLED QRESYNC\r\n{tag} OK done\r\n").as_bytes())?,
                "LIST" | "XLIST" => self.list(tag, verb, arguments)?,
                "LSUB" => {
                    let ghost = self.state.lock().unwrap().habits.ghost;
                    let ghost = ghost.map(|name| format!("* LSUB () \"/\" \"{name}\"\r\n")).unwrap_or_default();
                    self.say(format!("* LSUB () \"/\" INBOX\r\n{ghost}{tag} OK done\r\n").as_bytes())?
                }
                "NAMESPACE" => {
                    let answer = self.state.lock().unwrap().habits.namespace.unwrap_or("NIL NIL NIL");
                    self.say(format!("* NAMESPACE {answer}\r\n{tag} OK done\r\n").as_bytes())?
                }
                "STATUS" => self.status(tag, arguments)?,
                "GETQUOTAROOT" => self.say(
                    format!("* QUOTAROOT INBOX \"\"\r\n* QUOTA \"\" (STORAGE 95 100)\r\n{tag} OK done\r\n").as_bytes(),
                )?,
                "EXAMINE" | "SELECT" => self.examine(tag, arguments)?,
                "APPEND" => {
                    // It has all of it, and is gone before it answers.
                    self.literal(arguments)?;
                    self.line()?;
                    return Ok(());
                }
                "UID" => self.fetch(tag, arguments)?,
                "FETCH" => self.fetch_by_number(tag, arguments)?,
                "NOOP" => self.say(format!("{tag} OK done\r\n").as_bytes())?,
                "LOGOUT" => return self.say(b"* BYE\r\n"),
                _ => self.say(format!("{tag} BAD unknown\r\n").as_bytes())?,
            }
        }
    }

    fn literal(&mut self, argument: &str) -> std::io::Result<Vec<u8>> {
        let size = argument.rsplit_once('{').and_then(|(_, rest)| rest.strip_suffix('}')?.parse().ok()).unwrap_or(0);
        self.say(b"+ go on\r\n")?;
        let mut octets = vec![0; size];
        self.input.read_exact(&mut octets)?;
        Ok(octets)
    }

    fn login(&mut self, tag: &str, arguments: &str) -> std::io::Result<()> {
        let user = match arguments.starts_with('{') {
            true => self.literal(arguments)?,
            false => {
                let quoted = arguments.rsplit_once(' ').map_or("", |two| two.0).trim_matches('"');
                quoted.replace("\\\"", "\"").replace("\\\\", "\\").into_bytes()
            }
        };
        let rest = if arguments.starts_with('{') { self.line()? } else { arguments.to_owned() };
        let password = self.literal(&rest)?;
        self.line()?;
        self.admit(tag, &user, &password)
    }

    /// By an access token; a wrong one is told why, and the client has to say that it heard it.
    fn authenticate_bearer(&mut self, tag: &str, arguments: &str) -> std::io::Result<()> {
        let response = match arguments.split_once(' ') {
            Some((_, response)) => response.to_owned(),
            None => {
                self.say(b"+ \r\n")?;
                self.line()?
            }
        };
        let said = String::from_utf8(decode_base64(response.as_bytes()).unwrap_or_default()).unwrap_or_default();
        let token = said.split_once("auth=Bearer ").map_or("", |two| two.1).trim_end_matches('\u{1}').to_owned();
        let good = {
            let mut state = self.state.lock().unwrap();
            let user = format!("{}\u{1}", state.user);
            let good =
                state.tokens.contains(&token) && (said.contains(&user) || said.contains(&user.replace('\u{1}', ",")));
            state.opened += usize::from(good);
            good
        };
        if good {
            return self.say(format!("{tag} OK in\r\n").as_bytes());
        }
        self.say(b"+ eyJzdGF0dXMiOiI0MDEifQ==\r\n")?;
        let heard = self.line()?;
        assert!(matches!(heard.as_str(), "" | "AQ=="), "{heard}");
        self.say(format!("{tag} NO AUTHENTICATE failed.\r\n").as_bytes())
    }

    fn authenticate(&mut self, tag: &str) -> std::io::Result<()> {
        self.say(b"+ \r\n")?;
        let line = self.line()?;
        let decoded = decode_base64(line.as_bytes()).unwrap_or_default();
        let mut parts = decoded.split(|&b| b == 0);
        let whose = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
        self.state.lock().unwrap().acted_for.push(whose);
        let (user, password) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (user, password) = (user.to_vec(), password.to_vec());
        self.admit(tag, &user, &password)
    }

    fn admit(&mut self, tag: &str, user: &[u8], password: &[u8]) -> std::io::Result<()> {
        let good = {
            let mut state = self.state.lock().unwrap();
            let is_right = state.user.as_bytes() == user && state.password == password;
            let has_room = state.habits.admits != Some(0);
            state.habits.admits = state.habits.admits.map(|left| left.saturating_sub(1));
            has_room && (state.habits.admits_anybody || is_right)
        };
        let answer = if good { "OK in" } else { "NO [AUTHENTICATIONFAILED] wrong" };
        self.say(format!("{tag} {answer}\r\n").as_bytes())
    }

    fn list(&mut self, tag: &str, verb: &str, arguments: &str) -> std::io::Result<()> {
        let (folders, habits) = {
            let state = self.state.lock().unwrap();
            (state.folders.clone(), state.habits.clone())
        };
        let (floods, capabilities) = (habits.floods, habits.capabilities);
        let knows = |word: &str| capabilities.split(' ').any(|known| known == word);
        let asks = |word: &str| arguments.contains(word);
        // What was not offered must not be asked for.
        if (verb == "XLIST" && !knows("XLIST"))
            || (asks("RETURN") && !knows("LIST-EXTENDED"))
            || (asks("SPECIAL-USE") && !knows("SPECIAL-USE"))
            || (asks("STATUS") && !knows("LIST-STATUS"))
            || (habits.boasts && (asks("MAILBOXID") || asks("X-GUID")))
        {
            return self.say(format!("{tag} BAD what is that\r\n").as_bytes());
        }
        while let Some(flood) = floods {
            self.say(flood)?;
        }
        for folder in folders {
            let head = format!("* {verb} ({}) \"/\" ", folder.attributes);
            self.say(&[head.as_bytes(), &folder.name, b"\r\n"].concat())?;
            if asks("STATUS") && !folder.attributes.contains("Noselect") {
                let (count, validity, next) = (folder.mails.len(), folder.uidvalidity, folder.uidnext);
                let id = of_folder(&habits, arguments, &folder);
                let items = format!(" (MESSAGES {count} UIDVALIDITY {validity} UIDNEXT {next}{id})\r\n");
                self.say(&[b"* STATUS ", &folder.name[..], items.as_bytes()].concat())?;
            }
        }
        self.say(format!("{tag} OK done\r\n").as_bytes())
    }

    /// STATUS of a folder whose name needs no literal; `SIZE` where it was offered.
    fn status(&mut self, tag: &str, arguments: &str) -> std::io::Result<()> {
        let name = strings(arguments).remove(0);
        let state = self.state.lock().unwrap();
        let found = state.folders.iter().find(|folder| bare(&folder.name) == name.as_bytes()).cloned();
        let habits = state.habits.clone();
        drop(state);
        let Some(folder) = found else { return self.say(format!("{tag} NO nowhere\r\n").as_bytes()) };
        let (messages, octets) = (folder.mails.len(), folder.mails.iter().map(|mail| mail.body.len()).sum::<usize>());
        let size = if arguments.contains("SIZE") { format!(" SIZE {octets}") } else { String::new() };
        let id = of_folder(&habits, arguments, &folder);
        let line = format!("* STATUS \"{name}\" (MESSAGES {messages}{size}{id})\r\n{tag} OK done\r\n");
        self.say(line.as_bytes())
    }

    fn examine(&mut self, tag: &str, arguments: &str) -> std::io::Result<()> {
        let name = match arguments.starts_with('{') {
            true => {
                let octets = self.literal(arguments)?;
                self.line()?;
                octets
            }
            false => {
                // Without what stands behind it, as it was written.
                let end = arguments.rfind('"').map_or(arguments.len(), |at| at + 1);
                arguments[1..end - 1].replace("\\\"", "\"").replace("\\\\", "\\").into_bytes()
            }
        };
        if self.state.lock().unwrap().habits.shuts.is_some_and(|shut| shut.as_bytes() == name) {
            self.say(b"* BYE it is locked\r\n")?;
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        let found = {
            let state = self.state.lock().unwrap();
            let at = state.folders.iter().position(|folder| bare(&folder.name) == name);
            let locked = state.habits.locked.is_some_and(|locked| locked.as_bytes() == name);
            let closed = locked || (state.habits.wants_id && !self.said_id);
            at.filter(|_| !closed).map(|at| (at, state.folders[at].clone()))
        };
        let Some((at, folder)) = found else {
            return self.say(format!("{tag} NO EXAMINE Unsafe Login. Please contact us\r\n").as_bytes());
        };
        self.folder = Some(at);
        let together = self.state.lock().unwrap().habits.opens_together.clone();
        if let Some(together) = together {
            together.wait();
        }
        let id = of_open(&self.state.lock().unwrap().habits, &folder);
        let (count, validity, next) = (folder.mails.len(), folder.uidvalidity, folder.uidnext);
        let highest = folder.mails.iter().map(|mail| mail.modseq).chain(folder.vanished.iter().map(|one| one.0)).max();
        if self.state.lock().unwrap().habits.capabilities.contains("CONDSTORE") {
            self.say(format!("* OK [HIGHESTMODSEQ {}] x\r\n", highest.unwrap_or(1)).as_bytes())?;
        }
        let text = format!(
            "* {count} EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY {validity}] x\r\n* OK [UIDNEXT {next}] x\r\n{id}{tag} OK [READ-ONLY] done\r\n"
        );
        self.say(text.as_bytes())
    }

    /// As programs ask that list a folder in its order.
    fn fetch_by_number(&mut self, tag: &str, arguments: &str) -> std::io::Result<()> {
        let (set, items) = arguments.split_once(' ').unwrap_or((arguments, ""));
        let (habits, mails) = {
            let state = self.state.lock().unwrap();
            (state.habits.clone(), self.folder.map(|at| state.folders[at].mails.clone()).unwrap_or_default())
        };
        let mut refused = false;
        for (number, mail) in (1..).zip(&mails).filter(|(number, _)| holds(set, *number)) {
            let head =
                format!("* {number} FETCH (UID {} FLAGS ({}) INTERNALDATE \"{}\"", mail.uid, mail.flags, mail.date);
            let size = mail.body.len();
            let refuses = habits.refuses == Some(mail.uid);
            match !items.contains("RFC822.SIZE") {
                true if habits.breaks == Some(mail.uid) => return Err(std::io::ErrorKind::ConnectionAborted.into()),
                true if refuses && (habits.refuses_any_way || items.contains("BODY.PEEK")) => refused = true,
                true => {
                    let item = if items.contains("BODY.PEEK") { "BODY[]" } else { "RFC822" };
                    self.say(&[format!("{head} {item} {{{size}}}\r\n").as_bytes(), &mail.body, b")\r\n"].concat())?
                }
                false => {
                    let size = size as i64 + habits.size_off;
                    self.say(format!("{head} RFC822.SIZE {size})\r\n").as_bytes())?;
                }
            }
        }
        let end = if refused { habits.refusal() } else { "OK done" };
        self.say(format!("{tag} {end}\r\n").as_bytes())
    }

    fn fetch(&mut self, tag: &str, arguments: &str) -> std::io::Result<()> {
        let (habits, mails) = {
            let state = self.state.lock().unwrap();
            (state.habits.clone(), self.folder.map(|at| state.folders[at].mails.clone()).unwrap_or_default())
        };
        // The first is the word FETCH.
        let mut parts = arguments.splitn(3, ' ').skip(1);
        let (set, items) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let since = items.split_once("CHANGEDSINCE ").map_or(0, |(_, rest)| {
            let end = rest.find([' ', ')']).unwrap_or(rest.len());
            rest[..end].parse().unwrap_or(0)
        });
        let wanted = mails.iter().cloned().enumerate();
        let wanted: Vec<(usize, Mail)> =
            wanted.filter(|(_, mail)| holds(set, mail.uid) && mail.modseq > since).collect();
        if items.contains("VANISHED") {
            let left =
                self.folder.map(|at| self.state.lock().unwrap().folders[at].vanished.clone()).unwrap_or_default();
            let left: Vec<String> = left.iter().filter(|one| one.0 > since).map(|one| one.1.to_string()).collect();
            if !left.is_empty() {
                self.say(format!("* VANISHED (EARLIER) {}\r\n", left.join(",")).as_bytes())?;
            }
        }
        if items.contains("FLAGS") {
            if wanted.iter().any(|(_, mail)| of_mail(&habits, items, mail).is_none()) {
                return self.say(format!("{tag} BAD what is that\r\n").as_bytes());
            }
            for (number, mail) in &wanted {
                let size = mail.body.len() as i64 + habits.size_off;
                let name = of_mail(&habits, items, mail).unwrap_or_default();
                let line = format!(
                    "* {} FETCH (UID {} FLAGS ({}) INTERNALDATE \"{}\" RFC822.SIZE {size}{name})\r\n",
                    number + 1,
                    mail.uid,
                    mail.flags,
                    mail.date
                );
                for _ in 0..1 + usize::from(habits.repeats) {
                    self.say(line.as_bytes())?;
                }
            }
            let mut state = self.state.lock().unwrap();
            if let Some(late) = state.habits.late.take() {
                state.folders[0].uidnext = late.uid + 1;
                state.folders[0].mails.push(late);
            }
            drop(state);
            return self.say(format!("{tag} OK done\r\n").as_bytes());
        }
        if let Some((_, fields)) = items.split_once("HEADER.FIELDS (") {
            let fields = fields.split(')').next().unwrap_or_default();
            let names = fields;
            let fields: Vec<String> = fields.split(' ').map(|field| format!("{field}:")).collect();
            for (number, mail) in &wanted {
                let text = String::from_utf8_lossy(&mail.body);
                let head = text.split("\r\n\r\n").next().unwrap_or_default().lines();
                let is_asked = |line: &&str| fields.iter().any(|field| line.to_uppercase().starts_with(field));
                let block: String = head.filter(is_asked).map(|line| format!("{line}\r\n")).collect();
                let (number, uid, size) = (number + 1, mail.uid, block.len() + 2);
                let line = format!("* {number} FETCH (UID {uid} BODY[HEADER.FIELDS ({names})] {{{size}}}\r\n");
                self.say(format!("{line}{block}\r\n)\r\n").as_bytes())?;
            }
            return self.say(format!("{tag} OK done\r\n").as_bytes());
        }
        if let Some(words) = self.state.lock().unwrap().habits.throttles.take() {
            self.input.get_mut().write_all(format!("{tag} NO {words}\r\n").as_bytes())?;
            return Err(std::io::ErrorKind::ConnectionAborted.into());
        }
        if habits.breaks.is_some_and(|uid| wanted.iter().any(|(_, mail)| mail.uid == uid)) {
            return Err(std::io::ErrorKind::ConnectionAborted.into());
        }
        let mut answers: Vec<(String, Vec<(usize, Mail)>, bool)> = Vec::new();
        let refused = habits.refuses.is_some_and(|uid| wanted.iter().any(|(_, mail)| mail.uid == uid));
        answers.push((tag.to_owned(), wanted, refused && (items.contains("BODY.PEEK") || habits.refuses_any_way)));
        if habits.mixes {
            self.input.get_mut().set_read_timeout(Some(Duration::from_millis(300)))?;
            if let Ok(line) = self.line() {
                let mut words = line.splitn(5, ' ');
                let (other, set) = (words.next().unwrap_or("").to_owned(), words.nth(2).unwrap_or("").to_owned());
                let more = mails.iter().cloned().enumerate().filter(|(_, mail)| holds(&set, mail.uid)).collect();
                answers.insert(0, (other, more, false));
            }
            self.input.get_mut().set_read_timeout(None)?;
        }
        let trickles = self.state.lock().unwrap().trickles.clone();
        if let Some(told) = trickles {
            self.say(b"* 1 FETCH (BODY[] {1000000000}\r\n")?;
            let _ = told.send(());
            loop {
                self.say(b"x")?;
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        for (_, mails, refused) in &answers {
            for (number, mail) in mails {
                if *refused && habits.refuses == Some(mail.uid) {
                    continue;
                }
                if habits.mixes {
                    self.say(b"* 7 FETCH (FLAGS (\\Seen) UID 7)\r\n* 700 EXISTS\r\n* 9999 EXPUNGE\r\n* OK still here {12}\r\n")?;
                }
                self.state.lock().unwrap().handed.push(mail.uid);
                let (from, body) = part(items, &mail.body);
                let size = habits.announces.unwrap_or(body.len() as u64);
                let head = format!("* {} FETCH (BODY[]{from} {{{size}}}\r\n", number + 1);
                let tail = format!(" UID {})\r\n", mail.uid);
                self.say(&[head.as_bytes(), body, tail.as_bytes()].concat())?;
            }
        }
        answers.reverse();
        for (tag, _, refused) in answers {
            let end = if refused { habits.refusal() } else { "OK done" };
            self.say(format!("{tag} {end}\r\n").as_bytes())?;
        }
        Ok(())
    }
}

/// What `BODY.PEEK[]<from.count>` asks for of a body, and how the answer names it; all of it without that.
fn part<'b>(items: &str, body: &'b [u8]) -> (String, &'b [u8]) {
    let asked = items.split_once("[]<").and_then(|(_, rest)| rest.split_once('>')?.0.split_once('.'));
    let Some((from, count)) = asked else { return (String::new(), body) };
    let (from, count): (usize, usize) = (from.parse().unwrap(), count.parse().unwrap());
    (format!("<{from}>"), &body[from.min(body.len())..(from + count).min(body.len())])
}

/// Quoted strings, as many as there are in a row.
fn strings(text: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), text.chars());
    while rest.next() == Some('"') {
        let mut string = String::new();
        while let Some(c) = rest.next().filter(|c| *c != '"') {
            string.push(if c == '\\' { rest.next().unwrap_or(c) } else { c });
        }
        found.push(string);
        rest.next();
    }
    found
}

/// The name itself of what LIST gives: quoted, as a literal, or bare.
fn bare(listed: &[u8]) -> Vec<u8> {
    if let Some(rest) = listed.strip_prefix(b"\"") {
        let text = rest.strip_suffix(b"\"").unwrap_or(rest);
        let mut out = Vec::new();
        let mut octets = text.iter();
        while let Some(octet) = octets.next() {
            out.push(if *octet == b'\\' { *octets.next().unwrap_or(octet) } else { *octet });
        }
        return out;
    }
    match listed.starts_with(b"{") {
        true => listed[listed.iter().position(|&b| b == b'\n').unwrap_or(0) + 1..].to_vec(),
        false => listed.to_vec(),
    }
}

fn holds(set: &str, uid: u32) -> bool {
    set.split(',').any(|range| {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        let number = |text: &str| if text == "*" { u32::MAX } else { text.parse().unwrap_or(0) };
        (number(first)..=number(last)).contains(&uid)
    })
}
