use anser_base::Durability;
use anser_db::{Place, Tx};
use anser_journal::What;
use anser_pop3::Limits;
use anser_testkit::engines::each_engine;

use crate::site::{SCHEMAS, Site, each_site, mail};

#[test]
fn quit_removes_what_is_marked_for_good() {
    each_engine(SCHEMAS, |world| {
        let site = Site::start(world, Limits::default());
        site.populate();
        let mails: Vec<String> = (1..=6).map(mail).collect();
        let uids = site.deliver("ann", &mails);
        let mut client = site.login("ann");
        for number in [1, 2, 3, 6] {
            client.ask(&format!("DELE {number}"));
        }
        assert_eq!(client.ask("QUIT"), "+OK bye");
        site.stop();

        let site = Site::start(world, Limits::default());
        assert_eq!(site.inbox_now("ann"), [(uids[3], false), (uids[4], false)]);
        assert!(site.login("ann").ask("STAT").starts_with("+OK 2 "));
        let deleted = What::Deleted {
            actor: "ann@anser.test".into(),
            account: site.account("ann"),
            mailbox: "INBOX".into(),
            uids: format!("{}:{},{}", uids[0], uids[2], uids[5]),
            message_ids: [1, 2, 3, 6].map(|n| format!("{n}@anser.test")).into(),
        };
        assert!(site.journal("ann@anser.test").contains(&deleted));
        site.stop();
    });
}

/// The last of three deletions fails: the first two are not done either, and the client is told.
#[test]
fn a_failure_removes_nothing() {
    each_site(|site| {
        let uids = site.deliver("ann", &[mail(1), mail(2), mail(3)]);
        let account = site.account("ann");
        let last = uids[2];
        let forbid = site.deps.store.db().write(Place::Account(account), Durability::Sync, move |tx| forbid(tx, last));
        site.runtime.block_on(forbid).unwrap();
        let mut client = site.login("ann");
        for number in 1..=3 {
            client.ask(&format!("DELE {number}"));
        }
        let answer = client.ask("QUIT");
        assert!(answer.starts_with("-ERR [SYS/"), "{answer}");
        assert_eq!(client.rest(), b"");
        assert_eq!(site.inbox_now("ann").len(), 3);
        assert!(!site.journal("ann").iter().any(|what| matches!(what, What::Deleted { .. })));
        assert!(site.login("ann").ask("STAT").starts_with("+OK 3 "));
    });
}

/// Makes the database refuse to delete one UID.
fn forbid(tx: &mut Tx<'_>, uid: u32) -> anser_base::Result<()> {
    if tx.is_postgres() {
        let body = format!("BEGIN IF OLD.uid = {uid} THEN RAISE EXCEPTION 'forbidden'; END IF; RETURN OLD; END");
        tx.execute(
            &format!("CREATE FUNCTION forbid() RETURNS trigger AS '{}' LANGUAGE plpgsql", body.replace('\'', "''")),
            &[],
        )?;
        tx.execute("CREATE TRIGGER forbidden BEFORE DELETE ON entry FOR EACH ROW EXECUTE FUNCTION forbid()", &[])?;
    } else {
        let when = format!("WHEN OLD.uid = {uid} BEGIN SELECT RAISE(ABORT, 'forbidden'); END");
        tx.execute(&format!("CREATE TRIGGER forbidden BEFORE DELETE ON entry {when}"), &[])?;
    }
    Ok(())
}

/// What an IMAP client removed first is no reason to fail.
#[test]
fn messages_that_are_gone_already_do_not_matter() {
    each_site(|site| {
        let uids = site.deliver("ann", &[mail(1), mail(2), mail(3)]);
        let mut client = site.login("ann");
        client.ask("DELE 1");
        client.ask("DELE 2");
        site.expunge("ann", &uids[..1]);
        assert_eq!(client.ask("QUIT"), "+OK bye");
        assert_eq!(site.inbox_now("ann"), [(uids[2], false)]);
    });
}

#[test]
fn rset_takes_the_marks_away() {
    each_site(|site| {
        site.deliver("ann", &[mail(1), mail(2)]);
        let mut client = site.login("ann");
        client.ask("DELE 1");
        assert!(client.ask("RSET").starts_with("+OK 2 messages"));
        assert_eq!(client.ask("QUIT"), "+OK bye");
        assert_eq!(site.inbox_now("ann").len(), 2);
    });
}
