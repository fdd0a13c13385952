//! What leaves is vouched for: mail of others by a seal (ARC, RFC 8617), mail of the house by a signature.

use anser_directory::{AliasTarget, DkimState};
use anser_queue::{Envelope, Origin, Protocol};
use anser_senderauth::arc::Status;
use anser_senderauth::dkim::{self, SecretKey};
use anser_senderauth::dmarc;

use crate::house::{House, Site, address, envelope, message, runtime};
use crate::internet::{Internet, delivery};

/// A house whose domain signs.
async fn signing(internet: &Internet) -> House {
    let house = Site::embedded().furnished(internet.outward()).await;
    for (selector, key) in [("e1", SecretKey::new_ed25519().unwrap()), ("r1", SecretKey::new_rsa().unwrap())] {
        house.directory.add_dkim_key("anser.test", selector, &key, DkimState::Active).await.unwrap();
        internet.text(&format!("{selector}._domainkey.anser.test"), &key.record().unwrap());
    }
    internet.text("_dmarc.anser.test", "v=DMARC1; p=reject");
    house
}

/// As it came from another server that passed.
fn from_orig(recipient: &str, results: &str) -> Envelope {
    let origin = Origin { protocol: Protocol::Smtp, ..Origin::internal() };
    let trace = format!("Authentication-Results: mail.anser.test;\r\n\t{results}\r\nReceived: from orig.test\r\n");
    Envelope { origin, trace: trace.into_bytes(), ..envelope("ann@orig.test", &[recipient]) }
}

/// A delivery of whatever sender.
fn taken(recipient: &str) -> String {
    delivery(recipient).replace("FROM:<ann@anser.test>", "FROM:…")
}

const PASSED: &str =
    "spf=pass smtp.mailfrom=ann@orig.test;\r\n\tarc=none;\r\n\tdmarc=pass (p=reject) header.from=orig.test";

#[test]
fn what_is_sent_on_is_sealed_again_and_again() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "mx.far.test", 2);
        let script = taken("shop@far.test") + "\nCLOSE";
        let server = internet.server("mx.far.test", 2, &[&script, &script]).await;
        let house = signing(&internet).await;
        house
            .directory
            .add_alias(&address("sales@anser.test"), AliasTarget::Outside(address("shop@far.test")))
            .await
            .unwrap();
        house.script("bob@anser.test", "redirect \"shop@far.test\";\n").await;

        let raw = message("hi").replace("From: bob@anser.test", "From: ann@orig.test");
        house.put(from_orig("sales@anser.test", PASSED), &raw).await;
        house.run().await;
        let again = from_orig("bob@anser.test", &PASSED.replace("arc=none", "arc=pass (i=1 d=anser.test)"));
        let first = server.so_far().remove(0);
        let verdict = internet.judged(&house, &first).await;
        assert_eq!((verdict.arc.status, verdict.arc.highest), (Status::Pass, 1), "{:?}\n{first}", verdict.arc);
        assert!(verdict.arc.sets[0].domain == "anser.test" && verdict.dkim.is_empty(), "nobody signs for others");
        house.put(again, &first).await;
        house.run().await;
        let second = server.messages().remove(1);
        let verdict = internet.judged(&house, &second).await;
        assert_eq!((verdict.arc.status, verdict.arc.highest), (Status::Pass, 2), "{:?}\n{second}", verdict.arc);
        assert!(verdict.vouched_by(&["anser.test".to_owned()]).is_some(), "{second}");
        assert_eq!(verdict.arc.sets[1].selector, "r1", "what others know best");
    });
}

#[test]
fn what_others_would_refuse_of_a_group_goes_on_in_its_name() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "mx.far.test", 2);
        let script = taken("shop@far.test") + "\nCLOSE";
        let server = internet.server("mx.far.test", 2, &[&script, &script]).await;
        let house = signing(&internet).await;
        let group = house.directory.add_group(&address("team@anser.test"), "Team").await.unwrap();
        house.directory.add_members(group, vec![address("shop@far.test")]).await.unwrap();
        let signed = PASSED.replace("arc=none", "dkim=pass header.d=orig.test;\r\n\tarc=none");
        let raw = message("hi").replace("From: bob@anser.test", "From: Ann <ann@orig.test>");
        for results in [PASSED, &signed] {
            house.put(from_orig("team@anser.test", results), &raw).await;
            house.run().await;
        }
        let [rewritten, kept] = server.messages().try_into().unwrap();
        assert!(
            rewritten.contains("From: Ann via team <team@anser.test>\r\nReply-To: Ann <ann@orig.test>\r\n"),
            "{rewritten}"
        );
        assert!(rewritten.ends_with(raw.split_once("\r\n\r\n").unwrap().1), "{rewritten}");
        let verdict = internet.judged(&house, &rewritten).await;
        assert_eq!((verdict.dmarc.result, verdict.arc.status), (dmarc::Result::Pass, Status::Pass), "{rewritten}");
        assert!(kept.contains("From: Ann <ann@orig.test>\r\n") && !kept.contains(" via "), "{kept}");
    });
}

#[test]
fn what_nobody_checked_is_not_sealed() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "mx.far.test", 2);
        let server = internet.server("mx.far.test", 2, &[&taken("shop@far.test")]).await;
        let house = signing(&internet).await;
        house
            .directory
            .add_alias(&address("sales@anser.test"), AliasTarget::Outside(address("shop@far.test")))
            .await
            .unwrap();
        let forged = "Authentication-Results: other.test; dmarc=pass header.from=orig.test\r\n";
        let unchecked = Envelope { trace: forged.into(), ..from_orig("sales@anser.test", "") };
        house.put(unchecked, &message("hi")).await;
        house.run().await;
        assert!(!server.messages()[0].contains("ARC-"), "{:?}", server.messages());
    });
}

#[test]
fn reports_to_senders_are_signed() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "mx.far.test", 2);
        let server =
            internet.server("mx.far.test", 2, &[&delivery("x@far.test").replace("<ann@anser.test>", "<>")]).await;
        let house = signing(&internet).await;
        house.put(envelope("x@far.test", &["nobody@anser.test"]), &message("hi")).await;
        house.run().await;
        let raw = server.messages().remove(0);
        let verdict = internet.judged(&house, &raw).await;
        let results: Vec<_> = verdict.dkim.iter().map(|one| (one.result, &*one.domain)).collect();
        assert_eq!(results, [(dkim::Result::Pass, "anser.test"); 2], "{raw}");
        assert_eq!((verdict.dmarc.result, &*verdict.dmarc.domain), (dmarc::Result::Pass, "mail.anser.test"));
    });
}
