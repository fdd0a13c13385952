//! What the rehearsal of an organisation's move is played with.

pub mod gates;
pub mod loss;
pub mod names;
pub mod old;
pub mod readers;
