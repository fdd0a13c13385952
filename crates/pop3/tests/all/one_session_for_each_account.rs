use std::time::Duration;

use anser_pop3::Limits;

use crate::site::{Client, PASSWORD, each_site, each_site_with, mail};

#[test]
fn until_its_connection_ends() {
    each_site(|site| {
        site.deliver("ann", &[mail(1)]);
        let mut first = site.login("ann");
        assert!(first.ask("DELE 1").starts_with("+OK"));
        let mut second = Client::connect(site.plain);
        second.hear();
        second.ask("USER ann");
        assert!(second.ask(&format!("PASS {PASSWORD}")).starts_with("-ERR [IN-USE] "));
        drop(first);
        let mut third = site.login("ann");
        assert!(third.ask("STAT").starts_with("+OK 1 "), "a broken connection removed something");
    });
}

/// RFC 1939 §3: the connection is closed without a word, and nothing is removed.
#[test]
fn until_it_is_silent_for_too_long() {
    let limits = Limits { idle_time: Duration::from_millis(300), ..Limits::default() };
    each_site_with(limits, |site| {
        site.deliver("ann", &[mail(1), mail(2)]);
        let mut client = site.login("ann");
        client.retr(2);
        assert!(client.ask("DELE 1").starts_with("+OK"));
        assert_eq!(client.rest(), b"");
        let mut again = site.login("ann");
        assert!(again.ask("STAT").starts_with("+OK 2 "));
        assert_eq!(site.inbox_now("ann"), [(1, false), (2, true)]);
    });
}

/// A client that lost its network comes again from another one.
#[test]
fn until_another_login_finds_it_silent() {
    each_site(|site| {
        site.deliver("ann", &[mail(1)]);
        let mut first = site.login("ann");
        assert!(first.ask("DELE 1").starts_with("+OK"));
        site.deps.clock.advance(anser_pop3::TAKEN_OVER);
        let mut second = site.login("ann");
        assert_eq!(first.rest(), b"", "closed without a word");
        assert!(second.ask("STAT").starts_with("+OK 1 "), "what was lost removed something");
        let mut third = Client::connect(site.plain);
        third.hear();
        third.ask("USER ann");
        assert!(third.ask(&format!("PASS {PASSWORD}")).starts_with("-ERR [IN-USE] "));
    });
}

/// A login has to come to its end in time, however busy the client is.
#[test]
fn and_not_for_clients_that_do_not_log_in() {
    let limits = Limits { login_time: Duration::from_millis(200), login_commands: 20, ..Limits::default() };
    each_site_with(limits, |site| {
        let mut silent = Client::connect(site.plain);
        assert!(String::from_utf8(silent.rest()).unwrap().starts_with("+OK mail.anser.test"));
        let mut busy = Client::connect(site.plain);
        busy.send("LANG en\r\n".repeat(30).as_bytes());
        let said = String::from_utf8(busy.rest()).unwrap();
        assert_eq!(said.matches("+OK en").count(), 20);
        assert!(said.ends_with("-ERR too many commands without a login\r\n"));
    });
}

/// It is told with the code of what may be better soon (RFC 3206 §4).
#[test]
fn a_shutdown_removes_nothing() {
    each_site(|site| {
        site.deliver("ann", &[mail(1)]);
        let mut client = site.login("ann");
        assert!(client.ask("DELE 1").starts_with("+OK"));
        site.shut_down();
        assert_eq!(client.rest(), b"-ERR [SYS/TEMP] the server is shutting down\r\n");
        assert_eq!(site.inbox_now("ann").len(), 1);
    });
}
