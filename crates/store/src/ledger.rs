//! The ledger of a move: for every message of an old server what became of it here. A row and the message that it tells of are
//! written by one transaction, and the key of a row is unique: so a message is brought here exactly once, whatever is killed when.
//!
//! | state of a row | means | left by |
//! |---|---|---|
//! | (no row) | seen at the source or not, not here yet | the copy → copied, failed, excluded |
//! | copied | the message is or was here | seen to be gone at the source → gone; found to be removed here → removed |
//! | adopted | it was here before the move came | likewise |
//! | excluded | a rule of the move leaves it out | the rule, or what it goes by, is no more → failed, with no try; it is no longer at the source → (no row) |
//! | failed | the source did not hand it out; `tries` says how often, until somebody lets it begin anew | a retry → copied, failed |
//! | gone | it left the source after it was copied; what is here stays | it shows up in another folder → (row of that folder) copied; it shows up again → copied, or removed when its owner removed it here meanwhile |
//! | removed | its owner removed it here; it is never brought again | – |

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use anser_base::{BlobId, Error, MailboxId, MessageId, Result};
use anser_db::{Row, params};

use crate::model::{Appended, Flags, Keywords, NewMessage};
use crate::tx::MailTx;

/// Mail that is older than this when it moves in is no news (RFC 8620 §7.1, `EmailDelivery`). Younger mail is: it came late to the old
/// server, or is fetched from there again and again.
const NEWS: Duration = Duration::from_secs(24 * 3600);

anser_base::words! {
    /// What became of a message.
    #[derive(PartialOrd, Ord)]
    pub enum LedgerState {
        /// Brought here by the move.
        Copied = "copied",
        /// Here before.
        Adopted = "adopted",
        /// Left out by a rule.
        Excluded = "excluded",
        /// Not handed out by the source.
        Failed = "failed",
        /// No longer at the source.
        Gone = "gone",
        /// Removed here by its owner.
        Removed = "removed",
    }
}

impl LedgerState {
    /// Whether the row tells of a message that was put here.
    pub fn is_here(self) -> bool {
        matches!(self, Self::Copied | Self::Adopted)
    }
}

/// Where a row belongs: which login at which source, and which of its folders. Both are numbers that the move gives out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LedgerKey {
    /// The login at the source.
    pub source: u64,
    /// The folder there; another number after its UIDVALIDITY changed.
    pub folder: u64,
}

/// One message of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// What the source knows it by within its folder; ascending in the order of the source. A UID is four bytes, highest first.
    pub key: Vec<u8>,
    /// What became of it.
    pub state: LedgerState,
    /// BLAKE3 of the exact bytes received; `None` when none were.
    pub content: Option<BlobId>,
    /// How many.
    pub size: u64,
    /// The date that the source keeps, as it wrote it.
    pub received: String,
    /// System flags when they were last seen there: the base of every merge.
    pub flags: Flags,
    /// Keywords likewise.
    pub keywords: Keywords,
    /// The message here; number 0 when there is none.
    pub message: MessageId,
    /// The mailbox that it was put into.
    pub mailbox: MailboxId,
    /// The UID that it got there.
    pub uid: u32,
    /// The pass that last touched the row.
    pub pass: u32,
    /// Failures so far.
    pub tries: u32,
    /// Why it failed or was excluded, or what is odd about it; in words.
    pub note: Option<String>,
    /// What the source knows it by in every folder, in short; `None` where it does not tell. Two messages may have the same.
    pub identity: Option<u64>,
}

impl LedgerRow {
    /// A row of a message that has this key, and nothing more yet.
    pub fn new(key: Vec<u8>, state: LedgerState) -> Self {
        let (flags, keywords, received) = (Flags::default(), Keywords::default(), String::new());
        let (message, mailbox) = (MessageId(0), MailboxId(0));
        let (size, uid, pass, tries) = (0, 0, 0, 0);
        Self {
            key,
            state,
            content: None,
            size,
            received,
            flags,
            keywords,
            message,
            mailbox,
            uid,
            pass,
            tries,
            note: None,
            identity: None,
        }
    }
}

/// A folder of a source, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerFolder {
    /// Its number.
    pub key: LedgerKey,
    /// Its name there, byte for byte.
    pub name: Vec<u8>,
    /// The mailbox that takes it.
    pub mailbox: MailboxId,
    /// UIDVALIDITY at the source (RFC 9051 §2.3.1.1); 0 when it has none.
    pub uidvalidity: u32,
    /// UIDNEXT at the end of the last whole pass; 0 before there was one.
    pub uidnext: u32,
    /// HIGHESTMODSEQ (RFC 7162) likewise; 0 when the source has none.
    pub modseq: u64,
    /// Messages at the source likewise.
    pub messages: u64,
    /// Whether its messages keep their UIDs here.
    pub keeps_uids: bool,
    /// How often it was tried in vain since it was last open; 0 when the last try opened it.
    pub state: u32,
    /// What the next pass goes on from, in the source's own form; empty when it looks at everything.
    pub mark: Vec<u8>,
    /// What the source knows it by whatever its name, in short; 0 when it does not tell.
    pub id: u64,
}

/// What the ledger of one source adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerTally {
    /// Rows, by the order of [`LedgerState::ALL`].
    pub rows: [u64; 6],
    /// Bytes of messages that were put here.
    pub bytes: u64,
}

impl MailTx<'_, '_> {
    /// Stores a message together with the row that tells where it came from. `Ok(None)`, with nothing changed, when the ledger knows
    /// the message already, other than as failed. Errors as [`Self::append`].
    pub fn append_moved(&mut self, key: LedgerKey, row: &LedgerRow, new: &NewMessage) -> Result<Option<Appended>> {
        if self.ledger_row(key, &row.key)?.is_some_and(|known| known.state != LedgerState::Failed) {
            return Ok(None);
        }
        self.is_moving = self.now.since(new.received) > NEWS;
        let appended = self.append(new);
        self.is_moving = false;
        let Some(done) = appended? else { return Ok(None) };
        let (mailbox, uid) = done.places.first().map_or((MailboxId(0), 0), |(mailbox, _, uid)| (*mailbox, *uid));
        let (message, content, size) = (done.message, Some(new.content.blob), new.content.size);
        self.put_ledger_row(key, &LedgerRow { message, mailbox, uid, content, size, ..row.clone() })?;
        Ok(Some(done))
    }

    /// Writes a row, or what is known of it now.
    pub fn put_ledger_row(&mut self, key: LedgerKey, row: &LedgerRow) -> Result<()> {
        self.require_writing()?;
        let content = row.content.map(|content| content.0);
        self.db
            .execute(
                "INSERT INTO ledger (account, source, folder, key, state, content, size, received, flags, keywords, message, mailbox, \
                 uid, pass, tries, note, identity) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) \
                 ON CONFLICT (account, source, folder, key) DO UPDATE SET state = excluded.state, content = excluded.content, \
                 size = excluded.size, received = excluded.received, flags = excluded.flags, keywords = excluded.keywords, \
                 message = excluded.message, mailbox = excluded.mailbox, uid = excluded.uid, pass = excluded.pass, \
                 tries = excluded.tries, note = excluded.note, identity = excluded.identity",
                params![
                    self.account.to_sql(),
                    key.source as i64,
                    key.folder as i64,
                    &row.key,
                    row.state as i64,
                    content.as_ref().map(|content| &content[..]),
                    row.size as i64,
                    &row.received,
                    row.flags.0,
                    row.keywords.as_text(),
                    row.message.to_sql(),
                    row.mailbox.to_sql(),
                    row.uid,
                    row.pass,
                    row.tries,
                    row.note.as_deref(),
                    row.identity.map(|identity| identity as i64)
                ],
            )
            .map(drop)
    }

    /// Takes every message of a folder that is or was here, or that its owner removed here, for one that left the source; what is here
    /// stays. How many.
    pub fn ledger_folder_gone(&mut self, key: LedgerKey, pass: u32) -> Result<u64> {
        self.require_writing()?;
        self.db.execute(
            "UPDATE ledger SET state = ?4, pass = ?5 WHERE account = ?1 AND source = ?2 AND folder = ?3 AND state IN (?6, ?7, ?8)",
            params![
                self.account.to_sql(),
                key.source as i64,
                key.folder as i64,
                LedgerState::Gone as i64,
                pass,
                LedgerState::Copied as i64,
                LedgerState::Adopted as i64,
                LedgerState::Removed as i64
            ],
        )
    }

    /// Lets what was given up begin anew: messages of a source that were not handed out, and folders whose `state` says that they were not
    /// opened, count as never tried. How many.
    pub fn try_ledger_anew(&mut self, source: u64) -> Result<u64> {
        self.require_writing()?;
        let (account, source) = (self.account.to_sql(), source as i64);
        let sql = "UPDATE ledger SET tries = 0 WHERE account = ?1 AND source = ?2 AND state = ?3 AND tries > 0";
        let rows = self.db.execute(sql, params![account, source, LedgerState::Failed as i64])?;
        let sql = "UPDATE moved_folder SET state = 0 WHERE account = ?1 AND source = ?2 AND state > 0";
        Ok(rows + self.db.execute(sql, params![account, source])?)
    }

    /// Forgets a row, when another one takes over what it tells of.
    pub fn forget_ledger_row(&mut self, key: LedgerKey, row: &[u8]) -> Result<()> {
        self.require_writing()?;
        let sql = "DELETE FROM ledger WHERE account = ?1 AND source = ?2 AND folder = ?3 AND key = ?4";
        let key = params![self.account.to_sql(), key.source as i64, key.folder as i64, row];
        self.db.execute(sql, key).map(drop)
    }

    /// Forgets all of a source: brought again, it is met for the first time.
    pub fn forget_ledger(&mut self, source: u64) -> Result<()> {
        self.require_writing()?;
        for table in ["ledger", "moved_folder"] {
            let sql = format!("DELETE FROM {table} WHERE account = ?1 AND source = ?2");
            self.db.execute(&sql, params![self.account.to_sql(), source as i64])?;
        }
        Ok(())
    }

    /// Forgets all of every source: what is still under way for one finds its folder gone.
    pub fn forget_ledgers(&mut self) -> Result<()> {
        self.require_writing()?;
        for table in ["ledger", "moved_folder"] {
            self.db.execute(&format!("DELETE FROM {table} WHERE account = ?1"), params![self.account.to_sql()])?;
        }
        Ok(())
    }

    /// Whether a folder is known.
    pub fn has_ledger_folder(&mut self, key: LedgerKey) -> Result<bool> {
        let sql = "SELECT folder FROM moved_folder WHERE account = ?1 AND source = ?2 AND folder = ?3";
        let key = params![self.account.to_sql(), key.source as i64, key.folder as i64];
        Ok(self.db.query_one(sql, key, |row| row.int(0))?.is_some())
    }

    /// One row.
    pub fn ledger_row(&mut self, key: LedgerKey, row: &[u8]) -> Result<Option<LedgerRow>> {
        self.db.query_one(
            &format!("{SELECT_ROW} WHERE account = ?1 AND source = ?2 AND folder = ?3 AND key = ?4"),
            params![self.account.to_sql(), key.source as i64, key.folder as i64, row],
            read_row,
        )
    }

    /// The rows of a folder from one key on up to another one, both included, ascending, at most `limit`.
    pub fn ledger_rows(&mut self, key: LedgerKey, first: &[u8], last: &[u8], limit: usize) -> Result<Vec<LedgerRow>> {
        self.db.query(
            &format!(
                "{SELECT_ROW} WHERE account = ?1 AND source = ?2 AND folder = ?3 AND key BETWEEN ?4 AND ?5 ORDER BY key LIMIT ?6"
            ),
            params![self.account.to_sql(), key.source as i64, key.folder as i64, first, last, limit as i64],
            read_row,
        )
    }

    /// The rows of one source whose messages have these bytes, at most `limit`; each with its folder.
    pub fn ledger_rows_of(
        &mut self,
        source: u64,
        content: BlobId,
        limit: usize,
    ) -> Result<Vec<(LedgerKey, LedgerRow)>> {
        self.db.query(
            &format!("{SELECT_ROW} WHERE account = ?1 AND {OF_CONTENT} AND source = ?4 ORDER BY folder, key LIMIT ?5"),
            params![self.account.to_sql(), &content.0[..8], &content.0[..], source as i64, limit as i64],
            |row| Ok((LedgerKey { source, folder: row.int(13)? as u64 }, read_row(row)?)),
        )
    }

    /// Keys of rows of a folder whose messages were brought and have an identity, behind one key, ascending; state and identity of each.
    pub fn ledger_identities(
        &mut self,
        key: LedgerKey,
        behind: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, LedgerState, u64)>> {
        self.db.query(
            "SELECT key, state, identity FROM ledger WHERE account = ?1 AND source = ?2 AND folder = ?3 AND key > ?4 \
             AND identity IS NOT NULL AND content IS NOT NULL ORDER BY key LIMIT ?5",
            params![self.account.to_sql(), key.source as i64, key.folder as i64, behind, limit as i64],
            |row| Ok((row.blob(0)?, LedgerState::from_number(row.int(1)?)?, row.int(2)? as u64)),
        )
    }

    /// The rows in one state, ascending by folder and key, at most `limit`; each with its folder.
    pub fn ledger_rows_in(
        &mut self,
        source: u64,
        state: LedgerState,
        limit: usize,
    ) -> Result<Vec<(LedgerKey, LedgerRow)>> {
        self.db.query(
            &format!("{SELECT_ROW} WHERE account = ?1 AND source = ?2 AND state = ?3 ORDER BY folder, key LIMIT ?4"),
            params![self.account.to_sql(), source as i64, state as i64, limit as i64],
            |row| Ok((LedgerKey { source, folder: row.int(13)? as u64 }, read_row(row)?)),
        )
    }

    /// The folders of one source that have rows in one state which failed fewer than so many times.
    pub fn ledger_folders_with(&mut self, source: u64, state: LedgerState, tries: u32) -> Result<HashSet<LedgerKey>> {
        let sql = "SELECT DISTINCT folder FROM ledger WHERE account = ?1 AND source = ?2 AND state = ?3 AND tries < ?4";
        let key = params![self.account.to_sql(), source as i64, state as i64, tries];
        self.db.query(sql, key, |row| Ok(LedgerKey { source, folder: row.int(0)? as u64 })).map(HashSet::from_iter)
    }

    /// The folders of one source that have rows in one state with this note.
    pub fn ledger_folders_noted(&mut self, source: u64, state: LedgerState, note: &str) -> Result<HashSet<LedgerKey>> {
        let sql = "SELECT DISTINCT folder FROM ledger WHERE account = ?1 AND source = ?2 AND state = ?3 AND note = ?4";
        let key = params![self.account.to_sql(), source as i64, state as i64, note];
        self.db.query(sql, key, |row| Ok(LedgerKey { source, folder: row.int(0)? as u64 })).map(HashSet::from_iter)
    }

    /// The messages that rows of any source tell of as put into a mailbox.
    pub fn ledger_messages(&mut self, mailbox: MailboxId) -> Result<HashSet<MessageId>> {
        let mut found = HashSet::new();
        self.db.for_each(
            "SELECT message FROM ledger WHERE account = ?1 AND mailbox = ?2",
            params![self.account.to_sql(), mailbox.to_sql()],
            |row| {
                found.insert(MessageId::from_sql(row.int(0)?));
                Ok(())
            },
        )?;
        Ok(found)
    }

    /// Whether a row of any source tells of this message. Rows of these bytes are found at once, the others by going through all of the
    /// account.
    pub fn is_in_ledger(&mut self, message: MessageId, bytes: BlobId) -> Result<bool> {
        let (account, message) = (self.account.to_sql(), message.to_sql());
        let mut told = |condition: &str| {
            self.db.query_one(
                &format!("SELECT message FROM ledger WHERE account = ?1 AND message = ?4 AND {condition} LIMIT 1"),
                params![account, &bytes.0[..8], &bytes.0[..], message],
                |row| row.int(0),
            )
        };
        Ok(told(OF_CONTENT)?.is_some()
            || told("(content IS NULL OR substr(content, 1, 8) <> ?2 OR content <> ?3)")?.is_some())
    }

    /// What the ledger of a source adds up to; of one folder when it is named.
    pub fn ledger_tally(&mut self, source: u64, folder: Option<u64>) -> Result<LedgerTally> {
        let mut tally = LedgerTally::default();
        self.db.for_each(
            "SELECT state, count(*), CAST(COALESCE(sum(size), 0) AS BIGINT) FROM ledger \
             WHERE account = ?1 AND source = ?2 AND (folder = ?3 OR ?3 < 0) GROUP BY state",
            params![self.account.to_sql(), source as i64, folder.map_or(-1, |folder| folder as i64)],
            |row| {
                let state = LedgerState::from_number(row.int(0)?)?;
                tally.rows[state as usize] = row.int(1)? as u64;
                if !matches!(state, LedgerState::Excluded | LedgerState::Failed) {
                    tally.bytes += row.int(2)? as u64;
                }
                Ok(())
            },
        )?;
        Ok(tally)
    }

    /// The folders of a source, by number.
    pub fn ledger_folders(&mut self, source: u64) -> Result<Vec<LedgerFolder>> {
        self.db.query(
            "SELECT folder, name, mailbox, uidvalidity, uidnext, modseq, messages, keeps_uids, state, mark, id FROM moved_folder \
             WHERE account = ?1 AND source = ?2 ORDER BY folder",
            params![self.account.to_sql(), source as i64],
            |row| {
                Ok(LedgerFolder {
                    key: LedgerKey { source, folder: row.int(0)? as u64 },
                    name: row.blob(1)?,
                    mailbox: MailboxId::from_sql(row.int(2)?),
                    uidvalidity: row.int(3)? as u32,
                    uidnext: row.int(4)? as u32,
                    modseq: row.int(5)? as u64,
                    messages: row.int(6)? as u64,
                    keeps_uids: row.bool(7)?,
                    state: row.int(8)? as u32,
                    mark: row.opt_blob(9)?.unwrap_or_default(),
                    id: row.int(10)? as u64,
                })
            },
        )
    }

    /// The paths that the folders of a source had here when they were last noted, by number.
    pub fn ledger_paths(&mut self, source: u64) -> Result<BTreeMap<u64, Vec<String>>> {
        let noted = self.db.query(
            "SELECT folder, path FROM moved_folder WHERE account = ?1 AND source = ?2 AND path IS NOT NULL",
            params![self.account.to_sql(), source as i64],
            |row| Ok((row.int(0)? as u64, row.text(1)?.split('\n').map(str::to_owned).collect())),
        )?;
        Ok(noted.into_iter().collect())
    }

    /// Notes where the mailbox of each folder of a source is now, so that it can be told later whether its owner has renamed or removed it.
    /// Folders that have none are forgotten.
    pub fn note_ledger_paths(&mut self, source: u64) -> Result<()> {
        self.require_writing()?;
        for folder in self.ledger_folders(source)? {
            let path = match self.has_mailbox(folder.mailbox)? {
                true => Some(self.path(folder.mailbox)?.join("\n")),
                false => None,
            };
            self.db.execute(
                "UPDATE moved_folder SET path = ?4 WHERE account = ?1 AND source = ?2 AND folder = ?3",
                params![self.account.to_sql(), source as i64, folder.key.folder as i64, path.as_deref()],
            )?;
        }
        Ok(())
    }

    /// Writes a folder, or what is known of it now.
    pub fn put_ledger_folder(&mut self, folder: &LedgerFolder) -> Result<()> {
        self.require_writing()?;
        self.db
            .execute(
                "INSERT INTO moved_folder (account, source, folder, name, mailbox, uidvalidity, uidnext, modseq, messages, keeps_uids, \
                 state, mark, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) \
                 ON CONFLICT (account, source, folder) DO UPDATE SET \
                 name = excluded.name, mailbox = excluded.mailbox, uidvalidity = excluded.uidvalidity, uidnext = excluded.uidnext, \
                 modseq = excluded.modseq, messages = excluded.messages, keeps_uids = excluded.keeps_uids, state = excluded.state, \
                 mark = excluded.mark, id = excluded.id",
                params![
                    self.account.to_sql(),
                    folder.key.source as i64,
                    folder.key.folder as i64,
                    &folder.name,
                    folder.mailbox.to_sql(),
                    folder.uidvalidity,
                    folder.uidnext,
                    folder.modseq as i64,
                    folder.messages as i64,
                    folder.keeps_uids,
                    folder.state,
                    Some(&folder.mark[..]).filter(|mark| !mark.is_empty()),
                    folder.id as i64
                ],
            )
            .map(drop)
    }
}

/// Rows of the bytes `?3`, which the index `ledger_content` finds by the first eight of that, `?2`.
const OF_CONTENT: &str = "substr(content, 1, 8) = ?2 AND content = ?3";

/// `folder` is its column 13.
const SELECT_ROW: &str = "SELECT key, state, content, size, received, flags, keywords, message, mailbox, uid, pass, tries, note, folder, \
                          identity FROM ledger";

fn read_row(row: &Row<'_>) -> Result<LedgerRow> {
    let content = row.opt_blob(2)?.map(|bytes| {
        BlobId::from_slice(&bytes).ok_or_else(|| Error::damaged("a row of the ledger has a broken content key"))
    });
    Ok(LedgerRow {
        key: row.blob(0)?,
        state: LedgerState::from_number(row.int(1)?)?,
        content: content.transpose()?,
        size: row.int(3)? as u64,
        received: row.text(4)?,
        flags: Flags(row.int(5)? as u32),
        keywords: Keywords::from_text(&row.text(6)?),
        message: MessageId::from_sql(row.int(7)?),
        mailbox: MailboxId::from_sql(row.int(8)?),
        uid: row.int(9)? as u32,
        pass: row.int(10)? as u32,
        tries: row.int(11)? as u32,
        note: row.opt_text(12)?,
        identity: row.opt_int(14)?.map(|identity| identity as u64),
    })
}
