use std::future::Future;

use anser_delivery::SmarthostTls;
use anser_queue::{Envelope, Recipient};
use anser_wire::Secret;
use anser_wire::smtp::{BodyType, Notify, Ret};

use crate::house::{House, Site, TRACE, address, body, envelope, message, runtime};
use crate::smarthost::Relay;

/// A house whose smarthost plays these transcripts.
fn with_relay<F: Future<Output = ()>>(tls: SmarthostTls, scripts: &[&str], scenario: impl Fn(House, Relay) -> F) {
    runtime().block_on(async {
        let relay = Relay::play(scripts).await;
        let house = Site::embedded().furnished(relay.smarthost(tls)).await;
        scenario(house, relay).await;
    });
}

fn to(recipients: &[&str]) -> Envelope {
    envelope("ann@anser.test", recipients)
}

/// The words of the journal and of the queue about why recipients failed or wait.
async fn whys(house: &House) -> Vec<String> {
    house.waiting().await.into_iter().flat_map(|entry| entry.progress).filter_map(|progress| progress.why).collect()
}

#[test]
fn an_old_server_gets_plain_mail_in_lock_step() {
    let script = "
        S: 220 old.test
        C: EHLO mail.anser.test
        S: 502 what?
        C: HELO mail.anser.test
        S: 250 old.test
        C: MAIL FROM:<ann@anser.test>
        S: 250 ok
        C: RCPT TO:<x@far.test>
        S: 250 ok
        C: RCPT TO:<y@far.test>
        S: 251 will forward
        C: DATA
        S: 354 go on
        MESSAGE
        S: 250 taken";
    with_relay(SmarthostTls::Opportunistic, &[script], |house, relay| async move {
        let id = house.put(to(&["x@far.test", "y@far.test"]), &message("plain")).await;
        house.run().await;
        assert_eq!(relay.messages(), [format!("{TRACE}{}", message("plain"))]);
        assert!(house.waiting().await.is_empty() && house.mail("ann@anser.test").await.is_empty());
        let told = house.told_of(id).await;
        assert_eq!(told, ["relayed x@far.test localhost 250 taken", "relayed y@far.test localhost 250 taken"]);
    });
}

#[test]
fn every_extension_that_is_offered_and_asked_for_is_passed_on() {
    let script = "
        S: 220-hello
        S: 220 relay.test
        C: EHLO mail.anser.test
        S: 250-relay.test
        S: 250-SIZE 1000000
        S: 250-8BITMIME
        S: 250-SMTPUTF8
        S: 250-PIPELINING
        S: 250-DSN
        S: 250-MT-PRIORITY
        S: 250 ENHANCEDSTATUSCODES
        C: MAIL FROM:<ann@anser.test> SIZE=184 BODY=8BITMIME SMTPUTF8 MT-PRIORITY=-3 RET=FULL ENVID=QQ+2B314
        C: RCPT TO:<陈@例子.中国> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x+2By@far.test
        C: RCPT TO:<z@far.test> NOTIFY=NEVER
        S: 250 2.1.0 ok
        S: 250 2.1.5 ok
        S: 250 2.1.5 ok
        C: DATA
        S: 354 go on
        MESSAGE
        S: 250 2.0.0 taken";
    with_relay(SmarthostTls::Never, &[script], |house, relay| async move {
        let mut wanted = to(&["陈@例子.中国", "z@far.test"]);
        wanted.ret = Some(Ret::Full);
        wanted.envid = Some("QQ+314".into());
        wanted.smtputf8 = true;
        wanted.priority = -3;
        wanted.body_type = BodyType::EightBitMime;
        wanted.recipients[0].orcpt = Some("rfc822;x+y@far.test".into());
        wanted.recipients[0].notify = Notify { success: true, failure: true, delay: false };
        wanted.recipients[1].notify = Notify::default();
        house.put(wanted, &message("陈")).await;
        house.run().await;
        assert_eq!(relay.messages().len(), 1);
        // Success is the relay's to report: it was told.
        assert!(house.mail("ann@anser.test").await.is_empty());
    });
}

#[test]
fn a_group_ends_with_data_and_nobody_gets_nothing() {
    let script = "
        S: 220 relay.test
        C: EHLO mail.anser.test
        S: 250-relay.test
        S: 250 PIPELINING
        C: MAIL FROM:<ann@anser.test>
        C: RCPT TO:<gone@far.test>
        C: DATA
        S: 250 ok
        S: 550 5.1.1 no such user
        S: 354 go on
        C: .
        S: 554 no valid recipients
        C: RSET
        S: 250 ok
        C: MAIL FROM:<ann@anser.test>
        C: RCPT TO:<good@far.test>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 354 go on
        MESSAGE
        S: 250 taken";
    with_relay(SmarthostTls::Never, &[script], |house, relay| async move {
        house.put(to(&["gone@far.test"]), &message("to nobody")).await;
        house.run().await;
        let report = house.report("ann@anser.test").await;
        assert!(report.says("Diagnostic-Code: smtp; 550 5.1.1 no such user"), "{}", report.status);
        house.put(to(&["good@far.test"]), &message("to somebody")).await;
        house.run().await;
        assert_eq!(relay.messages(), [format!("{TRACE}{}", message("to somebody"))]);
    });
}

#[test]
fn each_recipient_has_an_outcome_of_its_own() {
    let script = "
        S: 220 relay.test
        C: EHLO mail.anser.test
        S: 250-relay.test
        S: 250 PIPELINING
        C: MAIL FROM:<ann@anser.test>
        C: RCPT TO:<good@far.test>
        C: RCPT TO:<gone@far.test>
        C: RCPT TO:<busy@far.test>
        C: RCPT TO:<many@far.test>
        S: 250 ok
        S: 250 ok
        S: 550-5.1.1 no such
        S: 550 5.1.1 user
        S: 451 later
        S: 452 4.5.3 too many
        C: DATA
        S: 354 go on
        MESSAGE
        S: 250 taken
        C: MAIL FROM:<ann@anser.test>
        C: RCPT TO:<many@far.test>
        S: 250 ok
        S: 250 ok
        C: DATA
        S: 354 go on
        MESSAGE
        S: 250 taken";
    with_relay(SmarthostTls::Never, &[script], |house, relay| async move {
        let recipients = ["good@far.test", "gone@far.test", "busy@far.test", "many@far.test"];
        house.put(to(&recipients), &message("mixed")).await;
        house.run().await;
        assert_eq!(
            whys(&house).await[1..],
            ["4.3.0 localhost said: 451 later", "4.5.3 localhost said: 452 4.5.3 too many"]
        );
        let report = house.report("ann@anser.test").await;
        for line in [
            "Final-Recipient: rfc822; gone@far.test",
            "Status: 5.1.1",
            "Remote-MTA: dns; localhost",
            "Diagnostic-Code: smtp; 550 5.1.1 no such user",
        ] {
            assert!(report.says(line), "{line}: {}", report.status);
        }
        assert!(report.text.contains("> 550 5.1.1 no such user\n") && !report.text.contains("busy"));
        // Too many at once is no reason to wait long, and the connection is used again.
        house.run_after(std::time::Duration::from_secs(6)).await;
        assert_eq!(relay.messages().len(), 2);
        assert_eq!(whys(&house).await.len(), 2);
    });
}

#[test]
fn more_recipients_than_a_transaction_takes_have_several() {
    let mut scripts =
        String::from("S: 220 relay.test\nC: EHLO mail.anser.test\nS: 250-relay.test\nS: 250 PIPELINING\n");
    for part in [0..100, 100..101] {
        let replies = part.len() + 1;
        scripts.push_str("C: MAIL FROM:<ann@anser.test>\n");
        part.for_each(|n| scripts.push_str(&format!("C: RCPT TO:<x{n}@far.test>\n")));
        scripts.push_str(&"S: 250 ok\n".repeat(replies));
        scripts.push_str("C: DATA\nS: 354 go\nMESSAGE\nS: 250 taken\n");
    }
    with_relay(SmarthostTls::Never, &[&scripts], |house, relay| async move {
        let recipients: Vec<String> = (0..101).map(|n| format!("x{n}@far.test")).collect();
        let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
        house.put(to(&recipients), &message("many")).await;
        house.run().await;
        assert_eq!(relay.messages().len(), 2);
        assert!(house.waiting().await.is_empty());
    });
}

const STARTTLS: &str = "
        S: 220 relay.test
        C: EHLO mail.anser.test
        S: 250-relay.test
        S: 250-AUTH CRAM-MD5
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go
        TLS
        C: EHLO mail.anser.test
        S: 250-relay.test
        S: 250-REQUIRETLS
        S: 250 AUTH PLAIN LOGIN
        C: AUTH PLAIN AGhvdXNlAHMzY3JldA==
        S: 235 welcome
        C: MAIL FROM:<ann@anser.test> REQUIRETLS
        S: 250 ok
        C: RCPT TO:<x@far.test>
        S: 250 ok
        C: DATA
        S: 354 go on
        MESSAGE
        S: 250 taken";

#[test]
fn a_password_and_requiretls_go_over_verified_tls() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let relay = Relay::play(&[STARTTLS]).await;
        let authority = folder.path().join("relay.pem");
        std::fs::write(&authority, &relay.certificate).unwrap();
        let mut smarthost = relay.smarthost(SmarthostTls::Required(Some(authority))).unwrap();
        smarthost.login = Some(("house".into(), Secret::new("s3cret")));
        let house = Site::embedded().furnished(Some(smarthost)).await;
        let wanted = Envelope { requiretls: true, ..to(&["x@far.test"]) };
        house.put(wanted, &message("secret")).await;
        house.run().await;
        assert_eq!(relay.messages().len(), 1);
    });
}

#[test]
fn implicit_tls_and_auth_login_work_too() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let relay = Relay::play(&["
            TLS
            S: 220 relay.test
            C: EHLO mail.anser.test
            S: 250-relay.test
            S: 250 AUTH=LOGIN
            C: AUTH LOGIN
            S: 334 VXNlcm5hbWU6
            C: aG91c2U=
            S: 334 UGFzc3dvcmQ6
            C: czNjcmV0
            S: 235 welcome
            C: MAIL FROM:<ann@anser.test>
            S: 250 ok
            C: RCPT TO:<x@far.test>
            S: 250 ok
            C: DATA
            S: 354 go on
            MESSAGE
            S: 250 taken"])
        .await;
        let authority = folder.path().join("relay.pem");
        std::fs::write(&authority, &relay.certificate).unwrap();
        let mut smarthost = relay.smarthost(SmarthostTls::Implicit(Some(authority))).unwrap();
        smarthost.login = Some(("house".into(), Secret::new("s3cret")));
        let house = Site::embedded().furnished(Some(smarthost)).await;
        house.put(to(&["x@far.test"]), &message("secret")).await;
        house.run().await;
        assert_eq!(relay.messages().len(), 1);
    });
}

#[test]
fn a_certificate_of_nobody_gets_no_mail_where_one_is_required() {
    let script = "
        S: 220 relay.test
        C: EHLO mail.anser.test
        S: 250-relay.test
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go
        WAIT";
    with_relay(SmarthostTls::Required(None), &[script], |house, relay| async move {
        house.put(to(&["x@far.test"]), &message("secret")).await;
        house.run().await;
        let why = whys(&house).await.remove(0);
        // Where the machine has no authorities at all, that is said.
        assert!(why.starts_with("4.7.5 ") || why.starts_with("4.3.5 "), "{why}");
        assert!(relay.messages().is_empty());
    });
}

#[test]
fn broken_tls_is_done_without_when_it_is_only_an_opportunity() {
    let broken = "
        S: 220 relay.test
        C: EHLO mail.anser.test
        S: 250-relay.test
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go
        CLOSE";
    let plain = "
        S: 220 relay.test
        C: EHLO mail.anser.test
        S: 250-relay.test
        S: 250 STARTTLS
        C: MAIL FROM:<ann@anser.test>
        S: 250 ok
        C: RCPT TO:<x@far.test>
        S: 250 ok
        C: DATA
        S: 354 go on
        MESSAGE
        S: 250 taken";
    with_relay(SmarthostTls::Opportunistic, &[broken, plain], |house, relay| async move {
        house.put(to(&["x@far.test"]), &message("open")).await;
        house.run().await;
        assert_eq!(relay.messages().len(), 1);
    });
}

#[test]
fn what_the_server_cannot_carry_comes_back() {
    let greeting = "
        S: 220 relay.test
        C: EHLO mail.anser.test
        S: 250-relay.test
        S: 250 SIZE 150";
    with_relay(SmarthostTls::Never, &[greeting], |house, relay| async move {
        let plain = || to(&["x@far.test"]);
        let cases = [
            (Envelope { sender: Some(address("安@anser.test")), ..plain() }, "a", "5.6.7"),
            (Envelope { recipients: vec![Recipient::new(address("陈@far.test"))], ..plain() }, "b", "5.6.7"),
            (Envelope { smtputf8: true, ..plain() }, "Subject: 中\r\n\r\n", "5.6.7"),
            (Envelope { body_type: BodyType::EightBitMime, ..plain() }, "\r\n中", "5.6.3"),
            (Envelope { body_type: BodyType::BinaryMime, ..plain() }, "c", "5.6.3"),
            (Envelope { requiretls: true, ..plain() }, "d", "5.7.10"),
            (plain(), &*"long ".repeat(100), "5.3.4"),
        ];
        for (envelope, raw, code) in cases {
            let id = house.queue.put(envelope, body(raw)).await.unwrap();
            house.run().await;
            let told = house.told_of(id).await.concat();
            assert!(told.starts_with("failed ") && told.contains(&format!("@far.test {code} ")), "{code}: {told}");
        }
        assert!(relay.messages().is_empty());
    });
}

#[test]
fn plain_mail_needs_no_extension_though_it_was_submitted_with_them() {
    let script = "
        S: 220 relay.test
        C: EHLO mail.anser.test
        S: 250 relay.test
        C: MAIL FROM:<ann@anser.test>
        S: 250 ok
        C: RCPT TO:<x@far.test>
        S: 250 ok
        C: DATA
        S: 354 go on
        MESSAGE
        S: 250 taken";
    with_relay(SmarthostTls::Never, &[script], |house, relay| async move {
        let wanted = Envelope { smtputf8: true, body_type: BodyType::EightBitMime, ..to(&["x@far.test"]) };
        house.put(wanted, &message("ascii")).await;
        house.run().await;
        assert_eq!(relay.messages().len(), 1);
    });
}

#[test]
fn binary_mail_goes_in_counted_chunks() {
    let script = "
        S: 220 relay.test
        C: EHLO mail.anser.test
        S: 250-relay.test
        S: 250-CHUNKING
        S: 250 BINARYMIME
        C: MAIL FROM:<ann@anser.test> BODY=BINARYMIME
        S: 250 ok
        C: RCPT TO:<x@far.test>
        S: 250 ok
        C: BDAT 77
        C: Received: …
        S: 250 so far
        C: BDAT 6 LAST
        C: a
        C: .
        S: 250 taken";
    with_relay(SmarthostTls::Never, &[script], |house, relay| async move {
        let wanted = Envelope { body_type: BodyType::BinaryMime, ..to(&["x@far.test"]) };
        let id = house.put(wanted, "a\r\n.\r\n").await;
        house.run().await;
        relay.messages();
        assert_eq!(house.told_of(id).await, ["relayed x@far.test localhost 250 taken"]);
    });
}

#[test]
fn a_message_that_went_through_too_many_servers_is_looping() {
    with_relay(SmarthostTls::Never, &[], |house, relay| async move {
        let raw = "Received: from somewhere\r\n".repeat(50) + "\r\n";
        let id = house.put(to(&["x@far.test"]), &raw).await;
        house.run().await;
        assert!(house.told_of(id).await.concat().contains("failed x@far.test 5.4.6 "));
        assert!(relay.messages().is_empty());
    });
}
