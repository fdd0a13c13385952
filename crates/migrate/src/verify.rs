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
//! Messages that are only here (delivered meanwhile, or gone at the source) are counted as `extra`, and are no difference.

use std::collections::{BTreeMap, HashMap};

use anser_base::{AccountId, BlobId, MailboxId, Result, TenantId};
use anser_mime::date;
use anser_store::{Flags, LedgerFolder, LedgerState, MailTx, Store};
use anser_wire::imap::client::Response;
use serde::{Deserialize, Serialize};

use crate::imap::connection::{Got, Imap};
use crate::imap::fetch::flags_of;
use crate::merge::where_is;
use crate::source::{Batch, Origin, Seen, Taken, Window};
use crate::trouble::Trouble;

/// Messages of one command.
const PAGE: u64 = 500;
/// Messages of which bodies are in memory at once.
const READ: usize = 16;
/// Messages of one folder that are held against each other at most.
const MESSAGES: u64 = 5_000_000;
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
    /// BLAKE3 of all its bytes.
    bytes: [u8; 32],
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

/// Holds everything that a login sees at the source against what the account shows here.
pub async fn verify(
    there: &mut Origin,
    here: &mut Imap,
    store: &Store,
    (tenant, account): (TenantId, AccountId),
    id: u64,
) -> Result<Proof, Trouble> {
    let known = store.read(account, move |tx| paths(tx, id)).await?;
    let mut proof = Proof::default();
    let folders: Vec<_> = there.folders().await?.into_iter().filter(|folder| folder.is_selectable()).collect();
    for folder in folders {
        let name = String::from_utf8_lossy(&folder.name).into_owned();
        let (validity, lines) = match &mut *there {
            Origin::Imap(imap) => list_all(imap, &folder.name).await?,
            other => list_source(other, &folder.name, store, tenant).await?,
        };
        let mut one = FolderProof { folder: name, messages: lines.len() as u64, ..FolderProof::default() };
        one.bytes = lines.iter().map(|line| line.size).sum();
        match known.get(&folder.name) {
            Some((ledger, path)) => {
                one.here = path.clone();
                let wire = anser_wire::imap::encode_mutf7(path);
                let (own, found) = list_all(here, wire.as_bytes()).await?;
                one.uids_kept = validity == own;
                compare(&mut proof, &mut one, lines, found, store, account, ledger).await?;
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
async fn list_all(imap: &mut Imap, name: &[u8]) -> Result<(u32, Vec<Line>), Trouble> {
    let standing = match imap.examine(name).await {
        Err(Trouble::Refused(_)) => return Ok((0, Vec::new())),
        other => other?,
    };
    let mut lines = Vec::new();
    let mut first = 1;
    while first <= standing.messages.min(MESSAGES) {
        let last = (first + PAGE - 1).min(standing.messages);
        let command = format!("FETCH {first}:{last} (UID FLAGS INTERNALDATE BODY.PEEK[])");
        list_page(imap, &command, &mut lines).await?;
        first = last + 1;
    }
    Ok((standing.uidvalidity, lines))
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
            Got::Response(Response::Fetch(fetched)) if fetched.streamed || fetched.body.is_some() => {
                if let Some(body) = &fetched.body {
                    (hash, size) = (blake3::Hasher::new(), body.len() as u64);
                    hash.update(body);
                }
                let (flags, keywords) = flags_of(&fetched.flags.unwrap_or_default());
                let date = date::parse_internal_date(fetched.internal_date.unwrap_or_default().trim_ascii());
                let uid = fetched.uid.unwrap_or(0);
                lines.push(Line {
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
    let mut seen = origin.list(Window::WHOLE).await?;
    seen.sort_by_key(|one| one.at);
    let (mut lines, mut fetcher) = (Vec::with_capacity(seen.len()), origin.fetcher(store.clone(), tenant));
    for some in seen.chunks(READ) {
        fetcher.ask(some.iter().map(|one| one.at).collect()).await?;
        let mut batch = fetcher.receive().await?;
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
    Line { key: seen.key.clone(), at: seen.at, uid: seen.uid, bytes, size, date, flags: seen.flags, keywords }
}

/// Pairs the messages of two folders: the very same first, then those of the same bytes; what is left needs a reason.
async fn compare(
    proof: &mut Proof,
    one: &mut FolderProof,
    there: Vec<Line>,
    here: Vec<Line>,
    store: &Store,
    account: AccountId,
    ledger: &LedgerFolder,
) -> Result<(), Trouble> {
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
    for line in unpaired {
        let twin = by_bytes.get_mut(&line.bytes).and_then(Vec::pop);
        match twin {
            Some(twin) => note(proof, one, &line, "changed", &changed(&line, &twin)),
            None => {
                let (class, why) = reason(store, account, ledger, &line).await?;
                note(proof, one, &line, class, &why);
            }
        }
    }
    one.extra = by_bytes.values().map(|left| left.len() as u64).sum();
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
        Ok(Some((row, place)))
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
        Some((row, _)) if row.state == LedgerState::Failed => ("failed", row.note.unwrap_or_default()),
        Some((row, _)) if row.content != Some(bytes) => ("unexplained", "other bytes were brought".to_owned()),
        Some((_, place)) if elsewhere(place) => ("elsewhere", "its owner moved it here".to_owned()),
        Some((_, None)) => ("removed", "its owner removed it here".to_owned()),
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
