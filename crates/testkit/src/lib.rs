//! What the tests of every crate share. Never part of the product.
//!
//! | module | holds |
//! |---|---|
//! | [`sim`] | the crash world: one simulated disk for blobs and SQLite databases, which loses power on command |

pub mod sim;
