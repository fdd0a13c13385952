//! One process owns a data folder.

use crate::world::{Place, anser, done, run};

#[test]
fn a_second_server_over_the_same_folder_is_refused() {
    let place = Place::new();
    let dev = place.start();
    let other = (dev.offset + 30_000).to_string();
    let second = anser().args(["dev", "--port-offset", &other, "--dir"]).arg(place.path()).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let why = String::from_utf8(second.stderr).unwrap();
    assert!(why.contains("another anser process uses"), "{why}");
    assert!(!String::from_utf8(second.stdout).unwrap().contains("ready"));
    // The first one is as well as before.
    assert!(dev.ask(&["account", "list"]).contains("ann@anser.test"));
    drop(dev);
    assert!(done(run(&place.path(), &["account", "list"], b"")).contains("ann@anser.test"));
}
