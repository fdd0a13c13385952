//! Running other people's programs: in a home folder of their own, never for ever, and with what they said when they fail.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The variable that says that every mail program must be there and be tested. `./x test` sets it and installs them.
const CLIENTS: &str = "ANSER_TEST_CLIENTS";
/// How long a program may run before it is ended, in seconds.
const RUN_SECONDS: &str = "240";

/// Whether the mail programs of this machine are to be tested; says so when not.
pub fn wanted() -> bool {
    let wanted = std::env::var_os(CLIENTS).is_some();
    if !wanted {
        eprintln!("{CLIENTS} is not set: this test did not run");
    }
    wanted
}

/// The path in a variable that `./x test` sets once it has installed what is there. Panics without it.
pub fn installed(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} says where it is: ./x test sets it"))
}

/// Whether this process may start programs under other users, as old servers and postfix do; says so when not.
pub fn root() -> bool {
    if !is_root() {
        eprintln!("a server of this test starts only as root: it did not run");
    }
    is_root()
}

/// Whether this process has the rights of root.
pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// A home folder for the programs of one test. It goes with this value.
pub struct Home(TempDir);

impl Home {
    /// A fresh one, which every user may enter.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("anser-peers-").tempdir().expect("a temporary folder");
        shell(&format!("chmod 755 {}", dir.path().display()));
        Self(dir)
    }

    /// The path of a file or folder in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file that only its owner reads, as programs ask of files with passwords; returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("its folder");
        fs::write(&path, content).expect("a file in the home folder");
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode");
        path
    }

    /// Makes an empty Maildir; returns its path.
    pub fn maildir(&self, name: &str) -> PathBuf {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(self.path(name).join(part)).expect("a Maildir");
        }
        self.path(name)
    }

    /// A program that knows no other home than this one.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", RUN_SECONDS, program]).env_clear().current_dir(self.0.path());
        command.env("HOME", self.0.path()).env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
        command.env("LC_ALL", "C.UTF-8").env("TERM", "xterm");
        command
    }
}

/// Runs a program to its end and returns what it printed. Panics with what it said when its exit status is not 0.
pub fn run(command: &mut Command) -> Vec<u8> {
    let (status, stdout, said) = finish(command);
    assert_eq!(status, 0, "{command:?} ended with status {status}:\n{said}");
    stdout
}

/// Runs a program to its end: its exit status, its standard output, and all that it said, for a message.
pub fn finish(command: &mut Command) -> (i32, Vec<u8>, String) {
    let output = command.stdin(Stdio::null()).output().expect("the program runs");
    let mut said = tail(&output.stdout);
    said.push_str(&tail(&output.stderr));
    (output.status.code().unwrap_or(-1), output.stdout, said)
}

/// A program that does what each line of its input says and answers with a line that reads `done`. It is ended with this value.
pub struct Talk {
    program: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Talk {
    /// Starts it; what it says besides goes where this test's own errors go.
    pub fn start(command: &mut Command) -> Self {
        let mut program = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program runs");
        let to = program.stdin.take().expect("its input");
        let from = BufReader::new(program.stdout.take().expect("its output"));
        Self { program, to, from }
    }

    /// Says a line and does not wait.
    pub fn say(&mut self, line: &str) {
        self.to.write_all(format!("{line}\n").as_bytes()).expect("the program listens");
    }

    /// Waits until what was said is done.
    pub fn done(&mut self) {
        let mut answer = String::new();
        self.from.read_line(&mut answer).expect("the program answers");
        assert_eq!(answer.trim_end(), "done", "the program's answer");
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Runs a line of shell. Panics when it fails.
pub fn shell(line: &str) {
    run(Command::new("/bin/sh").args(["-c", line]));
}

/// The last 4,000 bytes as text.
fn tail(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(4000)..]).into_owned()
}

/// Looks until `found` answers, at most a minute. Panics with what was waited for.
pub fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < until, "waited a minute for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Every file below a folder, in the order of their paths.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// A free port of 127.0.0.1.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its number").port()
}

/// A small generator of numbers (xorshift64), so that a test can be repeated by its seed.
pub struct Numbers(pub u64);

impl Numbers {
    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    /// One of the items.
    pub fn of<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }
}
