//! Both sides as they list themselves: every message of a folder with what is held against each other of it.

use std::collections::HashMap;

use anser_base::{BlobId, Result, TenantId};
use anser_mime::date;
use anser_store::{Flags, Store};
use anser_wire::imap::client::Response;

use super::Level;
use crate::imap::Imap;
use crate::imap::connection::{Got, well};
use crate::imap::fetch::flags_of;
use crate::source::{Allowance, Batch, Listed, Origin, Seen, Standing, Taken, Window};
use crate::trouble::Trouble;

/// Messages of one command.
const PAGE: u64 = 500;
/// Messages of which bodies are in memory at once.
const READ: usize = 16;
/// Messages of one folder that are held against each other at most.
const MESSAGES: u64 = 5_000_000;
/// Messages of each folder whose bodies are read at level 1, when one in a hundred would be fewer.
pub const SAMPLE: usize = 200;
/// The biggest messages of each folder whose bodies are read at level 1.
pub const BIGGEST: usize = 20;
/// Message numbers of one command.
const NUMBERS: usize = 200;
/// What is asked of a message besides its size or its body.
const ITEMS: &str = "UID FLAGS INTERNALDATE";

/// What is held against each other of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// What the ledger knows it by.
    pub key: Vec<u8>,
    /// Where it stands in its folder.
    pub at: u32,
    /// 0 when it has none.
    pub uid: u32,
    /// BLAKE3 of all its bytes; of size and date while they are not read.
    pub bytes: [u8; 32],
    /// Whether they are.
    pub is_read: bool,
    /// Whether its lines end in a bare LF there.
    pub is_bare: bool,
    pub size: u64,
    /// INTERNALDATE in seconds since 1970; `None` when it is no date, or the source keeps none.
    pub date: Option<i64>,
    pub flags: Flags,
    /// In lower case, sorted.
    pub keywords: Vec<String>,
}

/// Every message of the open folder, in its order; at level 2 with its body, unless that is `spared`.
pub(super) async fn all_of(
    imap: &mut Imap,
    standing: &Standing,
    level: Level,
    spared: impl Fn(&Line) -> bool,
) -> Result<Vec<Line>, Trouble> {
    let (mut lines, mut first, count) = (Vec::new(), 1, standing.messages.min(MESSAGES));
    while first <= count {
        let last = (first + PAGE - 1).min(count);
        page(imap, &format!("FETCH {first}:{last} ({ITEMS} RFC822.SIZE)"), &mut lines).await?;
        first = last + 1;
    }
    lines.sort_by_key(|line| line.at);
    // Some servers list a message twice.
    lines.dedup_by_key(|line| line.at);
    if level == Level::Bodies {
        read_some(imap, &mut lines, |line| !spared(line)).await?;
    }
    Ok(lines)
}

/// Whose bodies are read at level 1. Both sides come to the same, message by message.
pub(super) struct Sample {
    below: u32,
    big: u64,
}

impl Sample {
    pub fn of(lines: &[Line]) -> Self {
        let wanted = SAMPLE.max(lines.len() / 100).min(lines.len());
        let mut marks: Vec<u32> = lines.iter().map(mark).collect();
        marks.sort_unstable();
        let mut sizes: Vec<u64> = lines.iter().map(|line| line.size).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let below = wanted.checked_sub(1).map_or(0, |last| marks[last]);
        Self { below, big: sizes.get(BIGGEST).copied().unwrap_or(0) }
    }

    pub fn has(&self, line: &Line) -> bool {
        line.size > self.big || mark(line) <= self.below
    }
}

/// A number that says nothing of a message.
fn mark(line: &Line) -> u32 {
    let [a, b, c, d, ..] = line.bytes;
    u32::from_le_bytes([a, b, c, d])
}

/// Reads bodies of messages of the open folder that were only listed. What the server does not hand out stays listed.
pub(super) async fn read_some(
    imap: &mut Imap,
    lines: &mut [Line],
    wanted: impl Fn(&Line) -> bool,
) -> Result<(), Trouble> {
    let chosen: Vec<usize> = (0..lines.len()).filter(|at| !lines[*at].is_read && wanted(&lines[*at])).collect();
    for some in chosen.chunks(NUMBERS) {
        let mut read = Vec::new();
        let ways = imap.ways();
        page(imap, &format!("FETCH {} ({ITEMS} {})", set(lines, some), ways[0]), &mut read).await?;
        let mut read: HashMap<u32, Line> = read.into_iter().map(|line| (line.at, line)).collect();
        for at in some {
            let number = lines[*at].at;
            match read.remove(&number) {
                Some(line) => lines[*at] = line,
                // As the copy asks: alone, and by whatever it hands out.
                None => {
                    for way in ways {
                        let mut alone = Vec::new();
                        page(imap, &format!("FETCH {number} ({ITEMS} {way})"), &mut alone).await?;
                        if let Some(line) = alone.into_iter().find(|line| line.at == number && line.is_read) {
                            lines[*at] = line;
                            break;
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

/// The numbers of messages, neighbours as ranges.
fn set(lines: &[Line], some: &[usize]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for at in some.iter().map(|at| lines[*at].at) {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(at) => *last = at,
            _ => ranges.push((at, at)),
        }
    }
    ranges.iter().map(|(first, last)| format!("{first}:{last}")).collect::<Vec<_>>().join(",")
}

/// What one command brings; of one that is refused, what came until then.
async fn page(imap: &mut Imap, command: &str, lines: &mut Vec<Line>) -> Result<(), Trouble> {
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
                    is_bare: false,
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
            Got::Response(Response::Condition(condition)) if condition.tag.as_deref() == Some(&*tag) => {
                return match well(condition, "FETCH") {
                    Ok(_) | Err(Trouble::Refused(_)) => Ok(()),
                    Err(other) => Err(other),
                };
            }
            Got::Response(_) => {}
        }
    }
}

/// Every message of the open folder of a source that has no message numbers of IMAP, with its body, unless that is `spared`.
pub(super) async fn of_source(
    origin: &mut Origin,
    (store, tenant): (&Store, TenantId),
    spared: impl Fn(&[u8]) -> bool,
) -> Result<Vec<Line>, Trouble> {
    let Listed::All(mut seen) = origin.list(Window::WHOLE).await? else {
        return Err(Trouble::Refused("the folder is too large to be read as a whole".to_owned()));
    };
    seen.sort_by_key(|one| one.at);
    let (mut lines, mut fetcher) =
        (Vec::with_capacity(seen.len()), origin.fetcher(store.clone(), tenant, Allowance::default()));
    for some in seen.chunks(READ) {
        let asked: Vec<u32> = some.iter().filter(|one| !spared(&one.key)).map(|one| one.at).collect();
        let mut batch = Batch::default();
        if !asked.is_empty() {
            fetcher.ask(asked).await?;
            batch = fetcher.receive().await?.whole()?;
        }
        lines.extend(some.iter().map(|one| line_of(one, &mut batch)));
    }
    Ok(lines)
}

fn line_of(seen: &Seen, batch: &mut Batch) -> Line {
    let is_bare = batch.ends.contains_key(&seen.at);
    let (bytes, size, is_read) = match batch.arrived.remove(&seen.at) {
        Some(Taken::Memory(body)) => (BlobId::of(&body).0, body.len() as u64, true),
        Some(Taken::Stored(content)) => (content.blob.0, content.size, true),
        // Nothing is spared here.
        Some(Taken::Here(_)) | None => ([0; 32], seen.size, false),
    };
    let date = date::parse_internal_date(seen.received.trim().as_bytes()).map(|date| date.unix);
    let keywords = seen.keywords.iter().map(str::to_lowercase).collect();
    let (key, at, uid, flags) = (seen.key.clone(), seen.at, seen.uid, seen.flags);
    Line { key, at, uid, bytes, is_read, is_bare, size, date, flags, keywords }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at: u32, size: u64) -> Line {
        let bytes = *blake3::hash(&at.to_le_bytes()).as_bytes();
        let (key, flags, keywords, date) = Default::default();
        Line { key, at, uid: at, bytes, is_read: false, is_bare: false, size, date, flags, keywords }
    }

    #[test]
    fn a_sample_is_as_large_as_it_is_said_to_be_and_has_the_biggest() {
        for (count, sampled) in [(0, 0), (1, 1), (150, 150), (201, 200), (20_000, 200), (50_000, 500)] {
            let lines: Vec<Line> = (1..=count).map(|at| line(at, u64::from(at))).collect();
            let sample = Sample::of(&lines);
            let has: Vec<&Line> = lines.iter().filter(|line| sample.has(line)).collect();
            assert!((sampled..=sampled + BIGGEST).contains(&has.len()), "{count}: {}", has.len());
            assert!(lines.iter().rev().take(BIGGEST.min(lines.len())).all(|line| sample.has(line)), "{count}");
        }
    }

    #[test]
    fn neighbours_are_asked_for_as_a_range() {
        let lines: Vec<Line> = [1, 2, 3, 7, 9, 10].map(|at| line(at, 1)).into();
        assert_eq!(set(&lines, &[0, 1, 2, 3, 4, 5]), "1:3,7:7,9:10");
        assert_eq!(set(&lines, &[4]), "9:9");
    }
}
