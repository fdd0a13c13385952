//! What the IMAP door promises, against a whole node in this process and over real sockets.

mod every_dialogue_goes_as_written;
mod node;
