//! What the tests of every crate share. Never part of the product.
//!
//! | module | holds |
//! |---|---|
//! | [`engines`] | both engines, fresh, for the tests of the state crates |
//! | [`dialogue`] | protocol dialogues as data files, played over real sockets |
//! | [`dns`] | a name server with signed zones on loopback |
//! | `door` | a door's services over fresh tables, with people who may log in; with the feature of that name |
//! | [`documents`] | small office documents and PDFs |
//! | [`fake_web`] | a web server whose answers a test gives |
//! | [`http`] | a plain HTTP client |
//! | [`memory`] | how much memory this process takes |
//! | [`outlook`] | data files of Outlook's |
//! | [`sim`] | the crash world: one simulated disk for blobs and SQLite databases, which loses power on command |

pub mod dialogue;
pub mod dns;
pub mod documents;
#[cfg(feature = "door")]
pub mod door;
pub mod engines;
pub mod fake_web;
pub mod http;
pub mod memory;
pub mod outlook;
pub mod sim;
