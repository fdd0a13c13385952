//! A postfix of this test's own: its queue, its ports, nothing of the machine's.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::tools::{Home, free_port, run, shell, wait_for};

/// A running postfix. It stops, and its folder goes, with this value.
pub struct Postfix {
    home: Home,
    /// Where it takes mail.
    pub port: u16,
}

impl Postfix {
    /// Starts one at a free port; `settings` are lines of `main.cf` that say where its mail goes.
    pub fn start(settings: &str) -> Self {
        Self::start_at(free_port(), settings)
    }

    /// Starts one at a port.
    pub fn start_at(port: u16, settings: &str) -> Self {
        let master = include_str!("postfix.master.cf").replace("@PORT@", &port.to_string());
        Self::launch(Home::new(), port, settings, &master)
    }

    /// Starts one at a port, and at the same one of `host`, whose mail finds its way by this name server alone: what sends it
    /// is locked into a folder with names of its own, for postfix can be told of no other.
    pub fn start_with_names(host: &str, port: u16, settings: &str, name_server: &str) -> Self {
        let (home, free) = (Home::new(), "smtp      unix  -       -       n");
        let master = include_str!("postfix.master.cf").replace("@PORT@", &port.to_string());
        assert!(master.contains(free), "what sends mail is in master.cf");
        let master = master.replace(free, "smtp      unix  -       -       y");
        let names = home.write("spool/etc/resolv.conf", format!("nameserver {name_server}\noptions edns0 trust-ad\n"));
        shell(&format!("chmod 644 {}", names.display()));
        Self::launch(home, port, settings, &format!("{master}{host}:{port} inet n - n - - smtpd\n"))
    }

    fn launch(home: Home, port: u16, settings: &str, master: &str) -> Self {
        let dir = home.path("").display().to_string();
        let dir = dir.trim_end_matches('/');
        let main = include_str!("postfix.main.cf").replace("@DIR@", dir);
        fs::create_dir_all(home.path("etc")).expect("its folder");
        fs::write(home.path("etc/main.cf"), each_once(&format!("{main}{settings}"))).expect("main.cf");
        fs::write(home.path("etc/master.cf"), master).expect("master.cf");
        shell(&format!("mkdir -p {dir}/spool {dir}/data && chown postfix: {dir}/data && chmod -R go+rX {dir}/etc"));
        run(home.command("postfix").arg("-c").arg(home.path("etc")).arg("start"));
        wait_for("postfix", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        Self { home, port }
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.path("log")).unwrap_or_default()
    }
}

/// Lines of `main.cf` with each name once, the last one's value. Postfix warns of all others whenever a process of it starts, the one
/// that takes the warnings too: when they are many it waits for itself, for ever.
fn each_once(lines: &str) -> String {
    let named = lines.lines().filter_map(|line| line.split_once('='));
    let values: BTreeMap<&str, &str> = named.map(|(name, value)| (name.trim(), value.trim())).collect();
    values.into_iter().map(|(name, value)| format!("{name} = {value}\n")).collect()
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- what postfix logged\n{}", self.log());
        }
        // Not `postfix stop`, which asks the names of the machine and may wait for them for minutes.
        let pid = fs::read_to_string(self.home.path("spool/pid/master.pid")).unwrap_or_default();
        super::tools::finish(self.home.command("kill").args(["-s", "TERM", pid.trim()]));
    }
}

/// postfix's `smtp-sink`: takes every message and writes each into a file.
pub struct Sink {
    process: std::process::Child,
    home: Home,
    /// Where it takes mail.
    pub port: u16,
}

impl Sink {
    /// Starts one.
    pub fn start() -> Self {
        let (home, port) = (Home::new(), free_port());
        fs::create_dir(home.path("mail")).expect("a folder for mail");
        let mut command = std::process::Command::new("smtp-sink");
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir(home.path("mail"));
        if super::tools::is_root() {
            shell(&format!("chown nobody {}", home.path("mail").display()));
            command.args(["-u", "nobody"]);
        }
        let process = command.args(["-d", "%M."]).arg(format!("127.0.0.1:{port}")).arg("100");
        let process = process.spawn().expect("smtp-sink runs");
        wait_for("smtp-sink", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        Self { process, home, port }
    }

    /// What it took so far: each with a few lines of the sink's own and the envelope in front.
    pub fn messages(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = super::tools::files(&self.home.path("mail"));
        files.into_iter().filter_map(|path| fs::read(&path).ok().map(|bytes| (path, bytes))).collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
