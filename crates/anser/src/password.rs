//! Passwords come from standard input or a prompt, never from the command line.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::Path;

use anser_admin::request::Plain;
use anser_base::{Error, Result};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};

use crate::text::{self, Language, Line, refused};

/// Longest password that is read, in bytes; the directory has a limit of its own below it.
const LONGEST: u64 = 64 * 1024;

/// All of standard input, less one newline at its end.
pub fn of_stdin() -> Result<Plain> {
    let mut bytes = Vec::new();
    std::io::stdin().take(LONGEST).read_to_end(&mut bytes).map_err(Error::io)?;
    strip_newline(&mut bytes);
    checked(bytes)
}

/// The first line of what is read.
pub fn of_line(input: &mut impl BufRead) -> Result<Plain> {
    let mut bytes = Vec::new();
    input.take(LONGEST).read_until(b'\n', &mut bytes).map_err(Error::io)?;
    strip_newline(&mut bytes);
    checked(bytes)
}

/// Asks twice at the terminal, without echo. Refused when there is no terminal to ask at.
pub fn ask(language: Language) -> Result<Plain> {
    if !std::io::stdin().is_terminal() {
        return Err(refused(text::PASSWORD_WANTED, &[]));
    }
    let first = ask_once(language, text::PASSWORD)?;
    match ask_once(language, text::PASSWORD_AGAIN)? == first {
        true => checked(first),
        false => Err(refused(text::PASSWORDS_DIFFER, &[])),
    }
}

/// What a file holds, without one LF or CRLF at its end. What is wrong with it is said with its path.
pub fn of_file(path: &Path) -> Result<Vec<u8>> {
    let mut password = fs::read(path)
        .map_err(|error| refused(text::BAD_BOOT_VALUE, &[&path.display().to_string(), &error.to_string()]))?;
    strip_newline(&mut password);
    Ok(password)
}

/// Removes one LF or CRLF at the end.
pub fn strip_newline(bytes: &mut Vec<u8>) {
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
}

fn checked(bytes: Vec<u8>) -> Result<Plain> {
    if bytes.is_empty() { Err(refused(text::PASSWORD_EMPTY, &[])) } else { Ok(Plain(bytes)) }
}

fn ask_once(language: Language, prompt: Line) -> Result<Vec<u8>> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(Error::io)?;
    write!(terminal, "{}", language.say(prompt, &[])).map_err(Error::io)?;
    let before = tcgetattr(&terminal).map_err(|error| Error::io(error.into()))?;
    let mut silent = before.clone();
    silent.local_flags.remove(LocalFlags::ECHO);
    tcsetattr(&terminal, SetArg::TCSAFLUSH, &silent).map_err(|error| Error::io(error.into()))?;
    let line = read_line(&terminal);
    let restored = tcsetattr(&terminal, SetArg::TCSAFLUSH, &before);
    let _ = writeln!(terminal);
    restored.map_err(|error| Error::io(error.into()))?;
    line
}

fn read_line(terminal: &File) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(terminal).take(LONGEST).read_until(b'\n', &mut line).map_err(Error::io)?;
    strip_newline(&mut line);
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_newline_is_not_part_of_a_password() {
        for (given, kept) in [(&b"a b\n"[..], &b"a b"[..]), (b"x\n\n", b"x\n"), (b"x\r\n", b"x"), (b" x ", b" x ")] {
            let mut bytes = given.to_vec();
            strip_newline(&mut bytes);
            assert_eq!(bytes, kept);
        }
    }
}
