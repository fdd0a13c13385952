//! The rehearsal: three old servers, a DNS that sends the mail first there and then here, users whose programs read and people outside who
//! write all the while; from the survey to the closing, back to the old servers, and forward again. Nothing comes twice, nothing is missed,
//! and what is dropped on purpose is named. Small here; `ANSER_TEST_REHEARSAL=200x100` is 200 users with 100 messages each.

use std::fs;

use serde_json::Value;

use super::rehearsal::gates::{cut_over, gate, refused, verify};
use super::rehearsal::loss::{drop_seven, put_right, unexplained};
use super::rehearsal::names::{NEW_MX, Names, OLD_MX, Outside, arrives};
use super::rehearsal::old::OldServers;
use super::rehearsal::readers::Readers;
use crate::peers::tools::{root, wanted};
use crate::world::{Dev, Place, SMTP, run};

/// What an organisation writes into its form; the rest is seen.
const FORM: &str = "单位名称：高能所\n联系人：王\n联系电话：010-1\nEmail：wang@anser.test\n是否需要迁移邮件内容：是\n期望迁移时间：周五\n";
/// For how long the MX is remembered at first: three days.
const LONG: u32 = 3 * 24 * 3600;
/// For how long it is remembered around the cut-over.
const SHORT: u32 = 60;

/// The form, and what is made of it.
fn papers(dev: &Dev, place: &Place) {
    let blank = dev.ask(&["move", "survey", "house", "--blank"]);
    assert_eq!(blank.lines().count(), 21, "{blank}");
    assert!(gate(dev, "form").starts_with("open"));
    let form = place.file("form.txt");
    fs::write(&form, FORM).expect("a form");
    let answers = ["--answer", "system=<dovecot>", "--answer", "probe-address=x@far.test"];
    dev.ask(&[&["move", "survey", "house", "--form", &form.display().to_string()], &answers[..]].concat());
    assert_eq!(gate(dev, "form"), "passed");
    let folder = place.file("papers");
    let papers = dev.ask(&["move", "report", "house", "--documents", &folder.display().to_string()]);
    assert_eq!(papers.lines().count(), 2 * (13 + 13 + 1), "{papers}");
    let plan = fs::read_to_string(folder.join("zh/1-plan.html")).expect("a plan");
    let has = ["高能所", "&lt;dovecot&gt;", "anser.test", "courier-pop3"];
    assert!(has.iter().all(|word| plan.contains(word)) && !plan.contains("{{"), "{plan}");
    dev.ask(&["move", "report", "house", "--check", &folder.join("zh/1-plan.html").display().to_string()]);
    let manual = fs::read_to_string(folder.join("en/7-clients-tls.html")).expect("a manual");
    assert!(manual.contains(&format!("port {}", dev.port("imaps"))), "{manual}");
}

/// The gate `ttl`: seen to be high, seen to be lowered, and held until what was remembered before is forgotten.
fn drain(dev: &Dev, place: &Place, names: &Names) {
    let high = gate(dev, "ttl");
    assert!(high.contains(&format!("MX anser.test: others remember it for {LONG} s: lower the TTL")), "{high}");
    names.lead_to(OLD_MX, SHORT);
    let low = gate(dev, "ttl");
    assert!(low.contains("MX anser.test: its TTL is low; the old one is forgotten everywhere at"), "{low}");
    for days in [2, 1] {
        let held = gate(dev, "ttl");
        assert!(held.starts_with("open") && held.contains("MX anser.test: its TTL is low"), "{held}");
        let why = refused(dev, &["cutover", "house"]);
        assert!(why.contains("ttl"), "{why}");
        place.pass_days(days);
    }
    assert_eq!(gate(dev, "ttl"), "passed", "three days later");
}

/// The report: nothing is unexplained; it is signed, and a changed one is known.
fn report(dev: &Dev, place: &Place, users: usize) {
    let report: Value = serde_json::from_str(&dev.ask(&["move", "report", "house", "--format", "json"])).expect("JSON");
    assert_eq!((report["unexplained"].as_u64(), report["proofs"].as_array().map(Vec::len)), (Some(0), Some(users)));
    let page = place.file("proof.html");
    fs::write(&page, dev.ask(&["move", "report", "house"])).expect("a report");
    let check = ["move", "report", "house", "--check", &page.display().to_string()];
    dev.ask(&check);
    let changed = fs::read_to_string(&page).expect("it").replacen("u0@anser.test", "u1@anser.test", 1);
    fs::write(&page, changed).expect("a report");
    assert!(!run(&dev.folder, &check, b"").status.success(), "a report that was changed");
}

/// The end of the move, once nothing may come late any more.
fn close(dev: &Dev, place: &Place) {
    let tried = dev.ask(&["move", "cutover", "house", "u3@anser.test", "--probe"]);
    assert!(tried.contains("+ probe  passed"), "{tried}");
    let why = refused(dev, &["cutover", "house", "--close"]);
    assert!(why.contains("mail may still come late"), "{why}");
    place.pass_days(8);
    dev.ask(&["move", "cutover", "house", "--close"]);
}

#[test]
fn three_servers_move_in_go_back_and_come_again_while_everybody_reads_and_writes() {
    if !wanted() || !root() {
        return;
    }
    let (old, names, place) = (OldServers::start(), Names::start(LONG), Place::with_clock());
    let (address, users) = (names.address(), old.users);
    let arguments = ["--dns", &address, "--outward-port", SMTP];
    let dev = place.start_with(&arguments);
    let outside = Outside::new(&dev, old.hub);

    // Before.
    old.plan(&dev, &place);
    let survey = dev.ask(&["move", "survey", "house"]);
    assert!(survey.contains("imap 127.0.0.1:") && survey.contains("mail goes elsewhere"), "{survey}");
    assert_eq!(dev.ask(&["route", "list"]).matches("@anser.test").count(), users, "mail goes there meanwhile");
    papers(&dev, &place);
    let mut readers = Readers::new(&dev, &old);
    let whom = readers.users();
    readers.are_sent("before");
    outside.write(OLD_MX, &whom, "before");
    readers.have_all();
    dev.ask(&["move", "check", "house", "--wait"]);
    dev.ask(&["move", "trial", "house", "--wait"]);

    // The pre-copy, and a pass that follows, while everybody reads and some write.
    readers.are_sent("during");
    readers.read_while(|| {
        std::thread::scope(|scope| {
            scope.spawn(|| outside.write(OLD_MX, &whom, "during"));
            dev.ask(&["move", "start", "house", "--wait"]);
        });
    });
    // Whoever asked the DNS of tomorrow writes to us already.
    readers.are_sent("early");
    readers.read_while(|| {
        outside.write(NEW_MX, &whom, "early");
        dev.ask(&["move", "delta", "house", "--wait"]);
    });
    arrives(&dev, &whom, "early");
    readers.have_all();
    verify(&dev, users);

    // The gates, and the cut-over.
    drain(&dev, &place, &names);
    let why = refused(&dev, &["cutover", "house"]);
    assert!(why.contains("forecast, notice"), "{why}");
    dev.ask(&["move", "cutover", "house", "--check", "--noticed", "--accept", "forecast"]);
    cut_over(&dev, users);
    let mx = gate(&dev, "mx");
    assert!(mx.starts_with("open  anser.test: ") && mx.contains("mail.old.anser.test"), "{mx}");
    names.lead_to("mial", SHORT);
    let mx = gate(&dev, "mx");
    assert!(mx.starts_with("open  anser.test: ") && mx.contains("mial.anser.test"), "{mx}");
    names.lead_to(NEW_MX, SHORT);
    assert_eq!(gate(&dev, "mx"), "passed");
    readers.have_all();

    // Late mail, new mail; the proof.
    readers.are_sent("late");
    outside.write(OLD_MX, &whom, "late");
    readers.are_sent("new");
    outside.write(NEW_MX, &whom, "new");
    readers.read_while(|| dev.ask(&["move", "delta", "house", "--wait"]));
    arrives(&dev, &whom, "new");
    arrives(&dev, &whom, "late");
    readers.have_all();
    verify(&dev, users);
    report(&dev, &place, users);

    // Seven are dropped on purpose, named, and put right.
    let (folder, offset) = (dev.folder.clone(), dev.offset);
    assert!(dev.stop().status.success());
    let dropped = drop_seven(&folder);
    let dev = place.start_at(offset, &arguments);
    assert_eq!(unexplained(&dev), dropped);
    let loss = gate(&dev, "loss");
    assert!(loss.starts_with("open") && loss.contains("7 unexplained"), "{loss}");
    assert!(dev.stop().status.success());
    put_right(&folder);
    let dev = place.start_at(offset, &arguments);
    readers.have_all();
    verify(&dev, users);
    close(&dev, &place);

    // Back: what is new here is there, and is read there.
    dev.ask(&["move", "resume", "house"]);
    old.give_logins(&dev);
    readers.leave_the_maildrop_of_courier();
    dev.ask(&["move", "rollback", "house", "--wait"]);
    let status = dev.ask(&["move", "status", "house"]);
    assert_eq!(status.matches("  there").count(), users, "{status}");
    readers.have_all();
    readers.are_sent("back");
    outside.write(NEW_MX, &whom, "back");
    arrives(&dev, &whom, "back");
    readers.have_all();

    // Forward again.
    readers.read_while(|| dev.ask(&["move", "delta", "house", "--wait"]));
    verify(&dev, users);
    cut_over(&dev, users);
    readers.are_sent("again");
    outside.write(NEW_MX, &whom, "again");
    arrives(&dev, &whom, "again");
    readers.have_all();
    verify(&dev, users);
    close(&dev, &place);
    report(&dev, &place, users);
    let papers = place.file("papers");
    dev.ask(&["move", "report", "house", "--documents", &papers.display().to_string()]);
    let calendar = fs::read_to_string(papers.join("zh/visits.ics")).expect("a calendar");
    assert_eq!(calendar.matches("BEGIN:VEVENT").count(), 8, "{calendar}");
}
