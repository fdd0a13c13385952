//! Promises of the message parser.
