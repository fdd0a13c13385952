//! Keys that all nodes share and that outlive a restart.

use anser_base::{Error, Result};
use anser_db::{Tx, params};

use crate::Directory;

/// Keys made at the first need.
pub(crate) struct Secrets {
    /// Keys the hashes of app passwords.
    pub app_passwords: [u8; 32],
    /// Makes the salts that unknown names are answered with, the same for the same name at any time.
    pub unknown_names: [u8; 32],
    /// Keys the senders of mail that is sent on.
    pub srs: [u8; 32],
}

pub(crate) async fn load(directory: &Directory) -> Result<Secrets> {
    let entropy = &directory.inner.deps.entropy;
    let fresh: [[u8; 32]; 3] = [entropy.bytes(), entropy.bytes(), entropy.bytes()];
    directory
        .note(move |tx| {
            Ok(Secrets {
                app_passwords: stored(tx, "app-passwords", &fresh[0])?,
                unknown_names: stored(tx, "unknown-names", &fresh[1])?,
                srs: stored(tx, "srs", &fresh[2])?,
            })
        })
        .await
}

fn stored(tx: &mut Tx<'_>, name: &str, fresh: &[u8; 32]) -> Result<[u8; 32]> {
    tx.execute(
        "INSERT INTO dir_secrets (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
        params![name, &fresh[..]],
    )?;
    let found = tx.query_one("SELECT value FROM dir_secrets WHERE name = ?1", params![name], |row| row.blob(0))?;
    found.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| Error::damaged("a key of the directory"))
}
