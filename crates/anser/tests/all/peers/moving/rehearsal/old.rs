//! The old servers: a Dovecot, a Cyrus and a Courier, a third of the users on each, and the hub that takes the organisation's mail for them.

use std::fs;
use std::path::Path;
use std::thread;

use super::super::courier::Courier;
use super::super::cyrus::Cyrus;
use super::super::dovecot::Dovecot;
use crate::elsewhere::serve_smtp;
use crate::peers::node::PASSWORD;
use crate::peers::tools::{free_port, shell};
use crate::peers::wire::Imap;
use crate::world::{Dev, Place, done, run};

/// Users, and messages of each, when `ANSER_TEST_REHEARSAL` does not say otherwise: `200x100` is 200 users with 100 messages each.
const SMALL: (usize, usize) = (9, 20);
/// Sessions that fill a server over IMAP at once.
const FILLING: usize = 4;
/// Where the hub takes what is passed on to it.
const RELAY: &str = "127.0.0.3";
/// Flags of messages: those of Maildirs, and of IMAP.
const FLAGS: [(&str, &str); 3] = [("", ""), ("S", "\\Seen"), ("FS", "\\Flagged \\Seen")];

fn size() -> (usize, usize) {
    let told = std::env::var("ANSER_TEST_REHEARSAL").ok();
    let told = told.as_deref().and_then(|text| text.split_once('x'));
    told.map_or(SMALL, |(users, messages)| (users.parse().expect("users"), messages.parse().expect("messages")))
}

/// Where a server is.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// Its name in the move, which is that of its profile too.
    pub name: &'static str,
    /// The port of IMAP.
    pub imap: u16,
    /// The port of POP3.
    pub pop3: u16,
}

/// All three, filled. User `n` lives on server `n % 3`.
pub struct OldServers {
    /// Users of the organisation.
    pub users: usize,
    /// Messages of each: half of them in the inbox, half in the folder `Work`.
    pub messages: usize,
    /// Dovecot, Cyrus, Courier.
    pub at: [At; 3],
    /// The port of the hub.
    pub hub: u16,
    _servers: (Dovecot, Cyrus, Courier),
}

impl OldServers {
    pub fn start() -> Self {
        let (users, messages) = size();
        let names = |at: usize| (0..users).filter(move |user| user % 3 == at).map(|user| format!("u{user}"));
        let names = [0, 1, 2].map(|at| names(at).collect::<Vec<_>>());
        let [of_dovecot, of_cyrus, of_courier] = names.each_ref().map(|all| all.iter().map(String::as_str).collect());
        let servers = thread::scope(|scope| {
            let dovecot = scope.spawn(|| dovecot(of_dovecot, messages));
            let cyrus = scope.spawn(|| cyrus(of_cyrus, messages));
            let courier = courier(of_courier, messages);
            (dovecot.join().expect("a dovecot"), cyrus.join().expect("a cyrus"), courier)
        });
        let (dovecot, cyrus, courier) = &servers;
        let at = [
            At { name: "dovecot", imap: dovecot.imap, pop3: dovecot.pop3 },
            At { name: "cyrus", imap: cyrus.imap, pop3: cyrus.pop3 },
            At { name: "courier", imap: courier.imap, pop3: courier.pop3 },
        ];
        let hub = free_port();
        let take = move |to: &str, content: &[u8]| {
            let user = to.split('@').next().expect("a local part");
            let number: usize = user.trim_start_matches('u').parse().expect("one of the users");
            let mut imap = Imap::login(at[number % 3].imap, user).expect("the hub has every mailbox");
            imap.append("INBOX", "", content).expect("APPEND");
        };
        // People write to one address; the relay is another, as a letter does not go where it came from.
        serve_smtp(("127.0.0.1", hub), take);
        serve_smtp((RELAY, hub), take);
        Self { users, messages, at, hub, _servers: servers }
    }

    /// Makes the accounts, and the move `house` from all servers, with their sessions and their mail passed through until the cut-over.
    pub fn plan(&self, dev: &Dev, place: &Place) {
        let table = place.file("people.csv");
        let lines = (0..self.users).map(|user| format!("u{user}@anser.test,{PASSWORD}\n"));
        fs::write(&table, format!("email,password\n{}", lines.collect::<String>())).expect("a table");
        dev.ask(&["account", "import", &table.display().to_string()]);
        for At { name, imap, pop3 } in self.at {
            let plan = ["move", "plan", "house", "--host", "127.0.0.1", "--tls", "none"];
            let [imap, pop3] = [imap, pop3].map(|port| port.to_string());
            dev.ask(
                &[&plan[..], &["--source", name, "--profile", name, "--port", &imap, "--connections", "4"]].concat(),
            );
            let maildrop = format!("{name}-pop3");
            dev.ask(&[&plan[..], &["--source", &maildrop, "--port", &pop3, "--kind", "pop3"]].concat());
        }
        let relay = format!("{RELAY}:{}", self.hub);
        dev.ask(&["move", "plan", "house", "--pass-through", "until-cutover", "--relay", &relay]);
        self.give_logins(dev);
    }

    /// Tells the move everybody's login and password.
    pub fn give_logins(&self, dev: &Dev) {
        for (at, server) in self.at.iter().enumerate() {
            let own = (0..self.users).filter(|user| user % 3 == at);
            let lines: String = own.map(|user| format!("u{user}\tu{user}@anser.test\t{PASSWORD}\n")).collect();
            let accounts = ["move", "accounts", "house", "--source", server.name, "--stdin"];
            done(run(&dev.folder, &accounts, lines.as_bytes()));
        }
    }
}

/// What a user has in his inbox and in `Work`: subjects.
pub fn subjects(user: &str, folder: &str, messages: usize) -> Vec<String> {
    (0..messages / 2).map(|number| format!("{user} {folder} {number}")).collect()
}

fn text(number: usize, subject: &str) -> String {
    let id = subject.replace(' ', ".");
    let body = "\u{4f60}\u{597d}\r\n".repeat(number % 50);
    format!("From: a@x.test\r\nSubject: {subject}\r\nMessage-ID: <{id}@x>\r\n\r\n{body}\r\n")
}

/// Writes a user's mail into a Maildir, whose folder `Work` has a name of its own there.
fn fill_maildir(root: &Path, work: &str, user: &str, messages: usize) {
    for (folder, path) in [("INBOX", root.to_owned()), ("Work", root.join(work))] {
        for part in ["new", "tmp", "cur"] {
            fs::create_dir_all(path.join(part)).expect("a Maildir");
        }
        for (number, subject) in subjects(user, folder, messages).iter().enumerate() {
            let name = format!("{}.{user}_{number}.old:2,{}", 1_700_000_000 + number, FLAGS[number % 3].0);
            fs::write(path.join("cur").join(name), text(number, subject)).expect("a message");
        }
    }
}

fn dovecot(users: Vec<&str>, messages: usize) -> Dovecot {
    let dovecot = Dovecot::start();
    for user in users {
        fill_maildir(Path::new(&dovecot.path(&format!("mail/{user}/Maildir"))), "Work", user, messages);
    }
    shell(&format!("chown -R nobody:nogroup {}", dovecot.path("mail")));
    dovecot
}

fn courier(users: Vec<&str>, messages: usize) -> Courier {
    let courier = Courier::start(&users, "Trash:7");
    for user in &users {
        let root = courier.path(&format!("mail/{user}/Maildir"));
        fill_maildir(&root, ".Work", user, messages);
        fs::write(root.join(".Work/maildirfolder"), "").expect("what makes it a folder");
    }
    shell(&format!("chown -R nobody:nogroup {}", courier.path("mail").display()));
    // It numbers a folder when somebody first opens it, which their owners did long ago.
    for user in users {
        let mut imap = courier.login(user);
        for folder in ["INBOX", "INBOX.Work"] {
            imap.select(folder).expect("SELECT");
        }
    }
    courier
}

fn cyrus(users: Vec<&str>, messages: usize) -> Cyrus {
    let cyrus = Cyrus::start(&users, "");
    let fill = |user: &str| {
        let mut imap = cyrus.login(user);
        imap.run("CREATE Work").expect("CREATE");
        for folder in ["INBOX", "Work"] {
            for (number, subject) in subjects(user, folder, messages).iter().enumerate() {
                imap.append(folder, FLAGS[number % 3].1, text(number, subject).as_bytes()).expect("APPEND");
            }
        }
    };
    thread::scope(|scope| {
        for some in users.chunks(users.len().div_ceil(FILLING)) {
            scope.spawn(move || some.iter().for_each(|user| fill(user)));
        }
    });
    cyrus
}
