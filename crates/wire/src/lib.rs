//! anser-wire
