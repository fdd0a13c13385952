//! Nothing that a message or its envelope holds becomes a command, a second message or a field at the next server, and mail in circles or
//! to made-up senders ends.

use anser_base::Address;

use crate::house::{Site, address, envelope, message, runtime};
use crate::internet::{Internet, delivery};

/// Ends of data as careless servers see them, with a second message behind.
const SMUGGLED: [&str; 6] = ["\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\r\n.\r\n"];

#[test]
fn no_end_of_data_hides_in_a_message() {
    runtime().block_on(async {
        for end in SMUGGLED {
            let internet = Internet::new();
            internet.exchange("far.test", 10, "mx.far.test", 2);
            // What comes behind the message would be a command that the transcript does not have.
            let server = internet.server("x", 2, &[&delivery("x@far.test")]).await;
            let house = Site::embedded().furnished(internet.outward()).await;
            let raw =
                format!("Subject: x\r\n\r\nfirst{end}MAIL FROM:<evil@anser.test>\r\nRCPT TO:<x@far.test>\r\nDATA\r\n");
            house.put(envelope("ann@anser.test", &["x@far.test"]), &raw).await;
            house.run().await;
            let messages = server.messages();
            assert_eq!(messages.len(), 1, "{end:?}");
            assert!(
                messages[0].ends_with("first\r\n.\r\nMAIL FROM:<evil@anser.test>\r\nRCPT TO:<x@far.test>\r\nDATA\r\n"),
                "{end:?}"
            );
        }
    });
}

#[test]
fn no_command_hides_in_an_envelope() {
    runtime().block_on(async {
        for text in ["a\r\nb@far.test", "a@far.test\r\nDATA", "a\nb@far.test", "a b@far.test>"] {
            assert!(Address::parse(text).is_none_or(|found| !found.to_string().contains(['\r', '\n'])), "{text:?}");
        }
        let internet = Internet::new();
        internet.exchange("far.test", 10, "mx.far.test", 2);
        // Behind its greeting the server takes QUIT and RSET, and nothing else.
        let script = "S: 220 hi\nC: EHLO mail.anser.test\nS: 250-there.test\nS: 250 DSN";
        let server = internet.server("x", 2, &[script]).await;
        let house = Site::embedded().furnished(internet.outward()).await;
        let mut plain = envelope("ann@anser.test", &["x@far.test"]);
        plain.recipients[0].orcpt = Some("rfc822;y\r\nDATA".into());
        house.put(plain, &message("hi")).await;
        house.run().await;
        assert!(server.messages().is_empty());
        assert!(house.report("ann@anser.test").await.says("Status: 5.1.3"), "it is returned rather than said");
    });
}

#[test]
fn mail_in_circles_ends_and_nobody_hears_of_the_null_senders_mail() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "mx.far.test", 2);
        let server = internet.server("x", 2, &[]).await;
        let house = Site::embedded().furnished(internet.outward()).await;
        let circling = "Received: from a by b\r\n".repeat(60) + &message("round");
        house.put(envelope("ann@anser.test", &["x@far.test"]), &circling).await;
        house.put(envelope("", &["x@far.test", "nobody@anser.test"]), &circling).await;
        house.run().await;
        assert!(house.waiting().await.is_empty() && server.messages().is_empty());
        assert!(house.report("ann@anser.test").await.says("Status: 5.4.6"), "one report, to who sent it");
        assert!(house.mail(&address("bob@anser.test").to_string()).await.is_empty());
    });
}
