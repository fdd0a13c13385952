//! Sequence sets (RFC 9051 §9 `sequence-set`): what a client names, and what it comes to.

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// A message number or UID, not 0.
    Number(u32),
    /// `*`, the highest number in the mailbox.
    Star,
}

/// A set of message numbers or UIDs as the client wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SequenceSet {
    /// `$`: the saved result of the last SEARCH (RFC 5182).
    Saved,
    /// Ranges in the order written; a single number is a range of one.
    Ranges(Vec<(Bound, Bound)>),
}

/// A set of numbers: ascending, disjoint, non-adjacent ranges, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumberSet {
    ranges: Vec<(u32, u32)>,
}
