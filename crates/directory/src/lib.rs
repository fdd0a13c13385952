//! anser-directory
