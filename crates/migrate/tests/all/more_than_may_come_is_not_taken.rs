//! Whatever sizes a server told: of a move that obeys the quota no more is taken than fits here, and no more at once than may lie here in no
//! transaction.

use anser_base::Class;
use anser_migrate::pass::TRIES;
use anser_migrate::source::Allowance;
use anser_migrate::trouble::Trouble;

use crate::fake::{Fake, Habits, Mail, folder, mail};
use crate::house::each_house;

const MB: usize = 1024 * 1024;

fn large(uid: u32, size: usize) -> Mail {
    let mut body = format!("Subject: {uid}\r\n\r\n").into_bytes();
    body.resize(size, b'x');
    Mail { body, ..mail(uid, "", "") }
}

/// Told as messages of ten bytes.
fn liar(mails: Vec<Mail>) -> Fake {
    let size_off = 10 - mails[0].body.len() as i64;
    Fake::start(vec![folder("INBOX", mails)], Habits { size_off, ..Habits::default() })
}

#[test]
fn what_no_quota_leaves_room_for_is_not_taken_to_its_end() {
    each_house(async |house| {
        let fake = liar((1..=20).map(|uid| large(uid, 4 * MB)).collect());
        match house.pass_within(&fake, MB as u64).await {
            Err(Trouble::Own(error)) => assert_eq!(error.class, Class::OverQuota),
            other => panic!("{other:?}"),
        }
        let sent = fake.state.lock().unwrap().sent;
        assert!(sent < 60 * MB, "{sent} octets of {}", 80 * MB);
        assert!(house.held().await.is_empty());
    });
}

#[test]
fn what_is_too_much_at_once_comes_in_parts_and_one_message_too_large_stops_nobody() {
    each_house(async |house| {
        let mut mails: Vec<Mail> = (1..=12).map(|uid| large(uid, MB)).collect();
        mails.insert(6, Mail { uid: 7, ..large(7, 9 * MB) });
        for (uid, mail) in (1..).zip(&mut mails) {
            mail.uid = uid;
        }
        let fake = liar(mails);
        let pass = async |careful: bool| {
            let allowance = Allowance::within(None, 0, 4 * MB as u64 + 1000, Default::default());
            house.pass_allowed(&fake, allowance, careful).await
        };
        assert!(matches!(pass(false).await, Err(Trouble::Later { .. })));
        let came = house.uids("INBOX").await.len();
        assert!((1..=4).contains(&came), "what was whole is here: {came}");
        for _ in 0..20 {
            match pass(true).await {
                Err(Trouble::Later { .. }) => {}
                other => {
                    other.map_err(|trouble| trouble.words()).unwrap();
                    assert_eq!(house.uids("INBOX").await, [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13]);
                    return;
                }
            }
        }
        panic!("no pass went through in {TRIES} tries of one message");
    });
}
