//! `/auth/logins` and `/auth/deliveries`.

use anser_base::{EntryId, MailboxId, MessageId};
use anser_directory::{AppPasswordKind, Attempt, Service, Services};
use anser_journal::{By, Entry, Origin, What};
use anser_testkit::door::PASSWORD;
use serde_json::{Value, json};

use crate::site::{Site, each_site};

fn note(site: &Site, origin: Origin, what: What) {
    site.door.runtime.block_on(site.door.journal.append(Entry { origin, what })).unwrap();
}

fn list(site: &Site, who: &str, path: &str) -> Value {
    site.door.runtime.block_on(site.door.journal.flush()).unwrap();
    let answer = site.page(who, "GET", path, None);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json()
}

#[test]
fn logins_are_told_to_whom_they_concern_and_nobody_else() {
    each_site(|site| {
        assert_eq!(site.sign_in("ann", "guess").status, 401);
        assert_eq!(site.sign_in("ann", PASSWORD).status, 200);
        assert_eq!(site.sign_in("bob", PASSWORD).status, 200);
        let (ann, directory) = (site.door.account("ann"), &site.door.directory);
        let phone = site.door.runtime.block_on(async {
            let made = directory.add_app_password(ann, AppPasswordKind::Typed, "telephone", Services::ALL, None).await;
            let source = "192.0.2.7".parse().unwrap();
            let made = made.unwrap();
            let attempt =
                Attempt { name: b"ann", password: made.password.as_bytes(), service: Service::Imap, source, tls: true };
            directory.authenticate(attempt).await.unwrap()
        });
        let by = By::of(phone.via.name(), phone.via.number());
        let what = What::Login { account: ann, user: "ann".into(), mechanism: "PLAIN".into(), by };
        note(site, Origin::peer("imap", "192.0.2.7".parse().unwrap()), what);
        let said = list(site, "ann", "/auth/logins");
        let [imap, web, guess] = said["list"].as_array().unwrap().as_slice() else { panic!("{said}") };
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(
            (imap["good"].as_bool(), text(imap, "by"), text(imap, "name")),
            (Some(true), "app-password".into(), "telephone".into())
        );
        assert_eq!((text(imap, "protocol"), text(imap, "source")), ("imap".into(), "192.0.2.7".into()));
        assert_eq!(
            (web["good"].as_bool(), text(web, "by"), text(web, "device")),
            (Some(true), "password".into(), "curl".into())
        );
        assert_eq!((guess["good"].as_bool(), text(guess, "reason")), (Some(false), "wrong".into()));
        assert_eq!(text(guess, "user"), "ann@anser.test");
        assert_eq!(said.get("next"), None);
        let bobs = list(site, "bob", "/auth/logins");
        assert_eq!(bobs["list"].as_array().unwrap().len(), 1, "{bobs}");
        assert_eq!(site.page("nobody", "GET", "/auth/logins", None).status, 401);
        assert_eq!(site.page("nobody", "GET", "/auth/deliveries", None).status, 401);
    });
}

#[test]
fn pages_follow_each_other_without_a_gap() {
    each_site(|site| {
        assert_eq!(site.sign_in("ann", PASSWORD).status, 200);
        let ann = site.door.account("ann");
        for number in 0..25 {
            let by = By::of("password", None);
            let what = What::Login { account: ann, user: "ann@anser.test".into(), mechanism: format!("N{number}"), by };
            note(site, Origin::peer("pop3", "192.0.2.7".parse().unwrap()), what);
        }
        let mut seen = Vec::new();
        let mut path = "/auth/logins?limit=10".to_owned();
        loop {
            let said = list(site, "ann", &path);
            seen.extend(
                said["list"].as_array().unwrap().iter().map(|one| one["mechanism"].as_str().unwrap().to_owned()),
            );
            let Some(next) = said["next"].as_str() else { break };
            assert_eq!(seen.len() % 10, 0, "a page is full while there is more");
            path = format!("/auth/logins?limit=10&before={next}");
        }
        let expected: Vec<String> =
            (0..25).rev().map(|number| format!("N{number}")).chain(["WEB".to_owned()]).collect();
        assert_eq!(seen, expected);
        for wrong in ["limit=x", "before=x", "before=1-2-3", "limit=-1"] {
            assert_eq!(site.page("ann", "GET", &format!("/auth/logins?{wrong}"), None).status, 400, "{wrong}");
        }
    });
}

#[test]
fn deliveries_say_what_became_of_what_came_and_of_what_was_sent() {
    each_site(|site| {
        assert_eq!(site.sign_in("ann", PASSWORD).status, 200);
        assert_eq!(site.sign_in("bob", PASSWORD).status, 200);
        let (ann, bob) = (site.door.account("ann"), site.door.account("bob"));
        let smtp = || Origin::peer("smtp", "192.0.2.9".parse().unwrap());
        let accepted = |entry, id: &str, sender: &str, recipients: &[&str], account| What::Accepted {
            entry: EntryId(entry),
            message_id: Some(id.into()),
            sender: sender.into(),
            recipients: recipients.iter().map(|&one| one.into()).collect(),
            size: 9,
            account,
            parent: None,
        };
        let delivered = |entry, recipient: &str, account, message| What::Delivered {
            entry: EntryId(entry),
            recipient: recipient.into(),
            account,
            mailbox: MailboxId(4),
            message: MessageId(message),
        };
        note(
            site,
            smtp(),
            accepted(1, "in@far.test", "eve@far.test", &["ann+news@anser.test", "bob@anser.test"], None),
        );
        note(site, Origin::internal(), delivered(1, "ann+news@anser.test", ann, 11));
        note(site, Origin::internal(), delivered(1, "bob@anser.test", bob, 12));
        let refused = What::Refused {
            stage: "rcpt".into(),
            sender: "spam@far.test".into(),
            recipients: vec!["Ann@anser.test".into()],
            message_id: None,
            why: "550 no".into(),
        };
        note(site, smtp(), refused);
        let sent = accepted(
            2,
            "out@anser.test",
            "ann@anser.test",
            &["bob@anser.test", "eve@far.test", "zoe@far.test"],
            Some(ann),
        );
        note(site, Origin::peer("submission", "192.0.2.8".parse().unwrap()), sent);
        note(site, Origin::internal(), delivered(2, "bob@anser.test", bob, 13));
        let (entry, recipient, host) = (EntryId(2), "eve@far.test".to_owned(), Some("mx.far.test".to_owned()));
        let deferred = What::Deferred { entry, recipient: recipient.clone(), host, why: "451 later".into(), next: 0 };
        note(site, Origin::internal(), deferred);
        let relayed = What::Relayed { entry, recipient, host: "mx.far.test".into(), reply: "250 ok".into() };
        note(site, Origin::internal(), relayed);

        let said = list(site, "ann", "/auth/deliveries");
        let [sent, refused, came] = said["list"].as_array().unwrap().as_slice() else { panic!("{said}") };
        assert_eq!(
            (&came["way"], &came["what"], &came["sender"]),
            (&json!("in"), &json!("delivered"), &json!("eve@far.test"))
        );
        assert_eq!(
            (&came["mailboxId"], &came["emailId"], &came["messageId"]),
            (&json!("F4"), &json!("M11"), &json!("in@far.test"))
        );
        assert_eq!(came["recipient"], "ann+news@anser.test");
        assert!(!came.to_string().contains("bob"), "a blind copy stays blind: {came}");
        assert_eq!(
            (&refused["what"], &refused["why"], &refused["recipient"]),
            (&json!("refused"), &json!("550 no"), &json!("Ann@anser.test"))
        );
        let fates: Vec<(&str, &str)> = sent["recipients"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["recipient"].as_str().unwrap(), one["what"].as_str().unwrap()))
            .collect();
        assert_eq!(fates, [("bob@anser.test", "delivered"), ("eve@far.test", "relayed"), ("zoe@far.test", "waiting")]);
        assert_eq!(
            (&sent["recipients"][1]["host"], &sent["recipients"][1]["why"]),
            (&json!("mx.far.test"), &json!("250 ok"))
        );
        assert!(!sent.to_string().contains("M13"), "where it lies with others is theirs");
        let bobs = list(site, "bob", "/auth/deliveries");
        let came: Vec<&str> =
            bobs["list"].as_array().unwrap().iter().map(|one| one["emailId"].as_str().unwrap()).collect();
        assert_eq!(came, ["M13", "M12"]);
    });
}
