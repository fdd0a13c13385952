//! neomutt with a token in place of the password, by OAUTHBEARER (RFC 7628) and by XOAUTH2, while the account has a second factor.

use super::clients::contents;
use super::node::{IMAP, Node};
use super::tools::{Home, run, wanted};
use super::two_sides::plain_messages;
use super::wire::Imap;

#[test]
fn a_token_opens_what_the_password_does_not() {
    if !wanted() {
        return;
    }
    let (node, home) = (Node::start(&[]), Home::new());
    let mut far = Imap::login(node.port(IMAP), "ann@anser.test").expect("a session");
    for message in plain_messages().take(3) {
        far.append("INBOX", "", &message).expect("APPEND");
    }
    let token = ["account", "token", "add", "ann@anser.test", "--name", "neomutt", "--services", "imap"];
    let made = String::from_utf8(node.anser(&token)).expect("text");
    let token = made.split_whitespace().find(|word| word.starts_with("anser_")).expect("a token").to_owned();
    node.anser(&["sign-in", "require", "ann@anser.test"]);
    assert!(Imap::login(node.port(IMAP), "ann@anser.test").is_err(), "the password alone opens the login page only");
    for mechanism in ["oauthbearer", "xoauth2"] {
        assert_eq!(copied(&node, &home, mechanism, &token), 3, "{mechanism}");
    }
}

/// How many messages neomutt copies out of the inbox.
fn copied(node: &Node, home: &Home, mechanism: &str, token: &str) -> usize {
    let mail = home.maildir(mechanism);
    let rc = format!(
        "set imap_user=\"ann@anser.test\" imap_authenticators=\"{mechanism}\" imap_oauth_refresh_command=\"echo {token}\"\n\
         set ssl_starttls=no ssl_force_tls=no mbox_type=Maildir confirmappend=no confirmcreate=no\n\
         set wait_key=no quit=yes record=\"\"\n\
         push \"T~A<enter>;C<kill-line>{}<enter>q\"\n",
        mail.display(),
    );
    let rc = home.write("muttrc", rc);
    let line = format!("neomutt -n -F {} -f imap://127.0.0.1:{}/INBOX", rc.display(), node.port(IMAP));
    run(home.command("script").args(["-q", "-e", "-c", &line, "/dev/null"]));
    contents(&mail).len()
}
