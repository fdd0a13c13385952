use anser_base::Durability;

use crate::site::{Client, each_site, mail};

/// While older messages come in between what is there, their order is not yet that of the maildrop.
#[test]
fn it_opens_when_all_is_there() {
    each_site(|site| {
        site.deliver("ann", &[mail(1)]);
        let account = site.account("ann");
        let (inbox, store) = (site.inbox(account), &site.deps.store);
        let reserve = store.write(account, Durability::Sync, move |tx| tx.reserve_uids(inbox, 100));
        assert!(site.runtime.block_on(reserve).unwrap());
        let mut client = Client::connect(site.plain);
        client.hear();
        client.ask("USER ann@anser.test");
        assert_eq!(client.ask("PASS wild-goose"), "-ERR [SYS/TEMP] mail moves into the mailbox");
        let release = store.write(account, Durability::Sync, move |tx| tx.release_uids(inbox));
        site.runtime.block_on(release).unwrap();
        assert!(site.login("ann").ask("STAT").starts_with("+OK 1 "));
    });
}
