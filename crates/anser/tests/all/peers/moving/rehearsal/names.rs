//! The organisation's DNS, and the senders outside who follow it.

use std::cell::Cell;

use anser_testkit::dns::{NameServer, Signing};
use tokio::runtime::Runtime;

use crate::elsewhere::serve_smtp;
use crate::peers::tools::wait_for;
use crate::peers::wire::{Imap, Smtp};
use crate::world::Dev;

/// Where the mail goes before the move.
pub const OLD_MX: &str = "mail.old";
/// Where it goes after it.
pub const NEW_MX: &str = "mail";

/// The name server, with `far.test` beside the organisation's zone.
pub struct Names {
    runtime: Runtime,
    server: NameServer,
    serial: Cell<u32>,
}

fn zone(serial: u32, mx: &str, ttl: u32) -> String {
    format!(
        "@ 60 IN SOA ns. host. {serial} 3600 600 86400 60\n@ {ttl} IN MX 10 {mx}\nmail 60 IN A 127.0.0.1\n\
         mail.old 60 IN A 127.0.0.3\n@ 60 IN TXT \"v=spf1 mx -all\"\n"
    )
}

const FAR: (&str, Signing, &str) = ("far.test", Signing::Unsigned, "@ 60 IN MX 10 mx\nmx 60 IN A 127.0.0.2\n");

impl Names {
    /// The mail goes to the old servers, which is remembered for so many seconds.
    pub fn start(ttl: u32) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let zones = [("anser.test", Signing::Unsigned, &*zone(1, OLD_MX, ttl)), FAR];
        let server = runtime.block_on(NameServer::start(&zones));
        Self { runtime, server, serial: Cell::new(1) }
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        self.server.address.to_string()
    }

    /// The MX from now on.
    pub fn lead_to(&self, mx: &str, ttl: u32) {
        let _inside = self.runtime.enter();
        self.serial.set(self.serial.get() + 1);
        self.server.replace(&[("anser.test", Signing::Unsigned, &zone(self.serial.get(), mx, ttl)), FAR]);
    }
}

/// People who write from outside.
pub struct Outside {
    hub: u16,
    new: u16,
}

impl Outside {
    /// They know the two servers that an MX may name; letters to `x@far.test` are taken.
    pub fn new(dev: &Dev, hub: u16) -> Self {
        serve_smtp(("127.0.0.2", dev.port("smtp")), |_, _| ());
        Self { hub, new: dev.port("smtp") }
    }

    /// A letter to each of these users, which is acknowledged.
    pub fn write(&self, mx: &str, users: &[usize], subject: &str) {
        let mut smtp = Smtp::connect(if mx == NEW_MX { self.new } else { self.hub }).expect("a server");
        for user in users {
            let to = format!("u{user}@anser.test");
            let letter = format!(
                "From: x@far.test\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{subject}.{user}@far.test>\r\n\r\nx\r\n"
            );
            smtp.send("x@far.test", &to, letter.as_bytes()).expect("it is taken");
        }
    }
}

/// Waits until a letter is seen by its recipients through our door, each once.
pub fn arrives(dev: &Dev, users: &[usize], subject: &str) {
    for user in users {
        let mut imap = Imap::login(dev.port("imap"), &format!("u{user}@anser.test")).expect("a session");
        imap.select("INBOX").expect("SELECT");
        let count = wait_for(subject, || {
            imap.run("NOOP").expect("NOOP");
            let found = imap.run(&format!("UID SEARCH SUBJECT {subject}")).expect("SEARCH");
            let found = found.iter().find_map(|response| response.text.strip_prefix("* SEARCH"))?;
            Some(found.split_whitespace().count()).filter(|count| *count > 0)
        });
        assert_eq!(count, 1, "{subject} came to u{user} once");
        imap.run("LOGOUT").expect("LOGOUT");
    }
}
