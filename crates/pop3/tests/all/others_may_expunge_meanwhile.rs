use crate::site::{each_site, mail};

#[test]
fn numbers_stay_and_the_gone_answer_err() {
    each_site(|site| {
        let mails: Vec<String> = (1..=40).map(mail).collect();
        let uids = site.deliver("ann", &mails);
        let mut client = site.login("ann");
        let ids = client.ask_lines("UIDL");
        // So far that the next ones are read ahead.
        for number in 1..=3 {
            client.retr(number);
        }
        site.expunge("ann", &[uids[0], uids[4], uids[5]]);
        site.deliver("ann", &[mail(99)]);
        assert_eq!(client.ask_lines("UIDL"), ids);
        assert!(client.ask("STAT").starts_with("+OK 40 "));
        for gone in [1, 5, 6] {
            assert_eq!(client.ask(&format!("RETR {gone}")), "-ERR no such message");
            assert_eq!(client.ask(&format!("TOP {gone} 0")), "-ERR no such message");
        }
        for stays in [2, 4, 7, 40] {
            assert_eq!(client.retr(stays as u32), mails[stays - 1].as_bytes());
        }
        assert_eq!(client.ask("RETR 41"), "-ERR no such message");
        assert!(client.ask("DELE 5").starts_with("+OK"));
        assert_eq!(client.ask("QUIT"), "+OK bye");
        assert_eq!(site.inbox_now("ann").len(), 38);
        assert!(site.login("ann").ask("STAT").starts_with("+OK 38 "));
    });
}
