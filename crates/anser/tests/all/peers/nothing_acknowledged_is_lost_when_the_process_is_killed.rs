//! Rounds of writers over SMTP and IMAP that note every positive reply; the process is killed at a random moment, started again, and
//! compared with the notes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use anser_testkit::engines::{NO_SCHEMAS, POSTGRES, World};

use super::node::{IMAP, Node, SMTP};
use super::tools::Numbers;
use super::wire::{Fetched, Imap, Smtp};

/// The variable that sets the number of rounds on each engine.
const ROUNDS: &str = "ANSER_TEST_CRASH_ROUNDS";
const USER: &str = "ann@anser.test";
/// Writers over SMTP.
const SENDERS: usize = 3;
/// Milliseconds of work in a round, at least and at most.
const WORK: (usize, usize) = (300, 900);
/// How long the last round waits for the first acknowledged removal at most.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn on_sqlite() {
    crash_rounds(&mut Node::start(&[]), rounds(8));
}

#[test]
fn on_postgresql() {
    let Some(world) = World::postgres(NO_SCHEMAS) else {
        eprintln!("{POSTGRES} is not set: this test did not run");
        return;
    };
    let mut node = Node::start(&["--engine", "postgres", world.url().expect("a database")]);
    crash_rounds(&mut node, rounds(4));
}

fn rounds(usual: usize) -> usize {
    std::env::var(ROUNDS).ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

/// What was asked for and what was promised.
#[derive(Default)]
struct Ledger {
    /// Every message that was sent, by its id.
    sent: BTreeMap<String, Vec<u8>>,
    /// Ids whose message was accepted.
    accepted: BTreeSet<String>,
    /// Ids whose removal was asked for: they may be there or not, until it was acknowledged.
    leaving: BTreeSet<String>,
    /// Ids whose removal was acknowledged.
    gone: BTreeSet<String>,
    /// Ids whose flag was acknowledged.
    flagged: BTreeSet<String>,
    /// The id that each UID was shown with.
    shown: BTreeMap<u64, String>,
    validity: String,
}

fn crash_rounds(node: &mut Node, rounds: usize) {
    let ledger = Mutex::new(Ledger::default());
    let mut numbers = Numbers(0x0A5E_5EED ^ u64::from(std::process::id()) << 20);
    for round in 0..rounds {
        let work = Duration::from_millis((WORK.0 + numbers.below(WORK.1 - WORK.0)) as u64);
        // A slow machine may have given the editor no time so far; the last round waits until it did something.
        let patience = if round + 1 == rounds { PATIENCE } else { Duration::ZERO };
        crash(node, &ledger, round, work, patience);
        node.restart();
        let (messages, validity) = settled(node, &ledger);
        let mut ledger = open(&ledger);
        let violations = compare(&mut ledger, &messages, &validity);
        eprintln!(
            "round {round}: accepted {} present {} expunged {} flagged {}",
            ledger.accepted.len(),
            messages.len(),
            ledger.gone.len(),
            ledger.flagged.len()
        );
        assert!(violations.is_empty(), "round {round}: {violations:#?}");
    }
    let ledger = open(&ledger);
    assert!(ledger.accepted.len() > rounds && !ledger.gone.is_empty(), "the writers did nothing to speak of");
}

fn open(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().expect("no writer panicked")
}

/// Writers at work, until the process is killed among them.
fn crash(node: &mut Node, ledger: &Mutex<Ledger>, round: usize, work: Duration, patience: Duration) {
    let (smtp, imap, ended) = (node.port(SMTP), node.port(IMAP), AtomicBool::new(false));
    let ended = &ended;
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let name = format!("s{round}-{sender}");
            scope.spawn(move || again(ended, |numbers| send(smtp, ledger, &name, numbers, ended)));
        }
        scope.spawn(move || again(ended, |numbers| edit(imap, ledger, &format!("i{round}"), numbers, ended)));
        scope.spawn(move || again(ended, |_| watch(imap, ledger, ended)));
        let until = Instant::now() + work;
        std::thread::park_timeout(until - Instant::now());
        while open(ledger).gone.is_empty() && Instant::now() < until + patience {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        node.kill();
        ended.store(true, Ordering::Release);
    });
}

/// A writer whose connection ended connects again, until the round ends.
fn again(ended: &AtomicBool, mut writer: impl FnMut(&mut Numbers) -> io::Result<()>) {
    let mut numbers =
        Numbers(0x5EED ^ std::time::UNIX_EPOCH.elapsed().map_or(1, |time| u64::from(time.subsec_nanos())));
    while !ended.load(Ordering::Acquire) {
        if writer(&mut numbers).is_err() {
            std::thread::yield_now();
        }
    }
}

fn send(port: u16, ledger: &Mutex<Ledger>, name: &str, numbers: &mut Numbers, ended: &AtomicBool) -> io::Result<()> {
    let mut smtp = Smtp::connect(port)?;
    while !ended.load(Ordering::Acquire) {
        let (id, message) = new_message(ledger, name, numbers);
        smtp.send("a@example.com", USER, &message)?;
        open(ledger).accepted.insert(id);
    }
    Ok(())
}

fn edit(port: u16, ledger: &Mutex<Ledger>, name: &str, numbers: &mut Numbers, ended: &AtomicBool) -> io::Result<()> {
    let mut imap = Imap::login(port, USER)?;
    imap.select("INBOX")?;
    for step in 0.. {
        if ended.load(Ordering::Acquire) {
            break;
        }
        let (id, message) = new_message(ledger, name, numbers);
        let uid = imap.append("INBOX", "", &message)?.ok_or_else(|| io::Error::other("no APPENDUID"))?;
        open(ledger).accepted.insert(id.clone());
        match step % 4 {
            0 => {
                open(ledger).leaving.insert(id.clone());
                imap.run(&format!("UID STORE {uid} +FLAGS (\\Deleted)"))?;
                imap.run(&format!("UID EXPUNGE {uid}"))?;
                open(ledger).gone.insert(id);
            }
            1 => {
                imap.run(&format!("UID STORE {uid} +FLAGS (\\Flagged)"))?;
                open(ledger).flagged.insert(id);
            }
            _ => {}
        }
    }
    Ok(())
}

/// A reader that notes every UID it is shown, also of mail that nobody was promised yet.
fn watch(port: u16, ledger: &Mutex<Ledger>, ended: &AtomicBool) -> io::Result<()> {
    let mut imap = Imap::login(port, USER)?;
    imap.select("INBOX")?;
    let mut next = 1;
    while !ended.load(Ordering::Acquire) {
        let responses = imap.run(&format!("UID FETCH {next}:* (UID BODY.PEEK[HEADER.FIELDS (X-Id)])"))?;
        let mut ledger = open(ledger);
        for response in responses.iter().filter(|response| response.text.contains(" FETCH (")) {
            let (Some(uid), Some(header)) = (response.number("UID"), response.literals.first()) else { continue };
            ledger.shown.insert(uid, field(header, "X-Id").unwrap_or_default());
            next = next.max(uid);
        }
    }
    Ok(())
}

/// A message with its id, noted as sent.
fn new_message(ledger: &Mutex<Ledger>, name: &str, numbers: &mut Numbers) -> (String, Vec<u8>) {
    let length = numbers.of(&[50, 2000, 60_000]);
    let mut ledger = open(ledger);
    let id = format!("{name}-{}", ledger.sent.len());
    let mut text = format!("From: a@example.com\r\nSubject: t {id}\r\nMessage-ID: <{id}@ledger>\r\nX-Id: {id}\r\n\r\n");
    while text.len() < length {
        let line: String = (0..60).map(|_| numbers.of(&['a', 'b', 'c', 'd', ' ', '.'])).collect();
        text.push_str(&format!("x{line}\r\n"));
    }
    ledger.sent.insert(id.clone(), text.clone().into_bytes());
    (id, text.into_bytes())
}

/// What is in the inbox once the queue is empty, and its UIDVALIDITY.
fn settled(node: &Node, ledger: &Mutex<Ledger>) -> (Vec<Fetched>, String) {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let waiting = node.anser(&["queue", "list", "--json"]);
        let mut imap = Imap::login(node.port(IMAP), USER).expect("a session");
        let selected = imap.select("INBOX").expect("the inbox");
        let messages = imap.fetch_all().expect("all of it");
        let there: BTreeSet<_> = messages.iter().filter_map(|message| field(&message.body, "X-Id")).collect();
        let ledger = open(ledger);
        let all = ledger.accepted.iter().all(|id| ledger.leaving.contains(id) || there.contains(id));
        let empty = String::from_utf8_lossy(&waiting).trim() == "[]";
        if (empty && all) || Instant::now() > until {
            let validity = selected.iter().find_map(|response| response.value("[UIDVALIDITY")).unwrap_or_default();
            return (messages, validity.to_owned());
        }
    }
}

/// Every broken promise, in words.
fn compare(ledger: &mut Ledger, messages: &[Fetched], validity: &str) -> Vec<String> {
    let mut broken = Vec::new();
    if !ledger.validity.is_empty() && ledger.validity != validity {
        broken.push(format!("UIDBACK: UIDVALIDITY {} became {validity}", ledger.validity));
    }
    ledger.validity = validity.to_owned();
    let mut there: BTreeMap<String, Vec<&Fetched>> = BTreeMap::new();
    for message in messages {
        let id = field(&message.body, "X-Id").unwrap_or_default();
        if !ledger.sent.get(&id).is_some_and(|sent| message.body.ends_with(sent)) {
            broken.push(format!("TORN: UID {} {id}", message.uid));
        }
        let shown = ledger.shown.insert(message.uid, id.clone());
        if shown.as_ref().is_some_and(|shown| *shown != id) {
            broken.push(format!("UIDBACK: UID {} was {shown:?} and is {id}", message.uid));
        }
        there.entry(id).or_default().push(message);
    }
    for id in &ledger.accepted {
        match there.get(id) {
            Some(_) if ledger.gone.contains(id) => broken.push(format!("UNDEAD: {id}")),
            None if !ledger.leaving.contains(id) => broken.push(format!("LOST: {id}")),
            _ => {}
        }
    }
    for (id, copies) in there.iter().filter(|(_, copies)| copies.len() > 1) {
        broken.push(format!("DOUBLE: {id} with UIDs {:?}", copies.iter().map(|copy| copy.uid).collect::<Vec<_>>()));
    }
    for id in &ledger.flagged {
        if there.get(id).is_some_and(|copies| !copies[0].flags.iter().any(|flag| flag == "\\Flagged")) {
            broken.push(format!("FLAG: {id}"));
        }
    }
    broken
}

fn field(message: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(&message[..message.len().min(4096)]).into_owned();
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(|value| value.trim().to_owned()))
}
