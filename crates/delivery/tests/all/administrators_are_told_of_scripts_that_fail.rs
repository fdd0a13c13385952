use std::time::Duration;

use anser_directory::Locale;
use anser_directory::scripts::{Place, ScriptOwner};

use crate::house::{House, address, envelope, message, on_each_engine};

const ANN: &str = "ann@anser.test";
const BOB: &str = "bob@anser.test";
const CHO: &str = "cho@anser.test";
/// Fails on every message: what it includes is not there.
const FAILING: &[u8] = b"require \"include\";\n\ninclude :global \"missing\";\n";
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Scripts of the house and of the domain fail; Bob reads the domain's postmaster mail.
async fn furnished(house: &House) {
    house.add(CHO).await;
    let bob = house.account(BOB).await;
    house.directory.set_locale(bob, Locale::En).await.unwrap();
    house.directory.set_postmaster("anser.test", Some(&address(BOB))).await.unwrap();
    let domain = house.directory.domain("anser.test").await.unwrap().unwrap().id;
    for owner in [ScriptOwner::House, ScriptOwner::Domain(domain)] {
        house.directory.put_script(owner, "sorting", FAILING).await.unwrap();
        house.directory.place_script(owner, "sorting", Place::Before).await.unwrap();
    }
}

/// The subjects of what was told, sorted: reports that are due together come in any order.
async fn told(house: &House) -> Vec<String> {
    let subject = |raw: String| {
        let value = anser_mime::header::value(raw.as_bytes(), "Subject").unwrap_or_default();
        anser_mime::text::decode_header(&value)
    };
    let mut subjects: Vec<String> = house.mail(BOB).await.into_iter().map(subject).collect();
    subjects.sort();
    subjects
}

#[test]
fn once_a_day_for_each_script_whoever_gets_the_mail() {
    on_each_engine(|house| async move {
        furnished(&house).await;
        let first = house.put(envelope("x@far.test", &[ANN]), &message("one")).await;
        house.run().await;
        let both = [
            "The mail rules \"sorting\" of the domain anser.test failed",
            "The mail rules \"sorting\" of the house failed",
        ];
        assert_eq!(told(&house).await, both);
        for text in ["From: Mail system <postmaster@anser.test>", "Auto-Submitted: auto-generated", "Return-Path: <>"] {
            assert!(house.mail(BOB).await[0].contains(text), "{text}");
        }
        let acts = house.told_of(first).await;
        assert!(acts.contains(&"failure told to postmaster@anser.test by house:sorting:3".to_owned()), "{acts:?}");

        for who in [ANN, CHO, ANN] {
            house.put(envelope("x@far.test", &[who]), &message("more")).await;
            house.run().await;
        }
        assert_eq!(told(&house).await.len(), 2);
        assert_eq!([house.mail(ANN).await.len(), house.mail(CHO).await.len()], [3, 1], "every message is kept, once");

        house.clock.advance(DAY);
        house.put(envelope("x@far.test", &[CHO]), &message("next")).await;
        house.run().await;
        assert_eq!(told(&house).await.len(), 4);
    });
}

#[test]
fn a_matter_is_left_alone_for_its_time() {
    on_each_engine(|house| async move {
        let directory = &house.directory;
        for (about, pause, is_time) in
            [("one", DAY, true), ("one", DAY, false), ("two", DAY * 2, true), ("two", DAY, false)]
        {
            assert_eq!(directory.is_time_to_tell(about, pause).await.unwrap(), is_time, "{about}");
        }
        house.clock.advance(DAY);
        assert!(directory.is_time_to_tell("one", DAY).await.unwrap());
        assert!(!directory.is_time_to_tell("two", DAY).await.unwrap());
    });
}
