use crate::site::{each_site, mail};

/// RFC 2449 §6.6: 2,000 commands in one write.
#[test]
fn two_thousand_at_once() {
    each_site(|site| {
        let mails: Vec<String> = (1..=500).map(mail).collect();
        site.deliver("ann", &mails);
        let mut client = site.login("ann");
        let commands: String =
            (1..=500).map(|n| format!("LIST {n}\r\nRETR {n}\r\nTOP {n} 0\r\nDELE {n}\r\n")).collect();
        client.send(commands.as_bytes());
        for (n, mail) in (1..).zip(&mails) {
            assert_eq!(client.hear(), format!("+OK {n} {}", mail.len()));
            assert_eq!(client.hear(), format!("+OK {} octets", mail.len()));
            assert_eq!(client.hear_body(), mail.as_bytes());
            assert!(client.hear().starts_with("+OK"));
            assert_eq!(client.hear_body(), &mail.as_bytes()[..mail.find("body").unwrap()]);
            assert_eq!(client.hear(), format!("+OK message {n} deleted"));
        }
        assert_eq!(client.ask("STAT"), "+OK 0 0");
        assert_eq!(client.ask("QUIT"), "+OK bye");
        assert_eq!(site.inbox_now("ann"), []);
    });
}

#[test]
fn in_any_order_of_messages() {
    each_site(|site| {
        let mails: Vec<String> = (1..=100).map(mail).collect();
        site.deliver("ann", &mails);
        let mut client = site.login("ann");
        let backwards = (1..=100).rev();
        let leaps = (0..100).map(|n| n * 37 % 100 + 1);
        let odd_then_even = (1..=100).step_by(2).chain((2..=100).step_by(2));
        let order: Vec<usize> = backwards.chain(leaps).chain(odd_then_even).chain(1..=100).collect();
        client.send(order.iter().map(|n| format!("RETR {n}\r\n")).collect::<String>().as_bytes());
        for n in order {
            assert!(client.hear().starts_with("+OK"));
            assert_eq!(client.hear_body(), mails[n - 1].as_bytes());
        }
    });
}

/// Replies go out when no whole command waits any more, also while part of one does.
#[test]
fn without_waiting_for_half_a_command() {
    each_site(|site| {
        let mut client = site.login("ann");
        client.send(b"STAT\r\nLIS");
        assert_eq!(client.hear(), "+OK 0 0");
        client.send(b"T 1\r\n");
        assert_eq!(client.hear(), "-ERR no such message");
    });
}
