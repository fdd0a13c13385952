//! Administration.

use std::rc::Rc;

use anser_base::{Class, Timestamp};
use anser_directory::{
    AccountFilter, AccountState, AliasTarget, Locale, NewAccount, NewDomain, Password, Resolution, Role, Services,
};

use crate::site::{HOME, PASSWORD, Site, address, each_site};

#[test]
fn settings_of_an_account_are_kept() {
    each_site(|site: Rc<Site>| async move {
        let (directory, id) = (&site.directory, site.account("ann@anser.test").await.id);
        directory.set_name(id, " Ann \"O'Neil\" 安 ").await.unwrap();
        directory.set_quota(id, 5 << 30).await.unwrap();
        directory.set_locale(id, Locale::En).await.unwrap();
        directory.set_services(id, Services::IMAP.with(Services::SUBMISSION)).await.unwrap();
        directory.set_role(id, Role::Audit).await.unwrap();
        directory.set_pop3_options(id, "uidl=old").await.unwrap();
        let ann = directory.account(id).await.unwrap().unwrap();
        assert_eq!(ann.name, "Ann \"O'Neil\" 安");
        assert_eq!((ann.quota_bytes, ann.locale, ann.role), (5 << 30, Locale::En, Role::Audit));
        assert_eq!((ann.services.names(), ann.pop3_options.as_str()), (vec!["submission", "imap"], "uidl=old"));
        let nobody = anser_base::AccountId(999);
        assert_eq!(directory.set_name(nobody, "x").await.unwrap_err().class, Class::NotFound);
        assert_eq!(directory.set_quota(id, u64::MAX).await.unwrap_err().class, Class::Invalid);
        assert_eq!(directory.set_name(id, "a\nb").await.unwrap_err().class, Class::Invalid);
        assert_eq!(directory.account(nobody).await.unwrap(), None);
    });
}

#[test]
fn listings_come_in_pages_and_by_filter() {
    each_site(|site: Rc<Site>| async move {
        let directory = &site.directory;
        let mut all = Vec::new();
        for n in 0..25 {
            all.push(site.person(&format!("user_{n:02}@anser.test")).await);
        }
        let ids = directory.add_accounts(all).await.unwrap();
        assert!(ids.is_sorted() && ids.len() == 25);
        let (mut filter, mut found) = (AccountFilter { limit: 10, ..AccountFilter::default() }, Vec::new());
        loop {
            let page = directory.accounts(filter.clone()).await.unwrap();
            found.extend(page.accounts.into_iter().map(|account| account.address.to_string()));
            filter.after = page.next;
            if filter.after.is_none() {
                break;
            }
        }
        assert!(found.is_sorted() && found.len() == 28);
        let count = async |filter: AccountFilter| directory.accounts(filter).await.unwrap().accounts.len();
        let text = |text: &str| AccountFilter { text: Some(text.into()), ..AccountFilter::default() };
        assert_eq!(count(text("USER_1")).await, 10);
        assert_eq!(count(text("%")).await, 0);
        directory.remove(ids[0]).await.unwrap();
        let removed = AccountFilter { state: Some(AccountState::Removed), ..AccountFilter::default() };
        assert_eq!(count(removed).await, 1);
        let domain = AccountFilter { domain: Some("Anser.test".into()), ..AccountFilter::default() };
        assert_eq!(count(domain).await, 28);
        let missing = AccountFilter { domain: Some("no.test".into()), ..AccountFilter::default() };
        assert_eq!(directory.accounts(missing).await.unwrap_err().class, Class::NotFound);
        assert_eq!(directory.account_count().await.unwrap(), 27);
    });
}

#[test]
fn many_accounts_come_all_or_not_at_all() {
    each_site(|site: Rc<Site>| async move {
        let directory = &site.directory;
        let secret = directory.make_secret(b"first-password").await.unwrap();
        let new = |name: &str| NewAccount::new(address(&format!("{name}@anser.test")), Password::Made(secret.clone()));
        let error = directory.add_accounts(vec![new("x1"), new("ann"), new("x2")]).await.unwrap_err();
        assert_eq!(error.class, Class::Exists);
        assert!(error.text.en.contains("ann@anser.test"));
        assert_eq!(directory.account_count().await.unwrap(), 3);
        let many = (0..2000).map(|n| new(&format!("p{n}"))).collect();
        assert_eq!(directory.add_accounts(many).await.unwrap().len(), 2000);
        site.login("p1999", b"first-password", HOME).await.unwrap();
        assert!(directory.add_accounts(Vec::new()).await.unwrap().is_empty());
        let elsewhere = NewAccount::new(address("ann@elsewhere.test"), Password::None);
        assert_eq!(directory.add_account(elsewhere).await.unwrap_err().class, Class::NotFound);
    });
}

#[test]
fn a_removed_account_comes_back_whole_and_a_purged_one_frees_its_addresses() {
    each_site(|site: Rc<Site>| async move {
        let (directory, ann) = (&site.directory, site.account("ann@anser.test").await.id);
        directory.add_alias(&address("sales@anser.test"), AliasTarget::Account(ann)).await.unwrap();
        let group = directory.add_group(&address("team@anser.test"), "Team").await.unwrap();
        let members = vec![address("sales@anser.test"), address("bob@anser.test")];
        directory.add_members(group, members).await.unwrap();
        assert_eq!(directory.purge(ann).await.unwrap_err().class, Class::Conflict);
        directory.remove(ann).await.unwrap();
        let removed = directory.account(ann).await.unwrap().unwrap();
        assert_eq!((removed.state, removed.removed), (AccountState::Removed, Some(site.clock.now())));
        assert_eq!(directory.suspend(ann).await.unwrap_err().class, Class::Conflict);
        let again = site.person("ann@anser.test").await;
        assert_eq!(directory.add_account(again.clone()).await.unwrap_err().class, Class::Exists);
        directory.restore(ann).await.unwrap();
        assert!(matches!(directory.resolve(&address("sales@anser.test")).await.unwrap(), Resolution::Account(_)));
        directory.remove(ann).await.unwrap();
        directory.purge(ann).await.unwrap();
        assert_eq!(directory.account(ann).await.unwrap(), None);
        assert_eq!(directory.members(group).await.unwrap(), [address("bob@anser.test")]);
        let new = directory.add_account(again).await.unwrap();
        assert!(new > ann, "a number is never used twice");
        site.login("ann", PASSWORD, HOME).await.unwrap();
    });
}

#[test]
fn a_domain_goes_only_when_it_is_empty() {
    each_site(|site: Rc<Site>| async move {
        let directory = &site.directory;
        let id = directory.add_domain(NewDomain::new("Empty.Test.")).await.unwrap();
        assert_eq!(directory.domain("EMPTY.test").await.unwrap().unwrap().id, id);
        assert_eq!(directory.add_domain(NewDomain::new("empty.test")).await.unwrap_err().class, Class::Exists);
        directory.set_default_domain("empty.test").await.unwrap();
        directory.remove_domain("empty.test").await.unwrap();
        assert_eq!(directory.default_domain().await.unwrap().unwrap().name, "anser.test");
        assert_eq!(directory.remove_domain("anser.test").await.unwrap_err().class, Class::Conflict);
        assert_eq!(directory.remove_domain("no.test").await.unwrap_err().class, Class::NotFound);
        let mirror = NewDomain { alias_of: Some("anser.test".into()), ..NewDomain::new("mirror.test") };
        directory.add_domain(mirror).await.unwrap();
        let inside = NewAccount::new(address("x@mirror.test"), Password::None);
        assert_eq!(directory.add_account(inside).await.unwrap_err().class, Class::Invalid);
        let names: Vec<_> = directory.domains().await.unwrap().into_iter().map(|domain| domain.name).collect();
        assert_eq!(names, ["anser.test", "mirror.test"]);
    });
}

#[test]
fn tenants_have_domains_of_their_own() {
    each_site(|site: Rc<Site>| async move {
        let directory = &site.directory;
        let tenant = directory.add_tenant("Second house").await.unwrap();
        assert_eq!(directory.add_tenant("Second house").await.unwrap_err().class, Class::Exists);
        directory.add_domain(NewDomain { tenant, ..NewDomain::new("second.test") }).await.unwrap();
        site.add("zoe@second.test").await;
        let filter = AccountFilter { tenant: Some(tenant), ..AccountFilter::default() };
        let page = directory.accounts(filter).await.unwrap();
        assert_eq!(page.accounts.len(), 1);
        assert_eq!((page.accounts[0].tenant, page.accounts[0].created > Timestamp(0)), (tenant, true));
        assert_eq!(directory.tenants().await.unwrap().len(), 2);
    });
}

#[test]
fn aliases_are_listed_by_account_and_by_domain() {
    each_site(|site: Rc<Site>| async move {
        let (directory, ann) = (&site.directory, site.account("ann@anser.test").await.id);
        directory.add_alias(&address("a1@anser.test"), AliasTarget::Account(ann)).await.unwrap();
        let outside = AliasTarget::Outside(address("x@elsewhere.test"));
        directory.add_alias(&address("a2@anser.test"), outside.clone()).await.unwrap();
        assert_eq!(directory.aliases_of(ann).await.unwrap(), [address("a1@anser.test")]);
        let all = directory.aliases(Some("anser.test"), None).await.unwrap();
        assert_eq!(
            all.iter().map(|alias| alias.target.clone()).collect::<Vec<_>>(),
            [AliasTarget::Account(ann), outside]
        );
        let rest = directory.aliases(None, Some(&address("a1@anser.test"))).await.unwrap();
        assert_eq!(rest.len(), 1);
        let taken = directory.add_alias(&address("bob@anser.test"), AliasTarget::Account(ann)).await.unwrap_err();
        assert_eq!(taken.class, Class::Exists);
        let primary = directory.remove_alias(&address("bob@anser.test")).await.unwrap_err();
        assert_eq!(primary.class, Class::NotFound);
    });
}
