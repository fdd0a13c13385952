use std::time::Duration;

use crate::house::{House, envelope, message, on_each_engine};

const FROM: &str = "bob@anser.test";
const ANN: &str = "ann@anser.test";
const AWAY: &str =
    "require \"vacation\";\nvacation :days 3 :subject \"Away\" :from \"boss@far.test\" \"Back on Monday. 周一回来\";\n";

async fn send(house: &House, sender: &str, raw: &str) -> anser_base::EntryId {
    let id = house.put(envelope(sender, &[ANN]), raw).await;
    house.run().await;
    id
}

#[test]
fn a_redirect_goes_on_with_its_sender_and_without_a_copy() {
    on_each_engine(|house| async move {
        house.script(ANN, "redirect \"chen@far.test\";\n").await;
        let id = send(&house, "x@far.test", &message("one")).await;
        assert!(house.mail(ANN).await.is_empty());
        let waiting = house.waiting().await;
        assert_eq!(waiting.len(), 1);
        assert_eq!(waiting[0].envelope.sender.as_ref().unwrap().to_string(), "x@far.test");
        assert!(waiting[0].envelope.trace.starts_with(b"Delivered-To: ann@anser.test\r\nReceived:"));
        let told = house.told_of(id).await;
        assert_eq!(told[..2], ["redirect to chen@far.test by main:1", "followed by mail to chen@far.test"]);
    });
}

#[test]
fn redirects_in_a_circle_end_in_an_inbox() {
    on_each_engine(|house| async move {
        house.script(ANN, "redirect \"bob@anser.test\";\n").await;
        house.script(FROM, "redirect \"ann@anser.test\";\n").await;
        send(&house, "x@far.test", &message("one")).await;
        assert_eq!(house.mail(ANN).await.len() + house.mail(FROM).await.len(), 1);
        assert!(house.waiting().await.is_empty());
        house.script(ANN, "redirect \"ann+self@anser.test\";\n").await;
        send(&house, "x@far.test", &message("two")).await;
        assert_eq!(house.mail(ANN).await.len(), 2);
    });
}

#[test]
fn a_refusal_is_a_report_with_the_owners_words() {
    on_each_engine(|house| async move {
        house.script(ANN, "require \"reject\";\nreject \"No ads please. 谢绝广告\";\n").await;
        send(&house, FROM, &message("one")).await;
        assert!(house.mail(ANN).await.is_empty());
        let report = house.report(FROM).await;
        assert!(report.says("Status: 5.7.1") && report.text.contains("No ads please. 谢绝广告"), "{}", report.text);
    });
}

#[test]
fn nobody_is_refused_who_should_not_be_answered() {
    on_each_engine(|house| async move {
        house.script(ANN, "require \"ereject\";\nereject \"no\";\n").await;
        let list = format!("List-Id: <l.far.test>\r\n{}", message("list"));
        let automatic = format!("Auto-Submitted: auto-replied\r\n{}", message("auto"));
        for (sender, raw) in [("", message("bounce")), (FROM, list), (FROM, automatic), (ANN, message("own"))] {
            send(&house, sender, &raw).await;
        }
        assert_eq!(house.mail(ANN).await.len(), 4);
        assert!(house.mail(FROM).await.is_empty());
        let mut forged = envelope(FROM, &[ANN]);
        forged.trace.extend_from_slice(b"Authentication-Results: mail.anser.test; dmarc=fail\r\n");
        house.put(forged, &message("forged")).await;
        house.run().await;
        assert_eq!(house.mail(ANN).await.len(), 5);
    });
}

#[test]
fn a_sender_is_answered_once_in_its_time() {
    on_each_engine(|house| async move {
        house.script(ANN, AWAY).await;
        for subject in ["one", "two"] {
            send(&house, FROM, &message(subject)).await;
        }
        let answers = house.mail(FROM).await;
        assert_eq!(answers.len(), 1);
        let answer = &answers[0];
        for line in [
            "Return-Path: <>",
            "Auto-Submitted: auto-replied",
            "Subject: Away",
            "In-Reply-To: <one@anser.test>",
            "References: <one@anser.test>",
            "From: ann@anser.test",
        ] {
            assert!(answer.lines().any(|found| found == line), "{line}: {answer}");
        }
        assert_eq!(house.mail(ANN).await.len(), 2);
        house.clock.advance(Duration::from_secs(3 * 86_400 + 1));
        send(&house, FROM, &message("three")).await;
        assert_eq!(house.mail(FROM).await.len(), 2);
        // Another text is another answer (RFC 5230 §4.2).
        house.script(ANN, &AWAY.replace("Monday", "Tuesday")).await;
        send(&house, FROM, &message("four")).await;
        assert_eq!(house.mail(FROM).await.len(), 3);
    });
}

#[test]
fn no_answer_goes_to_lists_bounces_programs_and_forged_senders() {
    on_each_engine(|house| async move {
        house.script(ANN, AWAY).await;
        let list = format!("List-Id: <l.far.test>\r\n{}", message("list"));
        let answer = format!("Auto-Submitted: auto-replied\r\n{}", message("auto"));
        let hidden = message("bcc").replace("To: ann@anser.test", "To: you@far.test");
        let id = send(&house, "", &message("bounce")).await;
        for raw in [list, answer, hidden] {
            send(&house, FROM, &raw).await;
        }
        send(&house, "mailer-daemon@far.test", &message("daemon")).await;
        let mut forged = envelope(FROM, &[ANN]);
        forged.trace.extend_from_slice(b"Authentication-Results: mail.anser.test; spf=fail\r\n");
        house.put(forged, &message("forged")).await;
        house.run().await;
        assert!(house.mail(FROM).await.is_empty() && house.waiting().await.is_empty());
        assert_eq!(house.mail(ANN).await.len(), 6);
        assert_eq!(house.told_of(id).await[0], "vacation withheld: EmptySender by main:2");
    });
}

#[test]
fn two_who_are_away_do_not_answer_each_other() {
    on_each_engine(|house| async move {
        house.script(ANN, AWAY).await;
        house.script(FROM, &AWAY.replace("Away", "Gone")).await;
        send(&house, FROM, &message("one")).await;
        assert_eq!((house.mail(ANN).await.len(), house.mail(FROM).await.len()), (1, 1));
    });
}

#[test]
fn a_notification_is_sent_and_copied_and_not_answered() {
    on_each_engine(|house| async move {
        house
            .script(
                ANN,
                "require [\"enotify\", \"fcc\", \"mailbox\"];\n\
                 notify :fcc \"Notices\" :create :importance \"1\" :message \"来信\" \"mailto:bob@anser.test?body=look\";\n",
            )
            .await;
        send(&house, "x@far.test", &message("one")).await;
        send(&house, "x@far.test", &format!("Auto-Submitted: auto-generated\r\n{}", message("two"))).await;
        let notes = house.mail(FROM).await;
        assert_eq!(notes.len(), 1);
        let expected = "Auto-Submitted: auto-notified; owner-email=\"ann@anser.test\"";
        assert!(notes[0].contains(expected) && notes[0].contains("Importance: high"), "{}", notes[0]);
        assert_eq!(house.folder(ANN, "Notices").await.unwrap().len(), 1);
        assert_eq!(house.mail(ANN).await.len(), 2);
    });
}

#[test]
fn what_rules_send_waits_until_the_recipient_is_settled() {
    on_each_engine(|house| async move {
        let group = house.directory.add_group(&crate::house::address("all@anser.test"), "All").await.unwrap();
        let members = [ANN, FROM].map(crate::house::address).to_vec();
        house.directory.add_members(group, members).await.unwrap();
        house.script(ANN, "redirect \"chen@far.test\";\n").await;
        house.directory.set_quota(house.account(FROM).await, 10).await.unwrap();
        house.put(envelope("x@far.test", &["all@anser.test"]), &message("one")).await;
        house.run().await;
        // Bob has no room: the group failed as a whole; ann's redirect stands, once.
        let waiting = house.waiting().await;
        let mut to: Vec<_> = waiting.iter().map(|entry| entry.envelope.recipients[0].address.to_string()).collect();
        to.sort();
        assert_eq!(to, ["chen@far.test", "x@far.test"]);
    });
}
