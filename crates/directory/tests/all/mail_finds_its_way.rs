//! Resolution of addresses, and who may write as them.

use std::rc::Rc;

use anser_base::Class;
use anser_directory::{AliasTarget, NewDomain, Resolution};

use crate::site::{Site, address, each_site};

/// A short text of where an address leads.
async fn way(site: &Site, text: &str) -> String {
    match site.directory.resolve(&address(text)).await.unwrap() {
        Resolution::Account(account) => format!("into {}", account.address),
        Resolution::Suspended(account) => format!("suspended {}", account.address),
        Resolution::Forward(outside) => format!("on to {outside}"),
        Resolution::Group(group) => {
            let accounts = group.accounts.iter().map(|account| account.address.to_string());
            let all: Vec<_> = accounts.chain(group.outside.iter().map(ToString::to_string)).collect();
            format!("to all of {}{}", all.join(" "), if group.truncated { " and more" } else { "" })
        }
        other => format!("{other:?}"),
    }
}

async fn expect(site: &Site, ways: &[(&str, &str)]) {
    for _ in 0..2 {
        for (text, expected) in ways {
            assert_eq!(way(site, text).await, *expected, "{text}");
        }
    }
}

#[test]
fn an_address_leads_to_its_account_in_any_writing() {
    each_site(|site: Rc<Site>| async move {
        site.add("josé@anser.test").await;
        site.directory.add_domain(NewDomain::new("例子.中国")).await.unwrap();
        site.add("陈雁@例子.中国").await;
        let ways = [
            ("ann@anser.test", "into ann@anser.test"),
            ("ANN@Anser.TEST", "into ann@anser.test"),
            ("ann+news@anser.test", "into ann@anser.test"),
            ("ann+a+b@anser.test", "into ann@anser.test"),
            ("\"ann\"@anser.test", "into ann@anser.test"),
            ("Jose\u{301}@anser.test", "into josé@anser.test"),
            ("陈雁@xn--fsqu00a.xn--fiqs8s", "into 陈雁@例子.中国"),
            ("+ann@anser.test", "NoSuchUser"),
            ("nobody@anser.test", "NoSuchUser"),
            ("ann@elsewhere.test", "NotLocal"),
            ("ann@[192.0.2.1]", "into ann@anser.test"),
            ("ann@[IPv6:2001:db8::1]", "into ann@anser.test"),
            ("ann@[198.51.100.1]", "NotLocal"),
        ];
        expect(&site, &ways).await;
    });
}

#[test]
fn every_domain_has_a_postmaster() {
    each_site(|site: Rc<Site>| async move {
        site.directory.add_domain(NewDomain::new("second.test")).await.unwrap();
        let root = "into root@anser.test";
        let ways = [
            ("postmaster@anser.test", root),
            ("Postmaster+x@second.test", root),
            ("postmaster@mail.anser.test", root),
            ("postmaster@[192.0.2.1]", root),
            ("ann@mail.anser.test", "NotLocal"),
            ("postmaster@elsewhere.test", "NotLocal"),
        ];
        expect(&site, &ways).await;
        assert!(matches!(site.directory.resolve_postmaster().await.unwrap(), Resolution::Account(_)));
        site.directory.set_postmaster("second.test", Some(&address("ann@anser.test"))).await.unwrap();
        expect(&site, &[("postmaster@second.test", "into ann@anser.test"), ("postmaster@anser.test", root)]).await;
        site.add("postmaster@anser.test").await;
        expect(&site, &[("postmaster@anser.test", "into postmaster@anser.test")]).await;
    });
}

#[test]
fn aliases_forwards_and_catch_alls_lead_on() {
    each_site(|site: Rc<Site>| async move {
        let (directory, ann) = (&site.directory, site.account("ann@anser.test").await);
        directory.add_domain(NewDomain::new("second.test")).await.unwrap();
        let mirror = NewDomain { alias_of: Some("anser.test".into()), ..NewDomain::new("mirror.test") };
        directory.add_domain(mirror).await.unwrap();
        directory.add_alias(&address("sales@second.test"), AliasTarget::Account(ann.id)).await.unwrap();
        let outside = AliasTarget::Outside(address("Archive@Elsewhere.test"));
        directory.add_alias(&address("archive@anser.test"), outside).await.unwrap();
        directory.set_catch_all("second.test", Some(&address("bob@anser.test"))).await.unwrap();
        let ways = [
            ("sales@second.test", "into ann@anser.test"),
            ("Sales+spring@second.test", "into ann@anser.test"),
            ("archive@anser.test", "on to Archive@elsewhere.test"),
            ("anything@second.test", "into bob@anser.test"),
            ("ann@mirror.test", "into ann@anser.test"),
            ("nobody@mirror.test", "NoSuchUser"),
            ("postmaster@mirror.test", "into root@anser.test"),
        ];
        expect(&site, &ways).await;
        directory.remove_alias(&address("sales@second.test")).await.unwrap();
        directory.set_domain_disabled("anser.test", true).await.unwrap();
        expect(&site, &[("sales@second.test", "into bob@anser.test"), ("ann@anser.test", "Disabled")]).await;
        let to_own = AliasTarget::Outside(address("ann@anser.test"));
        assert_eq!(directory.add_alias(&address("x@second.test"), to_own).await.unwrap_err().class, Class::Invalid);
    });
}

#[test]
fn a_suspended_account_says_so_and_a_removed_one_is_gone_until_restored() {
    each_site(|site: Rc<Site>| async move {
        let ann = site.account("ann@anser.test").await.id;
        site.directory.suspend(ann).await.unwrap();
        expect(&site, &[("ann@anser.test", "suspended ann@anser.test")]).await;
        site.directory.remove(ann).await.unwrap();
        expect(&site, &[("ann@anser.test", "NoSuchUser")]).await;
        site.directory.restore(ann).await.unwrap();
        expect(&site, &[("ann@anser.test", "into ann@anser.test")]).await;
    });
}

#[test]
fn groups_expand_to_everybody_once_and_never_contain_themselves() {
    each_site(|site: Rc<Site>| async move {
        let directory = &site.directory;
        let all = directory.add_group(&address("all@anser.test"), "Everybody").await.unwrap();
        let team = directory.add_group(&address("team@anser.test"), "").await.unwrap();
        let members = |texts: &[&str]| texts.iter().map(|text| address(text)).collect::<Vec<_>>();
        directory.add_members(team, members(&["bob@anser.test", "Guest@Elsewhere.test"])).await.unwrap();
        let nested = members(&["ann@anser.test", "BOB@anser.test", "team@anser.test", "Guest@elsewhere.test"]);
        directory.add_members(all, nested).await.unwrap();
        let everybody = "to all of ann@anser.test bob@anser.test Guest@elsewhere.test";
        expect(&site, &[("all@anser.test", everybody), ("ALL+x@anser.test", everybody)]).await;

        for (group, member) in [(team, "all@anser.test"), (team, "team@anser.test")] {
            let error = directory.add_members(group, members(&[member])).await.unwrap_err();
            assert_eq!(error.class, Class::Invalid);
        }
        let error = directory.add_members(team, members(&["nobody@anser.test"])).await.unwrap_err();
        assert_eq!(error.class, Class::NotFound);

        directory.remove_member(team, &address("bob@anser.test")).await.unwrap();
        directory.remove_group(all).await.unwrap();
        let ways = [("team@anser.test", "to all of Guest@elsewhere.test"), ("all@anser.test", "NoSuchUser")];
        expect(&site, &ways).await;
        assert_eq!(directory.groups(None).await.unwrap().len(), 1);
    });
}

#[test]
fn people_write_as_themselves_and_as_what_they_were_granted() {
    each_site(|site: Rc<Site>| async move {
        let directory = &site.directory;
        let (ann, root) = (site.account("ann@anser.test").await.id, site.account("root@anser.test").await.id);
        directory.add_alias(&address("sales@anser.test"), AliasTarget::Account(ann)).await.unwrap();
        let mirror = NewDomain { alias_of: Some("anser.test".into()), ..NewDomain::new("mirror.test") };
        directory.add_domain(mirror).await.unwrap();
        directory.grant_send_as(ann, &address("Bob@anser.test")).await.unwrap();
        directory.grant_send_as(ann, &address("ann@elsewhere.test")).await.unwrap();
        let asked = [
            (ann, "Ann@Anser.test", true),
            (ann, "ann+x@anser.test", true),
            (ann, "sales@anser.test", true),
            (ann, "ann@mirror.test", true),
            (ann, "bob@anser.test", true),
            (ann, "ann@elsewhere.test", true),
            (ann, "root@anser.test", false),
            (ann, "nobody@anser.test", false),
            (ann, "postmaster@anser.test", false),
            (root, "postmaster@anser.test", true),
            (root, "ann@anser.test", false),
        ];
        for (who, text, expected) in asked {
            assert_eq!(directory.may_send_as(who, &address(text)).await.unwrap(), expected, "{text}");
        }
        directory.revoke_send_as(ann, &address("bob@anser.test")).await.unwrap();
        assert!(!directory.may_send_as(ann, &address("bob@anser.test")).await.unwrap());
        assert_eq!(directory.granted_send_as(ann).await.unwrap(), [address("ann@elsewhere.test")]);
    });
}
