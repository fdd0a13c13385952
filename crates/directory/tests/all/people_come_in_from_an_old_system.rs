//! People brought in by the thousand.

use std::collections::HashSet;

use anser_directory::admin::people::IMPORTED;
use anser_directory::scripts::{Place, ScriptOwner};
use anser_directory::{AccountState, AliasTarget, Incoming, Password, Stored, Verdict};

use crate::site::{HOME, PASSWORD, address, each_site};

fn somebody(text: &str) -> Incoming {
    Incoming {
        address: address(text),
        name: Some("Somebody".into()),
        department: Some("School/IT".into()),
        signature: None,
        password: None,
        must_change: false,
        quota: Some(1 << 30),
        locale: None,
        active: None,
        aliases: Vec::new(),
        script: None,
    }
}

fn with(text: &str, stored: &str) -> Incoming {
    Incoming { password: Some(Stored(stored.into())), ..somebody(text) }
}

#[test]
fn the_same_again_changes_nothing_and_what_is_other_changes_that() {
    each_site(|site| async move {
        let directory = &site.directory;
        let bring = async |one: &Incoming, apply| {
            let mut all = directory.bring_people(vec![one.clone()], HashSet::new(), apply).await.unwrap();
            all.remove(0)
        };
        let mut carl = with("Carl@anser.test", "{PLAIN}first words");
        carl.aliases = vec![address("c@anser.test")];
        carl.script = Some("keep;".into());
        assert_eq!(bring(&carl, false).await.verdict, Verdict::New);
        assert!(directory.account_by_address(&address("carl@anser.test")).await.unwrap().is_none(), "a dry run is dry");
        assert_eq!(bring(&carl, true).await.verdict, Verdict::New);
        assert_eq!(bring(&carl, true).await.verdict, Verdict::Same);
        let account = site.account("carl@anser.test").await;
        assert_eq!((account.name.as_str(), account.quota_bytes), ("Somebody", 1 << 30));
        assert_eq!(directory.profile(account.id).await.unwrap().department, "School/IT");
        assert_eq!(directory.alias(&address("c@anser.test")).await.unwrap(), Some(AliasTarget::Account(account.id)));
        let running = directory.running_scripts(ScriptOwner::Account(account.id)).await.unwrap();
        assert_eq!((running.scripts[0].name.as_str(), running.scripts[0].place), (IMPORTED, Place::Active));

        carl.name = Some("Carl".into());
        carl.quota = Some(5);
        carl.password = Some(Stored("{PLAIN}second words".into()));
        carl.aliases.push(address("cc@anser.test"));
        carl.active = Some(false);
        carl.script = Some("discard;".into());
        let changed = Verdict::Changed(vec!["name", "password", "quota", "state", "aliases"]);
        assert_eq!(bring(&carl, true).await.verdict, changed, "rules are put once");
        assert_eq!(bring(&carl, true).await.verdict, Verdict::Same);
        assert_eq!(site.account("carl@anser.test").await.state, AccountState::Suspended);
        carl.active = Some(true);
        bring(&carl, true).await;
        site.login("carl@anser.test", b"second words", HOME).await.unwrap();
        carl.password = Some(Stored("{PLAIN}third words".into()));
        assert_eq!(bring(&carl, true).await.verdict, Verdict::Same, "what was used here is ours");
        site.login("carl@anser.test", b"second words", HOME).await.unwrap();
    });
}

#[test]
fn one_that_cannot_be_stops_nobody_else() {
    each_site(|site| async move {
        let gone = site.add("gone@anser.test").await;
        site.directory.remove(gone).await.unwrap();
        let taken = Incoming { aliases: vec![address("bob@anser.test")], ..somebody("dora@anser.test") };
        let own = Incoming { aliases: vec![address("ann@anser.test")], ..somebody("ann@anser.test") };
        site.directory
            .add_alias(&address("info@anser.test"), AliasTarget::Outside(address("x@else.test")))
            .await
            .unwrap();
        let people = vec![
            with("hash@anser.test", "{FOO}bar"),
            somebody("x@elsewhere.test"),
            taken,
            somebody("gone@anser.test"),
            somebody("info@anser.test"),
            somebody("erik@anser.test"),
            own,
            somebody("erik@anser.test"),
            somebody("new@soon.test"),
        ];
        let soon = HashSet::from(["soon.test".to_owned()]);
        for apply in [false, true] {
            let people = if apply { people[..8].to_vec() } else { people.clone() };
            let outcomes = site.directory.bring_people(people, soon.clone(), apply).await.unwrap();
            let kinds: String = outcomes
                .iter()
                .map(|outcome| match outcome.verdict {
                    Verdict::New => 'n',
                    Verdict::Changed(_) => 'c',
                    Verdict::Same => 's',
                    Verdict::Refused(_) => 'r',
                })
                .collect();
            assert_eq!(kinds, if apply { "rrrrrncs" } else { "rrrrrncnn" });
        }
        assert!(site.directory.account_by_address(&address("dora@anser.test")).await.unwrap().is_none());
        site.login("ann@anser.test", PASSWORD, HOME).await.unwrap();
    });
}

#[test]
fn locked_hashes_stay_locked_and_who_lacks_a_password_is_told() {
    each_site(|site| async move {
        let people = vec![with("locked@anser.test", "{CRYPT}!$6$a$b"), somebody("none@anser.test")];
        let outcomes = site.directory.bring_people(people, HashSet::new(), true).await.unwrap();
        assert_eq!(outcomes.iter().map(|outcome| outcome.lacks_password).collect::<Vec<_>>(), [false, true]);
        for name in ["locked@anser.test", "none@anser.test"] {
            site.login(name, b"x", HOME).await.unwrap_err();
        }
        let first = site.directory.first_password();
        assert_eq!(first.len(), 19);
        let slip = Incoming { must_change: true, ..with("none@anser.test", &format!("{{PLAIN}}{first}")) };
        site.directory.bring_people(vec![slip], HashSet::new(), true).await.unwrap();
        assert!(site.account("none@anser.test").await.must_change_password);
        let failure = site.login("none@anser.test", first.as_bytes(), HOME).await.unwrap_err();
        assert_eq!(failure.reason, anser_directory::Refusal::MustChange);
        site.directory
            .set_password(site.account("none@anser.test").await.id, &Password::Plain(b"own".into()), false)
            .await
            .unwrap();
        site.login("none@anser.test", b"own", HOME).await.unwrap();
    });
}
