//! anser-store
