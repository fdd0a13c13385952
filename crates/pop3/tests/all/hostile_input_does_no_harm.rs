use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::site::{Client, Site, each_site, mail};

/// What a peer gets to say before it ends its own direction; the session must end by itself, and the service must go on.
fn after_saying(site: &Site, bytes: &[u8]) -> String {
    let mut client = Client::connect(site.plain);
    // The server may close in the middle of it.
    client.send_what_goes(bytes);
    client.end();
    let said = String::from_utf8_lossy(&client.rest()).into_owned();
    assert!(said.starts_with("+OK mail.anser.test POP3 ready\r\n"), "{said}");
    said
}

#[test]
fn lines_without_end_and_without_sense() {
    each_site(|site| {
        site.deliver("ann", &[mail(1)]);
        let long = "x".repeat(300);
        assert!(after_saying(site, format!("USER {long}\r\nQUIT\r\n").as_bytes()).contains("-ERR Line too long\r\n"));
        let longer = "x".repeat(100_000);
        let said = after_saying(site, format!("AUTH PLAIN {longer}\r\nQUIT\r\n").as_bytes());
        assert!(said.contains("-ERR line too long\r\n") && said.ends_with("+OK bye\r\n"), "{said}");
        let said = after_saying(site, "nonsense\r\n".repeat(1000).as_bytes());
        assert!(said.matches("-ERR unknown command").count() <= 51, "{said}");
        after_saying(site, &vec![b'x'; 8 * 1024 * 1024]);
        after_saying(site, &[0; 100_000]);
        after_saying(site, &b"\r".repeat(100_000));
        after_saying(site, b"AUTH PLAIN\r\n");
        after_saying(site, b"USER ann\r\nPASS wild-goose\r\nRETR 1\r\nDELE 1\r\nLIST");
        assert!(site.login("ann").ask("STAT").starts_with("+OK 1 "));
    });
}

#[test]
fn any_words_in_any_order() {
    each_site(|site| {
        site.deliver("ann", &[mail(1), mail(2)]);
        let word = prop_oneof![
            4 => prop_oneof![
                Just("USER ann"), Just("PASS wild-goose"), Just("STAT"), Just("LIST"), Just("UIDL"), Just("RETR 1"),
                Just("TOP 1 1"), Just("DELE 2"), Just("RSET"), Just("CAPA"), Just("LANG *"), Just("UTF8"), Just("AUTH"),
                Just("AUTH PLAIN"), Just("AUTH LOGIN"), Just("AUTH SCRAM-SHA-256 biwsbj1hbm4scj1h"), Just("*"), Just("NOOP"),
            ]
            .prop_map(|word| word.as_bytes().to_vec()),
            1 => proptest::collection::vec(any::<u8>(), 0..40),
        ];
        let end = prop_oneof![9 => Just(&b"\r\n"[..]), 1 => Just(&b"\n"[..]), 1 => Just(&b""[..])];
        let lines = proptest::collection::vec((word, end), 0..40);
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(40) });
        let outcome = runner.run(&lines, |lines| {
            after_saying(site, &lines.iter().flat_map(|(word, end)| [word, *end].concat()).collect::<Vec<u8>>());
            Ok(())
        });
        outcome.unwrap();
        assert_eq!(site.inbox_now("ann").len(), 2);
        assert!(site.login("ann").ask("STAT").starts_with("+OK 2 "));
    });
}
