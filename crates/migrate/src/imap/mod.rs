//! Old servers that speak IMAP. A mailbox there is only ever examined: nothing that a pass does changes it.

mod compress;
pub mod connection;
pub mod fetch;
pub mod folder;
mod pour;
mod rest;

pub use connection::Imap;
pub mod write;
