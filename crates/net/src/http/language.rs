//! The language that is asked for.

use anser_base::Language;
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

/// Ranges of `Accept-Language` that are looked at.
const RANGES: usize = 20;

/// The language that a header asks for (RFC 9110 §12.5.4): the first of the best that the house speaks, English where it says nothing.
pub fn language(headers: &HeaderMap) -> Language {
    let mut best = (Language::English, 0.0);
    let asked = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    for range in asked.split(',').take(RANGES) {
        let (name, weight) = range.split_once(';').unwrap_or((range, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok()).unwrap_or(0.0);
        if let Some(language) = Language::named(name.trim())
            && weight > best.1
        {
            best = (language, weight);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_language_asked_for_is_found() {
        for (asked, found) in [
            ("", Language::English),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("en;q=0.8, zh;q=0.9", Language::Chinese),
            ("fr, en;q=0.5, zh;q=0.1", Language::English),
            ("zh;q=0", Language::English),
            ("zh;q=many", Language::English),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(asked));
            assert_eq!(language(&headers), found, "{asked}");
        }
    }
}
