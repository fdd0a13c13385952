//! anser-journal
