//! anser-smtp
