//! anser-pop3
