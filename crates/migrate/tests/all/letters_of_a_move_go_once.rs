//! A letter that may be in the old mailbox is not sent again, one that was refused is; and a person gets one letter here, however many
//! mailboxes were his.

use anser_base::Clock;
use anser_migrate::{NewMailbox, Notice, Occasion, Side};

use crate::fake::{Fake, Habits, folder};
use crate::office::{MOVE, Office, each_office};

async fn notice(office: &Office, login: &str, side: Side) -> Notice {
    let all = office.migrate.notices(MOVE, &vec![login.to_owned()], Occasion::Reminder).await.unwrap();
    all.into_iter().find(|notice| notice.side == side).unwrap()
}

#[test]
fn what_was_refused_is_not_there_and_what_was_not_answered_may_be() {
    each_office(&[], &Clock::System, async |office| {
        let fake = Fake::start(vec![folder("INBOX", Vec::new())], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        let old = notice(office, "ann", Side::Old).await;
        let append = async || office.migrate.append_there(&old, b"Subject: x\r\n\r\nx\r\n".to_vec()).await.unwrap_err();
        fake.change(|state| state.habits.busy = Some(("APPEND", "[OVERQUOTA] there is no room")));
        let refused = append().await;
        assert!(!refused.may_be_there && refused.why.contains("no room"), "{refused:?}");
        fake.change(|state| state.habits.busy = None);
        let lost = append().await;
        assert!(lost.may_be_there, "{lost:?}");
        fake.change(|state| state.password = b"another".to_vec());
        assert!(!append().await.may_be_there, "nothing was given");
    });
}

#[test]
fn somebody_with_two_old_mailboxes_gets_one_letter_here() {
    each_office(&[], &Clock::System, async |office| {
        let fake = Fake::start(vec![folder("INBOX", Vec::new())], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        let more = NewMailbox { login: "ann2".into(), password: None, address: "ann@anser.test".into() };
        office.migrate.add_mailboxes(MOVE, None, vec![more]).await.unwrap();
        let second = notice(office, "ann2", Side::New).await;
        assert!(office.migrate.begin_notice(&second).await.unwrap());
        office.migrate.end_notice(&second, true).await.unwrap();
        let first = notice(office, "ann", Side::New).await;
        assert!(first.begun.is_some_and(|(_, went)| went) && !office.migrate.begin_notice(&first).await.unwrap());
        assert_eq!(notice(office, "ann", Side::Old).await.begun, None, "the other mailbox there is another place");
    });
}
