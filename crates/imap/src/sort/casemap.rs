//! The collation i;unicode-casemap (RFC 5051).

use unicode_normalization::UnicodeNormalization;

/// Characters of a text that take part in an order.
const KEY: usize = 1_000;

/// The form of a text whose octets are compared: every character in title case, then decomposed (RFC 5051 §2). Chinese stands in
/// the order of its code points.
pub(crate) fn casemap(text: &str) -> String {
    if text.is_ascii() {
        return text.chars().take(KEY).collect::<String>().to_ascii_uppercase();
    }
    text.chars().take(KEY).map(title).nfkd().collect()
}

/// The simple mapping of one character to one; what has none stays.
fn title(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_compared_without_regard_to_case_or_composition() {
        for (a, b) in [("Hello", "hELLO"), ("Émile", "e\u{301}MILE"), ("привет", "ПРИВЕТ"), ("Ａ１", "Ａ1")]
        {
            assert_eq!(casemap(a), casemap(b), "{a} {b}");
        }
        assert!(casemap("b") > casemap("A") && casemap("B") > casemap("a"));
        // 丁 U+4E01 before 七 U+4E03 before 中 U+4E2D.
        assert!(casemap("丁") < casemap("七") && casemap("七") < casemap("中"));
        assert_eq!(casemap(&"字".repeat(5_000)).chars().count(), KEY);
    }
}
