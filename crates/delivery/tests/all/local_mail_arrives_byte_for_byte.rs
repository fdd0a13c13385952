use std::sync::Arc;

use anser_blob::Durability;
use anser_directory::AliasTarget;
use anser_queue::Body;

use crate::house::{TENANT, TRACE, address, envelope, message, on_each_engine};

#[test]
fn a_message_comes_with_its_return_path_and_trace_and_not_a_byte_changed() {
    on_each_engine(|house| async move {
        let raw = "Subject: odd\nbare lines\r\n\r\n.\r\n..\r\n\u{feff}非 ASCII 的正文 \r no end";
        let id = house.put(envelope("x@far.test", &["ann+news@anser.test"]), raw).await;
        house.run().await;
        let prefix = format!("Return-Path: <x@far.test>\r\nDelivered-To: ann@anser.test\r\n{TRACE}");
        assert_eq!(house.mail("ann@anser.test").await, [format!("{prefix}{raw}")]);
        assert!(house.waiting().await.is_empty());
        assert_eq!(house.told_of(id).await, ["delivered ann+news@anser.test"]);
    });
}

#[test]
fn a_body_in_the_blob_store_arrives_whole() {
    on_each_engine(|house| async move {
        let raw = Arc::new(format!("Subject: large\r\n\r\n{}", "0123456789abcdef\r\n".repeat(60_000)));
        let content = house.store.put_body(TENANT, raw.as_bytes(), Durability::Sync).unwrap();
        let body = Body::in_blob(content.blob, raw.len() as u64);
        house.queue.put(envelope("", &["ann@anser.test", "bob@anser.test"]), body).await.unwrap();
        house.run().await;
        for who in ["ann@anser.test", "bob@anser.test"] {
            let mail = house.mail(who).await;
            assert!(mail[0].starts_with("Return-Path: <>\r\n") && mail[0].ends_with(raw.as_str()));
        }
    });
}

#[test]
fn everybody_in_a_group_gets_one_copy() {
    on_each_engine(|house| async move {
        let (all, team) = (address("all@anser.test"), address("team@anser.test"));
        house
            .directory
            .add_alias(&address("anna@anser.test"), AliasTarget::Account(house.account("ann@anser.test").await))
            .await
            .unwrap();
        let team_id = house.directory.add_group(&team, "Team").await.unwrap();
        let all_id = house.directory.add_group(&all, "All").await.unwrap();
        house.directory.add_members(team_id, vec![address("ann@anser.test")]).await.unwrap();
        house
            .directory
            .add_members(all_id, vec![team, address("anna@anser.test"), address("bob@anser.test")])
            .await
            .unwrap();
        // Ann is named three times over.
        house
            .put(envelope("x@far.test", &["all@anser.test", "ann@anser.test", "team@anser.test"]), &message("hi"))
            .await;
        house.run().await;
        assert_eq!(house.mail("ann@anser.test").await.len(), 1);
        assert_eq!(house.mail("bob@anser.test").await.len(), 1);
    });
}

#[test]
fn mail_to_a_suspended_account_waits() {
    on_each_engine(|house| async move {
        let ann = house.account("ann@anser.test").await;
        house.directory.suspend(ann).await.unwrap();
        let id = house.put(envelope("x@far.test", &["ann@anser.test"]), &message("hi")).await;
        house.run().await;
        assert_eq!(house.told_of(id).await, ["deferred ann@anser.test 4.2.1 the mailbox is suspended"]);
        house.directory.restore(ann).await.unwrap();
        house.run_after(std::time::Duration::from_secs(60)).await;
        assert_eq!(house.mail("ann@anser.test").await.len(), 1);
    });
}
