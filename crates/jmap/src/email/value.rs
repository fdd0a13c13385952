//! The text of parts (RFC 8621 §4.1.4, EmailBodyValue).

use anser_base::Result;
use anser_mime::charset;
use anser_mime::encoding::Encoding;
use anser_mime::structure::Part;
use serde_json::{Value, json};

use super::octets::Octets;

/// Bytes of one text that are told at most.
pub(crate) const VALUE: usize = 4 * 1024 * 1024;

/// The text of a part, cut to so many bytes; 0 is no limit but the house's own.
pub(crate) fn value(octets: &mut Octets, part: &Part, most: usize) -> Result<Value> {
    let most = if most == 0 { VALUE } else { most.min(VALUE) };
    // What is cut away may be the longer part of a charset that takes more bytes than UTF-8.
    let (bytes, cut) = octets.decoded(part, most.saturating_mul(2))?;
    let exact = match part.charset() {
        _ if cut => None,
        Some(label) => charset::decode_exactly(label, &bytes),
        None => bytes.is_ascii().then(|| String::from_utf8_lossy(&bytes).into_owned()),
    };
    let problem = (exact.is_none() && !cut) || Encoding::known(part.encoding.as_deref()).is_none();
    let text = exact.unwrap_or_else(|| charset::decode_prefix(part.charset(), &bytes)).replace("\r\n", "\n");
    let (text, truncated) = shortened(text, most, part.subtype == "html");
    Ok(json!({ "value": text, "isEncodingProblem": problem, "isTruncated": truncated || cut }))
}

/// The text of a part, cut to so many bytes, in a charset that somebody knows better than its own label; and whether it was cut.
pub(crate) fn text_of(octets: &mut Octets, part: &Part, most: usize, charset: Option<&str>) -> Result<(String, bool)> {
    let (bytes, cut) = octets.decoded(part, most.saturating_mul(2))?;
    let text = charset::decode_prefix(charset.or(part.charset()), &bytes);
    let (text, truncated) = shortened(text, most, part.subtype == "html");
    Ok((text, truncated || cut))
}

/// The text, cut between characters and not within a tag.
fn shortened(mut text: String, most: usize, is_html: bool) -> (String, bool) {
    if text.len() <= most {
        return (text, false);
    }
    let mut end = text.floor_char_boundary(most);
    if is_html && let Some(open) = text[..end].rfind('<').filter(|open| !text[*open..end].contains('>')) {
        end = open;
    }
    text.truncate(end);
    (text, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_where_they_may_be() {
        let cut = |text: &str, most, html| shortened(text.to_owned(), most, html);
        assert_eq!(cut("陈陈", 5, false), ("陈".to_owned(), true));
        assert_eq!(cut("ab<br>c", 4, true), ("ab".to_owned(), true));
        assert_eq!(cut("ab<br>c", 6, true), ("ab<br>".to_owned(), true));
        assert_eq!(cut("ab", 2, true), ("ab".to_owned(), false));
    }
}
