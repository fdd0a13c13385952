use anser_directory::{Identity, NewAccount, NewDomain};

use crate::site::{address, each_site};

#[test]
fn addresses_local_parts_and_groups_are_identified() {
    each_site(|site| async move {
        let (directory, ann) = (&site.directory, site.account("ann@anser.test").await);
        let named = async |name: &str| directory.identify(name, &ann).await.unwrap();
        assert!(matches!(named("bob").await, Some(Identity::Account(found)) if found.address.local() == "bob"));
        assert!(matches!(named("BOB@Anser.test").await, Some(Identity::Account(_))));
        let team = directory.add_group(&address("team@anser.test"), "").await.unwrap();
        assert!(matches!(named("team").await, Some(Identity::Group(group)) if group.id == team));
        for nobody in ["carl", "bob+x", "bob@elsewhere.example", "", "a b"] {
            assert_eq!(named(nobody).await, None, "{nobody}");
        }
        directory.remove(site.account("bob@anser.test").await.id).await.unwrap();
        assert_eq!(named("bob").await, None);
    });
}

#[test]
fn groups_are_known_at_any_depth() {
    each_site(|site| async move {
        let (directory, ann) = (&site.directory, site.account("ann@anser.test").await.id);
        let inner = directory.add_group(&address("inner@anser.test"), "").await.unwrap();
        let outer = directory.add_group(&address("outer@anser.test"), "").await.unwrap();
        assert!(directory.groups_of(ann).await.unwrap().is_empty());
        directory.add_members(inner, vec![address("ann@anser.test")]).await.unwrap();
        directory.add_members(outer, vec![address("inner@anser.test")]).await.unwrap();
        assert_eq!(*directory.groups_of(ann).await.unwrap(), [inner.0, outer.0]);
        directory.remove_member(inner, &address("ann@anser.test")).await.unwrap();
        assert!(directory.groups_of(ann).await.unwrap().is_empty());
    });
}

#[test]
fn who_shares_is_found_without_opening_every_account() {
    each_site(|site| async move {
        let (directory, ann) = (&site.directory, site.account("ann@anser.test").await);
        let (bob, root) = (site.account("bob@anser.test").await, site.account("root@anser.test").await);
        let owners = async |administers| {
            let found = directory.owners_for(&ann, administers).await.unwrap();
            found.iter().map(|account| account.address.local().to_owned()).collect::<Vec<_>>()
        };
        assert!(owners(false).await.is_empty());
        directory.note_share(bob.id, (3, ann.id.to_sql())).await.unwrap();
        directory.note_share(ann.id, (1, 0)).await.unwrap();
        let team = directory.add_group(&address("team@anser.test"), "").await.unwrap();
        directory.note_share(root.id, (4, team.0 as i64)).await.unwrap();
        assert_eq!(owners(false).await, ["bob"]);
        directory.add_members(team, vec![address("ann@anser.test")]).await.unwrap();
        assert_eq!(owners(false).await, ["bob", "root"]);
        directory.suspend(bob.id).await.unwrap();
        assert_eq!(owners(false).await, ["root"]);
        directory.restore(bob.id).await.unwrap();
        directory.forget_share(bob.id, (3, ann.id.to_sql())).await.unwrap();
        assert_eq!(owners(false).await, ["root"]);
        let hall = NewAccount { shared: true, ..site.person("hall@anser.test").await };
        directory.add_account(hall).await.unwrap();
        assert_eq!(owners(true).await, ["hall", "root"]);
        assert!(site.account("hall@anser.test").await.shared);
    });
}

#[test]
fn tenants_share_nothing() {
    each_site(|site| async move {
        let directory = &site.directory;
        let other = directory.add_tenant("other").await.unwrap();
        directory.add_domain(NewDomain { tenant: other, ..NewDomain::new("other.test") }).await.unwrap();
        let eve = site.add("eve@other.test").await;
        let (ann, eve) = (site.account("ann@anser.test").await, directory.account(eve).await.unwrap().unwrap());
        assert_eq!(directory.identify("eve@other.test", &ann).await.unwrap(), None);
        directory.note_share(ann.id, (1, 0)).await.unwrap();
        assert!(directory.owners_for(&eve, true).await.unwrap().is_empty());
    });
}

#[test]
fn a_tenant_is_annotated() {
    each_site(|site| async move {
        let (directory, tenant) = (&site.directory, site.account("ann@anser.test").await.tenant);
        directory.annotate(tenant, vec![("/comment".into(), Some(b"hi".to_vec()))]).await.unwrap();
        assert_eq!(directory.annotations(tenant).await.unwrap(), [("/comment".to_owned(), b"hi".to_vec())]);
        directory.annotate(tenant, vec![("/comment".into(), None)]).await.unwrap();
        assert!(directory.annotations(tenant).await.unwrap().is_empty());
    });
}
