use crate::site::{each_site, mail};

#[test]
fn from_login_to_quit() {
    each_site(|site| {
        let uids = site.deliver("ann", &[mail(1), mail(2), mail(3)]);
        let mut client = site.login("ann");
        let size = mail(1).len();
        assert_eq!(client.ask("STAT"), format!("+OK 3 {}", 3 * size));
        assert_eq!(client.ask_lines("LIST"), (1..=3).map(|n| format!("{n} {size}")).collect::<Vec<_>>());
        let ids = client.ask_lines("UIDL");
        assert_eq!(ids.len(), 3);
        assert_eq!(client.ask("UIDL 2"), format!("+OK {}", ids[1]));
        assert_eq!(client.retr(2), mail(2).as_bytes());
        assert!(client.ask("DELE 1").starts_with("+OK"));
        assert!(client.ask("DELE 1").starts_with("-ERR"));
        assert!(client.ask("RETR 1").starts_with("-ERR"));
        assert_eq!(client.ask("STAT"), format!("+OK 2 {}", 2 * size));
        assert!(client.ask("QUIT").starts_with("+OK"));
        assert_eq!(client.rest(), b"");
        assert_eq!(site.inbox_now("ann"), [(uids[1], true), (uids[2], false)]);
    });
}
