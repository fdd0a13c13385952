//! Outlook's data files, `.pst` and `.ost` ([MS-PST]): nodes, their properties and tables. Only ever read, whoever wrote them: a count that
//! is wrong and a checksum that is broken do not matter as long as what is asked for is found; what cannot be found is an error of kind
//! [`io::ErrorKind::InvalidData`] for whoever asked, and of nobody else.
//!
//! | layer | module | gives |
//! |---|---|---|
//! | blocks | `blocks` | the file's two trees: nodes by their ids, blocks by theirs; both widths of numbers |
//! | | `encode` | octets of a block |
//! | | `node` | the octets of a node, as long as they are, and the nodes within it |
//! | heaps | `heap` | small pieces of a node, and trees of them |
//! | | `property` | properties of a node: [`Properties`] |
//! | | `table` | rows of properties: [`Table`] |
//! | texts | [`rtf`] | compressed RTF, and HTML that is wrapped in it |
//!
//! Nothing is held but what is asked for: a file of 50 GB takes no more memory than a small one. A hostile file may lead round in circles:
//! a [`Reader`] reads so many octets, in relation to the size of the file, and no more; and so do all readers of a [`Pst`] together.

mod blocks;
mod encode;
mod heap;
mod node;
mod property;
pub mod rtf;
mod table;

use std::io;

pub use encode::Encoding;

pub use blocks::{NodeEntry, Pst, Reader};
pub use node::Node;
pub use property::{Properties, Value};
pub use table::{Row, Table};

/// Octets that are read from any place: a file, or memory.
pub trait Octets {
    /// How many there are.
    fn size(&self) -> u64;

    /// Fills `into` with those at `offset`. [`io::ErrorKind::UnexpectedEof`] where there are fewer.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()>;
}

impl Octets for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)?.get(..into.len()));
        into.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// What kind of node an id names ([MS-PST] §2.2.2.1): its lowest five bits.
pub mod kind {
    /// A folder.
    pub const FOLDER: u32 = 0x02;
    /// A message.
    pub const MESSAGE: u32 = 0x04;
    /// An attachment of a message, within its node.
    pub const ATTACHMENT: u32 = 0x05;
}

/// Ids of nodes that every file has, and of those within a message ([MS-PST] §2.4.1, §2.4.5).
pub mod id {
    /// What is known of the file as a whole.
    pub const STORE: u32 = 0x21;
    /// The folder above all others.
    pub const ROOT: u32 = 0x122;
    /// The recipients of a message, within its node: a table.
    pub const RECIPIENTS: u32 = 0x692;
}

/// The kind of a node: see [`kind`].
pub fn kind_of(id: u32) -> u32 {
    id & 0x1f
}

fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(octets.get(at..)?.first_chunk().copied()?))
}

fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(octets.get(at..)?.first_chunk().copied()?))
}

fn u64_at(octets: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(octets.get(at..)?.first_chunk().copied()?))
}
