//! anser-delivery
