//! anser-blob
