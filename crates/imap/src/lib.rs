//! anser-imap
