//! A mirror that Python's IMAPClient keeps by CONDSTORE, with a second session in IDLE, while both it and the other side edit.

use super::node::{IMAP, Node, PASSWORD};
use super::tools::{Home, Talk, installed, wanted};
use super::two_sides::{account_and_mirror, edits_of_the_client};
use super::wire::Imap;

/// The variable with the Python that has IMAPClient. `./x test` makes it and sets it.
const PYTHON: &str = "ANSER_TEST_IMAPCLIENT";

#[test]
fn after_random_edits_both_sides_are_equal() {
    if !wanted() {
        return;
    }
    let (node, home) = (Node::start(&[]), Home::new());
    let program = home.write("mirror.py", include_str!("imapclient_keeps_a_mirror.py"));
    let fresh = edits_of_the_client(&home);
    let mut far = Imap::login(node.port(IMAP), "ann@anser.test").expect("a session");
    let mut command = home.command(&installed(PYTHON));
    command.arg(program).args([&node.port(IMAP).to_string(), "ann@anser.test", PASSWORD]);
    command.args([&fresh, &home.path("mirror")]);
    account_and_mirror(&mut far, &home.path("mirror"), || Talk::start(&mut command));
}
