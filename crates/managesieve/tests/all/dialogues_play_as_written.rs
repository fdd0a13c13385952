use std::path::Path;

use anser_directory::Locale;
use anser_directory::scripts::ScriptOwner;
use anser_testkit::dialogue::{Dialogue, dialogues_in};

use crate::site::{Site, each_site};

/// Every file against the plain service; files that begin with `strict_` against the one that wants TLS.
#[test]
fn each_file() {
    each_site(|site| {
        site.runtime.block_on(site.deps.directory.set_locale(site.account("chen"), Locale::Zh)).unwrap();
        for path in dialogues_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogues"), "sieve") {
            clear(site);
            let dialogue = Dialogue::load(&path).unwrap();
            let address = if dialogue.name().starts_with("strict_") { site.strict } else { site.plain };
            dialogue.play(address).unwrap_or_else(|trouble| panic!("{trouble}"));
        }
    });
}

fn clear(site: &Site) {
    for name in ["ann", "bob", "chen"] {
        let (account, directory) = (site.account(name), &site.deps.directory);
        site.runtime.block_on(async {
            directory.deactivate_scripts(account).await.unwrap();
            for script in directory.scripts(ScriptOwner::Account(account)).await.unwrap() {
                directory.remove_script(ScriptOwner::Account(account), &script.name).await.unwrap();
            }
        });
    }
}
