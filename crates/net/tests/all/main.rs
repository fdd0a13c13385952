//! What the sockets promise.
