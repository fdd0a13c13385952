//! Old servers that speak JMAP (RFC 8620, RFC 8621). Only ever read: no method here writes.

mod connection;
pub mod fetch;
mod folder;

pub use connection::Jmap;
