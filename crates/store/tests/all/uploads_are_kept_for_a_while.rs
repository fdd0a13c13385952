use std::time::Duration;

use anser_base::{AccountId, BlobId, Class};
use anser_store::{UPLOAD_BYTES, UPLOAD_KEPT, UPLOADS};

use crate::fixture::{ANN, on_each_engine, read, write};

const BOB: AccountId = AccountId(8);

fn blob(n: usize) -> BlobId {
    BlobId::of(&n.to_le_bytes())
}

#[test]
fn each_user_has_uploads_of_his_own() {
    on_each_engine(|store| async move {
        write(&store, |tx| tx.keep_upload(BOB, blob(1), 5)).await;
        let known = |user| read(&store, move |tx| tx.upload(user, blob(1)));
        assert_eq!((known(BOB).await, known(ANN).await), (Some(5), None));
        assert_eq!(read(&store, |tx| tx.bodies()).await, [blob(1)]);
        store.clock().advance(UPLOAD_KEPT - Duration::from_secs(1));
        write(&store, |tx| tx.keep_upload(BOB, blob(2), 5)).await;
        assert_eq!(known(BOB).await, Some(5));
        store.clock().advance(Duration::from_secs(1));
        assert_eq!(known(BOB).await, None);
        assert_eq!(read(&store, |tx| tx.bodies()).await, [blob(2)]);
    });
}

#[test]
fn what_is_an_hour_old_makes_room_and_nothing_else() {
    on_each_engine(|store| async move {
        let keep = |n, size| {
            let kept = store.write(ANN, anser_base::Durability::Sync, move |tx| tx.keep_upload(ANN, blob(n), size));
            async move { kept.await.map_err(|error| error.class) }
        };
        keep(1, UPLOAD_BYTES / 2).await.unwrap();
        keep(2, UPLOAD_BYTES / 2).await.unwrap();
        keep(2, UPLOAD_BYTES / 2).await.unwrap();
        assert_eq!(keep(3, 1).await, Err(Class::OverQuota));
        store.clock().advance(Duration::from_secs(3600));
        keep(3, 1).await.unwrap();
        let there = |n| read(&store, move |tx| tx.upload(ANN, blob(n)));
        assert_eq!((there(1).await, there(2).await, there(3).await), (None, Some(UPLOAD_BYTES / 2), Some(1)));
        assert_eq!(keep(4, UPLOAD_BYTES).await, Err(Class::OverQuota));
        assert_eq!(there(2).await, Some(UPLOAD_BYTES / 2), "what fails changes nothing");
        for n in 4..UPLOADS + 2 {
            keep(n, 1).await.unwrap();
        }
        keep(9_998, 1).await.unwrap();
        assert_eq!(there(2).await, None);
        assert_eq!(keep(9_999, 1).await, Err(Class::OverQuota));
    });
}
