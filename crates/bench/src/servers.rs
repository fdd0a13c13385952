//! The two servers, each in a folder below `target/bench`, with twenty accounts for mail and one for the notices.

use std::fs;
use std::io;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Accounts that mail is spread over.
pub const ACCOUNTS: usize = 20;
/// Everybody's password.
pub const PASSWORD: &str = "wild-goose";
/// The user that dovecot runs as.
const USER: &str = "anserbench";
/// Ours listens at the standard ports plus this.
const OFFSET: u16 = 22_000;

/// A running server.
pub struct Server {
    /// For the table.
    pub name: &'static str,
    /// SMTP.
    pub smtp: u16,
    /// IMAP.
    pub imap: u16,
    /// IMAP over TLS, where it is open.
    pub imaps: Option<u16>,
    /// POP3.
    pub pop3: u16,
    domain: &'static str,
    folder: PathBuf,
    /// More arguments of `anser dev`.
    more: Vec<String>,
    process: Option<Child>,
}

impl Server {
    /// Starts a release build of Anser on fresh data.
    pub fn anser(folder: &Path) -> io::Result<Self> {
        let server = Self::anser_at(folder, false)?;
        let names: Vec<String> = (0..ACCOUNTS).map(|n| server.account(n)).chain([server.address("notice")]).collect();
        server.add_accounts(&names)?;
        Ok(server)
    }

    /// Starts a release build of Anser without accounts of its own, or over the data of the last run.
    pub fn anser_at(folder: &Path, reuse: bool) -> io::Result<Self> {
        let mut server = Self {
            name: "anser",
            smtp: 25 + OFFSET,
            imap: 143 + OFFSET,
            imaps: Some(993 + OFFSET),
            pop3: 110 + OFFSET,
            domain: "anser.test",
            folder: folder_of(folder, "anser", reuse)?,
            more: Vec::new(),
            process: None,
        };
        server.launch()?;
        Ok(server)
    }

    /// Starts a release build of Anser on fresh data, with more arguments for `anser dev`.
    pub fn anser_with(folder: &Path, more: &[&str]) -> io::Result<Self> {
        let mut server = Self::anser(folder)?;
        server.more = more.iter().map(|word| (*word).to_owned()).collect();
        server.launch()?;
        Ok(server)
    }

    /// Starts (again) over the same data; tells how long it took until a connection was accepted.
    pub fn launch(&mut self) -> io::Result<Duration> {
        self.end();
        let log = fs::File::create(self.folder.join("log"))?;
        let started = Instant::now();
        let offset = OFFSET.to_string();
        let mut command = Command::new("target/release/anser");
        command.args(["dev", "--port-offset", &offset, "--dir"]).arg(self.folder.join("data")).args(&self.more);
        self.process = Some(command.stdout(log.try_clone()?).stderr(log).stdin(Stdio::null()).spawn()?);
        self.wait()?;
        Ok(started.elapsed())
    }

    /// Waits until both doors greet.
    fn wait(&self) -> io::Result<()> {
        let until = Instant::now() + Duration::from_secs(60);
        while Instant::now() < until {
            if [self.smtp, self.imap].iter().all(|port| greets(*port)) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Err(io::Error::other(format!("{} does not answer; see {}", self.name, self.folder.display())))
    }

    /// Makes accounts in Anser.
    pub fn add_accounts(&self, names: &[String]) -> io::Result<()> {
        let mut command = Command::new("target/release/anser");
        command.args(["account", "add", "--password-stdin", "--stdin-list", "--dir"]).arg(self.folder.join("data"));
        let until = Instant::now() + Duration::from_secs(60);
        while !self.folder.join("data/admin.sock").exists() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        if let Some(mut input) = child.stdin.take() {
            writeln!(input, "{PASSWORD}\n{}", names.join("\n"))?;
        }
        match child.wait()?.success() {
            true => Ok(()),
            false => Err(io::Error::other("the accounts could not be made")),
        }
    }

    /// Starts Debian's dovecot for mail that is there, or over the mail of the last run. Needs root.
    pub fn dovecot(folder: &Path, reuse: bool) -> io::Result<Self> {
        let mut server = Self::peer(folder_of(folder, "peer", reuse)?)?;
        server.name = "dovecot";
        Ok(server)
    }

    /// Starts Debian's postfix and dovecot with their defaults, joined by LMTP. Needs root.
    pub fn postfix_dovecot(folder: &Path) -> io::Result<Self> {
        Self::peer(fresh(&folder.join("peer"))?)
    }

    fn peer(folder: PathBuf) -> io::Result<Self> {
        shell(&format!(
            "id {USER} >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin {USER}"
        ))?;
        let dir = folder.display();
        shell(&format!(
            "mkdir -p {dir}/dovecot {dir}/postfix/etc {dir}/postfix/spool {dir}/postfix/data {dir}/tls {dir}/log {dir}/mail && \
             chmod 755 {dir} && chown {USER}: {dir}/mail && chown postfix: {dir}/postfix/data && \
             openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=mail.bench.test -keyout {dir}/tls/key.pem \
             -out {dir}/tls/cert.pem 2>/dev/null"
        ))?;
        for (text, path) in [
            (include_str!("../peers/main.cf"), "postfix/etc/main.cf"),
            (include_str!("../peers/master.cf"), "postfix/etc/master.cf"),
            (include_str!("../peers/dovecot.conf"), "dovecot/dovecot.conf"),
        ] {
            fs::write(folder.join(path), text.replace("@DIR@", &dir.to_string()))?;
        }
        shell(&format!(
            "/usr/sbin/dovecot -c {dir}/dovecot/dovecot.conf && /usr/sbin/postfix -c {dir}/postfix/etc start 2>/dev/null"
        ))?;
        let server = Self {
            name: "postfix+dovecot",
            smtp: 21_025,
            imap: 21_143,
            imaps: None,
            pop3: 21_110,
            domain: "bench.test",
            folder,
            more: Vec::new(),
            process: None,
        };
        server.wait()?;
        Ok(server)
    }

    /// Changes a line of postfix's configuration, and has it read again.
    pub fn configure_postfix(&self, line: &str) -> io::Result<()> {
        let etc = format!("{}/postfix/etc", self.folder.display());
        shell(&format!("/usr/sbin/postconf -c {etc} -e '{line}' && /usr/sbin/postfix -c {etc} reload 2>/dev/null"))
    }

    /// Where messages for other domains are taken.
    pub fn submission(&self) -> u16 {
        if self.has_accounts() { 587 + OFFSET } else { self.smtp }
    }

    /// Whether one has to log in there.
    pub fn has_accounts(&self) -> bool {
        self.process.is_some()
    }

    /// Ends what sends mail to other servers, once it has put everything off.
    pub fn stop_sending(&mut self) -> io::Result<()> {
        let dir = self.folder.display();
        match &self.process {
            // It ends when it is started again.
            Some(_) => Ok(()),
            None => shell(&format!("/usr/sbin/postfix -c {dir}/postfix/etc stop 2>/dev/null")),
        }
    }

    /// Starts it again and has everything sent at once.
    pub fn send_everything(&mut self) -> io::Result<()> {
        let dir = self.folder.display().to_string();
        if self.process.is_some() {
            self.launch()?;
            return shell(&format!("target/release/anser queue retry --all --dir {dir}/data >/dev/null"));
        }
        let etc = format!("{dir}/postfix/etc");
        shell(&format!("/usr/sbin/postfix -c {etc} start 2>/dev/null && /usr/sbin/postqueue -c {etc} -f"))
    }

    /// Starts again over the same data, so that nothing is in memory. The peer's sessions are processes of their own.
    pub fn restart(&mut self) -> io::Result<()> {
        match self.process {
            Some(_) => self.launch().map(drop),
            None => Ok(()),
        }
    }

    /// Whether the server keeps a cache of what was fetched once.
    pub fn caches(&self) -> bool {
        self.process.is_none()
    }

    /// Makes an account whose inbox holds the messages of a Maildir.
    pub fn take_maildir(&self, name: &str, maildir: &Path) -> io::Result<()> {
        let (address, from) = (self.address(name), maildir.display());
        if self.process.is_none() {
            let home = format!("{}/mail/{}/{name}", self.folder.display(), self.domain);
            return shell(&format!(
                "mkdir -p {home} && cp -r {from} {home}/Maildir && chown {USER}: {home}/.. && chown -R {USER}: {home}"
            ));
        }
        self.add_accounts(std::slice::from_ref(&address))?;
        let data = self.folder.join("data");
        shell(&format!(
            "target/release/anser import maildir {from} --account {address} --dir {} >/dev/null",
            data.display()
        ))
    }

    /// Has Dovecot read a mailbox, so that its indexes know sizes and dates.
    pub fn read_once(&self, name: &str) -> io::Result<()> {
        let (dir, address) = (self.folder.display(), self.address(name));
        let what = "'uid flags size.virtual date.received'";
        shell(&format!("doveadm -c {dir}/dovecot/dovecot.conf fetch -u {address} {what} mailbox INBOX >/dev/null"))
    }

    /// Makes an account without messages.
    pub fn make_mailbox(&self, name: &str) -> io::Result<()> {
        match self.process {
            Some(_) => self.add_accounts(&[self.address(name)]),
            None => Ok(()),
        }
    }

    /// The processes at the root of the server's trees.
    pub fn roots(&self) -> Vec<u32> {
        match &self.process {
            Some(child) => vec![child.id()],
            None => ["postfix/spool/pid/master.pid", "dovecot/run/master.pid"]
                .iter()
                .filter_map(|file| fs::read_to_string(self.folder.join(file)).ok()?.trim().parse().ok())
                .collect(),
        }
    }

    /// An address here.
    pub fn address(&self, local: &str) -> String {
        format!("{local}@{}", self.domain)
    }

    /// The address of account number `n`.
    pub fn account(&self, n: usize) -> String {
        self.address(&format!("u{n}"))
    }

    /// Where a server keeps all it has.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// HTTP of Anser.
    pub fn http(&self) -> u16 {
        80 + OFFSET
    }

    /// The folder with the data of Anser.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Ends Anser in good order; [`Self::launch`] starts it again.
    pub fn stop(&mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(mut child) = self.process.take() {
            // SIGTERM, so that it ends in good order; a server that is gone already is fine too.
            let _ = shell(&format!("kill {}", child.id()));
            let _ = child.wait();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.is_none() {
            let dir = self.folder.display();
            let _ = shell(&format!(
                "/usr/sbin/postfix -c {dir}/postfix/etc stop 2>/dev/null; kill $(cat {dir}/dovecot/run/master.pid)"
            ));
        }
        self.end();
    }
}

fn greets(port: u16) -> bool {
    let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) else { return false };
    let timed = stream.set_read_timeout(Some(Duration::from_secs(5)));
    timed.is_ok() && stream.read_exact(&mut [0]).is_ok()
}

/// A folder below the bench's own, emptied unless it is used again.
fn folder_of(folder: &Path, name: &str, reuse: bool) -> io::Result<PathBuf> {
    let folder = folder.join(name);
    if reuse { folder.canonicalize() } else { fresh(&folder) }
}

fn fresh(folder: &Path) -> io::Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    folder.canonicalize()
}

/// Runs a line of the shell; its failure is an error.
pub fn shell(line: &str) -> io::Result<()> {
    let status = Command::new("/bin/sh").args(["-c", line]).stdin(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("failed: {line}"))) }
}
