//! anser-base
