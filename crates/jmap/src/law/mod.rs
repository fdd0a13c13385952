//! What is the same for all types (RFC 8620 §5): arguments read, limits kept, answers written. Types bring their objects.

pub(crate) mod again;
pub(crate) mod changes;
pub(crate) mod filter;
pub(crate) mod get;
pub(crate) mod guest;
pub(crate) mod parse;
pub(crate) mod patch;
pub(crate) mod query;
pub(crate) mod record;
pub(crate) mod set;
pub(crate) mod state;
