//! UIDs, UIDVALIDITY and unique-ids are the same after a stop and after a kill, so that clients that leave mail on the server take
//! nothing twice.

use super::clients::{self, Getmail, Inbox, contents};
use super::corpus::{for_the_wire, raw, some};
use super::node::{IMAP, Node, POP3, SMTP};
use super::the_corpus_comes_in_by_smtp_with_the_same_bytes::arrived;
use super::tools::{Home, run, wanted};
use super::wire::{Imap, Smtp};

/// Messages of the first delivery, and of each later one.
const MESSAGES: usize = 40;

#[test]
fn what_clients_remember_stays_true() {
    if !wanted() {
        return;
    }
    let mut node = Node::start(&[]);
    let all: Vec<_> = some(&raw(), 3 * MESSAGES).iter().map(|message| for_the_wire(message)).collect();
    let homes = [Home::new(), Home::new(), Home::new()];
    let mut before = (String::new(), Vec::new(), Vec::new());
    for (round, part) in all.chunks(MESSAGES).enumerate() {
        let mut smtp = Smtp::connect(node.port(SMTP)).expect("a connection");
        smtp.send_all("sender@example.org", "ann@anser.test", part).expect("all are accepted");
        let count = (round + 1) * MESSAGES;
        arrived(&node, "ann@anser.test", count);
        let now = identifiers(&node);
        assert_eq!(now.1.len(), count, "UIDs");
        assert_eq!(now.2.len(), count, "unique-ids");
        if round > 0 {
            assert_eq!(now.0, before.0, "UIDVALIDITY");
            assert!(now.1.starts_with(&before.1), "UIDs changed: {:?} became {:?}", before.1, now.1);
            assert!(now.2.starts_with(&before.2), "unique-ids changed: {:?} became {:?}", before.2, now.2);
        }
        before = now;
        take(&node, &homes, count);
        if round % 2 == 0 {
            node.stop()
        } else {
            node.kill()
        }
        node.restart();
        assert_eq!(identifiers(&node), before, "after restart {round}");
        take(&node, &homes, count);
    }
}

/// Clients that leave mail on the server fetch what is new; then they have `count` messages.
fn take(node: &Node, homes: &[Home; 3], count: usize) {
    let ann = Inbox { user: "ann@anser.test", imap: node.port(IMAP), pop3: node.port(POP3) };
    clients::getmail_run(&homes[0], &ann, Getmail::Pop3);
    clients::getmail_run(&homes[1], &ann, Getmail::Imap);
    clients::fetchmail_run(&homes[2], &ann);
    for (home, name) in homes.iter().zip(["getmail by POP3", "getmail by IMAP", "fetchmail"]) {
        assert_eq!(contents(&home.path("mail")).len(), count, "messages that {name} has taken");
    }
}

/// UIDVALIDITY, all UIDs, all unique-ids.
fn identifiers(node: &Node) -> (String, Vec<u64>, Vec<String>) {
    let mut imap = Imap::login(node.port(IMAP), "ann@anser.test").expect("a session");
    let selected = imap.select("INBOX").expect("the inbox");
    let validity = selected.iter().find_map(|response| response.value("[UIDVALIDITY")).expect("UIDVALIDITY").to_owned();
    let uids = imap.fetch_all().expect("all of it").iter().map(|message| message.uid).collect();
    let home = Home::new();
    let script = "import poplib, sys\np = poplib.POP3('127.0.0.1', int(sys.argv[1]), timeout=60)\np.user('ann@anser.test')\n\
                  p.pass_('wild-goose')\nfor line in p.uidl()[1]: print(line.decode().split()[1])\np.quit()\n";
    let mut command = home.command("/usr/bin/python3");
    let listed = run(command.args(["-c", script, &node.port(POP3).to_string()]));
    (validity, uids, String::from_utf8_lossy(&listed).lines().map(str::to_owned).collect())
}
