use crate::fixture::{inbox, on_each_engine, read, write};

#[test]
fn within_the_transaction_that_renames() {
    on_each_engine(|store| async move {
        inbox(&store).await;
        let (first, second) = write(&store, |tx| {
            let first = tx.create_mailbox(None, "Plans", None)?.id;
            let second = tx.create_mailbox(None, "Old plans", None)?.id;
            // Names are swapped by a third one, and the first name is taken once more.
            tx.rename_mailbox(first, None, "Other")?;
            tx.rename_mailbox(second, None, "Plans")?;
            tx.rename_mailbox(first, None, "Old plans")?;
            tx.create_mailbox(None, "Other", None)?;
            Ok((first, second))
        })
        .await;
        let find = move |name: &'static str| {
            let store = store.clone();
            async move { read(&store, move |tx| tx.mailbox_at(&[name])).await.map(|mailbox| mailbox.id) }
        };
        assert_eq!(find("Plans").await, Some(second));
        assert_eq!(find("Old plans").await, Some(first));
        assert!(find("Other").await.is_some_and(|other| other != first && other != second));
    });
}
