//! Reads and runs transcripts. A case starts with `=== title`; its sections start with `--- name`. A section that a case
//! does not have is that of the case before it, but for `actions`, `mistakes` and `after`, which say what must come out.
//!
//! - `message`: the message, lines ended with LF here and CRLF there.
//! - `script`: the script. `script NAME` and `global NAME` are scripts to include; `before`, `after-script`: run around it.
//! - `world`: one fact a line, such as `sender a@b`, `mailbox Work`, `list tag:friends a@b`, `spam 50`, `now 0`.
//! - `actions`: what comes out, one a line, see [`told`].
//! - `mistakes`: `line:column part of the English sentence`, one a line.
//! - `after`: the last version of the message.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::Arc;

use anser_base::Timestamp;
use anser_sieve::{
    Action, Environment, FileInto, Fuel, Input, Outcome, Program, RedirectTo, Script, World, run as run_scripts,
};

/// Runs all cases of a file and tells all that fail.
pub fn run(file: &str) {
    let mut sections: BTreeMap<String, String> = BTreeMap::new();
    let mut wrong = String::new();
    let mut count = 0;
    for case in file.split("\n=== ").skip(1) {
        let (title, body) = case.split_once('\n').unwrap_or((case, ""));
        for given in ["actions", "mistakes", "after", "before", "after-script"] {
            sections.remove(given);
        }
        for section in format!("\n{body}").split("\n--- ").skip(1) {
            let (name, text) = section.split_once('\n').unwrap_or((section, ""));
            let text = if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
            sections.insert(name.trim().to_owned(), text);
        }
        count += 1;
        check(title, &sections, &mut wrong);
    }
    assert!(count > 0, "no cases");
    assert!(wrong.is_empty(), "{wrong}");
}

fn check(title: &str, sections: &BTreeMap<String, String>, wrong: &mut String) {
    let section = |name: &str| sections.get(name).map(String::as_str);
    let script = section("script").expect("a script");
    let compiled = Program::compile(script.as_bytes());
    if let Some(expected) = section("mistakes") {
        let found = match &compiled {
            Ok(_) => "no mistake".to_owned(),
            Err(mistakes) => mistakes.to_string(),
        };
        let holds = expected.lines().all(|line| {
            let (place, text) = line.split_once(' ').unwrap_or((line, ""));
            let (line, column) = place.split_once(':').expect("line:column");
            let place = format!("line {line}, column {column}: ");
            found.lines().any(|found| found.starts_with(&place) && found.contains(text))
        });
        if !holds || found.lines().count() != expected.lines().count() {
            let _ = writeln!(wrong, "== {title}\nexpected mistakes\n{expected}found\n{found}");
        }
        return;
    }
    let program = match compiled {
        Ok(program) => Program::from_bytes(&program.to_bytes()).expect("stored programs come back"),
        Err(mistakes) => {
            let _ = writeln!(wrong, "== {title}\ndoes not compile: {mistakes}");
            return;
        }
    };
    let (outcome, _) = outcome(&program, sections);
    let found = told(&outcome);
    let expected = section("actions").unwrap_or_else(|| panic!("{title}: what comes out?"));
    if found.trim() != expected.trim() {
        let _ = writeln!(wrong, "== {title}\nexpected\n{expected}found\n{found}");
    }
    if let Some(expected) = section("after") {
        let last = outcome.versions.last().map(|bytes| String::from_utf8_lossy(bytes).replace("\r\n", "\n"));
        if last.as_deref() != Some(expected) {
            let last = last.unwrap_or_default();
            let _ = writeln!(wrong, "== {title}\nexpected message\n{expected}found message\n{last}");
        }
    }
}

fn outcome(program: &Program, sections: &BTreeMap<String, String>) -> (Outcome, usize) {
    let section = |name: &str| sections.get(name).map(String::as_str).unwrap_or_default();
    let facts = Facts::read(section("world"), sections);
    let message = section("message").replace('\n', "\r\n");
    let compiled = |name| sections.get(name).map(|text| Program::compile(text.as_bytes()).expect("compiles"));
    let (before, after) = (compiled("before"), compiled("after-script"));
    let mut scripts = Vec::new();
    scripts.extend(before.iter().map(|program| Script { name: "before", program }));
    scripts.push(Script { name: "main", program });
    scripts.extend(after.iter().map(|program| Script { name: "after", program }));
    let zone: i32 = facts.one("zone", "480").parse().unwrap();
    let input = Input {
        message: message.as_bytes(),
        structure: None,
        sender: facts.one("sender", "sender@example.org"),
        recipient: facts.one("recipient", "me@example.com"),
        owner: &facts.all("owner"),
        now: Timestamp::from_secs(facts.one("now", "1577808000").parse().unwrap()),
        zone: &|_| zone,
        environment: &facts.environment,
        world: &facts,
        boundary: "boundary",
        fuel: facts.fuel(),
    };
    (run_scripts(&scripts, &input), scripts.len())
}

/// What came out, one line each.
fn told(outcome: &Outcome) -> String {
    let mut out = String::new();
    for taken in &outcome.actions {
        let line = match &taken.action {
            Action::Keep { flags, is_implicit } => {
                format!("{}{}", if *is_implicit { "implicit keep" } else { "keep" }, told_flags(flags))
            }
            Action::FileInto(file) => format!("fileinto {}", told_file(file)),
            Action::Redirect { to: RedirectTo::Address(address) } => format!("redirect {address}"),
            Action::Redirect { to: RedirectTo::List(list) } => format!("redirect list {list}"),
            Action::Discard => "discard".to_owned(),
            Action::Reject { reason, is_ereject } => {
                format!("{} {reason:?}", if *is_ereject { "ereject" } else { "reject" })
            }
            Action::Vacation(answer) => {
                let withheld = answer.withheld.map(|why| format!(" withheld={why:?}")).unwrap_or_default();
                let from = answer.from.as_ref().map(|from| format!(" from={from:?}")).unwrap_or_default();
                let fcc = answer.fcc.as_ref().map(|file| format!(" fcc={}", told_file(file))).unwrap_or_default();
                let mime = if answer.is_mime { " mime" } else { "" };
                let (seconds, subject, reason) = (answer.seconds, &answer.subject, &answer.reason);
                format!("vacation {seconds} {subject:?}{from}{mime} {reason:?}{withheld}{fcc}")
            }
            Action::Notify(note) => {
                let from = note.from.as_ref().map(|from| format!(" from={from:?}")).unwrap_or_default();
                let fcc = note.fcc.as_ref().map(|file| format!(" fcc={}", told_file(file))).unwrap_or_default();
                let body = if note.body.is_empty() { String::new() } else { format!(" body={:?}", note.body) };
                let withheld = if note.is_withheld { " withheld" } else { "" };
                format!(
                    "notify {} {} {:?}{body}{from}{withheld}{fcc}",
                    note.to.join(","),
                    note.importance,
                    note.subject
                )
            }
        };
        let version = if taken.version > 0 { format!(" version={}", taken.version) } else { String::new() };
        let _ = writeln!(out, "{line}{version}");
    }
    for id in &outcome.remember {
        let known = if id.is_duplicate { " known" } else { "" };
        let last = if id.from_last { " last" } else { "" };
        let _ = writeln!(out, "remember {:?} {:?} {}{last}{known}", id.handle, id.id, id.seconds);
    }
    for failure in &outcome.failures {
        let origin = &failure.origin;
        let _ = writeln!(out, "failure {}:{} {}", origin.script, origin.line, failure.text.en);
    }
    out
}

fn told_file(file: &FileInto) -> String {
    let id = file.mailbox_id.as_ref().map(|id| format!(" id={id}")).unwrap_or_default();
    let special = file.special_use.as_ref().map(|special| format!(" use={special}")).unwrap_or_default();
    format!("{}{id}{special}{}{}", file.mailbox, if file.create { " create" } else { "" }, told_flags(&file.flags))
}

fn told_flags(flags: &[String]) -> String {
    if flags.is_empty() { String::new() } else { format!(" [{}]", flags.join(" ")) }
}

/// The world that a transcript describes.
struct Facts {
    lines: Vec<(String, String)>,
    environment: Environment,
    scripts: HashMap<(bool, String), Arc<Program>>,
}

impl Facts {
    fn read(text: &str, sections: &BTreeMap<String, String>) -> Facts {
        let pairs = text.lines().map(|line| line.split_once(' ').unwrap_or((line, "")));
        let lines: Vec<_> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let items = lines.iter().filter(|(name, _)| name == "env").filter_map(|(_, value)| value.split_once(' '));
        let environment = items.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let named = sections.iter().filter_map(|(name, text)| {
            let (kind, name) = name.split_once(' ')?;
            let program = Program::compile(text.as_bytes()).unwrap_or_else(|mistakes| panic!("{name}: {mistakes}"));
            Some(((kind == "global", name.to_owned()), Arc::new(program)))
        });
        let scripts = named.collect();
        Facts { lines, environment, scripts }
    }

    fn all(&self, name: &str) -> Vec<String> {
        self.lines.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
    }

    fn one<'f>(&'f self, name: &str, default: &'f str) -> &'f str {
        self.lines.iter().find(|(known, _)| known == name).map_or(default, |(_, value)| value.as_str())
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).iter().any(|known| known == value)
    }

    fn fuel(&self) -> Fuel {
        let mut fuel = Fuel::default();
        if let Ok(steps) = self.one("steps", "").parse() {
            fuel.steps = steps;
        }
        fuel
    }
}

impl World for Facts {
    fn mailbox_exists(&self, name: &str) -> bool {
        self.has("mailbox", name)
    }

    fn mailbox_id_exists(&self, id: &str) -> bool {
        self.has("mailboxid", id)
    }

    fn special_use_exists(&self, mailbox: Option<&str>, special_use: &str) -> bool {
        match mailbox {
            Some(mailbox) => self.has("use", &format!("{special_use} {mailbox}")),
            None => self.all("use").iter().any(|line| line.starts_with(&format!("{special_use} "))),
        }
    }

    fn metadata(&self, mailbox: Option<&str>, entry: &str) -> Option<String> {
        let prefix = format!("{} {entry} ", mailbox.unwrap_or("-"));
        self.all("metadata").iter().find_map(|line| line.strip_prefix(&prefix).map(str::to_owned))
    }

    fn is_duplicate(&self, handle: &str, id: &str) -> bool {
        self.has("seen", format!("{handle} {id}").trim())
    }

    fn list_exists(&self, list: &str) -> bool {
        self.all("list").iter().any(|line| line.split(' ').next() == Some(list))
    }

    fn list_contains(&self, list: &str, value: &str) -> bool {
        self.has("list", &format!("{list} {value}"))
    }

    fn spam_percent(&self) -> Option<u8> {
        self.one("spam", "").parse().ok()
    }

    fn virus_level(&self) -> Option<u8> {
        self.one("virus", "").parse().ok()
    }

    fn script(&self, is_global: bool, name: &str) -> Option<Arc<Program>> {
        self.scripts.get(&(is_global, name.to_owned())).cloned()
    }
}
