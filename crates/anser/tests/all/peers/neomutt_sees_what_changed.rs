//! neomutt with its header cache: after random edits of the other side it holds the same messages, and its own edits arrive.

use super::clients::{contents, without_neomutts_own};
use super::corpus::without_cr;
use super::node::{IMAP, Node, PASSWORD};
use super::tools::{Home, Numbers, files, run, wanted};
use super::two_sides::plain_messages;
use super::wire::{Fetched, Imap};

/// Messages that are there before the first run.
const FIRST: usize = 20;
/// Runs of neomutt. Before each the other side appends three messages, deletes one and turns a mark over; in each neomutt turns three
/// marks over and deletes two messages: with [`ROUNDS`], 200 edits.
const ROUNDS: usize = 20;

#[test]
fn with_a_header_cache_it_agrees_after_edits_on_both_sides() {
    if !wanted() {
        return;
    }
    let (node, home) = (Node::start(&[]), Home::new());
    let (mut far, mut fresh) = (Imap::login(node.port(IMAP), "ann@anser.test").expect("a session"), plain_messages());
    let mut numbers = Numbers(0x0005_EED0_FA11);
    std::fs::create_dir(home.path("Mail")).expect("a folder");
    std::fs::create_dir(home.path("cache")).expect("a folder");
    for message in fresh.by_ref().take(FIRST) {
        far.append("INBOX", "", &message).expect("APPEND");
    }
    for round in 0..ROUNDS {
        for message in fresh.by_ref().take(3) {
            far.append("INBOX", "", &message).expect("APPEND");
        }
        far.select("INBOX").expect("SELECT");
        let count = far.fetch_all().expect("FETCH").len();
        far.run(&format!("STORE {} +FLAGS (\\Deleted)", 1 + numbers.below(count))).expect("STORE");
        far.run("EXPUNGE").expect("EXPUNGE");
        let sign = numbers.of(&['+', '-']);
        far.run(&format!("STORE {} {sign}FLAGS (\\Flagged)", 1 + numbers.below(count - 1))).expect("STORE");
        let before = far.fetch_all().expect("FETCH");

        let [deleted, marked] = [2, 3].map(|some| several(&mut numbers, before.len(), some));
        let copied = neomutt(&node, &home, round, &marked, &deleted);
        let mut expected: Vec<_> = before.iter().map(|message| without_cr(&message.body)).collect();
        expected.sort();
        assert!(copied == expected, "what neomutt holds in round {round}");

        far.select("INBOX").expect("SELECT");
        let after: Vec<_> = far.fetch_all().expect("FETCH").iter().map(|one| (one.uid, is_marked(one))).collect();
        let edited = before.iter().enumerate().filter(|(at, _)| !deleted.contains(at));
        let edited: Vec<_> = edited.map(|(at, one)| (one.uid, is_marked(one) != marked.contains(&at))).collect();
        assert_eq!(after, edited, "what neomutt left in round {round}");
    }
    assert!(!files(&home.path("cache")).is_empty(), "neomutt used its header cache");
}

fn is_marked(message: &Fetched) -> bool {
    message.flags.iter().any(|flag| flag == "\\Flagged")
}

/// Different numbers below `end`.
fn several(numbers: &mut Numbers, end: usize, some: usize) -> Vec<usize> {
    let mut chosen = Vec::new();
    while chosen.len() < some {
        let one = numbers.below(end);
        if !chosen.contains(&one) {
            chosen.push(one);
        }
    }
    chosen
}

/// Copies all of the inbox into a Maildir, turns marks over, deletes; messages are counted from 0. Returns what it copied.
fn neomutt(node: &Node, home: &Home, round: usize, marked: &[usize], deleted: &[usize]) -> Vec<Vec<u8>> {
    let mail = home.maildir(&format!("copies/{round}"));
    let keys =
        |places: &[usize], key: &str| places.iter().map(|at| format!("{}<enter>{key}", at + 1)).collect::<String>();
    let rc = format!(
        "set imap_user=\"ann@anser.test\" imap_pass=\"{PASSWORD}\" ssl_starttls=no ssl_force_tls=no header_cache=\"{}\"\n\
         set mbox_type=Maildir confirmappend=no confirmcreate=no wait_key=no quit=yes delete=yes mark_old=no\n\
         set sort=mailbox-order record=\"\" imap_check_subscribed=no imap_list_subscribed=no imap_qresync=yes\n\
         push \"T~A<enter>;C<kill-line>{}<enter>{}{}q\"\n",
        home.path("cache").display(),
        mail.display(),
        keys(marked, "<flag-message>"),
        keys(deleted, "<delete-message>"),
    );
    let rc = home.write("muttrc", rc);
    let line = format!("neomutt -n -F {} -f imap://127.0.0.1:{}/INBOX", rc.display(), node.port(IMAP));
    run(home.command("script").args(["-q", "-e", "-c", &line, "/dev/null"]));
    let mut copied: Vec<_> = contents(&mail).iter().map(|message| without_neomutts_own(message)).collect();
    copied.iter_mut().for_each(|message| *message = without_cr(message));
    copied.sort();
    copied
}
