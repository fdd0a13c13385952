//! Other people's programs, which `./x test` installs: Python with dkimpy, PyYAML and the source of pyspf.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where `./x test` put them.
fn home() -> Option<PathBuf> {
    std::env::var_os("ANSER_TEST_SENDERAUTH").map(PathBuf::from)
}

/// A file there.
pub fn file(name: &str) -> String {
    home().unwrap_or_default().join(name).display().to_string()
}

/// Runs one of the scripts in `tests/peers`; its output. `None` when the peers are not installed.
pub fn run(script: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let python = home()?.join("bin/python3");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script);
    let mut child = Command::new(python)
        .arg(script)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{} of {arguments:?}", output.status);
    Some(output.stdout)
}
