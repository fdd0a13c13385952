//! Limits that more than one crate must agree on. A limit of one crate lives there.

/// Largest message that any door takes unless the boot file says otherwise, in bytes.
pub const MESSAGE_SIZE: u64 = 150 * 1024 * 1024;

/// Up to this size, in bytes, a body travels in memory and inside the queue's row; above it, it is streamed to `blob` first.
pub const INLINE_BODY: usize = 256 * 1024;

/// Recipients of one queue entry.
pub const RECIPIENTS: usize = 1000;

/// Longest time that a submitted message may wait to be sent, in seconds (RFC 4865 §3, RFC 8621 §1.3.2).
pub const DELAYED_SEND: u64 = 30 * 24 * 3600;

/// `Received` fields after which a message is taken to be looping (RFC 5321 §6.3).
pub const HOPS: usize = 50;

/// Longest mailbox name, one level, in bytes of UTF-8.
pub const MAILBOX_NAME: usize = 255;

/// Levels of the mailbox tree.
pub const MAILBOX_DEPTH: usize = 32;
