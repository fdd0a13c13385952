//! HTML of strangers, made harmless: an allow-list of elements, attributes and style, no scripts, no forms, nothing that loads by
//! itself. What is left may be put into a page, which has walls of its own.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ammonia::{Builder, UrlRelative};

use super::image::Addresses;

/// Elements that are open at once at most. Parsers look through what is open at each element: without a limit a message of a megabyte
/// would keep one busy for minutes.
const OPEN: usize = 600;
/// Open formatting elements, times all elements: each paragraph opens them anew.
const FORMATTED: usize = 400_000;
/// Declarations of one `style` at most.
const DECLARATIONS: usize = 64;

const VOID: [&str; 11] = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr"];
/// Elements that end where the next of their kind begins.
const CLOSED: [&str; 15] =
    ["p", "li", "td", "th", "tr", "dt", "dd", "option", "tbody", "thead", "tfoot", "colgroup", "html", "head", "body"];
const FORMATTING: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];
const MORE_TAGS: [&str; 5] = ["font", "center", "big", "u", "tt"];
const MORE_ATTRIBUTES: [&str; 16] = [
    "style",
    "align",
    "valign",
    "bgcolor",
    "color",
    "width",
    "height",
    "border",
    "cellpadding",
    "cellspacing",
    "colspan",
    "rowspan",
    "size",
    "face",
    "dir",
    "title",
];
/// What style may say: how text and boxes look, never where they are.
const STYLE: [&str; 15] = [
    "color",
    "background",
    "background-color",
    "font",
    "text",
    "line-height",
    "letter-spacing",
    "white-space",
    "width",
    "height",
    "max-width",
    "vertical-align",
    "list-style-type",
    "direction",
    "word-break",
];
/// The same with anything behind a hyphen.
const STYLE_FAMILIES: [&str; 6] = ["font-", "text-", "border", "padding", "margin", "word-"];
/// Pictures that stand in a message's own text.
const DATA: [&str; 4] =
    ["data:image/png;base64,", "data:image/jpeg;base64,", "data:image/gif;base64,", "data:image/webp;base64,"];

/// What pictures become.
pub(super) struct Pictures {
    /// Where the parts of the message are, by their Content-ID.
    pub parts: HashMap<String, String>,
    /// What makes addresses that bring pictures of other servers; `None` when they are not to be fetched.
    pub proxy: Option<Addresses>,
    /// A word that nobody can foretell, of letters and digits.
    pub unique: String,
}

/// Harmless HTML.
pub(super) struct Safe {
    pub html: String,
    /// Pictures of other servers: behind the proxy, or in `data-src` where they are not to be fetched.
    pub remote: usize,
}

/// Makes HTML harmless; `None` for what no parser should see.
pub(super) fn safe(html: &str, pictures: Pictures) -> Option<Safe> {
    if !is_bounded(html) {
        return None;
    }
    let remote = Arc::new(AtomicUsize::new(0));
    let (counter, mark) = (remote.clone(), format!("src=\"{}:", pictures.unique));
    let mut builder = Builder::default();
    builder
        .add_tags(MORE_TAGS)
        .rm_tags(["map", "area"])
        .generic_attributes(MORE_ATTRIBUTES.into())
        .url_schemes(["http", "https", "mailto", "tel", "cid", "data"].into())
        // The filter below lets none of the message's own pass: what is relative is ours.
        .url_relative(UrlRelative::PassThrough)
        .set_tag_attribute_value("a", "target", "_blank")
        .attribute_filter(move |element, attribute, value| match (element, attribute) {
            (_, "style") => style(value),
            ("img", "src") => picture(&pictures, &counter, value).map(Cow::Owned),
            (_, "href") => is_link(value).then_some(Cow::Borrowed(value)),
            (_, "src" | "cite" | "background" | "longdesc" | "action" | "srcset") => None,
            _ => Some(Cow::Borrowed(value)),
        });
    let html = builder.clean(html).to_string().replace(&mark, "data-src=\"");
    Some(Safe { html, remote: remote.load(Ordering::Relaxed) })
}

fn is_link(value: &str) -> bool {
    let scheme = value.trim().split(':').next().unwrap_or_default().to_ascii_lowercase();
    matches!(scheme.as_str(), "http" | "https" | "mailto" | "tel")
}

fn picture(pictures: &Pictures, remote: &AtomicUsize, value: &str) -> Option<String> {
    let value = value.trim();
    let lower = value.get(..value.floor_char_boundary(32)).unwrap_or_default().to_ascii_lowercase();
    if lower.starts_with("cid:") {
        let id = percent_decoded(&value[4..]);
        return pictures.parts.get(id.trim_start_matches('<').trim_end_matches('>')).cloned();
    }
    if lower.starts_with("http:") || lower.starts_with("https:") {
        remote.fetch_add(1, Ordering::Relaxed);
        return Some(match &pictures.proxy {
            Some(proxy) => proxy.address(value),
            None => format!("{}:{value}", pictures.unique),
        });
    }
    DATA.iter().any(|start| lower.starts_with(start)).then(|| value.to_owned())
}

/// The declarations that only say how something looks: names out of a list, values without anything that loads or escapes.
fn style(value: &str) -> Option<Cow<'_, str>> {
    let may = |declaration: &&str| {
        let Some((name, value)) = declaration.split_once(':') else { return false };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.to_ascii_lowercase());
        let known = STYLE.contains(&name.as_str()) || STYLE_FAMILIES.iter().any(|family| name.starts_with(family));
        let plain = |c: char| c.is_alphanumeric() || " #.,%()+-_!'\"\t\r\n".contains(c);
        let functions = value.matches('(').count();
        let colours = ["rgb(", "rgba(", "hsl(", "hsla("].iter().map(|name| value.matches(name).count()).sum::<usize>();
        known
            && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
            && value.chars().all(plain)
            && functions == colours
    };
    let kept: Vec<&str> = value.split(';').filter(may).map(str::trim).take(DECLARATIONS).collect();
    (!kept.is_empty()).then(|| Cow::Owned(kept.join("; ")))
}

/// Whether a parser has little work with it: see [`OPEN`] and [`FORMATTED`].
fn is_bounded(html: &str) -> bool {
    let (mut open, mut formatting, mut most, mut tags): (HashMap<String, usize>, usize, usize, usize) =
        Default::default();
    let mut all = 0usize;
    // What is before the first tag opens none.
    for piece in html.split('<').skip(1) {
        let (closing, rest) = match piece.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, piece),
        };
        let end = rest.bytes().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(rest.len());
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        tags += 1;
        let name = rest[..end].to_ascii_lowercase();
        if VOID.contains(&name.as_str()) || CLOSED.contains(&name.as_str()) {
            continue;
        }
        let is_formatting = FORMATTING.contains(&name.as_str());
        let count = open.entry(name).or_default();
        match closing {
            true if *count > 0 => {
                (*count, all, formatting) = (*count - 1, all - 1, formatting - usize::from(is_formatting));
            }
            true => {}
            false => (*count, all, formatting) = (*count + 1, all + 1, formatting + usize::from(is_formatting)),
        }
        most = most.max(formatting);
        if all > OPEN {
            return false;
        }
    }
    most.saturating_mul(tags) <= FORMATTED.max(tags * 4)
}

/// A text as it may stand in the query of an address (RFC 3986 §2.3).
pub(super) fn percent_encoded(text: &str) -> String {
    let one = |byte: u8| match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(html: &str, proxy: Option<Addresses>) -> Safe {
        let parts = HashMap::from([("logo@x".to_owned(), "/jmap/download/A1/B1-2/a.png".to_owned())]);
        safe(html, Pictures { parts, proxy, unique: "q1".into() }).unwrap()
    }

    #[test]
    fn pictures_are_those_of_the_message_or_wait() {
        let html = r#"<img src="cid:logo%40x"><img src="http://x.example/a.png?b=c&amp;d"><img src="cid:none"><img src="data:image/svg+xml;base64,AA"><img src="data:image/png;base64,AA">"#;
        let waiting = cleaned(html, None);
        assert_eq!(waiting.remote, 1);
        assert_eq!(
            waiting.html,
            r#"<img src="/jmap/download/A1/B1-2/a.png"><img data-src="http://x.example/a.png?b=c&amp;d"><img><img><img src="data:image/png;base64,AA">"#
        );
        let fetched = cleaned(html, Some(Addresses::sample()));
        assert!(fetched.html.contains(r#"?url=http%3A%2F%2Fx.example%2Fa.png%3Fb%3Dc%26d""#), "{}", fetched.html);
    }

    #[test]
    fn nothing_runs_loads_or_escapes() {
        for (html, left) in [
            ("<script>alert(1)</script>a", "a"),
            ("<style>@import url(//x)</style>a", "a"),
            ("<b onclick=x>a</b>", "<b>a</b>"),
            ("<form action=//x><input name=y>a</form>", "a"),
            ("<iframe src=//x></iframe><object data=//x></object>a", "a"),
            ("<svg><a xlink:href=javascript:x>a</a></svg>b", "b"),
            ("<p id=x class=y name=z>a</p>", "<p>a</p>"),
            ("<base href=//x><meta http-equiv=refresh content=0><link rel=stylesheet href=//x>a", "a"),
            (
                "<table background=http://x><tr><td>a</td></tr></table>",
                "<table><tbody><tr><td>a</td></tr></tbody></table>",
            ),
            ("<p style='background:url(http://x)'>a</p>", "<p>a</p>"),
            ("<p style='position:fixed;color:red;top:0'>a</p>", "<p style=\"color:red\">a</p>"),
            ("<p style='background:u\\72l(http://x);color:rgb(1,2,3)'>a</p>", "<p style=\"color:rgb(1,2,3)\">a</p>"),
            (
                "<p style='font-family:\"宋体\", serif;/*x*/color:red'>a</p>",
                "<p style=\"font-family:&quot;宋体&quot;, serif\">a</p>",
            ),
            ("<p style='width:expression(x);color:image(1)'>a</p>", "<p>a</p>"),
            ("<img src=/x><img src=//x/y><img srcset='http://x 2x'>", "<img><img><img>"),
        ] {
            assert_eq!(cleaned(html, None).html, left, "{html}");
        }
        for link in ["javascript:x", "data:text/html,x", "cid:logo@x", " JAVASCRIPT:x", "/x", "vbscript:x"] {
            let html = cleaned(&format!("<a href='{link}'>a</a>"), None).html;
            assert!(!html.contains("href"), "{html}");
        }
    }

    #[test]
    fn what_keeps_a_parser_busy_is_not_parsed() {
        let pictures = || Pictures { parts: HashMap::new(), proxy: None, unique: "q".into() };
        let formats: String = (0..500).map(|at| format!("<font color={at}>")).collect();
        for bomb in [
            "<div>".repeat(100_000),
            "<b><object>".repeat(10_000),
            format!("<p>{formats}{}", "</p><p>x".repeat(10_000)),
        ] {
            assert!(safe(&bomb, pictures()).is_none(), "{:.30}", bomb);
        }
        let long = format!("<table>{}</table>", "<tr><td><p><b>a</b><br></tr>".repeat(20_000));
        assert!(safe(&long, pictures()).is_some());
    }
}
