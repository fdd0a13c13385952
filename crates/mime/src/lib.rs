//! Internet messages: parsed, decoded, summarised and built. No I/O, no clock, no errors: every sequence of bytes is a
//! message, and what cannot be understood stays reachable as content.
//!
//! # Where things are
//!
//! | Module | What it is for |
//! |---|---|
//! | [`structure`] | the tree of parts with byte offsets: IMAP BODY, BODYSTRUCTURE and `BODY[section]`; push parser; stored form |
//! | [`envelope`] | IMAP ENVELOPE: header fields in raw bytes; stored form |
//! | [`envelope_view`] | the same, read in place from the stored form |
//! | [`summary`] | one pass over a message for lists, threads, sorting and search: subject, ids, preview, attachment mark |
//! | [`header`] | fields of a raw header block; `HEADER.FIELDS` and `.NOT` |
//! | [`address`] | address lists |
//! | [`params`] | parameters of `Content-Type` and `Content-Disposition` |
//! | [`date`] | header dates and IMAP internal dates, read and written |
//! | [`text`] | header text for people: encoded words, raw 8-bit text |
//! | [`charset`] | charsets by the labels that people use, and by guess |
//! | [`encoding`] | base64, quoted-printable and uuencode, piece by piece |
//! | [`mod@build`] | notices, reports and other mail that the system writes |
//!
//! A delivery feeds the message to [`summary::MessageParser`] while it is written to disk, and stores
//! [`summary::Parsed::structure`] and its envelope as bytes. A fetch reads those bytes back, asks
//! [`structure::Structure::section`] for a part, and reads that part's byte range of the stored message. A reader that
//! wants content decodes the range with [`encoding::Decoder`] and, for text, [`charset::decode`].
//!
//! # Limits
//!
//! Time is linear in the bytes given, memory is bounded by these; beyond a limit content stays content.
//!
//! | Limit | Value | Beyond it |
//! |---|---|---|
//! | [`structure::Limits::parts`] | 1,000 parts | the rest belongs to the multipart, in no part |
//! | [`structure::Limits::depth`] | 100 levels | a leaf `application/octet-stream` |
//! | [`structure::Limits::header_bytes`] | 256 KiB of headers in a message | fields are not seen; offsets are right |
//! | [`structure::MAX_BOUNDARY`] | 512 bytes | the multipart has no boundary and is told as `text/plain` |
//! | [`address::MAX_ADDRESSES`] | 1,000 a field | not listed |
//! | [`params::MAX_PARAMS`] | 128 a field | not listed |
//! | [`summary::MAX_SUBJECT`] | 1,000 characters | cut |
//! | [`summary::MAX_MESSAGE_IDS`] | 50 a message | own, first and last ones stay |
//! | [`summary::MAX_PREVIEW`] | 200 characters | cut |
//! | [`summary::MAX_SAMPLE`] | 64 KiB of a text body, still encoded | not looked at for the preview |

mod codec;

pub mod address;
pub mod build;
pub mod charset;
pub mod date;
pub mod encoding;
pub mod envelope;
pub mod envelope_view;
pub mod header;
pub mod params;
pub mod structure;
pub mod summary;
pub mod text;
