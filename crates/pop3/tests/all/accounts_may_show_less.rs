use std::time::Duration;

use anser_base::Timestamp;

use crate::site::{NOW, each_site, mail};

/// `days=30`: older messages are not in the maildrop, and stay in the inbox.
#[test]
fn only_the_last_days() {
    each_site(|site| {
        let day = Duration::from_secs(24 * 3600).as_millis() as i64;
        let ages = [100, 1, 31, 29, 0];
        let new = (1..).zip(ages).map(|(n, age)| {
            let mut new = site.message("ann", mail(n).as_bytes());
            new.received = Timestamp(NOW.0 - age * day);
            new
        });
        let uids = site.append("ann", new.collect());
        let all = site.login("ann").ask_lines("UIDL");
        let options = site.deps.directory.set_pop3_options(site.account("ann"), "days=30");
        site.runtime.block_on(options).unwrap();
        let mut client = site.login("ann");
        let size = mail(1).len();
        assert_eq!(client.ask("STAT"), format!("+OK 3 {}", 3 * size));
        let shown: Vec<String> = client.ask_lines("UIDL").iter().map(|line| line[2..].to_owned()).collect();
        assert_eq!(shown, [&all[1][2..], &all[3][2..], &all[4][2..]]);
        for (number, mail_number) in [(1, 2), (2, 4), (3, 5)] {
            assert_eq!(client.retr(number), mail(mail_number).as_bytes());
        }
        assert_eq!(client.ask("RETR 4"), "-ERR no such message");
        client.ask("DELE 2");
        assert_eq!(client.ask("QUIT"), "+OK bye");
        assert_eq!(site.inbox_now("ann"), [(uids[0], false), (uids[1], true), (uids[2], false), (uids[4], true)]);
    });
}
