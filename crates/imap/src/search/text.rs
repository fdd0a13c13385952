//! Comparing texts.

use anser_mime::address::Address;
use anser_mime::header;
use anser_mime::text::decode_header;

/// The form in which texts are compared: every character through upper to lower case, so that `ß`, `ſ` and final sigma meet their
/// kin (after RFC 5051).
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// Whether `needle`, which is folded, is in the text.
pub(super) fn contains(text: &str, needle: &str) -> bool {
    needle.is_empty() || memchr::memmem::find(fold(text).as_bytes(), needle.as_bytes()).is_some()
}

/// Whether a field of this name has the needle in its value; an empty needle asks only for the field.
pub(super) fn field_contains(block: &[u8], name: &str, needle: &str) -> bool {
    header::find_all(block, name).any(|field| contains(&decode_header(field.value), needle))
}

/// A header block as text, field by field.
pub(super) fn header_text(block: &[u8]) -> String {
    let mut text = String::with_capacity(block.len());
    for field in header::fields(block) {
        text.push_str(&String::from_utf8_lossy(field.name));
        text.push_str(": ");
        text.push_str(&decode_header(field.value));
        text.push('\n');
    }
    text
}

/// A list of addresses as text: `Name <local@domain>, …`.
pub(super) fn addresses_text(list: &[Address]) -> String {
    let shown = list.iter().map(|address| {
        let (name, email) = (address.name_text(), address.email().unwrap_or_default());
        if name.is_empty() { email } else { format!("{name} <{email}>") }
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter_in_any_script() {
        for (text, needle) in [("STRASSE", "straße"), ("ПРИВЕТ", "привет"), ("ΣΟΦΟΣ", "σοφος"), ("报告 Q3", "q3")]
        {
            assert!(contains(text, &fold(needle)), "{text} {needle}");
        }
        assert!(!contains("abc", &fold("abd")));
    }

    #[test]
    fn fields_are_decoded_before_they_are_compared() {
        let block = b"Subject: =?gb2312?B?sai45g==?=\r\nX-A: one\r\n two\r\n\r\n";
        assert!(field_contains(block, "subject", &fold("报告")));
        assert!(field_contains(block, "x-a", "one two"));
        assert!(field_contains(block, "x-a", "") && !field_contains(block, "x-b", ""));
        assert!(contains(&header_text(block), &fold("subject: 报告")));
    }
}
