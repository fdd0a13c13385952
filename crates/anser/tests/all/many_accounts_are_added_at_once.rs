//! Ten thousand accounts in one go share one hash.

use crate::world::{Place, done, run};

#[test]
fn ten_thousand_accounts_come_from_a_list_with_one_password() {
    let place = Place::new();
    let dev = place.start();
    let mut list = "one password\n".to_owned();
    for number in 0..10_000 {
        list.push_str(&format!("user{number}@anser.test Name {number}\n"));
    }
    let added = done(run(&dev.folder, &["account", "add", "--stdin-list", "--password-stdin"], list.as_bytes()));
    assert!(added.contains("10000"), "{added}");
    let listed = dev.ask(&["account", "list", "--text", "user99"]);
    assert!(listed.contains("user9999@anser.test") && listed.contains("Name 9999"));
    assert_eq!(dev.ask(&["account", "list"]).lines().count(), 10_004);
    let show = dev.ask(&["account", "show", "user1234@anser.test"]);
    assert!(show.contains("Name 1234"), "{show}");
}
