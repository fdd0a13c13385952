//! Internet messages: parsed, decoded, summarised and built, without I/O and without a clock.

mod codec;

pub mod address;
pub mod charset;
pub mod date;
pub mod encoding;
pub mod envelope;
pub mod header;
pub mod params;
pub mod structure;
pub mod summary;
pub mod text;
