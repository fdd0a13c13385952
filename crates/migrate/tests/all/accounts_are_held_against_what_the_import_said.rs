//! VER: accounts and lists are held against what the old system's export said of them, and the report tells what is other.

use std::collections::HashSet;

use anser_base::{Address, Clock};
use anser_directory::admin::people::IMPORTED;
use anser_directory::scripts::ScriptOwner;
use anser_directory::{Incoming, Stored};
use anser_migrate::imported::Imported;

use crate::fake::{Fake, Habits, folder};
use crate::office::{MOVE, each_office};

fn address(name: &str) -> Address {
    Address::parse(&format!("{name}@anser.test")).unwrap()
}

fn person(name: &str, password: Option<&str>) -> Incoming {
    Incoming {
        address: address(name),
        name: Some(name.to_owned()),
        department: Some("学校/信息中心".to_owned()),
        signature: None,
        password: password.map(|password| Stored(format!("{{PLAIN}}{password}"))),
        must_change: false,
        quota: Some(1 << 30),
        locale: None,
        active: Some(true),
        aliases: vec![address(&format!("{name}.alias"))],
        script: Some("redirect \"x@else.test\";\r\n".to_owned()),
    }
}

#[test]
fn every_account_is_as_it_was_said_or_named_with_what_is_other() {
    each_office(&[], &Clock::System, async |office| {
        let fake = Fake::start(vec![folder("INBOX", Vec::new())], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        let people = ["bob", "carl", "dora", "eve"].map(|name| person(name, (name != "dora").then_some("secret")));
        let mut imported: Vec<Imported> = people.iter().map(Imported::from).collect();
        imported.push(Imported::list(&address("all"), &[address("bob"), address("carl")]));
        let directory = &office.directory;
        directory.bring_people(people[..3].to_vec(), HashSet::new(), true).await.unwrap();
        let group = directory.add_group(&address("all"), "all").await.unwrap();
        directory.add_members(group, vec![address("bob"), address("carl"), address("ann")]).await.unwrap();
        assert_eq!(office.migrate.hold_accounts(MOVE).await.unwrap(), [], "no import was with this move");
        for _ in 0..2 {
            office.migrate.remember_imported(MOVE, imported.clone()).await.unwrap();
        }
        let held = async || {
            let held = office.migrate.hold_accounts(MOVE).await.unwrap().into_iter();
            held.map(|one| format!("{} {} {}", one.address, one.state, one.fields.join(","))).collect::<Vec<_>>()
        };
        let wanted = ["all@anser.test same ", "bob@anser.test same ", "carl@anser.test same "];
        let lacks = ["dora@anser.test other password", "eve@anser.test missing "];
        assert_eq!(held().await, [&wanted[..], &lacks].concat());

        let bob = directory.account_by_address(&address("bob")).await.unwrap().unwrap();
        directory.set_quota(bob.id, 5).await.unwrap();
        directory.remove_alias(&address("bob.alias")).await.unwrap();
        directory.remove_member(group, &address("carl")).await.unwrap();
        let wanted = ["all@anser.test other members", "bob@anser.test other quota,aliases", "carl@anser.test same "];
        assert_eq!(held().await, [&wanted[..], &lacks].concat());
        let report = office.migrate.signed_report(MOVE, Vec::new(), "html").await.unwrap();
        assert!(report.contains("与旧系统导出一致: 1 / 5") && report.contains("quota, aliases"), "{report}");
        assert!(!report.contains("carl@anser.test"), "what is as it was said is counted");
        let report = office.migrate.signed_report(MOVE, Vec::new(), "json").await.unwrap();
        assert!(report.contains("\"address\":\"eve@anser.test\"") && !report.contains("secret"), "{report}");
        let report = office.migrate.signed_report(MOVE, Vec::new(), "csv").await.unwrap();
        assert!(report.contains("\"bob@anser.test\",\"other\",\"quota aliases\",\"\",\"\"\r\n"), "{report}");
        let report = office.migrate.signed_report(MOVE, vec!["ann@anser.test".to_owned()], "json").await.unwrap();
        assert!(report.contains("\"accounts\":[]"), "of one mailbox, nobody else's: {report}");

        let carl = directory.account_by_address(&address("carl")).await.unwrap().unwrap().id;
        let rules = b"redirect \"y@else.test\";\r\n";
        directory.put_script(ScriptOwner::Account(carl), IMPORTED, rules).await.unwrap();
        assert_eq!(held().await[2], "carl@anser.test other rules", "they say something else");
        directory.remove(bob.id).await.unwrap();
        office.migrate.forget_account(bob.id).await.unwrap();
        directory.purge(bob.id).await.unwrap();
        let left: Vec<String> = held().await.iter().map(|one| one.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(left, ["all@anser.test", "carl@anser.test", "dora@anser.test", "eve@anser.test"]);
    });
}
