//! `docs/protocols.md`: every RFC that the code cites or `docs/protocols.toml` names, with what is done of it, where, and where its
//! tests are. Citations (`RFC 9051 §6.3.2`) and capability words are read out of the sources, titles and verdicts out of the table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use serde::Deserialize;

const TABLE: &str = "docs/protocols.toml";
const PAGE: &str = "docs/protocols.md";
/// The table of IMAP's capability words; its rows end in `"RFC 5256"),`.
const CAPABILITIES: &str = "crates/imap/src/capability.rs";

/// Headings, in the order of the page.
const AREAS: [(&str, &str); 8] = [
    ("imap", "IMAP"),
    ("pop3", "POP3"),
    ("smtp", "SMTP, LMTP, reports"),
    ("message", "Messages"),
    ("sieve", "Sieve"),
    ("sender", "Who sent it"),
    ("security", "Logins and encryption"),
    ("other", "Other"),
];

const HEAD: &str = "# Protocols

What Anser does of each RFC. **Made by `cargo run -p xtask -- protocols`** out of `docs/protocols.toml` (title, verdict, what is missing) and of
the citations in the sources (where it is, where it is tested); `./x check` fails while this page is older than they are.
";

/// A line of the table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verdict {
    title: String,
    area: String,
    status: Status,
    #[serde(default)]
    missing: String,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Status {
    Yes,
    Partly,
    No,
}

/// Where an RFC is cited: files without their `crates/`, those of the product and those of tests.
#[derive(Default)]
struct Cited {
    code: BTreeSet<String>,
    tests: BTreeSet<String>,
}

/// Writes the page.
pub fn run() -> ExitCode {
    match page().and_then(|text| fs::write(PAGE, text).map_err(|error| vec![format!("{PAGE}: {error}")])) {
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            wrong.iter().for_each(|line| eprintln!("{line}"));
            ExitCode::FAILURE
        }
    }
}

/// What keeps the page from being right.
pub fn check(wrong: &mut Vec<String>) {
    match page() {
        Ok(text) if fs::read_to_string(PAGE).is_ok_and(|present| present == text) => {}
        Ok(_) => wrong.push(format!("{PAGE} is old: cargo run -p xtask -- protocols")),
        Err(lines) => wrong.extend(lines),
    }
}

fn page() -> Result<String, Vec<String>> {
    let text = fs::read_to_string(TABLE).map_err(|error| vec![format!("{TABLE}: {error}")])?;
    let named: BTreeMap<String, Verdict> = toml::from_str(&text).map_err(|error| vec![format!("{TABLE}: {error}")])?;
    let mut verdicts = BTreeMap::new();
    for (number, verdict) in named {
        let number: u32 = number.parse().map_err(|_| vec![format!("{TABLE}: {number} is no number of an RFC")])?;
        verdicts.insert(number, verdict);
    }
    let cited = citations();
    let unknown = cited.iter().filter(|(number, _)| !verdicts.contains_key(number));
    let mut wrong: Vec<String> = unknown
        .map(|(number, cited)| {
            let place = cited.code.iter().chain(&cited.tests).next().map_or("", String::as_str);
            format!("RFC {number} is cited ({place}) and has no line in {TABLE}")
        })
        .collect();
    let areas: Vec<&str> = AREAS.iter().map(|(name, _)| *name).collect();
    let lost = verdicts.iter().filter(|(_, verdict)| !areas.contains(&verdict.area.as_str()));
    wrong.extend(lost.map(|(number, verdict)| format!("{TABLE}: {number}: there is no area {}", verdict.area)));
    if wrong.is_empty() { Ok(write_page(&verdicts, &cited)) } else { Err(wrong) }
}

fn write_page(verdicts: &BTreeMap<u32, Verdict>, cited: &BTreeMap<u32, Cited>) -> String {
    let words = capability_words();
    let mut page = HEAD.to_owned();
    for (area, heading) in AREAS {
        // Writing to a String cannot fail.
        let _ = write!(
            page,
            "\n## {heading}\n\n| RFC | what | done | missing | where | tests |\n|---|---|---|---|---|---|\n"
        );
        for (number, verdict) in verdicts.iter().filter(|(_, verdict)| verdict.area == area) {
            let mut title = verdict.title.clone();
            // A word that the title has already is not repeated.
            let own = words.get(number).into_iter().flatten().filter(|word| !title.contains(word.as_str()));
            let own: Vec<String> = own.map(|word| format!("`{word}`")).collect();
            if !own.is_empty() {
                title = format!("{title} ({})", own.join(" "));
            }
            let status = match verdict.status {
                Status::Yes => "yes",
                Status::Partly => "**partly**",
                Status::No => "**no**",
            };
            let none = Cited::default();
            let cited = cited.get(number).unwrap_or(&none);
            let (code, tests) = (by_crate(&cited.code), by_crate(&cited.tests));
            let missing = &verdict.missing;
            let _ = writeln!(
                page,
                "| [{number}](https://www.rfc-editor.org/rfc/rfc{number}) | {title} | {status} | {missing} | {code} | {tests} |"
            );
        }
    }
    page
}

/// `imap: command/sort, lib; wire: imap/search`
fn by_crate(files: &BTreeSet<String>) -> String {
    let mut crates: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in files {
        let (name, inside) = file.split_once('/').unwrap_or((file, ""));
        crates.entry(name).or_default().push(inside);
    }
    let one = |(name, files): (&str, Vec<&str>)| format!("{name}: {}", files.join(", "));
    crates.into_iter().map(one).collect::<Vec<_>>().join("; ")
}

fn citations() -> BTreeMap<u32, Cited> {
    let mut all: BTreeMap<u32, Cited> = BTreeMap::new();
    let mut open = vec![Path::new("crates").to_path_buf()];
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.to_string_lossy().into_owned();
            let Some(place) = place_of(&name) else { continue };
            let text = fs::read_to_string(&path).unwrap_or_default();
            for number in numbers(&text) {
                let cited = all.entry(number).or_default();
                let files = if name.contains("/tests/") { &mut cited.tests } else { &mut cited.code };
                files.insert(place.clone());
            }
        }
    }
    all
}

/// `crates/imap/src/command/sort.rs` as `imap/command/sort`; the workshop's own crates and the table of capabilities cite nothing.
fn place_of(name: &str) -> Option<String> {
    let inside = name.strip_prefix("crates/")?;
    if inside.starts_with("xtask/") || inside.starts_with("bench/") || name == CAPABILITIES {
        return None;
    }
    let (stem, extension) = inside.rsplit_once('.')?;
    let good = ["rs", "sql", "imap", "pop3", "smtp", "txt"].contains(&extension);
    let stem = stem.replacen("/src/", "/", 1).replacen("/tests/all/", "/", 1).replacen("/tests/", "/", 1);
    good.then(|| stem.strip_suffix("/mod").map(str::to_owned).unwrap_or(stem))
}

/// The RFCs that a text cites: `RFC 7162`, and the further numbers of `RFC 4731, 5032, 7162`.
fn numbers(text: &str) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    for behind in text.split("RFC ").skip(1) {
        let mut rest = behind;
        while let Some((number, behind)) = leading_number(rest) {
            found.insert(number);
            match behind.strip_prefix(", ") {
                Some(next) => rest = next,
                None => break,
            }
        }
    }
    found
}

fn leading_number(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let plausible = (3..=5).contains(&digits) && !text[digits..].starts_with(|c: char| c.is_alphanumeric());
    let (number, behind) = text.split_at(digits);
    plausible.then(|| number.parse().ok().map(|number| (number, behind)))?
}

/// The capability words of each RFC.
fn capability_words() -> BTreeMap<u32, Vec<String>> {
    let mut words: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let text = fs::read_to_string(CAPABILITIES).unwrap_or_default();
    for row in text.lines().filter_map(|line| line.trim().strip_prefix("(\"")) {
        let number = row.rsplit_once("\"RFC ").and_then(|(_, behind)| leading_number(behind));
        if let (Some((word, _)), Some((number, _))) = (row.split_once('"'), number) {
            words.entry(number).or_default().push(word.trim_end_matches('=').to_owned());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn citations_are_found() {
        let text = "(RFC 9051 §6.4.4, RFC 3501 §6.4.4, RFC 4731, 5032, 7162, 20) and RFC 12x, RFCs";
        assert_eq!(numbers(text).into_iter().collect::<Vec<_>>(), [3501, 4731, 5032, 7162, 9051]);
    }

    #[test]
    fn places_are_short() {
        assert_eq!(place_of("crates/imap/src/search/mod.rs").as_deref(), Some("imap/search"));
        assert_eq!(place_of("crates/imap/tests/dialogues/a_b.imap").as_deref(), Some("imap/dialogues/a_b"));
        assert_eq!(place_of("crates/imap/tests/all/a_b.rs").as_deref(), Some("imap/a_b"));
        assert_eq!(place_of("crates/imap/Cargo.toml"), None);
    }
}
