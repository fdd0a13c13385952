//! One process owns a data folder: the server, or a command while no server runs.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anser_base::{Class, Error, Result};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// Ownership of a data folder, until it is dropped or the process ends in whatever way.
#[derive(Debug)]
pub struct Owner {
    _lock: Flock<File>,
}

impl Owner {
    /// Takes the folder. [`Class::Conflict`] when another process has it; [`Class::NotFound`] when it is not there.
    pub fn of(data_dir: &Path) -> Result<Self> {
        let path = data_dir.join("lock");
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(|error| {
                let class =
                    if error.kind() == std::io::ErrorKind::NotFound { Class::NotFound } else { Class::Unavailable };
                let (en, zh) = (
                    format!("cannot open {}: {error}", path.display()),
                    format!("无法打开 {}：{error}", path.display()),
                );
                Error::new(class, en, zh)
            })?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(mut lock) => {
                // For a person who looks; nothing reads it.
                let _ = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
                Ok(Self { _lock: lock })
            }
            Err((_, Errno::EWOULDBLOCK)) => Err(Error::new(
                Class::Conflict,
                format!("another anser process uses {}", data_dir.display()),
                format!("另一个 anser 进程正在使用 {}", data_dir.display()),
            )),
            Err((_, error)) => Err(Error::io(error.into())),
        }
    }
}
