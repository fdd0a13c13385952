//! The independent verifier: it lists both sides anew, each over a connection of its own, through their public IMAP face, by another
//! way than the copy takes (message numbers, not UIDs; bodies in the order of the folder), and holds them against each other. The
//! ledger is asked only for the reason of a difference, never for what is there.
//!
//! | class | means |
//! |---|---|
//! | equal | the same bytes, size, date, flags and keywords |
//! | changed | the same bytes; flags, keywords or date are others than at the source |
//! | elsewhere | its owner moved it here to another folder |
//! | removed | its owner removed it here |
//! | failed | the source does not hand it out; the ledger says why |
//! | new | it came to the source after the last pass |
//! | unexplained | none of these: it must not be |
//!
//! At level 2 every body is read on both sides. At level 1 size, date, flags and keywords of every message are compared, and the bodies of a
//! sample: of [`SAMPLE`] messages of each folder or one in a hundred, of the [`BIGGEST`], and of all that find no twin without.
//!
//! Messages that are only here (delivered meanwhile, or gone at the source) are counted as `extra`, and are no difference.

use std::collections::{BTreeMap, HashMap};

use anser_base::{AccountId, BlobId, MailboxId, Result, TenantId};
use anser_mime::date;
use anser_store::{Flags, LedgerFolder, LedgerState, MailTx, Store};
use anser_wire::imap::client::Response;
use serde::{Deserialize, Serialize};

use crate::imap::connection::{Got, Imap};
use crate::imap::fetch::flags_of;
use crate::merge::{Removals, where_is};
use crate::pass::TRIES;
use crate::source::{Allowance, Batch, Listed, Origin, Seen, Taken, Window};
use crate::trouble::Trouble;

/// Messages of one command.
const PAGE: u64 = 500;
/// Messages of which bodies are in memory at once.
const READ: usize = 16;
/// Messages of one folder that are held against each other at most.
const MESSAGES: u64 = 5_000_000;
/// Messages of each folder whose bodies are read at level 1, when one in a hundred would be fewer.
pub const SAMPLE: u64 = 200;
/// The biggest messages of each folder whose bodies are read at level 1.
pub const BIGGEST: usize = 20;
/// Message numbers of one command.
const NUMBERS: usize = 200;
/// Differences of one mailbox that are named one by one.
pub const NAMED: usize = 1_000;

/// What is held against each other of one message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Line {
    /// What the ledger knows it by.
    key: Vec<u8>,
    /// Where it stands in its folder.
    at: u32,
    /// 0 when it has none.
    uid: u32,
    /// BLAKE3 of all its bytes; of size and date while they are not read.
    bytes: [u8; 32],
    /// Whether they are.
    is_read: bool,
    size: u64,
    /// INTERNALDATE in seconds since 1970; `None` when it is no date, or the source keeps none.
    date: Option<i64>,
    flags: Flags,
    keywords: Vec<String>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The folder at the source.
    pub folder: String,
    /// The UID there.
    pub uid: u32,
    /// `changed`, `elsewhere`, `removed`, `failed`, `new`, `unexplained`.
    pub class: String,
    /// What differs, or why, in words.
    pub why: String,
}

/// How one folder compares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderProof {
    /// Its name at the source.
    pub folder: String,
    /// Its path here.
    pub here: String,
    /// Messages there.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Messages by class.
    pub classes: BTreeMap<String, u64>,
    /// Messages that are only here.
    pub extra: u64,
    /// Whether UIDVALIDITY and the UIDs of all equal messages are the same.
    pub uids_kept: bool,
}

/// How one mailbox compares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The login at the source.
    pub login: String,
    /// The address here.
    pub address: String,
    /// Its folders.
    pub folders: Vec<FolderProof>,
    /// Differences, the first [`NAMED`] of them.
    pub differences: Vec<Difference>,
    /// Messages that nobody can explain. The move is proven when there are none.
    pub unexplained: u64,
}

anser_base::words! {
    /// How much is read.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Level {
        /// A sample of the bodies.
        Sample = "1",
        /// All bodies.
        Bodies = "2",
    }
}

anser_base::words! {
    /// What a proof comes to.
    pub enum Score {
        /// Every message is equal, and every UID is the same.
        Perfect = "perfect",
        /// Every difference is explained.
        Good = "good",
        /// The source does not hand all of it out.
        Investigate = "investigate",
        /// Something is unexplained.
        Poor = "poor",
    }
}

impl Proof {
    /// What it comes to.
    pub fn score(&self) -> Score {
        let count =
            |class: &str| -> u64 { self.folders.iter().filter_map(|folder| folder.classes.get(class)).copied().sum() };
        let all: u64 = self.folders.iter().map(|folder| folder.messages).sum();
        match () {
            () if self.unexplained > 0 => Score::Poor,
            () if count("failed") > 0 => Score::Investigate,
            () if count("equal") == all && self.folders.iter().all(|folder| folder.uids_kept) => Score::Perfect,
            () => Score::Good,
        }
    }
}

/// Holds everything that a login sees at the source against what the account shows here.
pub async fn verify(
    there: &mut Origin,
    here: &mut Imap,
    store: &Store,
    (tenant, account): (TenantId, AccountId),
    id: u64,
    level: Level,
) -> Result<Proof, Trouble> {
    let known = store.read(account, move |tx| paths(tx, id)).await?;
    let mut proof = Proof::default();
    let folders: Vec<_> = there.folders().await?.into_iter().filter(|folder| folder.is_selectable()).collect();
    for folder in folders {
        let name = String::from_utf8_lossy(&folder.name).into_owned();
        if known.get(&folder.name).is_some_and(|(ledger, _)| ledger.state >= TRIES) {
            // It ends every connection: what is in it nobody can say.
            let why = "the old server ends the connection when this folder is opened".to_owned();
            let classes = [("failed".to_owned(), 1)].into();
            proof.differences.push(Difference { folder: name.clone(), uid: 0, class: "failed".to_owned(), why });
            proof.folders.push(FolderProof { folder: name, classes, ..FolderProof::default() });
            continue;
        }
        let (validity, lines) = match &mut *there {
            Origin::Imap(imap) => list_all(imap, &folder.name, level).await?,
            other => list_source(other, &folder.name, store, tenant).await?,
        };
        let mut one = FolderProof { folder: name, messages: lines.len() as u64, ..FolderProof::default() };
        one.bytes = lines.iter().map(|line| line.size).sum();
        match known.get(&folder.name) {
            Some((ledger, path)) => {
                one.here = path.clone();
                let wire = anser_wire::imap::encode_mutf7(path);
                let both = matches!(there, Origin::Imap(_)).then_some(level).unwrap_or(Level::Bodies);
                let (own, mut found) = list_all(here, wire.as_bytes(), both).await?;
                one.uids_kept = validity == own;
                let mut lines = lines;
                if let (Origin::Imap(imap), Level::Sample) = (&mut *there, level) {
                    let sample = Sample::of(&lines);
                    read_some(imap, &mut lines, |line| sample.has(line)).await?;
                    read_some(here, &mut found, |line| sample.has(line)).await?;
                }
                let (mut lines, mut found) = pair(&mut proof, &mut one, lines, found);
                if let (Origin::Imap(imap), Level::Sample) = (&mut *there, level) {
                    read_some(imap, &mut lines, |_| true).await?;
                    read_some(here, &mut found, |_| true).await?;
                    (lines, found) = pair(&mut proof, &mut one, lines, found);
                }
                explain(&mut proof, &mut one, lines, found, store, account, ledger).await?;
            }
            // Folders that nobody planned for are new as a whole.
            None => lines.iter().for_each(|line| note(&mut proof, &mut one, line, "new", "the folder is new")),
        }
        proof.folders.push(one);
    }
    Ok(proof)
}

/// Folders of the ledger by their names there, with their paths here; the newest of each name.
fn paths(tx: &mut MailTx<'_, '_>, id: u64) -> Result<HashMap<Vec<u8>, (LedgerFolder, String)>> {
    let mut found = HashMap::new();
    for folder in tx.ledger_folders(id)? {
        let path = tx.path(folder.mailbox).unwrap_or_default().join("/");
        found.insert(folder.name.clone(), (folder, path));
    }
    Ok(found)
}

/// UIDVALIDITY and every message of a folder, in its order.
async fn list_all(imap: &mut Imap, name: &[u8], level: Level) -> Result<(u32, Vec<Line>), Trouble> {
    let standing = match imap.examine(name).await {
        Err(Trouble::Refused(_)) => return Ok((0, Vec::new())),
        other => other?,
    };
    let mut lines = Vec::new();
    let mut first = 1;
    while first <= standing.messages.min(MESSAGES) {
        let last = (first + PAGE - 1).min(standing.messages);
        let body = if level == Level::Bodies { "BODY.PEEK[]" } else { "RFC822.SIZE" };
        list_page(imap, &format!("FETCH {first}:{last} (UID FLAGS INTERNALDATE {body})"), &mut lines).await?;
        first = last + 1;
    }
    Ok((standing.uidvalidity, lines))
}

/// Whose bodies are read at level 1. Both sides come to the same, message by message.
struct Sample {
    one_in: u64,
    big: u64,
}

impl Sample {
    fn of(lines: &[Line]) -> Self {
        let count = lines.len() as u64;
        let one_in = (count / SAMPLE.max(count / 100)).max(1);
        let mut sizes: Vec<u64> = lines.iter().map(|line| line.size).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        Self { one_in, big: sizes.get(BIGGEST).copied().unwrap_or(0) }
    }

    fn has(&self, line: &Line) -> bool {
        let [a, b, c, d, ..] = line.bytes;
        line.size > self.big || u64::from(u32::from_le_bytes([a, b, c, d])).is_multiple_of(self.one_in)
    }
}

/// Reads bodies of messages of the open folder that were only listed.
async fn read_some(imap: &mut Imap, lines: &mut [Line], wanted: impl Fn(&Line) -> bool) -> Result<(), Trouble> {
    let chosen: Vec<usize> = (0..lines.len()).filter(|at| !lines[*at].is_read && wanted(&lines[*at])).collect();
    for some in chosen.chunks(NUMBERS) {
        let numbers: Vec<String> = some.iter().map(|at| lines[*at].at.to_string()).collect();
        let command = format!("FETCH {} (UID FLAGS INTERNALDATE BODY.PEEK[])", numbers.join(","));
        let mut read = Vec::new();
        list_page(imap, &command, &mut read).await?;
        let mut read: HashMap<u32, Line> = read.into_iter().map(|line| (line.at, line)).collect();
        for at in some {
            if let Some(line) = read.remove(&lines[*at].at) {
                lines[*at] = line;
            }
        }
    }
    Ok(())
}

async fn list_page(imap: &mut Imap, command: &str, lines: &mut Vec<Line>) -> Result<(), Trouble> {
    let tag = imap.send(command).await?;
    let (mut hash, mut size) = (blake3::Hasher::new(), 0);
    loop {
        match imap.next().await? {
            Got::Body(_) => (hash, size) = (blake3::Hasher::new(), 0),
            Got::Octets(count) => {
                hash.update(&imap.octets()[..count]);
                size += count as u64;
                imap.used(count);
            }
            Got::Response(Response::Fetch(fetched))
                if fetched.streamed
                    || fetched.body.is_some()
                    || (fetched.size.is_some() && fetched.flags.is_some()) =>
            {
                let is_read = fetched.streamed || fetched.body.is_some();
                if let Some(body) = &fetched.body {
                    (hash, size) = (blake3::Hasher::new(), body.len() as u64);
                    hash.update(body);
                }
                let (flags, keywords) = flags_of(&fetched.flags.unwrap_or_default());
                let date = date::parse_internal_date(fetched.internal_date.unwrap_or_default().trim_ascii());
                let uid = fetched.uid.unwrap_or(0);
                if !is_read {
                    size = fetched.size.unwrap_or(0);
                    hash = blake3::Hasher::new();
                    hash.update(&size.to_le_bytes());
                    hash.update(&date.map_or(0, |date| date.unix).to_le_bytes());
                }
                lines.push(Line {
                    is_read,
                    key: uid.to_be_bytes().to_vec(),
                    at: fetched.number,
                    uid,
                    bytes: *hash.finalize().as_bytes(),
                    size,
                    date: date.map(|date| date.unix),
                    flags,
                    keywords: keywords.iter().map(str::to_lowercase).collect(),
                });
            }
            Got::Response(Response::Condition(condition)) if condition.tag.as_deref() == Some(&*tag) => return Ok(()),
            Got::Response(_) => {}
        }
    }
}

/// Likewise, of a source that has no message numbers of IMAP.
async fn list_source(
    origin: &mut Origin,
    name: &[u8],
    store: &Store,
    tenant: TenantId,
) -> Result<(u32, Vec<Line>), Trouble> {
    let standing = origin.examine(name).await?;
    let Listed::All(mut seen) = origin.list(Window::WHOLE).await? else {
        return Err(Trouble::Refused("the folder is too large to be read as a whole".to_owned()));
    };
    seen.sort_by_key(|one| one.at);
    let (mut lines, mut fetcher) =
        (Vec::with_capacity(seen.len()), origin.fetcher(store.clone(), tenant, Allowance::default()));
    for some in seen.chunks(READ) {
        fetcher.ask(some.iter().map(|one| one.at).collect()).await?;
        let mut batch = fetcher.receive().await?.whole()?;
        lines.extend(some.iter().map(|one| line_of(one, &mut batch)));
    }
    Ok((standing.uidvalidity, lines))
}

fn line_of(seen: &Seen, batch: &mut Batch) -> Line {
    let (bytes, size) = match batch.arrived.remove(&seen.at) {
        Some(Taken::Memory(body)) => (BlobId::of(&body).0, body.len() as u64),
        Some(Taken::Stored(content)) => (content.blob.0, content.size),
        // It is compared, and found to be nowhere.
        None => ([0; 32], seen.size),
    };
    let date = date::parse_internal_date(seen.received.trim().as_bytes()).map(|date| date.unix);
    let keywords = seen.keywords.iter().map(str::to_lowercase).collect();
    let (key, at, uid, flags, is_read) = (seen.key.clone(), seen.at, seen.uid, seen.flags, true);
    Line { key, at, uid, bytes, is_read, size, date, flags, keywords }
}

/// Pairs the messages of two folders: the very same first, then those of the same bytes. What is left on either side.
fn pair(proof: &mut Proof, one: &mut FolderProof, there: Vec<Line>, here: Vec<Line>) -> (Vec<Line>, Vec<Line>) {
    let mut by_bytes: HashMap<[u8; 32], Vec<Line>> = HashMap::new();
    here.into_iter().for_each(|line| by_bytes.entry(line.bytes).or_default().push(line));
    let mut unpaired = Vec::new();
    for line in there {
        let twins = by_bytes.entry(line.bytes).or_default();
        let same = |twin: &Line| {
            (line.date.is_none() || twin.date == line.date)
                && (twin.flags, &twin.keywords) == (line.flags, &line.keywords)
        };
        // The twin with the same UID before any other that is the same.
        let at =
            twins.iter().position(|twin| twin.uid == line.uid && same(twin)).or_else(|| twins.iter().position(same));
        match at {
            Some(at) => {
                one.uids_kept &= twins.swap_remove(at).uid == line.uid;
                *one.classes.entry("equal".to_owned()).or_default() += 1;
            }
            None => unpaired.push(line),
        }
    }
    let mut alone = Vec::new();
    for line in unpaired {
        match by_bytes.get_mut(&line.bytes).and_then(Vec::pop) {
            Some(twin) => note(proof, one, &line, "changed", &changed(&line, &twin)),
            None => alone.push(line),
        }
    }
    (alone, by_bytes.into_values().flatten().collect())
}

/// What is left needs a reason.
async fn explain(
    proof: &mut Proof,
    one: &mut FolderProof,
    there: Vec<Line>,
    here: Vec<Line>,
    store: &Store,
    account: AccountId,
    ledger: &LedgerFolder,
) -> Result<(), Trouble> {
    for line in there {
        let (class, why) = reason(store, account, ledger, &line).await?;
        note(proof, one, &line, class, &why);
    }
    one.extra = here.len() as u64;
    Ok(())
}

fn changed(there: &Line, here: &Line) -> String {
    let mut words = Vec::new();
    if there.flags != here.flags || there.keywords != here.keywords {
        words.push("flags");
    }
    if there.date.is_some() && there.date != here.date {
        words.push("date");
    }
    words.join(", ")
}

/// Why a message of the source is not in its folder here.
async fn reason(
    store: &Store,
    account: AccountId,
    ledger: &LedgerFolder,
    line: &Line,
) -> Result<(&'static str, String)> {
    let (key, row, bytes) = (ledger.key, line.key.clone(), BlobId(line.bytes));
    let find = move |tx: &mut MailTx<'_, '_>| {
        let Some(row) = tx.ledger_row(key, &row)? else { return Ok(None) };
        let place = where_is(tx, &row)?;
        let was_removed = place.is_none() && Removals::default().include(tx, row.mailbox, row.uid)?;
        Ok(Some((row, place, was_removed)))
    };
    let found = store.read(account, find).await?;
    let elsewhere = |place: Option<(MailboxId, u32)>| place.is_some_and(|(mailbox, _)| mailbox != ledger.mailbox);
    // Without UIDs what is new stands behind what was there.
    let came_later = |line: &Line| match line.uid {
        0 => u64::from(line.at) > ledger.messages,
        uid => uid >= ledger.uidnext,
    };
    Ok(match found {
        None if came_later(line) => ("new", "it came after the last pass".to_owned()),
        None => ("unexplained", "the ledger does not know it".to_owned()),
        Some((row, ..)) if row.state == LedgerState::Failed => ("failed", row.note.unwrap_or_default()),
        Some((row, ..)) if row.state == LedgerState::Excluded => ("excluded", row.note.unwrap_or_default()),
        Some((row, ..)) if row.content != Some(bytes) => ("unexplained", "other bytes were brought".to_owned()),
        Some((_, place, _)) if elsewhere(place) => ("elsewhere", "its owner moved it here".to_owned()),
        Some((_, None, true)) => ("removed", "its owner removed it here".to_owned()),
        Some((_, None, false)) => ("unexplained", "it was brought, and is gone though nobody removed it".to_owned()),
        Some((row, Some(_), _)) if row.state == LedgerState::Adopted => {
            ("changed", "it was here before, with header fields that others added".to_owned())
        }
        Some(_) => ("unexplained", "it was brought, and is not shown".to_owned()),
    })
}

fn note(proof: &mut Proof, one: &mut FolderProof, line: &Line, class: &str, why: &str) {
    *one.classes.entry(class.to_owned()).or_default() += 1;
    proof.unexplained += u64::from(class == "unexplained");
    if proof.differences.len() < NAMED {
        let (folder, class, why) = (one.folder.clone(), class.to_owned(), why.to_owned());
        proof.differences.push(Difference { folder, uid: line.uid, class, why });
    }
}
