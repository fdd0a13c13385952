//! What the tests of every crate share. Never part of the product.
//!
//! | module | holds |
//! |---|---|
//! | [`engines`] | both engines, fresh, for the tests of the state crates |
//! | [`dialogue`] | protocol dialogues as data files, played over real sockets |
//! | [`documents`] | small office documents and PDFs |
//! | [`sim`] | the crash world: one simulated disk for blobs and SQLite databases, which loses power on command |

pub mod dialogue;
pub mod documents;
pub mod engines;
pub mod sim;
