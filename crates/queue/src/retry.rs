//! When a recipient is tried again (RFC 5321 §4.5.4.1).

use std::time::Duration;

/// Pauses after the first, second, … failed attempt, in minutes; the last one repeats until the entry expires.
pub const INTERVALS: [u64; 7] = [1, 5, 15, 30, 60, 120, 240];

/// How long after acceptance the sender is told that the message is late (RFC 3461 §4.1 DELAY).
pub const DELAY_REPORT: Duration = Duration::from_secs(4 * 3600);

/// How long after acceptance a message that cannot be delivered is returned.
pub const EXPIRY: Duration = Duration::from_secs(5 * 24 * 3600);

/// The pause after this many failed attempts, counted from 1.
pub fn interval(attempts: u32) -> Duration {
    let index = (attempts.max(1) as usize - 1).min(INTERVALS.len() - 1);
    Duration::from_secs(INTERVALS[index] * 60)
}
