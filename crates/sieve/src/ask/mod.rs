//! Tests: one file for what belongs together, its rows first.

pub(crate) mod address;
pub(crate) mod body;
pub(crate) mod date;
pub(crate) mod facts;
pub(crate) mod header;
pub(crate) mod lists;
pub(crate) mod logic;
pub(crate) mod numbers;
pub(crate) mod store;
pub(crate) mod strings;
