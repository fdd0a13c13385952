//! The gate `ttl`: a server looks by itself, remembers when it saw what, and asks other resolvers what they hold.

use std::fs;
use std::process::Command;

use anser_testkit::dns::{NameServer, Signing};
use tokio::runtime::Runtime;

use crate::world::{Place, Served, anser, done, free_port, run};

/// Looks until the server has looked.
const LOOKS: usize = 500;

fn zone(serial: u32, mx: u32, name: u32) -> String {
    format!("@ 60 IN SOA ns. host. {serial} 3600 600 86400 60\n@ {mx} IN MX 10 mail\nmail {name} IN A 127.0.0.1\n")
}

#[test]
fn a_server_remembers_how_long_names_were_remembered_and_asks_others_what_they_hold() {
    let (runtime, place) = (Runtime::new().unwrap(), Place::new());
    let serve = |zone: &str| runtime.block_on(NameServer::start(&[("anser.test", Signing::Unsigned, zone)]));
    // Another resolver got the MX before it was changed.
    let (names, witness) = (serve(&zone(1, 259_200, 86_400)), serve(&zone(1, 7200, 60)));
    let (folder, imap) = (place.file("server"), free_port());
    let mut command = anser();
    command.args(["init", "--hostname", "mail.anser.test", "--domain", "anser.test", "--dir"]).arg(&folder);
    done(command.output().unwrap());
    let [own, other] = [names.address, witness.address];
    let dns = format!("\n[dns]\nservers = [\"{own}\"]\nname_server_port = {}\nwitnesses = [\"{other}\"]\n", own.port());
    Served::listen(&folder, &[("imaps", imap)], &dns);
    done(run(&folder, &["account", "add", "ann@anser.test", "--password-stdin"], b"wild-goose"));
    done(run(&folder, &["move", "plan", "m", "--host", "127.0.0.1", "--port", "1"], b""));
    done(run(&folder, &["move", "accounts", "m", "--stdin"], b"ann\tann@anser.test\n"));

    let server = Served::start(&folder);
    let papers = place.file("papers");
    let documents = ["move", "report", "m", "--documents", &papers.display().to_string()];
    let has_looked = |_: &usize| {
        done(run(&folder, &documents, b""));
        let page = fs::read_to_string(papers.join("en/4-dns.html")).unwrap();
        page.contains("<td>anser.test</td><td>259200</td><td>259200</td>")
            && page.contains("<td>A mail.anser.test</td><td>86400</td><td>86400</td>")
    };
    assert!((0..LOOKS).any(|look| has_looked(&look)), "nobody looked");
    {
        let _inside = runtime.enter();
        names.replace(&[("anser.test", Signing::Unsigned, &zone(2, 60, 60))]);
    }
    let told = done(run(&folder, &["move", "cutover", "m", "--check"], b""));
    let gate = told.lines().find(|line| line.starts_with("! ttl")).unwrap_or_else(|| panic!("{told}"));
    let forgotten = |name: &str| -> i64 {
        let words = format!("{name}: its TTL is low; the old one is forgotten everywhere at ");
        let (_, rest) = gate.split_once(&words).unwrap_or_else(|| panic!("{gate}"));
        let at = rest.split(';').next().unwrap().trim();
        done(Command::new("date").args(["-d", at, "+%s"]).output().unwrap()).trim().parse().unwrap()
    };
    // Three days as the MX was remembered; two as is always waited for.
    let between = forgotten("MX anser.test") - forgotten("A mail.anser.test");
    assert!((24 * 3600 - 1..=24 * 3600 + 1).contains(&between), "{gate}");
    assert!(gate.contains(&format!("{other} remembers it for")), "{gate}");
    server.stop();
}
