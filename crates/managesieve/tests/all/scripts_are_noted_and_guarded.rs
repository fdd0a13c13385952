use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anser_directory::scripts::{SCRIPT, SCRIPTS, ScriptOwner};
use anser_journal::What;
use anser_managesieve::Limits;

use crate::site::{each_site, each_site_with};

/// Everything that the server says to these octets until it closes.
fn say(address: SocketAddr, octets: &[u8]) -> String {
    let mut link = TcpStream::connect(address).unwrap();
    link.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut copy = link.try_clone().unwrap();
    let octets = octets.to_vec();
    // Reading goes on beside writing, as a client's does.
    let writing = std::thread::spawn(move || drop(copy.write_all(&octets)));
    let mut said = Vec::new();
    let _ = link.read_to_end(&mut said);
    writing.join().unwrap();
    String::from_utf8_lossy(&said).into_owned()
}

const LOGIN: &str = "AUTHENTICATE \"PLAIN\" \"AGFubgB3aWxkLWdvb3Nl\"\r\n";

#[test]
fn changes_are_in_the_journal() {
    each_site(|site| {
        let script = "PUTSCRIPT \"a\" \"keep;\"\r\nSETACTIVE \"a\"\r\nLOGOUT\r\n";
        let said = say(site.plain, format!("{LOGIN}{script}").as_bytes());
        assert!(said.ends_with("OK \"Done\"\r\nOK \"Done\"\r\nOK \"goodbye\"\r\n"), "{said}");
        let acts: Vec<String> = site
            .journal("ann@anser.test")
            .into_iter()
            .filter_map(|what| match what {
                What::Administered { act, after, .. } => Some(format!("{act} {}", after.unwrap_or_default())),
                _ => None,
            })
            .collect();
        assert_eq!(acts, ["sieve.put a", "sieve.activate a"]);
        assert!(site.journal("ann").iter().any(|what| matches!(what, What::Login { .. })));
    });
}

#[test]
fn scripts_are_counted_and_measured() {
    each_site(|site| {
        let owner = ScriptOwner::Account(site.account("ann"));
        site.runtime.block_on(async {
            for n in 0..SCRIPTS {
                site.deps.directory.put_script(owner, &format!("{n}"), b"keep;").await.unwrap();
            }
        });
        let large = SCRIPT + 1;
        let commands = format!(
            "{LOGIN}HAVESPACE \"new\" 10\r\nHAVESPACE \"1\" 10\r\nHAVESPACE \"1\" {large}\r\nPUTSCRIPT \"new\" \"keep;\"\r\n\
             PUTSCRIPT \"1\" {{{large}+}}\r\n{}\r\nNOOP \"here\"\r\nLOGOUT\r\n",
            "x".repeat(large)
        );
        let said = say(site.plain, commands.as_bytes());
        let words: Vec<&str> = said.lines().filter(|line| line.starts_with("NO") || line.starts_with("OK")).collect();
        let expected = [
            "OK",
            "OK",
            "NO (QUOTA/MAXSCRIPTS)",
            "OK",
            "NO (QUOTA/MAXSIZE)",
            "NO (QUOTA/MAXSCRIPTS)",
            "NO (QUOTA/MAXSIZE)",
            "OK (TAG \"here\")",
            "OK",
        ];
        assert_eq!(words.len(), expected.len(), "{said}");
        assert!(words.iter().zip(expected).all(|(word, start)| word.starts_with(start)), "{words:#?}");
    });
}

#[test]
fn what_floods_is_cut_off() {
    let limits = Limits { skipped: 1000, bad_commands: 5, ..Limits::default() };
    each_site_with(limits, |site| {
        let said = say(site.plain, b"PUTSCRIPT \"x\" {4000000000+}\r\n");
        assert!(said.ends_with("BYE \"the literal is much too large\"\r\n"), "{said}");
        let said = say(site.plain, "nonsense\r\n".repeat(20).as_bytes());
        assert!(said.ends_with("BYE \"too many bad commands\"\r\n"), "{said}");
        let said = say(site.plain, "NOOP\r\n".repeat(500).as_bytes());
        assert!(said.contains("BYE \"too many commands without a login\"\r\n"), "{said}");
        let said = say(site.plain, &[&vec![b'a'; 1 << 17][..], b"\r\n"].concat());
        assert!(said.ends_with("BYE \"line too long\"\r\n"), "{said}");
    });
}
