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
    /// Keys the hashes of sessions' tokens.
    pub sessions: [u8; 32],
    /// Keys the tickets of logins that are not finished.
    pub tickets: [u8; 32],
    /// Seals the secrets of authenticators, and keys the hashes of recovery codes.
    pub second: [u8; 32],
    /// Seals the tokens of grants, and keys the hashes of clients' secrets.
    pub oauth: [u8; 32],
    /// Keys the challenges of passkeys, and their users' handles.
    pub passkeys: [u8; 32],
}

pub(crate) async fn load(directory: &Directory) -> Result<Secrets> {
    let entropy = &directory.inner.deps.entropy;
    let fresh: [[u8; 32]; 8] = std::array::from_fn(|_| entropy.bytes());
    directory
        .note(move |tx| {
            Ok(Secrets {
                app_passwords: stored(tx, "app-passwords", &fresh[0])?,
                unknown_names: stored(tx, "unknown-names", &fresh[1])?,
                srs: stored(tx, "srs", &fresh[2])?,
                sessions: stored(tx, "sessions", &fresh[3])?,
                tickets: stored(tx, "tickets", &fresh[4])?,
                second: stored(tx, "second-factors", &fresh[5])?,
                oauth: stored(tx, "oauth", &fresh[6])?,
                passkeys: stored(tx, "passkeys", &fresh[7])?,
            })
        })
        .await
}

impl Directory {
    /// A key of another form that all nodes share, by its name. With `fresh` it is kept unless there is one: the first has the last word.
    pub async fn kept_key(&self, name: &'static str, fresh: Option<Vec<u8>>) -> Result<Option<Vec<u8>>> {
        let find = move |tx: &mut Tx<'_>| {
            tx.query_one("SELECT value FROM dir_secrets WHERE name = ?1", params![name], |row| row.blob(0))
        };
        let Some(fresh) = fresh else { return self.read(find).await };
        self.note(move |tx| {
            let sql = "INSERT INTO dir_secrets (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
            tx.execute(sql, params![name, &fresh])?;
            find(tx)
        })
        .await
    }
}

fn stored(tx: &mut Tx<'_>, name: &str, fresh: &[u8; 32]) -> Result<[u8; 32]> {
    tx.execute(
        "INSERT INTO dir_secrets (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
        params![name, &fresh[..]],
    )?;
    let found = tx.query_one("SELECT value FROM dir_secrets WHERE name = ?1", params![name], |row| row.blob(0))?;
    found.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| Error::damaged("a key of the directory"))
}
