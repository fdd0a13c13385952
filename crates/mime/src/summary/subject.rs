//! Subjects for people, and base subjects for threads and sorting.

use crate::text;

/// Characters kept of a subject.
pub const MAX_SUBJECT: usize = 1_000;

/// Marks of a reply or a forward before a colon, lower case.
const MARKS: [&str; 14] =
    ["re", "fwd", "fw", "回复", "回覆", "回復", "答复", "答覆", "转发", "轉發", "转寄", "轉寄", "转送", "轉送"];

/// The decoded subject of a raw field value, white space collapsed, cut at [`MAX_SUBJECT`] characters.
pub fn subject_text(raw: &[u8]) -> String {
    let text = text::decode_header(raw);
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    match out.char_indices().nth(MAX_SUBJECT) {
        Some((end, _)) => out[..end].trim_end().to_owned(),
        None => out,
    }
}

/// The base subject of a decoded subject of at most [`MAX_SUBJECT`] characters (RFC 5256 §2.1): reply and forward
/// marks, list tags in brackets and `(fwd)` are gone. Besides `Re:` and `Fwd:` it knows the Chinese marks and the
/// full-width colon. Letter case stays: compare without it. Linear in the length of `subject`.
pub fn base_subject(subject: &str) -> String {
    base_subject_and_reply(subject).0
}

/// [`base_subject`], and whether a mark of a reply or a forward was taken off (RFC 5256 §2.1); list tags are none.
pub fn base_subject_and_reply(subject: &str) -> (String, bool) {
    let (mut rest, mut reply) = (subject.trim(), false);
    loop {
        let before = rest;
        rest = without_trailer(rest, &mut reply);
        rest = without_leaders(rest, &mut reply);
        rest = unwrapped_forward(rest, &mut reply);
        if rest.len() == before.len() {
            return (rest.to_owned(), reply);
        }
    }
}

/// Takes `(fwd)` and white space off the end.
fn without_trailer<'a>(mut text: &'a str, reply: &mut bool) -> &'a str {
    loop {
        text = text.trim_end();
        match text.len().checked_sub(5).and_then(|at| text.split_at_checked(at)) {
            Some((head, tail)) if tail.eq_ignore_ascii_case("(fwd)") => (text, *reply) = (head, true),
            _ => return text,
        }
    }
}

/// Takes marks, and tags that something follows, off the start.
fn without_leaders<'a>(mut text: &'a str, reply: &mut bool) -> &'a str {
    loop {
        text = text.trim_start();
        // Of nothing but tags the last one is the subject.
        let (mut last, mut rest) = (text, text);
        while let Some(after) = without_tag(rest) {
            (last, rest) = (rest, after);
        }
        match without_mark(rest) {
            Some(after) => (text, *reply) = (after, true),
            None if rest.is_empty() => return last,
            None => return rest,
        }
    }
}

/// Takes `Re [2]:` off the start.
fn without_mark(text: &str) -> Option<&str> {
    let rest = MARKS.iter().find_map(|mark| {
        let (head, rest) = text.split_at_checked(mark.len())?;
        (head.to_ascii_lowercase() == *mark).then(|| rest.trim_start())
    })?;
    let rest = without_tag(rest).unwrap_or(rest);
    rest.strip_prefix(':').or_else(|| rest.strip_prefix('：'))
}

/// Takes one `[tag]` off the start.
fn without_tag(text: &str) -> Option<&str> {
    let end = text.strip_prefix('[')?.find(['[', ']'])? + 1;
    text[end..].strip_prefix(']').map(str::trim_start)
}

/// The content of `[Fwd: …]`.
fn unwrapped_forward<'a>(text: &'a str, reply: &mut bool) -> &'a str {
    let inner = match text.split_at_checked(5) {
        Some((head, rest)) if head.eq_ignore_ascii_case("[fwd:") => rest.strip_suffix(']'),
        _ => None,
    };
    *reply |= inner.is_some();
    inner.map_or(text, str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_taken_off() {
        for subject in [
            "Hi",
            "Re: Hi",
            "RE:re: Hi",
            "Re[2]: Hi",
            "[list] Re: Hi",
            "Re: [list] Hi",
            "Fwd: Hi (fwd)",
            "[Fwd: Re: Hi]",
            "回复：Hi",
            "答复: 转发：Hi",
            "Re：Fw：Hi",
            "  re : Hi  (FWD) ",
        ] {
            assert_eq!(base_subject(subject), "Hi", "{subject}");
        }
        for (subject, reply) in
            [("Hi", false), ("[list] Hi", false), ("Hi (fwd)", true), ("[Fwd: Hi]", true), ("转发：Hi", true)]
        {
            assert_eq!(base_subject_and_reply(subject), ("Hi".to_owned(), reply), "{subject}");
        }
        assert_eq!(base_subject("[tag]"), "[tag]");
        assert_eq!(base_subject("Re:"), "");
        assert_eq!(base_subject("Regarding: x"), "Regarding: x");
        assert_eq!(base_subject("回复率: 50%"), "回复率: 50%");
    }

    #[test]
    fn a_million_tags_and_marks_are_taken_off_in_linear_time() {
        let many = 1_000_000;
        assert_eq!(base_subject(&"[a]".repeat(many)), "[a]");
        assert_eq!(base_subject(&format!("{}x", "[a] ".repeat(many))), "x");
        assert_eq!(base_subject(&format!("{}x", "[a]Re[b]:".repeat(many))), "x");
        assert_eq!(base_subject(&format!("{}x{}", "[fwd:".repeat(many), "]".repeat(many))), "x");
        assert_eq!(base_subject(&format!("x{}", "(fwd)".repeat(many))), "x");
    }

    #[test]
    fn subjects_are_cut() {
        assert_eq!(subject_text("好".repeat(2_000).as_bytes()).chars().count(), MAX_SUBJECT);
        assert_eq!(subject_text(b" a\r\n  b "), "a b");
    }
}
