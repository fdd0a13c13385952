//! Two-way synchronisation by interimap, which speaks QRESYNC to both sides and holds nothing but UIDs and modification sequences.

use super::node::{IMAP, Node, PASSWORD};
use super::tools::{Home, run, wanted};
use super::two_sides::{real_messages, two_accounts};
use super::wire::Imap;

#[test]
fn after_random_edits_both_sides_are_equal() {
    if !wanted() {
        return;
    }
    let (node, home) = (Node::start(&[]), Home::new());
    let port = node.port(IMAP);
    let side = |name: &str, user: &str| {
        format!(
            "[{name}]\ntype = imap\nhost = 127.0.0.1\nport = {port}\nusername = {user}@anser.test\npassword = {PASSWORD}\n\
             STARTTLS = NO\nauth = PLAIN LOGIN\n\n"
        )
    };
    let config =
        format!("database = pair.db\nlist-mailbox = \"*\"\n\n{}{}", side("local", "ann"), side("remote", "bob"));
    let config = home.write("config/interimap", config);
    // Its folder for data must belong to its user alone.
    std::fs::create_dir_all(home.path(".local/share/interimap")).expect("a folder");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(home.path(".local/share/interimap"), private).expect("its mode");
    let sync = || drop(run(home.command("interimap").arg("--config").arg(&config).arg("--quiet")));
    let mut sides = ["ann@anser.test", "bob@anser.test"].map(|user| Imap::login(port, user).expect("a session"));
    two_accounts(&mut sides, real_messages(), sync);
}
