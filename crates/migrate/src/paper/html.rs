//! A paper as a page of HTML that needs nothing else, and prints well.

use anser_net::http::escaped;

use super::{Block, Kind, Paper, Readers, Span, Table};

/// How a page looks, on a screen and on paper.
const STYLE: &str = "body{font:15px/1.6 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;max-width:50em;margin:2em auto;padding:0 1em;\
color:#1a1a1a;background:#fff}h1{font-size:1.6em;border-bottom:2px solid #1a1a1a;padding-bottom:.3em}h2{font-size:1.2em;margin-top:1.6em}\
table{border-collapse:collapse;width:100%;margin:1em 0;font-size:.92em}td,th{border:1px solid #888;padding:.3em .6em;text-align:left;\
vertical-align:top;overflow-wrap:anywhere}th{background:#eee}code{font-family:ui-monospace,monospace}.tick{list-style:none;padding-left:0}\
.tick li::before{content:'\\2610\\00a0'}@page{size:A4;margin:18mm}@media print{body{margin:0;max-width:none;font-size:11pt}\
h2{break-after:avoid}tr{break-inside:avoid}}";

/// The whole page.
pub fn html(paper: &Paper) -> String {
    let lang = if paper.readers == Readers::Chinese { "zh-CN" } else { "en" };
    let mut out = format!(
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{}</title><style>{STYLE}</style></head><body>",
        escaped(&paper.title)
    );
    let mut list: Option<&str> = None;
    for block in &paper.blocks {
        let wanted = match block {
            Block::Line(kind, _) => opening(*kind),
            Block::Table(_) | Block::Gap => None,
        };
        if list != wanted {
            out.push_str(list.map_or("", closing));
            out.push_str(wanted.unwrap_or_default());
            list = wanted;
        }
        match block {
            Block::Line(kind, spans) => {
                let (before, behind) = around(*kind);
                out.push_str(&format!("{before}{}{behind}", text(spans)));
            }
            Block::Table(of) => out.push_str(&table(of)),
            Block::Gap => {}
        }
    }
    out.push_str(list.map_or("", closing));
    out + "</body></html>\n"
}

/// What opens the list that such a line is in.
fn opening(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Item => Some("<ul>"),
        Kind::Step => Some("<ol>"),
        Kind::Tick => Some("<ul class=\"tick\">"),
        _ => None,
    }
}

fn closing(list: &str) -> &'static str {
    if list == "<ol>" { "</ol>" } else { "</ul>" }
}

fn around(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Title => ("<h1>", "</h1>"),
        Kind::Heading => ("<h2>", "</h2>"),
        Kind::Text => ("<p>", "</p>"),
        Kind::Strong => ("<p><strong>", "</strong></p>"),
        Kind::Item | Kind::Step | Kind::Tick => ("<li>", "</li>"),
    }
}

fn text(spans: &[Span]) -> String {
    let one = |span: &Span| {
        let text = escaped(&span.text).replace('\n', "<br>");
        if span.code { format!("<code>{text}</code>") } else { text }
    };
    spans.iter().map(one).collect()
}

fn table(table: &Table) -> String {
    let cells = |name: &str, row: &[String]| -> String {
        row.iter().map(|cell| format!("<{name}>{}</{name}>", escaped(cell))).collect()
    };
    let rows: String = table.rows.iter().map(|row| format!("<tr>{}</tr>", cells("td", row))).collect();
    format!("<table><thead><tr>{}</tr></thead><tbody>{rows}</tbody></table>", cells("th", &table.head))
}
