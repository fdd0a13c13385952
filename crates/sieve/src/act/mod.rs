//! Commands: one file for what belongs together, its rows first.

pub(crate) mod deliver;
pub(crate) mod edit;
pub(crate) mod flags;
pub(crate) mod flow;
pub(crate) mod include;
pub(crate) mod notify;
pub(crate) mod parts;
pub(crate) mod refuse;
pub(crate) mod vacation;
pub(crate) mod variables;
