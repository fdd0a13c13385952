use std::path::Path;

use anser_testkit::dialogue::{Dialogue, dialogues_in};

use crate::site::{Site, each_site, mail};

/// Every file against the plain service; files that begin with `strict_` against the one that wants TLS.
#[test]
fn each_file() {
    each_site(|site| {
        for path in dialogues_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogues"), "pop3") {
            furnish(site);
            let dialogue = Dialogue::load(&path).unwrap();
            let address = if dialogue.name().starts_with("strict_") { site.strict } else { site.plain };
            dialogue.play(address).unwrap_or_else(|trouble| panic!("{trouble}"));
        }
    });
}

/// Three messages for ann, none for bob, one with dots for chen.
fn furnish(site: &Site) {
    for name in ["ann", "bob", "chen"] {
        let uids: Vec<u32> = site.inbox_now(name).into_iter().map(|(uid, _)| uid).collect();
        site.expunge(name, &uids);
    }
    site.deliver("ann", &[mail(1), mail(2), mail(3)]);
    site.deliver("chen", &["Subject: dots\r\n\r\n.\r\n.one\r\n..\r\nno line end"]);
}
