//! A template and the facts become a paper.

use super::{Document, Facts, LETTERS, Language, Table};
use crate::notices::Occasion;
use crate::paper::{self, Block, Kind, Paper, Readers, Span};

/// Facts that templates may call for; besides these, every question of the survey form.
#[cfg(test)]
pub(super) const TEXTS: [&str; 37] = [
    "organisation",
    "contact",
    "phone",
    "email",
    "domain-count",
    "domains",
    "dns",
    "pop3",
    "smtp",
    "clients",
    "users",
    "system",
    "capacity",
    "content",
    "when",
    "probe-address",
    "notes",
    "support-phone",
    "support-hours",
    "support-email",
    "abuse-email",
    "address",
    "login",
    "move",
    "date",
    "hostname",
    "mailboxes",
    "messages",
    "size",
    "imap-port",
    "imaps-port",
    "pop3-port",
    "pop3s-port",
    "submission-port",
    "submissions-port",
    "webmail",
    "ttl",
];
/// Tables that templates may call for.
#[cfg(test)]
pub(super) const TABLES: [&str; 11] =
    ["form", "usage", "tickets", "sources", "accounts", "gates", "dns", "mx", "ttl", "lists", "visits"];

/// One document, with the facts in it.
pub fn page(document: &Document, language: Language, facts: &Facts) -> Paper {
    let template = document.template(language);
    let title = template.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(document.name);
    let title = filled(title, facts).into_iter().map(|span| span.text).collect();
    let readers = if language == Language::Zh { Readers::Chinese } else { Readers::English };
    let blocks = template.lines().filter_map(|line| block(shown(line, facts)?, language, facts)).collect();
    Paper { readers, title, blocks }
}

/// The subject and the text of a letter.
pub fn letter(occasion: Occasion, language: Language, facts: &Facts) -> (String, String) {
    let paper = page(&LETTERS[occasion as usize], language, facts);
    let text = paper::text(&paper);
    (paper.title, text)
}

fn block(line: &str, language: Language, facts: &Facts) -> Option<Block> {
    if line.trim().is_empty() {
        return Some(Block::Gap);
    }
    if let Some(name) = line.strip_prefix("{{table ").and_then(|rest| rest.strip_suffix("}}")) {
        return facts.tables.get(name).map(|table| Block::Table(in_words(table, language)));
    }
    let (kind, text) = kind_of(line);
    Some(Block::Line(kind, filled(text, facts)))
}

/// A line without its condition; `None` when that does not hold.
fn shown<'a>(line: &'a str, facts: &Facts) -> Option<&'a str> {
    let Some(rest) = line.strip_prefix('?') else { return Some(line) };
    let (name, text) = rest.split_once(' ')?;
    (!facts.text(name).is_empty()).then_some(text)
}

fn kind_of(line: &str) -> (Kind, &str) {
    let marks =
        [("# ", Kind::Title), ("## ", Kind::Heading), ("- ", Kind::Item), ("1. ", Kind::Step), ("[ ] ", Kind::Tick)];
    let marked = marks.iter().find_map(|(mark, kind)| Some((*kind, line.strip_prefix(mark)?)));
    marked.unwrap_or((Kind::Text, line))
}

/// A text with its facts, and `` `code` `` marked: facts stand in code too.
fn filled(text: &str, facts: &Facts) -> Vec<Span> {
    let spans = text.split('`').enumerate().map(|(at, part)| Span { text: with_facts(part, facts), code: at % 2 == 1 });
    spans.filter(|span| !span.text.is_empty()).collect()
}

fn with_facts(text: &str, facts: &Facts) -> String {
    let mut out = String::new();
    for (at, piece) in text.split("{{").enumerate() {
        match piece.split_once("}}").filter(|_| at > 0) {
            Some((name, rest)) => {
                let fact = facts.text(name);
                out.push_str(if fact.is_empty() { "______" } else { fact });
                out.push_str(rest);
            }
            None => out.push_str(piece),
        }
    }
    out
}

fn in_words(table: &Table, language: Language) -> paper::Table {
    let name = |(en, zh): &(&'static str, &'static str)| if language == Language::Zh { *zh } else { *en };
    let head = table.columns.iter().map(|column| name(column).to_owned()).collect();
    paper::Table { head, rows: table.rows.clone() }
}

#[cfg(test)]
mod tests {
    use super::super::DOCUMENTS;
    use super::*;
    use crate::paper::html;

    #[test]
    fn nothing_that_was_said_breaks_out_of_its_place() {
        let mut facts = Facts::default();
        for name in TEXTS {
            facts.texts.insert(name, "<script>alert('{{users}}')</script>\u{1b}\"".to_owned());
        }
        for name in TABLES {
            let rows = vec![vec!["<img src=x onerror=alert(1)>".to_owned()]];
            facts.tables.insert(name, Table { columns: vec![("a", "b")], rows });
        }
        for document in DOCUMENTS {
            for language in [Language::En, Language::Zh] {
                let page = html(&page(&document, language, &facts));
                assert!(!page.contains("<script") && !page.contains("<img") && !page.contains('\u{1b}'), "{page}");
                assert!(!page.contains("{{") || page.contains("{{users}}"), "{}", document.name);
                assert_eq!(page.matches("<ul").count(), page.matches("</ul>").count());
                assert!(page.starts_with("<!doctype html>") && page.contains("<h1>"));
            }
        }
    }

    #[test]
    fn a_fact_that_nobody_knows_is_a_line_to_write_on() {
        let filled = |text: &str| -> Vec<(String, bool)> {
            filled(text, &Facts::default()).into_iter().map(|span| (span.text, span.code)).collect()
        };
        let span = |text: &str, code| (text.to_owned(), code);
        assert_eq!(filled("at {{when}}: `x`"), [span("at ______: ", false), span("x", true)]);
        assert_eq!(filled("`a {{when}} b`, `c`"), [span("a ______ b", true), span(", ", false), span("c", true)]);
        assert_eq!(shown("?when x", &Facts::default()), None);
    }
}
