//! A template and the facts become a page.

use anser_net::http::escaped;

use super::{Document, Facts, Language, Table};

/// Facts that templates may call for; besides these, every question of the survey form.
#[cfg(test)]
pub(super) const TEXTS: [&str; 34] = [
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
    "notes",
    "support-phone",
    "support-hours",
    "support-email",
    "abuse-email",
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
pub(super) const TABLES: [&str; 8] = ["form", "sources", "accounts", "gates", "dns", "mx", "lists", "visits"];

/// How a page looks, on a screen and on paper.
const STYLE: &str = "body{font:15px/1.6 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;max-width:50em;margin:2em auto;padding:0 1em;\
color:#1a1a1a;background:#fff}h1{font-size:1.6em;border-bottom:2px solid #1a1a1a;padding-bottom:.3em}h2{font-size:1.2em;margin-top:1.6em}\
table{border-collapse:collapse;width:100%;margin:1em 0;font-size:.92em}td,th{border:1px solid #888;padding:.3em .6em;text-align:left;\
vertical-align:top;overflow-wrap:anywhere}th{background:#eee}code{font-family:ui-monospace,monospace}.tick{list-style:none;padding-left:0}\
.tick li::before{content:'\\2610\\00a0'}@page{size:A4;margin:18mm}@media print{body{margin:0;max-width:none;font-size:11pt}\
h2{break-after:avoid}tr{break-inside:avoid}}";

/// One document as a page of HTML.
pub fn page(document: &Document, language: Language, facts: &Facts) -> String {
    let template = document.template(language);
    let title = template.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(document.name);
    let lang = if language == Language::Zh { "zh-CN" } else { "en" };
    let mut out = format!(
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{}</title><style>{STYLE}</style></head><body>",
        filled(title, facts)
    );
    let mut list: Option<&str> = None;
    for line in template.lines() {
        let Some(line) = shown(line, facts) else { continue };
        let (kind, text) = kind_of(line);
        if list.is_some_and(|open| Some(open) != kind.list()) {
            out.push_str(list.take().map_or("", closing));
        }
        if let Some(wanted) = kind.list()
            && list.is_none()
        {
            out.push_str(wanted);
            list = Some(wanted);
        }
        match kind {
            Kind::Blank => {}
            Kind::Title => out.push_str(&format!("<h1>{}</h1>", filled(text, facts))),
            Kind::Heading => out.push_str(&format!("<h2>{}</h2>", filled(text, facts))),
            Kind::Item | Kind::Step | Kind::Tick => out.push_str(&format!("<li>{}</li>", filled(text, facts))),
            Kind::Table => out.push_str(&facts.tables.get(text).map(|table| html(table, language)).unwrap_or_default()),
            Kind::Text => out.push_str(&format!("<p>{}</p>", filled(text, facts))),
        }
    }
    out.push_str(list.map_or("", closing));
    out + "</body></html>\n"
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    Title,
    Heading,
    Item,
    Step,
    Tick,
    Table,
    Text,
}

impl Kind {
    /// What opens the list that such a line is in.
    fn list(self) -> Option<&'static str> {
        match self {
            Self::Item => Some("<ul>"),
            Self::Step => Some("<ol>"),
            Self::Tick => Some("<ul class=\"tick\">"),
            _ => None,
        }
    }
}

fn closing(list: &str) -> &'static str {
    if list == "<ol>" { "</ol>" } else { "</ul>" }
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
    if line.trim().is_empty() {
        return (Kind::Blank, "");
    }
    if let Some(table) = line.strip_prefix("{{table ").and_then(|rest| rest.strip_suffix("}}")) {
        return (Kind::Table, table);
    }
    let marked = marks.iter().find_map(|(mark, kind)| Some((*kind, line.strip_prefix(mark)?)));
    marked.unwrap_or((Kind::Text, line))
}

/// A text with its facts, escaped, and `` `code` `` marked: facts stand in code too.
fn filled(text: &str, facts: &Facts) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        let part = with_facts(part, facts);
        out.push_str(&if at % 2 == 1 { format!("<code>{part}</code>") } else { part });
    }
    out
}

fn with_facts(text: &str, facts: &Facts) -> String {
    let mut out = String::new();
    for (at, piece) in text.split("{{").enumerate() {
        match piece.split_once("}}").filter(|_| at > 0) {
            Some((name, rest)) => {
                let fact = facts.text(name);
                out.push_str(&if fact.is_empty() { "______".to_owned() } else { escaped(fact).replace('\n', "<br>") });
                out.push_str(&escaped(rest));
            }
            None => out.push_str(&escaped(piece)),
        }
    }
    out
}

fn html(table: &Table, language: Language) -> String {
    let name = |(en, zh): &(&'static str, &'static str)| if language == Language::Zh { *zh } else { *en };
    let head: String = table.columns.iter().map(|column| format!("<th>{}</th>", escaped(name(column)))).collect();
    let cells =
        |row: &Vec<String>| -> String { row.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect() };
    let rows: String = table.rows.iter().map(|row| format!("<tr>{}</tr>", cells(row))).collect();
    format!("<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")
}

#[cfg(test)]
mod tests {
    use super::super::DOCUMENTS;
    use super::*;

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
                let page = page(&document, language, &facts);
                assert!(!page.contains("<script") && !page.contains("<img") && !page.contains('\u{1b}'), "{page}");
                assert!(!page.contains("{{") || page.contains("{{users}}"), "{}", document.name);
                assert_eq!(page.matches("<ul").count(), page.matches("</ul>").count());
                assert!(page.starts_with("<!doctype html>") && page.contains("<h1>"));
            }
        }
    }

    #[test]
    fn a_fact_that_nobody_knows_is_a_line_to_write_on() {
        assert_eq!(filled("at {{when}}: `x`", &Facts::default()), "at ______: <code>x</code>");
        assert_eq!(filled("`a {{when}} b`, `c`", &Facts::default()), "<code>a ______ b</code>, <code>c</code>");
        assert_eq!(shown("?when x", &Facts::default()), None);
    }
}
