//! Cases 12, 17 and 31: RFC822.SIZE is wrong, lines come twice, UIDs are huge, dates are absurd.

use crate::fake::{Fake, Habits, Mail, folder, mail};
use crate::house::each_house;

#[test]
fn the_bytes_win_over_the_size_that_was_told() {
    each_house(async |house| {
        for (round, size_off) in [-1, 17, 1_000].into_iter().enumerate() {
            let base = 10 * round as u32;
            let mails = vec![
                mail(base + 1, "", &format!("a{round}")),
                mail(base + 2, "", &format!("b{round}")),
                mail(4_000_000_000 + base, "", &format!("c{round}")),
            ];
            let name = format!("Box {round}");
            let fake = Fake::start(
                vec![folder("INBOX", Vec::new()), folder(&name, mails.clone())],
                Habits { size_off, repeats: true, ..Habits::default() },
            );
            house.pass_with(&fake, false, true).await.map_err(|trouble| trouble.words()).unwrap();
            let held = house.held().await;
            let found: Vec<_> = held[&name].iter().map(|one| (one.0, one.4.clone())).collect();
            assert_eq!(found, mails.into_iter().map(|mail| (mail.uid, mail.body)).collect::<Vec<_>>());
        }
    });
}

#[test]
fn a_date_that_cannot_be_is_taken_from_the_message() {
    each_house(async |house| {
        let body =
            b"Received: by x; Sat, 21 Nov 2015 08:00:00 +0545\r\nDate: Fri, 1 Jan 1999 00:00:00 +0000\r\n\r\nx\r\n"
                .to_vec();
        let dates = [
            ("01-Jan-1970 00:00:00 +0000", 1_448_072_100),
            ("01-Jan-2099 00:00:00 +0000", 1_448_072_100),
            ("", 1_448_072_100),
            (" 1-Jan-2020 00:00:00 +0800", 1_577_808_000),
            ("01-Jan-1990 00:00:00 +0545", 631_131_300),
        ];
        let mails =
            dates.iter().zip(1..).map(|((date, _), uid)| Mail { date, body: body.clone(), ..mail(uid, "", "") });
        let fake = Fake::start(vec![folder("INBOX", mails.collect())], Habits::default());
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        let held = house.held().await;
        let found: Vec<_> = held["INBOX"].iter().map(|one| one.3).collect();
        assert_eq!(found, dates.map(|(_, seconds)| seconds));
    });
}
