//! Judging a message by its row.

use anser_mime::date;
use anser_store::{Listing, Message};

use super::{DAY, Facts, Key};
use crate::name;

/// Whether the message matches.
pub(super) fn judge(key: &Key, facts: &Facts<'_>, message: &Message) -> bool {
    match key {
        Key::And(keys) => keys.iter().all(|key| judge(key, facts, message)),
        Key::Or(keys) => keys.iter().any(|key| judge(key, facts, message)),
        Key::Not(key) => !judge(key, facts, message),
        Key::Sent(days) => sent_day(message).is_some_and(|day| days.contains(&day)),
        Key::ThreadId(id) => name::thread_id(None, message.thread) == *id,
        light => light.light(facts).unwrap_or(false),
    }
}

/// The day of the Date field in its own zone.
fn sent_day(message: &Message) -> Option<i64> {
    let date = date::parse(Listing::of(message).envelope.date.as_deref()?)?;
    Some((date.unix + i64::from(date.offset_minutes) * 60).div_euclid(DAY / 1000))
}
