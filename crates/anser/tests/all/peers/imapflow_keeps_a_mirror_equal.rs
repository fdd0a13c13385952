//! A mirror that Node's imapflow keeps by QRESYNC, with a second session in IDLE, while both it and the other side edit.

use super::node::{IMAP, Node, PASSWORD};
use super::tools::{Home, Talk, installed, wanted};
use super::two_sides::{account_and_mirror, edits_of_the_client};
use super::wire::Imap;

/// The variable with the folder of packages that has imapflow. `./x test` installs it and sets it.
const PACKAGES: &str = "ANSER_TEST_IMAPFLOW";

#[test]
fn after_random_edits_both_sides_are_equal() {
    if !wanted() {
        return;
    }
    let (node, home) = (Node::start(&[]), Home::new());
    let program = home.write("mirror.js", include_str!("imapflow_keeps_a_mirror.js"));
    let fresh = edits_of_the_client(&home);
    let mut far = Imap::login(node.port(IMAP), "ann@anser.test").expect("a session");
    let mut command = home.command("node");
    command.env("NODE_PATH", installed(PACKAGES)).env("PATH", installed("PATH"));
    command.arg(program).args([&node.port(IMAP).to_string(), "ann@anser.test", PASSWORD]);
    command.args([&fresh, &home.path("mirror")]);
    account_and_mirror(&mut far, &home.path("mirror"), || Talk::start(&mut command));
}
