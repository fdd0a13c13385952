//! neomutt with its header cache: after each edit of the other side it holds the same messages, and its own edits arrive.

use super::clients::{contents, without_neomutts_own};
use super::corpus::without_cr;
use super::node::{IMAP, Node, PASSWORD};
use super::tools::{Home, files, run, wanted};
use super::two_sides::plain_messages;
use super::wire::{Fetched, Imap};

/// Runs of neomutt; around each are five edits.
const ROUNDS: usize = 5;

#[test]
fn with_a_header_cache_it_agrees_after_edits_on_both_sides() {
    if !wanted() {
        return;
    }
    let (node, home) = (Node::start(&[]), Home::new());
    let (mut far, mut fresh) = (Imap::login(node.port(IMAP), "ann@anser.test").expect("a session"), plain_messages());
    std::fs::create_dir(home.path("Mail")).expect("a folder");
    std::fs::create_dir(home.path("cache")).expect("a folder");
    for message in fresh.by_ref().take(8) {
        far.append("INBOX", "", &message).expect("APPEND");
    }
    for round in 0..ROUNDS {
        for message in fresh.by_ref().take(2) {
            far.append("INBOX", "", &message).expect("APPEND");
        }
        far.select("INBOX").expect("SELECT");
        far.run("STORE 3 +FLAGS (\\Deleted)").expect("STORE");
        far.run("EXPUNGE").expect("EXPUNGE");
        let before = far.fetch_all().expect("FETCH");
        let copied = neomutt(&node, &home, round);
        let mut expected: Vec<_> = before.iter().map(|message| without_cr(&message.body)).collect();
        expected.sort();
        assert!(copied == expected, "what neomutt holds in round {round}");
        far.select("INBOX").expect("SELECT");
        let after = far.fetch_all().expect("FETCH");
        let uids = |list: &[Fetched]| list.iter().map(|message| message.uid).collect::<Vec<_>>();
        assert_eq!(uids(&after), uids(&before[..before.len() - 1]), "what neomutt deleted in round {round}");
        let flagged = after[0].flags.iter().any(|flag| flag == "\\Flagged");
        assert_eq!(flagged, round % 2 == 0, "what neomutt flagged in round {round}");
    }
    assert!(!files(&home.path("cache")).is_empty(), "neomutt used its header cache");
}

/// Copies all of the inbox into a Maildir, turns the mark of the first message over, deletes the last; returns what it copied.
fn neomutt(node: &Node, home: &Home, round: usize) -> Vec<Vec<u8>> {
    let mail = home.maildir(&format!("copies/{round}"));
    let rc = format!(
        "set imap_user=\"ann@anser.test\" imap_pass=\"{PASSWORD}\" ssl_starttls=no ssl_force_tls=no header_cache=\"{}\"\n\
         set mbox_type=Maildir confirmappend=no confirmcreate=no wait_key=no quit=yes delete=yes mark_old=no\n\
         set sort=mailbox-order record=\"\" imap_check_subscribed=no imap_list_subscribed=no imap_qresync=yes\n\
         push \"T~A<enter>;C<kill-line>{}<enter><first-entry><flag-message><last-entry><delete-message>q\"\n",
        home.path("cache").display(),
        mail.display()
    );
    let rc = home.write("muttrc", rc);
    let line = format!("neomutt -n -F {} -f imap://127.0.0.1:{}/INBOX", rc.display(), node.port(IMAP));
    run(home.command("script").args(["-q", "-e", "-c", &line, "/dev/null"]));
    let mut copied: Vec<_> = contents(&mail).iter().map(|message| without_neomutts_own(message)).collect();
    copied.iter_mut().for_each(|message| *message = without_cr(message));
    copied.sort();
    copied
}
