use anser_base::{Class, Durability};
use anser_store::{Action, Change, LogPoint, Logged, Object, RECORD, RECORDS, RecordKind};

use crate::fixture::{ANN, inbox, on_each_engine, read, write};

#[test]
fn what_is_recorded_is_read_again_and_told() {
    on_each_engine(|store| async move {
        inbox(&store).await;
        let since = LogPoint::after(read(&store, |tx| Ok(tx.state())).await);
        let mut watch = store.watch(ANN);
        let first = write(&store, |tx| tx.add_record(RecordKind::Identity, b"a")).await;
        let second = write(&store, |tx| tx.add_record(RecordKind::Identity, b"b")).await;
        write(&store, |tx| tx.add_record(RecordKind::Submission, b"c")).await;
        write(&store, move |tx| tx.put_record(RecordKind::Identity, second, b"d")).await;
        assert!(write(&store, move |tx| tx.remove_record(RecordKind::Identity, first)).await);
        assert!(!write(&store, move |tx| tx.remove_record(RecordKind::Identity, first)).await);
        assert_eq!(read(&store, |tx| tx.records(RecordKind::Identity)).await, [(second, b"d".to_vec())]);
        assert_eq!(read(&store, move |tx| tx.record_of(RecordKind::Submission, second)).await, None);
        assert_eq!(watch.next().await.unwrap().list, [Change::Recorded(RecordKind::Identity)]);
        let log =
            read(&store, move |tx| tx.logged_after(since, Logged::Records(RecordKind::Identity), 9)).await.unwrap();
        let told: Vec<_> = log.iter().map(|line| (line.object, line.action)).collect();
        let (first, second) =
            (Object::Record(RecordKind::Identity, first), Object::Record(RecordKind::Identity, second));
        let all = [
            (first, Action::Created),
            (second, Action::Created),
            (second, Action::Updated),
            (first, Action::Destroyed),
        ];
        assert_eq!(told, all);
    });
}

#[test]
fn records_have_limits() {
    on_each_engine(|store| async move {
        let add =
            |size| store.write(ANN, Durability::Sync, move |tx| tx.add_record(RecordKind::Identity, &vec![0; size]));
        add(RECORD).await.unwrap();
        assert_eq!(add(RECORD + 1).await.unwrap_err().class, Class::Limit);
        let full = store.write(ANN, Durability::Sync, |tx| {
            let first = tx.add_record(RecordKind::Note, b"")?;
            for _ in 1..RECORDS {
                tx.add_record(RecordKind::Note, b"")?;
            }
            assert_eq!(tx.count_records(RecordKind::Note)?, RECORDS);
            let refused = tx.add_record(RecordKind::Note, b"").map_err(|error| error.class);
            assert_eq!(refused, Err(Class::Limit));
            tx.remove_record(RecordKind::Note, first)?;
            tx.add_record(RecordKind::Note, b"")
        });
        full.await.unwrap();
        let put = store.write(ANN, Durability::Sync, |tx| tx.put_record(RecordKind::Identity, 99_999, b""));
        assert_eq!(put.await.unwrap_err().class, Class::NotFound);
    });
}
