use std::process::Command;

use anser_testkit::door::PASSWORD;

use super::node::Node;

/// The blocks of docs/api/start.md are run as they stand, one after the other.
#[test]
fn every_block_of_the_page_runs() {
    let folder = run(include_str!("../../../../docs/api/start.md"));
    let sent = std::fs::read_to_string(folder.path().join("sent.json")).unwrap();
    assert!(sent.contains("\"updated\":{\"M"), "{sent}");
}

#[test]
fn every_block_of_what_the_vendor_adds_runs() {
    let folder = run(include_str!("../../../../docs/api/mail.md"));
    let tried = std::fs::read_to_string(folder.path().join("tried.json")).unwrap();
    assert!(!tried.contains("\"error\"") && !tried.contains("\"notCreated\":{"), "{tried}");
}

/// Runs the blocks of a page; the folder that they wrote to.
fn run(page: &str) -> tempfile::TempDir {
    let node = Node::start();
    node.deliver("ann", "Subject: x\n\nx\n", 0);
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let script: String = std::iter::once("set -eu\n").chain(blocks).collect();
    assert!(script.matches("curl").count() >= 2, "{script}");
    let folder = tempfile::tempdir().unwrap();
    let ran = Command::new("sh")
        .args(["-x", "-c", &script])
        .current_dir(folder.path())
        .env("SERVER", format!("http://{}", node.door.plain))
        .env("WHO", "ann@anser.test")
        .env("PASSWORD", PASSWORD)
        .env("no_proxy", "*")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    folder
}
