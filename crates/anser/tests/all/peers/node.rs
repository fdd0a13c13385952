//! The real process: `anser dev` on free ports of this machine, started, ended in good order, killed, and started again.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::tools::Home;

/// The password of every account.
pub const PASSWORD: &str = "wild-goose";
/// Standard ports; [`Node::port`] says where they are here.
pub const LMTP: u16 = 24;
/// SMTP of an MX.
pub const SMTP: u16 = 25;
/// POP3.
pub const POP3: u16 = 110;
/// IMAP.
pub const IMAP: u16 = 143;
/// Submission over TLS.
pub const SUBMISSIONS: u16 = 465;
/// Submission.
pub const SUBMISSION: u16 = 587;
/// IMAP over TLS.
pub const IMAPS: u16 = 993;
/// POP3 over TLS.
pub const POP3S: u16 = 995;

/// Every standard port that a development system listens at, with those of doors that may not be there yet.
const STANDARD: [u16; 12] = [LMTP, SMTP, 80, POP3, IMAP, 389, 443, SUBMISSIONS, SUBMISSION, IMAPS, POP3S, 4190];

/// A running `anser dev`. It is killed and its data goes with this value.
pub struct Node {
    dir: PathBuf,
    offset: u16,
    arguments: Vec<String>,
    process: Option<Child>,
    _home: Home,
}

impl Node {
    /// Starts one over fresh data; `arguments` go to `anser dev`.
    pub fn start(arguments: &[&str]) -> Self {
        let home = Home::new();
        let arguments = arguments.iter().map(|argument| argument.to_string()).collect();
        let mut node = Self { dir: home.path("data"), offset: 0, arguments, process: None, _home: home };
        for _ in 0..20 {
            node.offset = free_offset();
            if node.launch() {
                return node;
            }
        }
        panic!("anser does not start:\n{}", node.log());
    }

    /// Starts again over the same data at the same ports.
    pub fn restart(&mut self) {
        assert!(self.launch(), "anser does not start again:\n{}", self.log());
    }

    /// Kills it without a warning.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("it can be killed");
            process.wait().expect("it ends");
        }
    }

    /// Ends it in good order.
    pub fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        super::tools::shell(&format!("kill -TERM {}", process.id()));
        let status = process.wait().expect("it ends");
        assert!(status.success(), "SIGTERM ended it with {status}:\n{}", self.log());
    }

    /// Where the service of a standard port listens.
    pub fn port(&self, standard: u16) -> u16 {
        self.offset + standard
    }

    /// The folder with its data.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Runs a command of `anser` against it; returns what was printed.
    pub fn anser(&self, arguments: &[&str]) -> Vec<u8> {
        super::tools::run(Command::new(BINARY).args(arguments).arg("--dir").arg(&self.dir))
    }

    /// The end of what it logged.
    pub fn log(&self) -> String {
        let log = fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(6000)..]).into_owned()
    }

    fn log_path(&self) -> PathBuf {
        self.dir.with_extension("log")
    }

    /// Whether it came up: `ready` was printed.
    fn launch(&mut self) -> bool {
        let log = File::options().create(true).append(true).open(self.log_path()).expect("a log");
        let mut command = Command::new(BINARY);
        command.args(["dev", "--port-offset", &self.offset.to_string(), "--dir"]).arg(&self.dir).args(&self.arguments);
        command.env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut process = command.spawn().expect("the binary runs");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| line.trim() == "ready");
        // What it prints later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        if ready {
            self.process = Some(process);
        } else {
            let _ = process.kill();
            let _ = process.wait();
        }
        ready
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- what anser logged\n{}", self.log());
        }
        self.kill();
    }
}

/// The binary of this build.
const BINARY: &str = env!("CARGO_BIN_EXE_anser");

/// An offset at which every standard port is free, below the ports that outgoing connections are given.
fn free_offset() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let offset = 3000 + ((std::process::id() * 211 + step * 4801) % 24_000) as u16;
        if STANDARD.iter().all(|port| TcpListener::bind(("127.0.0.1", offset + port)).is_ok()) {
            return offset;
        }
    }
}
