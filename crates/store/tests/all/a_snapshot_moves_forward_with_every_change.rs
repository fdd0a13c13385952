use anser_store::{Change, FlagAct, Flags, Keywords};

use crate::fixture::{ANN, append, inbox, mail, on_each_engine, write};

#[test]
fn watchers_hear_of_a_commit_and_see_it_in_the_snapshot() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        let empty = store.snapshot(ANN, inbox).await.unwrap();
        let mut watch = store.watch(ANN);
        let uid = append(&store, inbox, &mail("a", "", "s")).await.places[0].2;
        let heard = watch.next().await.unwrap();
        assert!(
            matches!(&heard.list[..], [Change::Added { mailbox, entry, is_moved: false }] if *mailbox == inbox && entry.uid == uid)
        );
        let one = store.snapshot(ANN, inbox).await.unwrap();
        assert_eq!((empty.len(), one.len(), one.uidnext, one.modseq), (0, 1, uid + 1, heard.modseq));
        let words = Keywords::new(["$Forwarded", "重要"]);
        write(&store, move |tx| tx.store_flags(inbox, &[uid], FlagAct::Add, Flags::SEEN, &words, None)).await;
        let flagged = store.snapshot(ANN, inbox).await.unwrap();
        let diff = one.diff(&flagged);
        assert_eq!((diff.changed.len(), diff.added.len(), diff.expunged.len()), (1, 0, 0));
        assert!(diff.changed[0].flags.has(Flags::SEEN) && diff.changed[0].keywords.has("$forwarded"));
        write(&store, move |tx| tx.expunge(inbox, &[uid], false)).await;
        let gone = store.snapshot(ANN, inbox).await.unwrap();
        assert_eq!(flagged.diff(&gone).expunged, [uid]);
        let held = flagged.advance_holding(&gone, &flagged.diff(&gone));
        assert_eq!((held.len(), held.seq_of(uid), held.modseq), (1, Some(1), gone.modseq));
    });
}

#[test]
fn a_loaded_snapshot_equals_one_that_moved_forward() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        store.snapshot(ANN, inbox).await.unwrap();
        for n in 0..20 {
            append(&store, inbox, &mail(&n.to_string(), "", "s")).await;
        }
        write(&store, move |tx| {
            tx.store_flags(inbox, &[3, 5, 8], FlagAct::Set, Flags::DELETED, &Keywords::default(), None)
        })
        .await;
        write(&store, move |tx| tx.deleted(inbox).and_then(|uids| tx.expunge(inbox, &uids, true))).await;
        let moved = store.snapshot(ANN, inbox).await.unwrap();
        let loaded = crate::fixture::read(&store, move |tx| tx.entries(inbox, 1, u32::MAX)).await;
        assert_eq!(moved.iter().cloned().collect::<Vec<_>>(), loaded);
        assert_eq!(moved.len(), 17);
    });
}
