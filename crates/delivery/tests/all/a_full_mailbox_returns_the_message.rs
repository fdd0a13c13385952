use crate::house::{envelope, message, on_each_engine};

#[test]
fn the_sender_is_told_why_and_what_to_do() {
    on_each_engine(|house| async move {
        house.directory.set_quota(house.account("ann@anser.test").await, 100).await.unwrap();
        let id = house.put(envelope("bob@anser.test", &["ann@anser.test"]), &message("hello")).await;
        house.run().await;
        let report = house.report("bob@anser.test").await;
        assert!(report.raw.starts_with("Return-Path: <>\r\nDelivered-To: bob@anser.test\r\nDate: "), "{}", report.raw);
        for line in [
            "From: Mail Delivery System <postmaster@anser.test>",
            "To: bob@anser.test",
            "Auto-Submitted: auto-replied",
            "In-Reply-To: <hello@anser.test>",
        ] {
            assert!(report.raw.lines().any(|found| found == line), "{line}: {}", report.raw);
        }
        for line in [
            "Reporting-MTA: dns; mail.anser.test",
            "Arrival-Date: Fri, 15 Jan 2027 08:00:00 +0000",
            "Final-Recipient: rfc822; ann@anser.test",
            "Action: failed",
            "Status: 5.2.2",
            "Diagnostic-Code: x-anser; 5.2.2 the mailbox is full",
            "Last-Attempt-Date: Fri, 15 Jan 2027 08:00:00 +0000",
        ] {
            assert!(report.says(line), "{line}: {}", report.status);
        }
        assert!(report.text.contains("收件人的邮箱已满") && report.text.contains("The recipient's mailbox is full"));
        assert!(report.text.contains("“hello”") && report.text.contains("\"hello\""));
        assert!(report.returned.starts_with("Content-Type: text/rfc822-headers\r\n"));
        assert!(report.returned.contains("Subject: hello\r\n") && !report.returned.contains("body of"));
        assert!(house.told_of(id).await.contains(&"failed ann@anser.test 5.2.2 the mailbox is full".into()));
        assert!(house.mail("ann@anser.test").await.is_empty() && house.waiting().await.is_empty());
    });
}
