use anser_base::Class;
use anser_store::Role;

use crate::fixture::{append, inbox, mail, on_each_engine, read, write};

#[test]
fn six_mailboxes_each_with_a_role() {
    on_each_engine(|store| async move {
        inbox(&store).await;
        let mailboxes = read(&store, |tx| tx.mailboxes()).await;
        let names: Vec<&str> = mailboxes.iter().map(|mailbox| mailbox.name.as_str()).collect();
        assert_eq!(names, ["INBOX", "Drafts", "Sent", "Archive", "Junk", "Trash"]);
        assert!(mailboxes.iter().all(|mailbox| mailbox.role.is_some() && mailbox.subscribed && mailbox.uidnext == 1));
    });
}

#[test]
fn the_tree_keeps_its_rules() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        let (work, plan) = write(&store, |tx| {
            let work = tx.create_mailbox(None, "工作", None)?;
            let plan = tx.create_mailbox(Some(work.id), "plan", None)?;
            Ok((work.id, plan.id))
        })
        .await;
        append(&store, plan, &mail("a", "", "s")).await;
        assert_eq!(read(&store, move |tx| tx.path(plan)).await, ["工作", "plan"]);
        assert_eq!(read(&store, |tx| tx.mailbox_at(&["工作", "plan"])).await.unwrap().id, plan);
        assert_eq!(read(&store, |tx| tx.mailbox_at(&["iNbOx"])).await.unwrap().id, inbox);
        for (name, class) in
            [("plan", Class::Exists), ("a/b", Class::Invalid), ("", Class::Invalid), ("a\nb", Class::Invalid)]
        {
            let refused =
                write(&store, move |tx| Ok(tx.create_mailbox(Some(work), name, None).unwrap_err().class)).await;
            assert_eq!(refused, class, "{name:?}");
        }
        let errors = write(&store, move |tx| {
            Ok([
                tx.create_mailbox(None, "inbox", None).unwrap_err().class,
                tx.delete_mailbox(inbox).unwrap_err().class,
                tx.delete_mailbox(work).unwrap_err().class,
                tx.rename_mailbox(work, Some(plan), "below itself").unwrap_err().class,
                tx.create_mailbox(None, "x", Some(Role::Sent)).unwrap_err().class,
            ])
        })
        .await;
        let wanted = [Class::Exists, Class::Forbidden, Class::Forbidden, Class::Invalid, Class::Exists];
        assert_eq!(errors, wanted);
        write(&store, move |tx| tx.rename_mailbox(plan, None, "Plan B")).await;
        write(&store, move |tx| tx.delete_mailbox(work)).await;
        let kept = read(&store, |tx| tx.mailbox_at(&["Plan B"])).await.unwrap();
        assert_eq!((kept.id, kept.total), (plan, 1));
        let used = write(&store, move |tx| tx.delete_mailbox(plan).map(|()| tx.used())).await;
        assert_eq!(used, 0);
    });
}

#[test]
fn names_of_other_servers_take_a_free_role() {
    on_each_engine(|store| async move {
        inbox(&store).await;
        let role = write(&store, |tx| {
            let sent = tx.mailbox_with_role(Role::Sent)?.unwrap().id;
            tx.delete_mailbox(sent)?;
            Ok(tx.create_mailbox(None, "已发送邮件", None)?.role)
        })
        .await;
        assert_eq!(role, Some(Role::Sent));
        assert_eq!(write(&store, |tx| Ok(tx.create_mailbox(None, "Sent Items", None)?.role)).await, None);
    });
}
