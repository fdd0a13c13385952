//! The first readable characters of a message.

use super::MAX_SAMPLE;
use crate::charset;
use crate::encoding::Decoder;
use crate::structure::Structure;
use crate::structure::parser::Sample;

/// Characters of a preview.
pub const MAX_PREVIEW: usize = 200;

/// Bytes of a sample that mostly are enough: plain text, and HTML with its head.
const FIRST_LOOK: [usize; 2] = [2 * 1024, 16 * 1024];

/// The preview of the plain text, or of the HTML when there is no plain text or it is blank.
pub(super) fn preview(structure: &Structure, samples: &[Sample]) -> String {
    let of_kind = |is_html: bool| samples.iter().filter(move |sample| sample.is_html == is_html);
    let mut texts = of_kind(false).chain(of_kind(true)).map(|sample| of_sample(structure, sample));
    texts.find(|text| !text.is_empty()).unwrap_or_default()
}

/// Looks at the start of the sample, and at all of it when that was too little.
fn of_sample(structure: &Structure, sample: &Sample) -> String {
    let first = FIRST_LOOK[usize::from(sample.is_html)];
    if sample.bytes.len() > first {
        let text = readable(structure, sample, &sample.bytes[..first]);
        if text.chars().count() >= MAX_PREVIEW {
            return text;
        }
    }
    readable(structure, sample, &sample.bytes)
}

fn readable(structure: &Structure, sample: &Sample, bytes: &[u8]) -> String {
    let part = &structure.parts[sample.index];
    let is_whole = bytes.len() == sample.bytes.len() && bytes.len() < MAX_SAMPLE;
    let mut content = Vec::with_capacity(bytes.len());
    let mut decoder = Decoder::new(part.transfer_encoding());
    decoder.push(bytes, &mut content);
    if is_whole {
        decoder.finish(&mut content);
    }
    let decode = if is_whole { charset::decode } else { charset::decode_prefix };
    let text = decode(part.charset(), &content);
    let mut out = Collapsed::default();
    if sample.is_html {
        html_text(&text, &mut out);
    } else {
        out.push_str(&text);
    }
    out.text
}

/// Text with white space collapsed and invisible characters left out, up to [`MAX_PREVIEW`].
#[derive(Default)]
struct Collapsed {
    text: String,
    length: usize,
    space: bool,
}

impl Collapsed {
    fn is_full(&self) -> bool {
        self.length >= MAX_PREVIEW
    }

    fn push_str(&mut self, text: &str) {
        for c in text.chars() {
            if self.is_full() {
                return;
            }
            self.push(c);
        }
    }

    fn push(&mut self, c: char) {
        if c.is_whitespace() || c.is_control() {
            self.space = true;
        } else if !is_invisible(c) {
            if std::mem::take(&mut self.space) && self.length > 0 {
                self.text.push(' ');
                self.length += 1;
            }
            if !self.is_full() {
                self.text.push(c);
                self.length += 1;
            }
        }
    }
}

/// Soft hyphens, joiners and byte order marks, with which senders fill the preview of their mail.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// Elements whose content is not shown.
const HIDDEN: [&str; 3] = ["style", "script", "title"];

/// Elements that do not part words.
const INLINE: [&str; 14] =
    ["a", "b", "i", "u", "s", "em", "strong", "span", "font", "small", "big", "sub", "sup", "wbr"];

/// Gives the text of HTML to `out`: no tags, no comments, no hidden elements, entities decoded. Linear.
fn html_text(html: &str, out: &mut Collapsed) {
    let mut rest = html;
    while !out.is_full() {
        let Some(at) = rest.find(['<', '&']) else {
            return out.push_str(rest);
        };
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = if rest.starts_with('&') { entity(rest, out) } else { markup(rest, out) };
    }
}

/// Passes what `<` begins; answers what follows it.
fn markup<'a>(rest: &'a str, out: &mut Collapsed) -> &'a str {
    if let Some(comment) = rest.strip_prefix("<!--") {
        return comment.split_once("-->").map_or("", |(_, after)| after);
    }
    if !rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
        out.push('<');
        return &rest[1..];
    }
    let Some((tag, after)) = rest[1..].split_once('>') else {
        return "";
    };
    let name = tag.trim_start_matches('/');
    let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
    let is_one_of = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    if !is_one_of(&INLINE) {
        out.push(' ');
    }
    if !tag.starts_with('/') && is_one_of(&HIDDEN) {
        return after_closing(after, name);
    }
    after
}

/// What follows `</name`.
fn after_closing<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        rest = &rest[at + 2..];
        if rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            return rest.split_once('>').map_or("", |(_, after)| after);
        }
    }
    ""
}

/// Named entities that text uses; others are shown as written.
const ENTITIES: [(&str, char); 25] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("ensp", ' '),
    ("emsp", ' '),
    ("zwnj", '\u{200c}'),
    ("shy", '\u{ad}'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("mdash", '—'),
    ("ndash", '–'),
    ("hellip", '…'),
    ("middot", '·'),
    ("bull", '•'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("euro", '€'),
    ("yen", '¥'),
    ("laquo", '«'),
];

/// Decodes the entity that `rest` may start with; answers what follows it.
fn entity<'a>(rest: &'a str, out: &mut Collapsed) -> &'a str {
    /// Bytes of the longest entity.
    const MAX_ENTITY: usize = 10;
    let name_end = rest.bytes().take(MAX_ENTITY).position(|byte| byte == b';');
    let decoded = name_end.and_then(|end| {
        let name = &rest[1..end];
        let number = match name.strip_prefix('#') {
            Some(digits) => match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => digits.parse().ok(),
            },
            None => ENTITIES.iter().find(|(known, _)| *known == name).map(|(_, c)| u32::from(*c)),
        };
        Some((number.and_then(char::from_u32)?, end + 1))
    });
    let (c, length) = decoded.unwrap_or(('&', 1));
    out.push(c);
    &rest[length..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(html: &str) -> String {
        let mut out = Collapsed::default();
        html_text(html, &mut out);
        out.text
    }

    #[test]
    fn html_is_read_as_text() {
        assert_eq!(
            shown("<p>Hel<b>lo</b></p><p>you &amp; me&nbsp;&#20013;&#x6587; &bogus;"),
            "Hello you & me 中文 &bogus;"
        );
        assert_eq!(shown("<STYLE>p{}</style><title>t</title><!-- <p>no --> yes <br"), "yes");
        assert_eq!(shown("a < b <3 &"), "a < b <3 &");
        assert_eq!(shown("<script>unclosed"), "");
        assert_eq!(shown("a\u{200b}\u{feff}b\u{3000}\u{a0}c"), "ab c");
        assert_eq!(shown(&"字".repeat(500)).chars().count(), MAX_PREVIEW);
    }
}
