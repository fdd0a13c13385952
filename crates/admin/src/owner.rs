//! One process owns a data folder: the server, or a command while no server runs.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anser_base::{Class, Entropy, Error, Result};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// Characters of a folder's name for itself, 5 bits each.
const NAME: usize = 26;

/// Ownership of a data folder, until it is dropped or the process ends in whatever way.
#[derive(Debug)]
pub struct Owner {
    _lock: Flock<File>,
    name: String,
}

impl Owner {
    /// Takes the folder. [`Class::Conflict`] when another process has it; [`Class::NotFound`] when it is not there.
    pub fn of(data_dir: &Path) -> Result<Self> {
        let path = data_dir.join("lock");
        let file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(&path).map_err(
                |error| {
                    let class =
                        if error.kind() == std::io::ErrorKind::NotFound { Class::NotFound } else { Class::Unavailable };
                    let (en, zh) = (
                        format!("cannot open {}: {error}", path.display()),
                        format!("无法打开 {}：{error}", path.display()),
                    );
                    Error::new(class, en, zh)
                },
            )?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(mut lock) => {
                let name = name_in(&mut lock).map_err(Error::io)?;
                Ok(Self { _lock: lock, name })
            }
            Err((_, Errno::EWOULDBLOCK)) => Err(Error::new(
                Class::Conflict,
                format!("another anser process uses {}", data_dir.display()),
                format!("另一个 anser 进程正在使用 {}", data_dir.display()),
            )),
            Err((_, error)) => Err(Error::io(error.into())),
        }
    }

    /// The folder's name for itself, made with its first owner: of all living processes only this one has it.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The name in the first line of the lock file, made when there is none. The second line, the process, is for a person who looks.
fn name_in(lock: &mut File) -> std::io::Result<String> {
    let mut text = String::new();
    lock.take(1000).read_to_string(&mut text)?;
    let found = text.lines().next().filter(|line| line.len() == NAME).map(str::to_owned);
    let name = found.unwrap_or_else(|| Entropy::system().token(NAME));
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{name}\n{}", std::process::id())?;
    Ok(name)
}
