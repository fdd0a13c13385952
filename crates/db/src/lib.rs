//! anser-db
