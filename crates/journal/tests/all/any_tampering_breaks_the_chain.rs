use std::time::Duration;

use anser_db::{Db, Durability, Place, params};
use anser_journal::{Broken, Journal, Verdict};

use crate::fixture::{Data, accepted, on_each_engine};

async fn filled(data: &Data) -> Journal {
    let journal = data.journal().await;
    for entry in 0..10 {
        if entry == 5 {
            data.clock.advance(Duration::from_secs(12 * 86_400));
        }
        journal.append(accepted(entry, "m@far.test", "ann@anser.test")).await.unwrap();
    }
    journal.flush().await.unwrap();
    assert_eq!(journal.verify().await.unwrap(), Verdict { events: 10, broken: None });
    journal
}

async fn tamper(db: &Db, sql: &'static str, param: &'static [u8]) {
    let work = move |tx: &mut anser_db::Tx<'_>| match param {
        [] => tx.execute(sql, params![]),
        param => tx.execute(sql, params![param]),
    };
    db.write(Place::Journal(202_611), Durability::Sync, work).await.unwrap();
}

async fn broken_at(data: &Data, sql: &'static str, param: &'static [u8]) -> u64 {
    filled(data).await.close().await.unwrap();
    let db = data.db();
    tamper(&db, sql, param).await;
    drop(db);
    let verdict = data.journal().await.verify().await.unwrap();
    let Some(Broken { node: 0, seq, .. }) = verdict.broken else { panic!("nobody noticed: {verdict:?}") };
    seq
}

#[test]
fn a_changed_event_is_named() {
    on_each_engine(|data| async move {
        let sql = "UPDATE journal_event SET event = ?1 WHERE id = 3";
        let forged = br#"{"v":1,"at":5,"what":"started","version":"9"}"#;
        assert_eq!(broken_at(&data, sql, forged).await, 3);
    });
}

#[test]
fn a_removed_event_is_named() {
    on_each_engine(|data| async move {
        assert_eq!(broken_at(&data, "DELETE FROM journal_event WHERE id = 4", b"").await, 4);
    });
}

#[test]
fn the_end_of_a_month_cannot_be_cut_off() {
    on_each_engine(|data| async move {
        let broken = broken_at(&data, "DELETE FROM journal_event WHERE id = 5", b"").await;
        assert!(broken == 5 || broken == 6, "{broken}");
    });
}
