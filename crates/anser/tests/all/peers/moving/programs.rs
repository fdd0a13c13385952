//! The programs of one user, with what they remember: mbsync by IMAP, getmail by POP3 with all mail left on the server.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::peers::clients::{Getmail, Inbox, getmail_run, mbsync_config};
use crate::peers::tools::{Home, files, run};
use crate::world::Dev;

/// See the module.
pub struct Programs {
    user: String,
    imap: u16,
    pop3: u16,
    mbsync: Home,
    getmail: Home,
    /// What mbsync is told to fetch.
    channel: &'static str,
}

/// Messages that were fetched: their names, and their subjects.
pub type Fetched = BTreeMap<String, String>;

impl Programs {
    /// Of a user of the house, who has fetched nothing yet.
    pub fn new(dev: &Dev, user: &str) -> Self {
        let (imap, pop3) = (dev.port("imap"), dev.port("pop3"));
        Self { user: user.to_owned(), imap, pop3, mbsync: Home::new(), getmail: Home::new(), channel: "c" }
    }

    /// The same, with an mbsync that fetches the inbox only.
    pub fn of_the_inbox(self) -> Self {
        Self { channel: "c:INBOX", ..self }
    }

    fn inbox(&self) -> Inbox<'_> {
        Inbox { user: &self.user, imap: self.imap, pop3: self.pop3 }
    }

    /// mbsync takes what it has not taken before. What it has then: a name for each message, whatever its flags.
    pub fn sync(&self) -> Fetched {
        let config = mbsync_config(&self.mbsync, &self.inbox());
        run(self.mbsync.command("mbsync").arg("-c").arg(config).arg(self.channel));
        mail(&self.mbsync)
    }

    /// getmail likewise.
    pub fn get(&self) -> Fetched {
        getmail_run(&self.getmail, &self.inbox(), Getmail::Pop3);
        mail(&self.getmail)
    }

    /// Both.
    pub fn fetch(&self) -> (Fetched, Fetched) {
        (self.sync(), self.get())
    }
}

/// Names without flags and without `cur` and `new`: a message that was fetched once has one name for ever.
fn mail(home: &Home) -> Fetched {
    let root = home.path("mail");
    let name = |path: &Path| {
        let (dir, file) = (path.parent()?, path.file_name()?.to_str()?);
        let is_mail = dir.ends_with("cur") || dir.ends_with("new");
        let folder = dir.parent()?.strip_prefix(&root).ok()?.display().to_string();
        let stem = file.split([':', ',']).next()?;
        is_mail.then(|| (format!("{folder} {stem}"), subject(path)))
    };
    files(&root).iter().filter_map(|path| name(path)).collect()
}

fn subject(path: &Path) -> String {
    let text = fs::read(path).expect("a message that was fetched");
    let text = String::from_utf8_lossy(&text);
    text.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap_or_default().trim_end().to_owned()
}
