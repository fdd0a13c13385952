use anser_journal::What;
use anser_smtp::Service;
use anser_testkit::engines::each_engine;

use crate::house::{House, Peer, SCHEMAS};

#[test]
fn acceptance_refusals_and_logins() {
    each_engine(SCHEMAS, |world| {
        let house = House::new(world);
        let ann = house.account("ann@example.org");
        let mut peer = Peer::greeted(house.open(Service::Submission), "EHLO");
        assert!(peer.ask("AUTH PLAIN AGFubkBleGFtcGxlLm9yZwB3cm9uZw==").starts_with("535"));
        assert!(peer.ask("AUTH PLAIN AGFubkBleGFtcGxlLm9yZwB3aWxkIGdvb3Nl").starts_with("235"));
        assert!(peer.ask("MAIL FROM:<bob@example.org>").starts_with("550"));
        assert!(peer.mail("ann@example.org", "nobody@example.org", b"").starts_with("550"));
        assert!(peer.mail("ann@example.org", "bob@example.org", b"From: bob@example.org").starts_with("550"));
        let message = b"From: ann@example.org\r\nMessage-ID: <m@x>\r\n\r\n";
        assert!(peer.mail("ann@example.org", "bob@example.org", message).starts_with("250"));

        let events = house.events("ann@example.org");
        let logins: Vec<_> = events.iter().filter(|event| matches!(event.what, What::Login { .. })).collect();
        assert_eq!(logins.len(), 1, "{events:#?}");
        assert_eq!(logins[0].origin.protocol.as_deref(), Some("submission"));
        assert!(logins[0].origin.client.unwrap().is_loopback());
        assert!(
            events
                .iter()
                .any(|event| matches!(&event.what, What::LoginFailed { user, .. } if user == "ann@example.org"))
        );
        let refused = |text: &str, wanted: &str| {
            house.events(text).iter().any(|event| matches!(&event.what, What::Refused { stage, .. } if stage == wanted))
        };
        assert!(refused("bob@example.org", "mail") && refused("nobody@example.org", "rcpt"));
        assert!(refused("bob@example.org", "data"));
        let accepted = house.events("m@x");
        let [event] = accepted.as_slice() else { panic!("{accepted:#?}") };
        let What::Accepted { entry, account, size, recipients, .. } = &event.what else { panic!("{event:?}") };
        assert_eq!((*account, recipients.as_slice()), (Some(ann), &["bob@example.org".to_owned()][..]));
        let mail = house.mail();
        assert_eq!((*entry, *size), (mail[0].entry.id, mail[0].body.len() as u64));
    });
}
