//! The date under which a message from a file is stored: the one that the source keeps for it, else the newest `Received`, else `Date`,
//! else when the file was written.

use std::time::{SystemTime, UNIX_EPOCH};

use anser_mime::date::{self, DateTime};
use anser_mime::header;

use crate::answer::MailHead;

/// Before 1971 no mail was kept: such a date is a clock that was never set.
const EARLIEST: i64 = 365 * 24 * 3600;
/// How far ahead of this machine's clock a date is believed, in seconds.
const AHEAD: i64 = 2 * 24 * 3600;
/// Bytes of a message that are looked at for its dates.
const HEADER: usize = 256 * 1024;

/// Sets date and zone. `kept` is the source's own; `written` is when the file was.
pub fn set(head: &mut MailHead, body: &[u8], kept: Option<DateTime>, written: Option<SystemTime>) {
    let block = &body[..body.len().min(HEADER)];
    let believed = |date: &DateTime| (EARLIEST..now() + AHEAD).contains(&date.unix);
    let found = kept
        .filter(believed)
        .or_else(|| newest_received(block).filter(believed))
        .or_else(|| header::value(block, "Date").and_then(|value| date::parse(&value)).filter(believed))
        .or_else(|| written.map(|at| DateTime { unix: secs(at), offset_minutes: 0 }).filter(believed));
    if let Some(found) = found {
        head.received = Some(found.unix.saturating_mul(1000));
        head.zone = i16::try_from(found.offset_minutes).unwrap_or(0);
    }
}

/// When a file was written, as a date that its source kept.
pub fn of_file(written: SystemTime) -> DateTime {
    DateTime { unix: secs(written), offset_minutes: 0 }
}

fn newest_received(block: &[u8]) -> Option<DateTime> {
    let field = header::find(block, "Received")?;
    let value = header::unfold(field.value);
    let at = memchr::memrchr(b';', &value)?;
    date::parse(&value[at + 1..])
}

fn secs(at: SystemTime) -> i64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

fn now() -> i64 {
    secs(SystemTime::now())
}
