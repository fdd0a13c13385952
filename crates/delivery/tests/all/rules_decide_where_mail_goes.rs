use anser_base::Timestamp;
use anser_directory::scripts::{Place, ScriptOwner};

use crate::house::{House, envelope, message, on_each_engine};

const FROM: &str = "x@far.test";
const ANN: &str = "ann@anser.test";

async fn send(house: &House, raw: &str) -> anser_base::EntryId {
    let id = house.put(envelope(FROM, &[ANN]), raw).await;
    house.run().await;
    id
}

#[test]
fn a_message_is_filed_with_its_flags_into_mailboxes_that_are_made() {
    on_each_engine(|house| async move {
        house
            .script(
                ANN,
                "require [\"fileinto\", \"mailbox\", \"imap4flags\", \"copy\"];\n\
                 fileinto :create :flags [\"\\\\Seen\", \"$Work\"] \"项目/Anser\";\n\
                 fileinto :copy \"Archive\";\n",
            )
            .await;
        let id = send(&house, &message("one")).await;
        assert!(house.mail(ANN).await.is_empty());
        let filed = house.folder(ANN, "项目/Anser").await.unwrap();
        assert!(filed[0].starts_with("1 [\"$Work\"] Return-Path: <x@far.test>\r\nDelivered-To: ann@anser.test\r\n"));
        assert_eq!(house.folder(ANN, "Archive").await.unwrap().len(), 1);
        let told = house.told_of(id).await;
        assert_eq!(
            told,
            [
                "fileinto \"项目/Anser\" by main:2",
                "fileinto \"Archive\" by main:3",
                "delivered ann@anser.test",
                "delivered ann@anser.test"
            ]
        );
    });
}

#[test]
fn a_mailbox_that_is_missing_leaves_the_message_in_the_inbox() {
    on_each_engine(|house| async move {
        house.script(ANN, "require \"fileinto\";\nfileinto \"Nowhere\";\nkeep;\n").await;
        let id = send(&house, &message("one")).await;
        assert_eq!(house.mail(ANN).await.len(), 1);
        assert!(house.told_of(id).await[1].contains("not done, kept"));
    });
}

#[test]
fn mailboxes_are_found_by_their_use_and_by_their_id() {
    on_each_engine(|house| async move {
        house
            .script(
                ANN,
                "require [\"fileinto\", \"special-use\", \"mailboxid\"];\n\
                 if header :contains \"subject\" \"junk\" { fileinto :specialuse \"\\\\Junk\" \"x\"; }\n\
                 else { fileinto :mailboxid \"F4\" \"y\"; }\n",
            )
            .await;
        send(&house, &message("junk")).await;
        send(&house, &message("other")).await;
        assert_eq!(house.folder(ANN, "Junk").await.unwrap().len(), 1);
        assert_eq!(house.folder(ANN, "Archive").await.unwrap().len(), 1);
    });
}

#[test]
fn a_changed_header_is_stored_and_sent_on() {
    on_each_engine(|house| async move {
        house
            .script(
                ANN,
                "require [\"editheader\", \"copy\"];\naddheader \"X-Checked\" \"yes\";\nredirect :copy \"bob@anser.test\";\n",
            )
            .await;
        send(&house, &message("one")).await;
        let (ann, bob) = (house.mail(ANN).await, house.mail("bob@anser.test").await);
        assert!(ann[0].starts_with("X-Checked: yes\r\nReturn-Path: <x@far.test>\r\n"), "{}", ann[0]);
        assert!(bob[0].starts_with(
            "Return-Path: <x@far.test>\r\nDelivered-To: bob@anser.test\r\nDelivered-To: ann@anser.test\r\nX-Checked: yes\r\nReceived:"
        ), "{}", bob[0]);
    });
}

#[test]
fn scripts_of_the_house_and_of_the_domain_run_around_the_own_one() {
    on_each_engine(|house| async move {
        let domain = house.directory.domain("anser.test").await.unwrap().unwrap().id;
        let flag = |word: &str| format!("require \"imap4flags\";\naddflag \"{word}\";\n");
        for (owner, name, place) in [
            (ScriptOwner::House, "first", Place::Before),
            (ScriptOwner::Domain(domain), "second", Place::Before),
            (ScriptOwner::House, "last", Place::After),
        ] {
            house.directory.put_script(owner, name, flag(name).as_bytes()).await.unwrap();
            house.directory.place_script(owner, name, place).await.unwrap();
        }
        house.script(ANN, "require [\"imap4flags\"];\nif hasflag \"second\" { addflag \"own\"; }\n").await;
        send(&house, &message("one")).await;
        let found = &house.folder(ANN, "INBOX").await.unwrap()[0];
        assert!(found.starts_with("0 [\"first\", \"last\", \"own\", \"second\"]"), "{found}");
    });
}

#[test]
fn scripts_are_included_from_the_account_and_from_the_house() {
    on_each_engine(|house| async move {
        let own = ScriptOwner::Account(house.account(ANN).await);
        let text = b"require [\"include\", \"fileinto\"];\nif header \"subject\" \"a\" { fileinto \"Junk\"; stop; }\n";
        house.directory.put_script(own, "ads", text).await.unwrap();
        let text = b"require [\"fileinto\"];\nfileinto \"Archive\";\n";
        house.directory.put_script(ScriptOwner::House, "old", text).await.unwrap();
        house.script(ANN, "require \"include\";\ninclude :personal \"ads\";\ninclude :global \"old\";\n").await;
        send(&house, &message("a")).await;
        send(&house, &message("b")).await;
        assert_eq!(house.folder(ANN, "Junk").await.unwrap().len(), 1);
        assert_eq!(house.folder(ANN, "Archive").await.unwrap().len(), 1);
    });
}

#[test]
fn a_duplicate_is_known_for_as_long_as_the_script_says() {
    on_each_engine(|house| async move {
        house.script(ANN, "require [\"duplicate\"];\nif duplicate :seconds 600 { discard; }\n").await;
        let id = send(&house, &message("one")).await;
        let again = send(&house, &message("one")).await;
        assert_eq!(house.mail(ANN).await.len(), 1);
        assert_eq!(house.told_of(id).await, ["delivered ann@anser.test"]);
        assert_eq!(house.told_of(again).await, ["discard by main:2"]);
        house.clock.advance(std::time::Duration::from_secs(601));
        send(&house, &message("one")).await;
        assert_eq!(house.mail(ANN).await.len(), 2);
    });
}

#[test]
fn lists_are_the_people_of_the_house() {
    on_each_engine(|house| async move {
        let group = house.directory.add_group(&crate::house::address("staff@anser.test"), "Staff").await.unwrap();
        house.directory.add_members(group, vec![crate::house::address("bob@anser.test")]).await.unwrap();
        house
            .script(
                ANN,
                "require [\"extlists\", \"copy\", \"fileinto\"];\n\
                 if address :list \"from\" \"urn:ietf:params:sieve:addrbook:default\" { redirect :copy :list \"staff@anser.test\"; }\n\
                 else { fileinto \"Junk\"; }\n",
            )
            .await;
        send(&house, &message("inside")).await;
        send(&house, &message("outside").replace("From: bob@anser.test", "From: eve@far.test")).await;
        assert_eq!(house.mail(ANN).await.len(), 1);
        assert_eq!(house.mail("bob@anser.test").await.len(), 1);
        assert_eq!(house.folder(ANN, "Junk").await.unwrap().len(), 1);
    });
}

#[test]
fn a_script_that_fails_keeps_the_message_and_its_owner_is_told_once() {
    on_each_engine(|house| async move {
        let runaway = "require [\"regex\", \"fileinto\", \"foreverypart\", \"mime\", \"variables\"];\n\
             set \"a\" \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\";\n"
            .to_owned()
            + &"set \"a\" \"${a}${a}\";\n".repeat(60)
            + &"if string :matches \"${a}\" \"*y*z*x*y\" { discard; }\n".repeat(400)
            + "discard;\n";
        house.script(ANN, &runaway).await;
        let id = send(&house, &message("one")).await;
        send(&house, &message("two")).await;
        let mail = house.mail(ANN).await;
        assert_eq!(mail.len(), 3, "two messages and one notice");
        assert_eq!(mail.iter().filter(|raw| raw.contains("Auto-Submitted: auto-generated")).count(), 1);
        assert!(house.told_of(id).await[0].starts_with("failed, kept: the script"), "{:?}", house.told_of(id).await);
    });
}

#[test]
fn a_message_for_two_addresses_of_one_person_passes_the_rules_once() {
    on_each_engine(|house| async move {
        house.script(ANN, "redirect \"bob@anser.test\";\n").await;
        house.put(envelope(FROM, &[ANN, "ann+x@anser.test"]), &message("one")).await;
        house.run().await;
        assert!(house.mail(ANN).await.is_empty());
        assert_eq!(house.mail("bob@anser.test").await.len(), 1);
    });
}

#[test]
fn the_time_is_the_owners() {
    on_each_engine(|house| async move {
        // 08:00 UTC is the afternoon where the owner lives.
        assert_eq!(house.clock.now(), Timestamp(1_800_000_000_000));
        house
            .script(
                ANN,
                "require [\"date\", \"fileinto\"];\nif currentdate :is \"hour\" \"16\" { fileinto \"Junk\"; }\n",
            )
            .await;
        send(&house, &message("one")).await;
        assert_eq!(house.folder(ANN, "Junk").await.unwrap().len(), 1);
    });
}

#[test]
fn days_begin_where_the_owner_lives_in_summer_as_in_winter() {
    on_each_engine(|house| async move {
        let ann = house.account(ANN).await;
        let zone = anser_directory::TimeZone::parse("Europe/Berlin").unwrap();
        house.directory.set_time_zone(ann, Some(&zone)).await.unwrap();
        house
            .script(
                ANN,
                "require [\"date\", \"imap4flags\", \"variables\"];\n\
                 if date :matches \"date\" \"iso8601\" \"*\" { addflag \"d:${1}\"; }\n\
                 if currentdate :matches \"iso8601\" \"*\" { addflag \"n:${1}\"; }\n",
            )
            .await;
        let (winter, summer) = (1_800_055_800, 1_815_693_600);
        for (now, date) in [
            (winter, "Thu, 15 Jan 2026 23:30:00 +0000"),
            (summer, "Wed, 15 Jul 2026 23:30:00 +0000"),
            (summer + 1, "Thu, 15 Jan 2026 23:30:00 +0000"),
        ] {
            house.clock.advance(Timestamp::from_secs(now).since(house.clock.now()));
            send(&house, &format!("Date: {date}\r\nSubject: x\r\n\r\nhello\r\n")).await;
        }
        let found = house.folder(ANN, "INBOX").await.unwrap();
        let expected = [
            ["d:2026-01-16t00:30:00+01:00", "n:2027-01-16t00:30:00+01:00"],
            ["d:2026-07-16t01:30:00+02:00", "n:2027-07-16t01:20:00+02:00"],
            ["d:2026-01-16t00:30:00+01:00", "n:2027-07-16t01:20:01+02:00"],
        ];
        for (found, expected) in found.iter().zip(expected) {
            for text in expected {
                assert!(found.to_lowercase().contains(text), "{text}: {found}");
            }
        }
        assert_eq!(found.len(), 3);
    });
}
