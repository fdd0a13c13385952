//! Old servers that speak POP3 (RFC 1939). Nothing is ever deleted there: no DELE is sent. Messages are known by their unique ids; a
//! server that has none has each message read, and known by its bytes.

pub mod connection;
pub mod fetch;

pub use connection::Pop3;
