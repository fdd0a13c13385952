//! Cases 33 and 36: every character of a name or a password arrives, by SASL PLAIN and by LOGIN; ID is said before a folder is opened.

use anser_migrate::trouble::Trouble;

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::each_house;

#[test]
fn names_and_passwords_of_any_characters_pass_by_both_ways() {
    each_house(async |house| {
        let long = "x".repeat(128);
        let passwords: [&[u8]; 5] =
            [b"a()*%\"\\ {}]~", " 密 leading".as_bytes(), b"\xc3\xdc\xc2\xeb GBK", long.as_bytes(), b"plain"];
        for capabilities in ["", "AUTH=PLAIN"] {
            for (password, user) in passwords.iter().zip(["ann", "dom\\ann", "a*b@old.test", "an n", "q\"uote"]) {
                let habits = Habits { capabilities, wants_id: true, ..Habits::default() };
                let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], habits);
                fake.change(|state| (state.user, state.password) = (user.to_owned(), password.to_vec()));
                house.pass(&fake).await.map_err(|trouble| format!("{user}: {}", trouble.words())).unwrap();
            }
        }
    });
}

#[test]
fn a_wrong_password_is_told_as_one_and_tried_once() {
    each_house(async |_| {
        let fake = Fake::start(Vec::new(), Habits::default());
        let wrong = anser_migrate::imap::Imap::open(&fake.source(), "ann", &anser_wire::Secret::new("wrong")).await;
        assert!(matches!(wrong, Err(Trouble::Login { kind: "wrong", .. })));
        assert_eq!(fake.heard().iter().filter(|line| line.contains("LOGIN")).count(), 1);
    });
}
