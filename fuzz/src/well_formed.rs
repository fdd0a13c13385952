//! Whether a text is a value of an IMAP response: atoms, strings, literals and lists of these.

/// Panics unless these bytes are so many values, and no more.
pub fn check(mut rest: &[u8], values: usize) {
    let whole = rest;
    let mut depth = 0_usize;
    let mut seen = 0;
    while let Some(byte) = rest.first() {
        rest = match byte {
            b'(' => {
                depth += 1;
                &rest[1..]
            }
            b')' => {
                depth = depth.checked_sub(1).unwrap_or_else(|| broken(whole, "a parenthesis too many"));
                seen += usize::from(depth == 0);
                &rest[1..]
            }
            b' ' => &rest[1..],
            _ => {
                seen += usize::from(depth == 0);
                after_value(whole, rest)
            }
        };
    }
    assert!(depth == 0 && seen == values, "{}", String::from_utf8_lossy(whole));
}

fn after_value<'a>(whole: &[u8], rest: &'a [u8]) -> &'a [u8] {
    match rest[0] {
        b'"' => after_quoted(whole, rest),
        b'{' => {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or_else(|| broken(whole, "no literal"));
            let size = std::str::from_utf8(&rest[1..end - 2]).ok().and_then(|text| text.parse::<usize>().ok());
            let size = size.unwrap_or_else(|| broken(whole, "a literal without a size"));
            rest.get(end + 1 + size..).unwrap_or_else(|| broken(whole, "a literal too short"))
        }
        _ => {
            let end = rest.iter().position(|byte| b" ()".contains(byte)).unwrap_or(rest.len());
            let plain = rest[..end].iter().all(|byte| byte.is_ascii_alphanumeric());
            if plain { &rest[end..] } else { broken(whole, "no atom") }
        }
    }
}

fn after_quoted<'a>(whole: &[u8], rest: &'a [u8]) -> &'a [u8] {
    let mut at = 1;
    loop {
        match rest.get(at) {
            Some(b'"') => return &rest[at + 1..],
            Some(b'\\') => at += 2,
            Some(b'\r' | b'\n' | 0) | None => broken(whole, "a quoted string that does not end"),
            Some(_) => at += 1,
        }
    }
}

fn broken(whole: &[u8], what: &str) -> ! {
    panic!("{what}: {}", String::from_utf8_lossy(whole))
}
