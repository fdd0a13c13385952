//! anser-admin
