//! Authenticated Received Chain (RFC 8617): what servers on the way saw, each sealed by its server.

mod seal;
mod validate;

pub use seal::{Sealing, seal};
pub use validate::{Chain, Set, Status, recalled, validate};

/// Sets of one message (RFC 8617 §4.2.1).
pub const SETS: usize = 50;
