use anser_base::BlobId;
use anser_delivery::SmarthostTls;
use anser_queue::{Body, Envelope};
use anser_wire::smtp::Ret;

use crate::house::{NEVER, SUCCESS, Site, TRACE, envelope, message, notify, on_each_engine, runtime};
use crate::smarthost::Relay;

#[test]
fn success_is_reported_to_who_asked_for_it() {
    on_each_engine(|house| async move {
        let mut wanted = notify(envelope("bob@anser.test", &["ann@anser.test"]), SUCCESS);
        wanted.envid = Some("号 7".into());
        wanted.recipients[0].orcpt = Some("rfc822;anna@far.test".into());
        house.put(wanted, &message("hi")).await;
        house.run().await;
        assert_eq!(house.mail("ann@anser.test").await.len(), 1);
        let report = house.report("bob@anser.test").await;
        for line in [
            r"Original-Envelope-Id: \x{53F7} 7",
            "Original-Recipient: rfc822; anna@far.test",
            "Action: delivered",
            "Status: 2.0.0",
        ] {
            assert!(report.says(line), "{line}: {}", report.status);
        }
    });
}

#[test]
fn a_relay_without_dsn_leaves_the_report_to_us() {
    runtime().block_on(async {
        let relay = Relay::play(&["
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
            S: 250 taken"])
        .await;
        let house = Site::embedded().furnished(relay.smarthost(SmarthostTls::Never)).await;
        house.put(notify(envelope("ann@anser.test", &["x@far.test"]), SUCCESS), &message("hi")).await;
        house.run().await;
        assert_eq!(relay.messages().len(), 1);
        assert!(house.report("ann@anser.test").await.says("Action: relayed"));
    });
}

#[test]
fn nobody_is_told_who_does_not_want_it_or_cannot_be() {
    on_each_engine(|house| async move {
        let nobody = &["nobody@anser.test"];
        house.put(notify(envelope("bob@anser.test", nobody), NEVER), &message("never")).await;
        // A report whose sender is gone: a bounce of a bounce.
        let id = house.put(envelope("", nobody), &message("null")).await;
        house.put(envelope("gone@anser.test", nobody), &message("forged")).await;
        house.run().await;
        assert!(house.waiting().await.is_empty());
        assert!(house.mail("bob@anser.test").await.is_empty());
        assert_eq!(house.told_of(id).await, ["failed nobody@anser.test 5.1.1 no such mailbox here"]);
    });
}

#[test]
fn one_report_covers_all_recipients_and_returns_what_was_asked_for() {
    on_each_engine(|house| async move {
        let mut wanted = envelope("bob@anser.test", &["no@anser.test", "nobody@anser.test", "ann@anser.test"]);
        wanted.ret = Some(Ret::Full);
        house.put(wanted.clone(), &message("hi")).await;
        house.run().await;
        let report = house.report("bob@anser.test").await;
        assert_eq!(report.status.matches("Status: 5.1.1\r\n").count(), 2);
        assert!(!report.status.contains("ann@"));
        let whole = format!("{TRACE}{}", message("hi"));
        assert!(report.returned.starts_with("Content-Type: message/rfc822\r\n") && report.returned.contains(&whole));
    });
}

#[test]
fn a_large_message_comes_back_as_its_header() {
    on_each_engine(|house| async move {
        let raw = format!("Subject: large\r\nX-Long: {}\r\nX-Behind: 1\r\n\r\n{}", "y".repeat(900), "z".repeat(70_000));
        let wanted = Envelope { ret: Some(Ret::Full), ..envelope("bob@anser.test", &["no@anser.test"]) };
        house.put(wanted, &raw).await;
        house.run().await;
        let report = house.report("bob@anser.test").await;
        assert!(report.returned.contains("X-Behind: 1") && !report.returned.contains("zzz"));
    });
}

#[test]
fn a_report_too_large_for_the_queue_goes_through_the_blob_store() {
    on_each_engine(|house| async move {
        let recipients: Vec<String> = (0..1000).map(|n| format!("{}{n}@anser.test", "nobody".repeat(10))).collect();
        let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
        house.put(envelope("bob@anser.test", &recipients), &message("hi")).await;
        house.run().await;
        let report = house.report("bob@anser.test").await;
        assert!(report.raw.len() > anser_base::limits::INLINE_BODY);
        assert_eq!(report.status.matches("Status: 5.1.1\r\n").count(), 1000);
        assert!(report.text.contains("共 1000 个收件人"));
    });
}

#[test]
fn internationalized_mail_is_reported_in_ascii_alone() {
    on_each_engine(|house| async move {
        house.put(envelope("bob@anser.test", &["没有@anser.test"]), "Subject: 中文主题\r\n\r\n正文").await;
        house.run().await;
        let report = house.report("bob@anser.test").await;
        assert!(report.raw.is_ascii());
        assert!(report.says(r"Final-Recipient: utf-8; \x{6CA1}\x{6709}@anser.test"), "{}", report.status);
        assert!(report.text.contains("没有@anser.test") && report.text.contains("“中文主题”"));
        assert!(report.returned.starts_with("Content-Type: message/global-headers\r\n"), "{}", report.returned);
    });
}

#[test]
fn hostile_words_cannot_add_fields_or_parts() {
    on_each_engine(|house| async move {
        let mut wanted = envelope("bob@anser.test", &["no@anser.test"]);
        wanted.envid = Some("x\r\nAction: delivered".into());
        wanted.recipients[0].orcpt = Some("rfc822;y\r\n\r\nAction: delivered".into());
        let raw = "Subject: a\r\nMessage-ID: <a@b\r\n X-Evil: 1>\r\nReply-To: x\r\n\r\n--\r\n";
        house.put(wanted, raw).await;
        house.run().await;
        let report = house.report("bob@anser.test").await;
        assert!(!report.status.lines().any(|line| line == "Action: delivered"), "{}", report.status);
        let header = report.raw.split("\r\n\r\n").next().unwrap();
        assert!(!header.contains("Evil") && !header.contains("Reply-To"), "{header}");
    });
}

#[test]
fn a_report_goes_although_the_message_cannot_be_read() {
    on_each_engine(|house| async move {
        let lost = Body::in_blob(BlobId::of(b"nothing has this"), 100);
        house.queue.put(envelope("bob@anser.test", &["no@anser.test"]), lost).await.unwrap();
        house.run().await;
        let mail = house.mail("bob@anser.test").await;
        assert!(mail[0].contains("Status: 5.1.1") && mail[0].contains("postmaster@anser.test"));
    });
}
