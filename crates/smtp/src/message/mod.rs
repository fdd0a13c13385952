//! The path of a message from the socket into the queue, a stage a file.

pub mod accept;
pub mod header;
pub mod intake;
pub mod receive;
pub mod trace;
