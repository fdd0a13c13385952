//! One program for every target: libFuzzer drives the one that `ANSER_FUZZ_TARGET` names.

#![cfg_attr(feature = "engine", no_main)]

use std::sync::OnceLock;

static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    TARGET.get_or_init(|| {
        let name = std::env::var("ANSER_FUZZ_TARGET").unwrap_or_default();
        let found = anser_fuzz::target(&name);
        found.unwrap_or_else(|| panic!("ANSER_FUZZ_TARGET names no target: {name:?}")).run
    })(data)
});
