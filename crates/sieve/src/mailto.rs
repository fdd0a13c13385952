//! `mailto` URIs (RFC 6068) as notifications use them.

use anser_base::Address;

/// A parsed URI.
#[derive(Debug, PartialEq)]
pub(crate) struct Mailto {
    /// Addresses before the question mark and in `to` and `cc`, at least one.
    pub(crate) to: Vec<String>,
    /// Header fields, decoded, in order.
    pub(crate) headers: Vec<(String, String)>,
}

/// Recipients of one notification.
const MAX_RECIPIENTS: usize = 10;

/// Header fields of one URI.
const MAX_HEADERS: usize = 20;

impl Mailto {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Reads a URI; `None` when it is none, names nobody, or names more than is allowed.
pub(crate) fn parse(uri: &str) -> Option<Mailto> {
    let (scheme, rest) = uri.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("mailto") || rest.contains('#') {
        return None;
    }
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut to = Vec::new();
    addresses(path, &mut to)?;
    let mut headers = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=')?;
        let (name, decoded) = (decode(name)?, decode(value)?);
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
        if !is_name || headers.len() >= MAX_HEADERS {
            return None;
        }
        if ["to", "cc"].iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            addresses(value, &mut to)?;
        }
        // A line break in anything but the body would make a field of its own.
        if decoded.chars().any(char::is_control) && !name.eq_ignore_ascii_case("body") {
            return None;
        }
        headers.push((name, decoded));
    }
    (!to.is_empty() && to.len() <= MAX_RECIPIENTS).then_some(Mailto { to, headers })
}

/// Adds addresses with commas between them; an encoded comma belongs to its address.
fn addresses(list: &str, to: &mut Vec<String>) -> Option<()> {
    for address in list.split(',').filter(|address| !address.is_empty()) {
        to.push(Address::parse(&decode(address)?)?.to_string());
    }
    Some(())
}

/// Undoes `%XX`; `None` for what is no URI text.
fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
                let digits = std::str::from_utf8(&digits).ok().filter(|_| is_hex)?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
            }
            // People write UTF-8 and spaces from variables without encoding them.
            byte if byte.is_ascii_control() => return None,
            byte => out.push(byte),
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_read_and_bad_ones_refused() {
        let uri = parse("mailto:a@x.y,b@x.y?to=c%40x.y&subject=a%20b&body=l1%0D%0Al2").unwrap();
        assert_eq!(uri.to, ["a@x.y", "b@x.y", "c@x.y"]);
        assert_eq!((uri.header("Subject"), uri.header("body")), (Some("a b"), Some("l1\r\nl2")));
        for bad in ["", "mailto:", "tel:+1", "mailto:a", "mailto:a@x.y?x", "mailto:a@x.y?s=%0a", "mailto:a@x.y?s=%zz"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
