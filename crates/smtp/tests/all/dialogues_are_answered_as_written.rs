use std::path::Path;

use anser_smtp::Service;
use anser_testkit::dialogue::{Dialogue, dialogues_in};
use anser_testkit::engines::each_engine;

use crate::house::{House, SCHEMAS};

fn play(folder: &str, service: Service) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogues").join(folder);
    each_engine(SCHEMAS, |world| {
        let house = House::new(world);
        let address = house.open(service);
        let played = dialogues_in(&folder, "smtp").into_iter().map(|path| Dialogue::load(&path)?.play(address));
        let failures: Vec<String> = played.filter_map(Result::err).collect();
        assert!(failures.is_empty(), "{}:\n{}", world.name, failures.join("\n"));
    });
}

#[test]
fn by_the_mx() {
    play("mx", Service::Mx);
}

#[test]
fn by_submission() {
    play("submission", Service::Submission);
}

#[test]
fn by_lmtp() {
    play("lmtp", Service::Lmtp);
}
