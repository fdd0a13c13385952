//! A close look at mailboxes of an old server, for its survey: how much there is, what is odd about it, how fast it comes. Everything is
//! bounded, and nothing is changed.

use std::collections::HashSet;
use std::time::Duration;

use anser_base::TenantId;
use anser_mime::header;
use anser_store::Store;
use anser_wire::imap::client::{Argument, Response, quoted};
use anser_wire::imap::decode_mutf7;
use tokio::time::Instant;

use crate::imap::Imap;
use crate::source::{Allowance, Folder, Listed, Origin, Taken};
use crate::trouble::Trouble;

/// Folders of one mailbox that are asked for their size one by one.
const ASKED: usize = 500;
/// One message of so many is read; at least and at most so many of a mailbox.
const PART: usize = 100;
const LEAST: usize = 5;
const MOST: usize = 100;
/// Larger messages are not read for a sample, in octets.
const SMALL: u64 = 512 * 1024;
/// Messages that are asked for at once.
const BATCH: usize = 16;
/// Levels, and octets of a name, beyond which a folder is odd.
const DEEP: usize = 10;
const LONG: usize = 255;
/// Octets of a greeting that are told.
const GREETING: usize = 300;

/// What there is in one mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Messages in all folders.
    pub messages: u64,
    /// Their octets, where the server tells them.
    pub bytes: Option<u64>,
    /// Folders that were not asked for.
    pub left_out: u64,
}

/// What a sample of messages shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Messages whose sizes were listed, and these together.
    pub listed: u64,
    /// In octets.
    pub listed_bytes: u64,
    /// The biggest of them, in octets.
    pub biggest: u64,
    /// Messages that were read.
    pub read: u64,
    /// Their octets.
    pub read_bytes: u64,
    /// How long that took.
    pub took: Duration,
    /// Of them those with octets above 127 in their headers: no charset says what they mean.
    pub eight_bit: u64,
    /// Those without a Message-ID.
    pub no_id: u64,
    /// Those with a NUL.
    pub nul: u64,
}

/// Counts a mailbox: by STATUS (with `SIZE`, RFC 8438) where the list of folders did not tell, a maildrop of POP3 by STAT.
pub async fn sizes(origin: &mut Origin, folders: &[Folder]) -> Result<Sizes, Trouble> {
    let told = |folder: &Folder| folder.standing.map(|standing| standing.messages);
    let mut sizes = Sizes { messages: folders.iter().filter_map(told).sum(), ..Sizes::default() };
    let untold: Vec<_> = folders.iter().filter(|folder| folder.is_selectable() && told(folder).is_none()).collect();
    let imap = match origin {
        Origin::Imap(imap) => imap,
        Origin::Pop3(pop3) => {
            let (messages, bytes) = pop3.totals().await?;
            return Ok(Sizes { messages, bytes, left_out: 0 });
        }
        other => {
            for folder in untold.iter().take(ASKED) {
                sizes.messages += other.examine(&folder.name).await?.messages;
            }
            return Ok(Sizes { left_out: untold.len().saturating_sub(ASKED) as u64, ..sizes });
        }
    };
    let tells_sizes = imap.can("STATUS=SIZE") || imap.can("IMAP4REV2");
    if tells_sizes && imap.can("LIST-STATUS") {
        let (mut bytes, wanted) = (0u64, folders.iter().map(|folder| &folder.name).collect::<HashSet<_>>());
        let each = |response| {
            if let Response::Status { items, name, .. } = response
                && wanted.contains(&name)
            {
                bytes = bytes.saturating_add(number(&items, "SIZE"));
            }
        };
        imap.run("LIST \"\" \"*\" RETURN (STATUS (SIZE))", each).await?;
        return Ok(Sizes { bytes: Some(bytes), ..sizes });
    }
    let items: &[u8] = if tells_sizes { b"(MESSAGES SIZE)" } else { b"(MESSAGES)" };
    let mut bytes = 0u64;
    let asked: Vec<_> = match tells_sizes {
        true => folders.iter().filter(|folder| folder.is_selectable()).collect(),
        false => untold,
    };
    sizes.left_out = asked.len().saturating_sub(ASKED) as u64;
    for folder in asked.into_iter().take(ASKED) {
        let each = |response| {
            if let Response::Status { items, .. } = response {
                bytes = bytes.saturating_add(number(&items, "SIZE"));
                if told(folder).is_none() {
                    sizes.messages += number(&items, "MESSAGES");
                }
            }
        };
        imap.run_with("STATUS", &[quoted(&folder.name), Argument::Inline(items.to_vec())], each).await?;
    }
    Ok(Sizes { bytes: tells_sizes.then_some(bytes), ..sizes })
}

fn number(items: &[(String, u64)], wanted: &str) -> u64 {
    items.iter().find(|(item, _)| item == wanted).map_or(0, |(_, number)| *number)
}

/// The room that a mailbox has, used and allowed, in octets (RFC 9208); `None` where the server does not tell.
pub async fn quota(imap: &mut Imap) -> Result<Option<(u64, u64)>, Trouble> {
    let mut found = None;
    if !imap.can("QUOTA") {
        return Ok(found);
    }
    let each = |response| {
        if let Response::Quota { storage: Some((used, limit)) } = response {
            found = Some((used.saturating_mul(1024), limit.saturating_mul(1024)));
        }
    };
    match imap.run("GETQUOTAROOT INBOX", each).await {
        Ok(_) | Err(Trouble::Refused(_)) => Ok(found),
        Err(other) => Err(other),
    }
}

/// Lists the inbox, or the first folder, and reads one message in a hundred of it; of POP3 none, since some servers remove or mark what
/// was read.
pub async fn sample(
    origin: &mut Origin,
    folders: &[Folder],
    (store, tenant): (&Store, TenantId),
) -> Result<Sample, Trouble> {
    let mut sample = Sample::default();
    if let Origin::Pop3(pop3) = origin {
        sample.note_sizes(pop3.sizes().await?.into_iter().map(|(_, size)| size));
        return Ok(sample);
    }
    let is_inbox = |folder: &&Folder| folder.name.eq_ignore_ascii_case(b"INBOX");
    let first = folders.iter().find(is_inbox).or_else(|| folders.iter().find(|folder| folder.is_selectable()));
    let Some(folder) = first else { return Ok(sample) };
    let standing = origin.examine(&folder.name).await?;
    let mut seen = Vec::new();
    let windows: Vec<_> = origin.windows(&standing).take(1).collect();
    for window in windows {
        if let Listed::All(all) = origin.list(window).await? {
            seen = all;
        }
    }
    sample.note_sizes(seen.iter().map(|one| one.size));
    let step = (seen.len() / (seen.len() / PART).clamp(LEAST, MOST)).max(1);
    let small = seen.iter().filter(|one| one.size <= SMALL).map(|one| one.at);
    let mut wanted: Vec<u32> = small.step_by(step).take(MOST).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let began = Instant::now();
    let mut fetcher = origin.fetcher(store.clone(), tenant, Allowance::default());
    for some in wanted.chunks(BATCH) {
        fetcher.ask(some.to_vec()).await?;
        for taken in fetcher.receive().await?.whole()?.arrived.into_values() {
            if let Taken::Memory(raw) = taken {
                sample.note(&raw);
            }
        }
    }
    sample.took = began.elapsed();
    Ok(sample)
}

impl Sample {
    fn note_sizes(&mut self, sizes: impl Iterator<Item = u64>) {
        for size in sizes {
            self.listed += 1;
            self.listed_bytes = self.listed_bytes.saturating_add(size);
            self.biggest = self.biggest.max(size);
        }
    }

    fn note(&mut self, raw: &[u8]) {
        let end = header::fields(raw).last().map_or(0, |field| field.range.end);
        let block = &raw[..end];
        (self.read, self.read_bytes) = (self.read + 1, self.read_bytes + raw.len() as u64);
        self.eight_bit += u64::from(!block.is_ascii());
        self.no_id += u64::from(header::value(block, "Message-ID").is_none());
        self.nul += u64::from(raw.contains(&0));
    }
}

/// What is odd about the name of a folder, in English and Chinese.
pub fn odd(folder: &Folder) -> Option<(&'static str, &'static str)> {
    let name = &folder.name;
    let levels = folder.delimiter.map_or(1, |delimiter| name.split(|&b| b == delimiter).count());
    let mut parts = name.split(|&b| Some(b) == folder.delimiter);
    let is_blank = |part: &[u8]| part.first() == Some(&b' ') || part.last() == Some(&b' ') || part.is_empty();
    match () {
        () if !name.is_ascii() => Some(("it is not encoded as IMAP has it", "名称未按 IMAP 规定编码")),
        () if name.iter().any(u8::is_ascii_control) => Some(("it has control characters", "名称含控制字符")),
        () if decode_mutf7(&String::from_utf8_lossy(name)).is_none() => {
            Some(("its encoding is broken", "名称编码有误"))
        }
        () if name.len() > LONG => Some(("it is very long", "名称过长")),
        () if levels > DEEP => Some(("it lies very deep", "层级过深")),
        () if parts.any(is_blank) => Some(("it begins or ends with a blank", "名称首尾有空格")),
        () if name.iter().any(|b| b"*%\\\"".contains(b)) => {
            Some(("it has characters that programs misread", "名称含易被误读的字符"))
        }
        () if folder.delimiter.is_some_and(|own| own != b'/') && name.contains(&b'/') => {
            Some(("a slash within a level becomes another character here", "层级名内的斜杠在此处会改为另一字符"))
        }
        () => None,
    }
}

/// The first line that a server says, without what could steer a terminal.
pub fn greeting(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(GREETING)]);
    text.trim_end().chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Space;

    fn folder(name: &[u8], delimiter: u8) -> Folder {
        Folder {
            name: name.to_vec(),
            delimiter: Some(delimiter),
            attributes: Vec::new(),
            subscribed: false,
            standing: None,
            stamp: 0,
            id: 0,
            space: Space::Own,
        }
    }

    #[test]
    fn odd_names_are_told_and_usual_ones_are_not() {
        for name in [&b"INBOX"[..], b"INBOX.Work", b"&g0l6P3ux-", b"a&-b", b"Sent Items"] {
            assert_eq!(odd(&folder(name, b'.')), None, "{name:?}");
        }
        let broken: [&[u8]; 8] =
            [b"&broken", b"\xb2\xe2\xca\xd4", b"a\x07", b"a .b", b"x*y", b"a/b", b"a..b", b"a.b.c.d.e.f.g.h.i.j.k"];
        for name in broken {
            assert!(odd(&folder(name, b'.')).is_some(), "{name:?}");
        }
    }

    #[test]
    fn a_message_is_judged_by_its_header() {
        let mut sample = Sample::default();
        sample.note(b"Subject: \xb2\xe2\r\nMessage-ID: <a@b>\r\n\r\nx");
        sample.note(b"Subject: x\r\n\r\n\xb2\0");
        assert_eq!((sample.read, sample.eight_bit, sample.no_id, sample.nul), (2, 1, 1, 1));
        assert_eq!(greeting(b"* OK \x1b[31mready\r\n"), "* OK [31mready");
    }
}
