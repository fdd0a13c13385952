//! anser-net
