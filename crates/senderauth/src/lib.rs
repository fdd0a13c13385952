//! Who sent a message? SPF, DKIM, DMARC, ARC and iprev as one [`Verdict`] over a [`Resolver`]; DKIM signing and ARC sealing.
//! No sockets, no clock, no runtime.
//!
//! | module | holds |
//! |---|---|
//! | [`dns`] | the seam to the DNS, and the bounded view of it that one message gets |
//! | [`message`] | a message as signatures see it, taken while it passes by |
//! | [`author`] | the one address that is shown, and whether a reader could be shown another |
//! | [`spf`] | RFC 7208 |
//! | [`dkim`] | RFC 6376, RFC 8301, RFC 8463: verifying, signing, keys |
//! | [`arc`] | RFC 8617: validating, sealing |
//! | [`dmarc`] | RFC 9989: records, tree walk, alignment |
//! | [`iprev`] | RFC 8601 §3 |
//! | [`verdict`] | everything together |
//! | [`results`] | `Authentication-Results` (RFC 8601) |
//!
//! # Limits
//!
//! | Limit | Value | Beyond it |
//! |---|---|---|
//! | [`dns::QUESTIONS`] | 400 a message | temporary error |
//! | [`dns::RECORDS`], [`dns::TXT`] | 100 records, 16 KiB a text | temporary error |
//! | [`spf::LOOKUPS`], [`spf::VOID_LOOKUPS`] | 10, 2 | permanent error |
//! | [`spf::EXCHANGERS`], [`spf::NAMES`] | 10, 10 | permanent error; not looked at |
//! | [`message::FIELDS`] | 2,000 header fields | not looked at |
//! | [`message::SIGNATURES`] | 10 signatures a message | not tried |
//! | [`dkim::signature::SIGNED_NAMES`], [`dkim::signature::VALUE`] | 500 names, 32 KiB | the signature is broken |
//! | [`dkim::key::RSA_BITS`], [`dkim::key::RSA_BITS_MOST`] | 1,024 to 8,192 bits | not accepted |
//! | [`arc::SETS`] | 50 sets | the chain is broken |
//! | [`dmarc::WALK`], [`dmarc::IDENTIFIERS`] | 8 names a walk, 12 walks | not looked at |
//! | [`author::DOMAINS`] | 3 domains of authors | the message is not clean |

pub mod arc;
pub mod author;
pub mod dkim;
pub mod dmarc;
pub mod dns;
pub mod iprev;
pub mod message;
pub mod results;
pub mod spf;
pub mod tags;
pub mod verdict;

pub use author::Author;
pub use dns::Resolver;
pub use message::{Message, Passed};
pub use verdict::{Peer, SpfVerdict, Verdict, check};
