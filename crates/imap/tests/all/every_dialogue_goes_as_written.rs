use std::path::Path;

use anser_testkit::dialogue::{Dialogue, dialogues_in};

use crate::node::Node;

#[tokio::test(flavor = "multi_thread")]
async fn every_dialogue_goes_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogues");
    let mut failures = Vec::new();
    for path in dialogues_in(&folder, "imap") {
        let node = Node::start().await;
        let dialogue = Dialogue::load(&path).unwrap();
        let address = node.address;
        let played = tokio::task::spawn_blocking(move || dialogue.play(address)).await.unwrap();
        failures.extend(played.err());
        assert_eq!(node.counters.panicked(), 0, "{}", path.display());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
