//! An inverted index that answers what a substring search over folded texts would.
//!
//! A folded text is cut into runs: of letters, of digits, of characters that are written without spaces, of other marks. Letters
//! and digits are apart, so that serial numbers and encoded rubbish fall into short runs that repeat. A term is a run; of a long
//! one overlapping pieces; of characters without spaces each pair of neighbours; of marks each one.
//!
//! A query is cut likewise ([`Plan`]). A run inside of it must be a term; one at its edge must end, begin or be within a term, which is
//! looked for in the list of all terms: that is why the terms stand together, apart from the postings. A query of one run is answered
//! exactly by that; for all others the index gives candidates, to be judged by their texts.
//!
//! ```text
//! segment   messages 0..n, ascending, never changed; merged with its neighbours as they become many
//!   block   class; "\0apple\0banana\0"  |  postings of each: zone, then ordinals as differences or as bits
//! directory the first term of every block
//! ```
//!
//! Why not the engines' own full-text search: FTS5 and tsvector find words and prefixes of words, not what is inside of one; each would
//! need its own candidates judged by the text as well; an FTS5 index with positions of the same mail is two to three times as large, and
//! they would be two indexes to keep alike.

mod bits;
mod block;
mod builder;
mod merge;
mod plan;
mod postings;
mod terms;

pub use bits::Bits;
pub use block::{Block, Directory, Located, union};
pub use builder::Builder;
pub use merge::{Input, merge};
pub use plan::Plan;

/// Messages of one segment at most.
pub const SEGMENT: usize = 1 << 17;
