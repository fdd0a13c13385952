//! Bodies that clients uploaded and that nothing refers to yet (RFC 8620 §6.1): kept for a while, so that what is made next can take
//! them.

use std::time::Duration;

use anser_base::{AccountId, BlobId, Class, Error, Result, Timestamp};
use anser_db::params;

use crate::tx::MailTx;

/// How long an upload is kept, from when it was made last.
pub const UPLOAD_KEPT: Duration = Duration::from_secs(24 * 3600);
/// For how long an upload is certain to be kept, whatever else is uploaded (RFC 8620 §6.1).
const CERTAIN: Duration = Duration::from_secs(3600);
/// Bytes of the uploads of one user in one account at most.
pub const UPLOAD_BYTES: u64 = 1 << 30;
/// Uploads of one user in one account at most.
pub const UPLOADS: usize = 1_000;

impl MailTx<'_, '_> {
    /// Keeps a body that `user` uploaded into this account; the blob store must have it. What was uploaded before is kept from now on. To
    /// make room those go first that are older than an hour, the oldest before others; `Class::OverQuota` when there is none all the
    /// same.
    pub fn keep_upload(&mut self, user: AccountId, blob: BlobId, size: u64) -> Result<()> {
        self.require_writing()?;
        let (account, user, now) = (self.account.to_sql(), user.to_sql(), self.now);
        self.db.execute(
            "DELETE FROM upload WHERE account = ?1 AND (until <= ?2 OR (owner = ?3 AND blob = ?4))",
            params![account, now.0, user, &blob.0[..]],
        )?;
        let known = self.db.query(
            "SELECT blob, size, until FROM upload WHERE account = ?1 AND owner = ?2 ORDER BY until",
            params![account, user],
            |row| Ok((row.blob(0)?, row.int(1)? as u64, Timestamp(row.int(2)?))),
        )?;
        let (mut count, mut bytes) = (known.len() + 1, known.iter().map(|(_, size, _)| size).sum::<u64>() + size);
        let until = now.after(UPLOAD_KEPT);
        for (old, size, kept) in known {
            if count <= UPLOADS && bytes <= UPLOAD_BYTES {
                break;
            }
            if until.since(kept) < CERTAIN {
                return Err(Error::new(
                    Class::OverQuota,
                    "too much was uploaded and not used",
                    "已上传而未使用的内容过多",
                ));
            }
            (count, bytes) = (count - 1, bytes - size);
            self.db.execute(
                "DELETE FROM upload WHERE account = ?1 AND owner = ?2 AND blob = ?3",
                params![account, user, &old[..]],
            )?;
        }
        self.db
            .execute(
                "INSERT INTO upload (account, owner, blob, size, until) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![account, user, &blob.0[..], size as i64, until.0],
            )
            .map(drop)
    }

    /// The length in bytes of a body that `user` uploaded into this account, while it is kept.
    pub fn upload(&mut self, user: AccountId, blob: BlobId) -> Result<Option<u64>> {
        self.db.query_one(
            "SELECT size FROM upload WHERE account = ?1 AND owner = ?2 AND blob = ?3 AND until > ?4",
            params![self.account.to_sql(), user.to_sql(), &blob.0[..], self.now.0],
            |row| Ok(row.int(0)? as u64),
        )
    }
}
