//! A server in a folder of its own, and the commands that speak to it.

use std::cell::Cell;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use anser_testkit::engines::{NO_SCHEMAS, World as Engine};
use tempfile::TempDir;

/// The standard ports of what `dev` serves.
pub const PORTS: [(&str, u16); 11] = [
    ("smtp", 25),
    ("submission", 587),
    ("submissions", 465),
    ("lmtp", 24),
    ("imap", 143),
    ("imaps", 993),
    ("pop3", 110),
    ("pop3s", 995),
    ("managesieve", 4190),
    ("http", 80),
    ("https", 443),
];

/// Stands among arguments of `anser dev` for the port of its SMTP.
pub const SMTP: &str = "<smtp>";

/// `anser dev` over a folder.
pub struct Dev {
    child: Child,
    pub folder: PathBuf,
    pub offset: u16,
    /// What it printed up to `ready`.
    pub said: String,
}

/// A folder for data, and for the PostgreSQL half a database; both go with it.
pub struct Place {
    dir: TempDir,
    engine: Option<Engine>,
    /// By how many days the clock of its servers is ahead, where a test moves it.
    ahead: Option<Cell<u32>>,
}

/// Where Debian's faketime has what moves the clock of a program; the loader knows `$LIB`.
const FAKETIME: &str = "/usr/$LIB/faketime/libfaketimeMT.so.1";

impl Place {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), engine: None, ahead: None }
    }

    /// One whose servers have a clock that [`Place::pass_days`] moves on.
    pub fn with_clock() -> Self {
        let place = Self { ahead: Some(Cell::new(0)), ..Self::new() };
        place.pass_days(0);
        place
    }

    /// Days go by, for its servers.
    pub fn pass_days(&self, days: u32) {
        let ahead = self.ahead.as_ref().expect("a place with a clock");
        ahead.set(ahead.get() + days);
        // A reader sees one line or the other.
        let early = self.file("clock.new");
        fs::write(&early, format!("+{}d\n", ahead.get())).unwrap();
        fs::rename(early, self.file("clock")).unwrap();
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("dev")
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn start(&self) -> Dev {
        self.start_with(&[])
    }

    pub fn start_with(&self, more: &[&str]) -> Dev {
        loop {
            if let Some(dev) = self.try_start(free_offset(), more) {
                return dev;
            }
        }
    }

    /// Starts again on the ports of before, by which programs know what they fetched.
    pub fn start_at(&self, offset: u16, more: &[&str]) -> Dev {
        self.try_start(offset, more).expect("its ports are free again")
    }

    /// `None` when somebody took a port meanwhile.
    fn try_start(&self, offset: u16, more: &[&str]) -> Option<Dev> {
        let url = self.engine.as_ref().and_then(Engine::url).map(str::to_owned);
        let mut more: Vec<&str> = more.to_vec();
        if let Some(url) = &url {
            more.extend(["--engine", "postgres", url]);
        }
        let mut command = anser();
        if self.ahead.is_some() {
            command.env("LD_PRELOAD", FAKETIME).env("FAKETIME_TIMESTAMP_FILE", self.file("clock"));
            // What waits goes on as it does; files keep their times.
            command.envs(["FAKETIME_NO_CACHE", "DONT_FAKE_MONOTONIC", "NO_FAKE_STAT"].map(|name| (name, "1")));
        }
        Dev::start(command, &self.path(), offset, &more)
    }
}

/// Runs a test over the embedded engine, and over PostgreSQL when there is a server for tests.
pub fn each_engine(test: impl Fn(&Place)) {
    test(&Place::new());
    if let Some(engine) = Engine::postgres(NO_SCHEMAS) {
        test(&Place { engine: Some(engine), ..Place::new() });
    }
}

pub fn anser() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anser"));
    command.env("LC_ALL", "C").env("ANSER_LOG", "warn");
    command
}

impl Dev {
    /// `None` when a port is taken.
    fn start(mut command: Command, folder: &Path, offset: u16, more: &[&str]) -> Option<Self> {
        let smtp = (PORTS[0].1 + offset).to_string();
        let more = more.iter().map(|word| if *word == SMTP { &smtp } else { *word });
        command.arg("dev").arg("--dir").arg(folder).args(["--port-offset", &offset.to_string()]).args(more);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        while !said.ends_with("\nready\n") {
            if lines.read_line(&mut said).unwrap() == 0 {
                break;
            }
        }
        if said.ends_with("ready\n") {
            return Some(Self { child, folder: folder.to_owned(), offset, said });
        }
        let output = child.wait_with_output().unwrap();
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(why.contains("cannot listen"), "the server does not start: {why}");
        None
    }

    pub fn port(&self, service: &str) -> u16 {
        PORTS.iter().find(|(name, _)| *name == service).unwrap().1 + self.offset
    }

    /// One command against this server's folder.
    pub fn ask(&self, arguments: &[&str]) -> String {
        done(run(&self.folder, arguments, b""))
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM and the end that follows.
    pub fn stop(mut self) -> Output {
        self.signal("TERM");
        let child = std::mem::replace(&mut self.child, Command::new("true").spawn().unwrap());
        child.wait_with_output().unwrap()
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `anser serve` over a folder that `anser init` made.
pub struct Served {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Served {
    /// Writes into the boot file where it listens, and puts more behind it.
    pub fn listen(folder: &Path, services: &[(&str, u16)], more: &str) {
        let boot = fs::read_to_string(folder.join("anser.toml")).unwrap();
        let (head, tail) = (boot.split("[listen]").next().unwrap(), &boot[boot.find("[tls]").unwrap()..]);
        let listen: String = services.iter().map(|(name, port)| format!("{name} = [\"127.0.0.1:{port}\"]\n")).collect();
        fs::write(folder.join("anser.toml"), format!("{head}[listen]\n{listen}\n{tail}{more}")).unwrap();
    }

    /// Starts it and waits until it is ready.
    pub fn start(folder: &Path) -> Self {
        let mut command = anser();
        command.args(["serve", "--config"]).arg(folder.join("anser.toml"));
        command.env("ANSER_LOG", "info").env("ANSER_LOG_FORMAT", "json").stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut served = Self { child, log };
        let line = served.log_until("\"ready\"");
        assert!(line.starts_with('{'), "{line}");
        served
    }

    /// Reads its log up to a line with these words.
    pub fn log_until(&mut self, words: &str) -> String {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert!(self.log.read_line(&mut line).unwrap() > 0, "the server ended before it said {words}");
        }
        line
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// SIGTERM and a good end.
    pub fn stop(mut self) {
        self.signal("TERM");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port of loopback that is free right now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// One command over a folder, whether a server runs there or not.
pub fn run(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    run_in("C", folder, arguments, input)
}

pub fn run_in(language: &str, folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = anser();
    command.env("LC_ALL", language).args(arguments).arg("--dir").arg(folder);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that reads nothing may have ended before.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// What a command printed that went well.
pub fn done(output: Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a Python program, given the port offset as its first argument; what it prints.
pub fn python(dev: &Dev, program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new("python3");
    command.args(["-c", program, &dev.offset.to_string()]).args(arguments);
    done(command.output().unwrap())
}

/// An offset at which every port is free right now.
fn free_offset() -> u16 {
    let mut seed =
        u64::from(std::process::id()) * 7919 + std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos() as u64;
    loop {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let offset = 2100 + (seed >> 33) as u16 % 29_000;
        if PORTS.iter().all(|(_, port)| TcpListener::bind(("127.0.0.1", port + offset)).is_ok()) {
            return offset;
        }
    }
}
