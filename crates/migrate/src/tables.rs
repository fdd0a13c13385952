//! Tables that are compiled in, from `data`.

use std::sync::LazyLock;

use serde::de::DeserializeOwned;

use crate::files::takeout;
use crate::{meaning, profile, role, words};

/// A table that is compiled in. It panics where the text is none: a program without it would say less, and nobody would notice.
pub(crate) fn table<T: DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).unwrap_or_else(|error| panic!("a table that is compiled in cannot be read: {error}"))
}

/// Reads all of them, so that a program whose tables are spoilt ends before it serves anybody.
pub(crate) fn read_all() {
    LazyLock::force(&meaning::ROWS);
    LazyLock::force(&profile::PROFILES);
    LazyLock::force(&role::NAMES);
    LazyLock::force(&takeout::USES);
    LazyLock::force(&words::WORDS);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    #[should_panic(expected = "cannot be read")]
    fn a_spoilt_table_ends_the_program() {
        table::<BTreeMap<String, BTreeMap<String, String>>>("[sentences]\n\"a\" = \"b");
    }

    #[test]
    fn every_table_is_read_at_the_start() {
        read_all();
    }
}
