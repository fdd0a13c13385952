//! The rehearsal: three old servers, their users' programs reading before, during and after, a DNS that sends the mail first there and
//! then here; from the survey to the proof. Small here; `ANSER_TEST_REHEARSAL=200x100` is 200 users with 100
//! messages each.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anser_testkit::dns::{NameServer, Signing};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::dovecot::Dovecot;
use super::programs::Programs;
use super::world::login;
use crate::peers::node::PASSWORD;
use crate::peers::tools::{shell, wanted};
use crate::world::{Dev, Place, done, run};

/// Users, and messages of each, when nobody says otherwise.
const SMALL: (usize, usize) = (9, 20);
/// What an organisation writes into its form; the rest is seen.
const FORM: &str = "单位名称：高能所\n联系人：王\n联系电话：010-1\nEmail：wang@anser.test\n是否需要迁移邮件内容：是\n期望迁移时间：周五\n";
/// Old servers.
const SERVERS: usize = 3;

fn size() -> (usize, usize) {
    let told = std::env::var("ANSER_TEST_REHEARSAL").ok();
    let told = told.as_deref().and_then(|text| text.split_once('x'));
    told.map_or(SMALL, |(users, messages)| (users.parse().expect("users"), messages.parse().expect("messages")))
}

/// The old servers and their users.
pub struct World {
    pub old: Vec<Dovecot>,
    pub users: usize,
    messages: usize,
}

impl World {
    pub fn new() -> Self {
        let (users, messages) = size();
        let world = Self { old: (0..SERVERS).map(|_| Dovecot::start()).collect(), users, messages };
        (0..users).for_each(|user| world.fill(user));
        world.old.iter().for_each(|old| shell(&format!("chown -R nobody:nogroup {}", old.path("mail"))));
        world
    }

    /// Writes a user's Maildirs: an inbox and a folder.
    fn fill(&self, user: usize) {
        let root = self.old[user % SERVERS].path(&format!("mail/u{user}/Maildir"));
        for folder in ["", "Work/"] {
            let cur = Path::new(&root).join(folder).join("cur");
            for part in ["new", "tmp"] {
                fs::create_dir_all(cur.with_file_name(part)).expect("a Maildir");
            }
            fs::create_dir_all(&cur).expect("a Maildir");
            for number in 0..self.messages / 2 {
                let head = format!(
                    "From: a@x.test\r\nSubject: {user} {folder}{number}\r\nMessage-ID: <{user}.{folder}{number}@x>\r\n"
                );
                let text = format!("{head}\r\n{}\r\n", "\u{4f60}\u{597d}\r\n".repeat(number % 50));
                let name = format!("{}.{user}_{number}.old:2,{}", 1_700_000_000 + number, ["", "S", "FS"][number % 3]);
                fs::write(cur.join(name), text).expect("a message");
            }
        }
    }

    /// Makes the move with its three servers and everybody's login.
    pub fn plan(&self, dev: &Dev, place: &Place) {
        let table = place.file("people.csv");
        let lines = (0..self.users).map(|user| format!("u{user}@anser.test,{PASSWORD}\n"));
        fs::write(&table, format!("email,password\n{}", lines.collect::<String>())).expect("a table");
        dev.ask(&["account", "import", &table.display().to_string()]);
        for (at, old) in self.old.iter().enumerate() {
            let (source, imap) = (format!("old{at}"), old.imap.to_string());
            let (maildrop, pop3) = (format!("old{at}-pop3"), old.pop3.to_string());
            let plan = ["move", "plan", "house", "--host", "127.0.0.1", "--tls", "none"];
            dev.ask(&[&plan[..], &["--source", &source, "--port", &imap, "--connections", "4"]].concat());
            dev.ask(&[&plan[..], &["--source", &maildrop, "--port", &pop3, "--kind", "pop3"]].concat());
        }
        dev.ask(&["move", "plan", "house", "--pass-through", "until-cutover", "--relay", "127.0.0.1:9"]);
        for at in 0..SERVERS {
            let own = (0..self.users).filter(|user| user % SERVERS == at);
            let lines: String = own.map(|user| format!("u{user}\tu{user}@anser.test\t{PASSWORD}\n")).collect();
            let accounts = ["move", "accounts", "house", "--source", &format!("old{at}"), "--stdin"];
            done(run(&dev.folder, &accounts, lines.as_bytes()));
        }
    }
}

/// The zone: the MX and for how long it is remembered.
pub fn zone(serial: u32, mx: &str, ttl: u32) -> String {
    format!(
        "@ 60 IN SOA ns. host. {serial} 3600 600 86400 60\n@ {ttl} IN MX 10 {mx}\nmail 60 IN A 127.0.0.1\n\
         mail.old 60 IN A 127.0.0.1\n@ 60 IN TXT \"v=spf1 mx -all\"\n"
    )
}

/// The name server of our domain.
pub struct Names {
    runtime: Runtime,
    pub server: NameServer,
}

impl Names {
    pub fn new(zone: &str) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let server = runtime.block_on(NameServer::start(&[("anser.test", Signing::Unsigned, zone)]));
        Self { runtime, server }
    }

    fn set(&self, zone: &str) {
        let _inside = self.runtime.enter();
        self.server.replace(&[("anser.test", Signing::Unsigned, zone)]);
    }
}

/// State of each gate.
fn gates(dev: &Dev) -> BTreeMap<String, String> {
    let said: Value = serde_json::from_str(&dev.ask(&["--json", "move", "cutover", "house", "--check"])).expect("JSON");
    let rows = said.as_array().expect("rows").iter().filter(|row| row["gate"].is_string());
    rows.map(|row| (row["gate"].as_str().unwrap().to_owned(), row["state"].as_str().unwrap().to_owned())).collect()
}

fn state<'a>(gates: &'a BTreeMap<String, String>, gate: &str) -> &'a str {
    gates.get(gate).map_or("", String::as_str)
}

/// Cuts everybody over; some gates may be taken for passed.
pub fn cut_over(dev: &Dev, accepted: &[&str]) {
    let accepted = accepted.iter().flat_map(|gate| ["--accept", gate]);
    dev.ask(&["move", "cutover", "house", "--wait"].into_iter().chain(accepted).collect::<Vec<_>>());
    let status = dev.ask(&["move", "status", "house"]);
    assert!(!status.contains("there") && !status.contains("turning"), "{status}");
}

#[test]
fn three_servers_move_in_from_the_survey_to_the_proof() {
    if !wanted() {
        return;
    }
    let (world, names) = (World::new(), Names::new(&zone(1, "mail.old", 3600)));
    let place = Place::new();
    let dev = place.start_with(&["--dns", &names.server.address.to_string()]);
    world.plan(&dev, &place);
    let survey = dev.ask(&["move", "survey", "house"]);
    let all = world.users * (world.messages / 2) * 2;
    assert!(survey.contains("imap 127.0.0.1:") && survey.contains("mail goes elsewhere"), "{survey}");
    assert!(dev.ask(&["route", "list"]).matches("@anser.test").count() == world.users, "mail goes there meanwhile");

    // Before, during: read through here at the old servers.
    let programs: Vec<Programs> =
        (0..SERVERS).map(|user| Programs::new(&dev, &format!("u{user}@anser.test"))).collect();
    let fetched = |programs: &[Programs]| programs.iter().map(Programs::fetch).collect::<Vec<_>>();
    let before = fetched(&programs);
    assert!(
        before
            .iter()
            .all(|(mbsync, getmail)| (mbsync.len(), getmail.len()) == (all / world.users, all / world.users / 2))
    );
    dev.ask(&["move", "check", "house", "--wait"]);
    dev.ask(&["move", "trial", "house", "--wait"]);
    dev.ask(&["move", "start", "house", "--wait"]);
    assert_eq!(fetched(&programs), before, "during");
    let proof = dev.ask(&["move", "verify", "house"]);
    assert_eq!(proof.matches("  perfect").count() + proof.matches("  good").count(), world.users, "{proof}");

    // The form, and what is made of it.
    let blank = dev.ask(&["move", "survey", "house", "--blank"]);
    assert_eq!(blank.lines().count(), 21, "{blank}");
    assert_eq!(state(&gates(&dev), "form"), "open");
    let form = place.file("form.txt");
    fs::write(&form, FORM).expect("a form");
    dev.ask(&["move", "survey", "house", "--form", &form.display().to_string(), "--answer", "system=<dovecot>"]);
    assert_eq!(state(&gates(&dev), "form"), "passed");
    let folder = place.file("papers");
    let papers = dev.ask(&["move", "report", "house", "--documents", &folder.display().to_string()]);
    assert_eq!(papers.lines().count(), 2 * (13 + 13 + 1), "{papers}");
    let plan = fs::read_to_string(folder.join("zh/1-plan.html")).expect("a plan");
    let has = ["高能所", "&lt;dovecot&gt;", "anser.test", "old0-pop3"];
    assert!(has.iter().all(|word| plan.contains(word)) && !plan.contains("{{"), "{plan}");
    dev.ask(&["move", "report", "house", "--check", &folder.join("zh/1-plan.html").display().to_string()]);
    let manual = fs::read_to_string(folder.join("en/7-clients-tls.html")).expect("a manual");
    assert!(manual.contains(&format!("port {}", dev.port("imaps"))), "{manual}");

    // The gates.
    let refused = run(&dev.folder, &["move", "cutover", "house"], b"");
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("ttl, notice"), "{why}");
    names.set(&zone(2, "mail.old", 60));
    let told = dev.ask(&["move", "cutover", "house", "--check", "--noticed"]);
    assert!(told.contains("is forgotten everywhere at"), "{told}");
    dev.ask(&["move", "cutover", "house", "--check", "--accept", "ttl", "--accept", "forecast"]);
    let now = gates(&dev);
    assert_eq!(
        ["accounts", "proof", "ttl", "notice", "mx"].map(|gate| state(&now, gate)),
        ["passed", "passed", "accepted", "passed", "open"]
    );
    cut_over(&dev, &[]);
    let watched = dev.ask(&["move", "status", "house", "--watch"]);
    assert_eq!(watched.matches("  settled  ").count(), world.users, "{watched}");
    assert_eq!(dev.ask(&["route", "list"]).matches("@anser.test").count(), 0, "mail comes here");
    names.set(&zone(3, "mail", 60));
    assert_eq!(state(&gates(&dev), "mx"), "passed");
    dev.ask(&["move", "report", "house", "--documents", &folder.display().to_string()]);
    let calendar = fs::read_to_string(folder.join("zh/visits.ics")).expect("a calendar");
    assert_eq!(calendar.matches("BEGIN:VEVENT").count(), 8, "{calendar}");
    assert_eq!(fetched(&programs), before, "after: nothing is fetched twice");

    // Late mail, new mail; the proof.
    world.old[0].login("u0").append("INBOX", "", b"Subject: late\r\n\r\nx\r\n").expect("APPEND");
    login(&dev, "u1@anser.test").append("INBOX", "", b"Subject: new\r\n\r\nx\r\n").expect("APPEND");
    dev.ask(&["move", "delta", "house", "--wait"]);
    let after = fetched(&programs);
    let more =
        |at: usize| (after[at].0.difference(&before[at].0).count(), after[at].1.difference(&before[at].1).count());
    assert_eq!((more(0), more(1), more(2)), ((1, 1), (1, 1), (0, 0)));
    dev.ask(&["move", "verify", "house"]);
    let report: Value = serde_json::from_str(&dev.ask(&["move", "report", "house", "--format", "json"])).expect("JSON");
    assert_eq!(
        (report["unexplained"].as_u64(), report["proofs"].as_array().map(Vec::len)),
        (Some(0), Some(world.users))
    );
    let page = place.file("proof.html");
    fs::write(&page, dev.ask(&["move", "report", "house"])).expect("a report");
    let check = ["move", "report", "house", "--check", &page.display().to_string()];
    dev.ask(&check);
    fs::write(&page, fs::read_to_string(&page).expect("it").replacen("perfect", "good", 1)).expect("a report");
    assert!(!run(&dev.folder, &check, b"").status.success(), "a report that was changed");
}
