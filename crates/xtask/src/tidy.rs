//! The rules of the house that a program can check: floors, sizes, words that have no place in finished code.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The floor of every crate. A crate imports only from floors below its own; crates of the workshop may import everything.
const FLOORS: &[(&str, u8)] = &[
    ("base", 0),
    ("mime", 1),
    ("wire", 1),
    ("pst", 1),
    ("sieve", 2),
    ("text", 2),
    ("roster", 2),
    ("senderauth", 2),
    ("db", 3),
    ("blob", 3),
    ("net", 3),
    ("directory", 4),
    ("store", 4),
    ("queue", 4),
    ("journal", 4),
    ("peers", 4),
    ("delivery", 5),
    ("acme", 5),
    ("migrate", 5),
    ("smtp", 6),
    ("imap", 6),
    ("managesieve", 6),
    ("pop3", 6),
    ("web", 6),
    ("jmap", 6),
    ("auth", 6),
    ("admin", 7),
    ("anser", 8),
    ("testkit", 9),
    ("bench", 9),
    ("xtask", 9),
];

/// Lines of a source file at most.
const LINES: usize = 700;

/// Words that mark unfinished work, spelt apart so that this file passes its own check.
const UNFINISHED: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("unimple", "mented!("),
    concat!("to", "do!("),
];

/// Checks the whole checkout; prints what is wrong.
pub fn run() -> ExitCode {
    let mut wrong = Vec::new();
    let floors: BTreeMap<&str, u8> = FLOORS.iter().copied().collect();
    for folder in folders(Path::new("crates")) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match floors.get(name.as_str()) {
            Some(floor) => check_imports(&folder, *floor, &floors, &mut wrong),
            None => wrong.push(format!("crates/{name} has no floor: add it to xtask's table and to ARCHITECTURE.md")),
        }
        check_sources(&folder, &mut wrong);
    }
    crate::protocols::check(&mut wrong);
    for line in &wrong {
        eprintln!("{line}");
    }
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

fn check_imports(folder: &Path, floor: u8, floors: &BTreeMap<&str, u8>, wrong: &mut Vec<String>) {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let mut section = "";
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let imported = line.strip_prefix("anser-").and_then(|rest| rest.split(['.', ' ', '=']).next());
        let Some(imported) = imported.filter(|_| section == "[dependencies]") else { continue };
        if floor < 9 && floors.get(imported).is_none_or(|below| *below >= floor) {
            wrong.push(format!("{}: imports {imported}, which is not on a lower floor", folder.display()));
        }
    }
}

fn check_sources(folder: &Path, wrong: &mut Vec<String>) {
    for path in sources(folder) {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let lines = text.lines().count();
        if lines > LINES {
            wrong.push(format!("{}: {lines} lines; which idea is missing that would split it?", path.display()));
        }
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = UNFINISHED.iter().find(|word| line.contains(*word)) {
                wrong.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
