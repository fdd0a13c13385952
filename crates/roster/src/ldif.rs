//! LDIF (RFC 2849): lines become entries of attributes and values.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::FIELDS;

/// An entry: its line, its name, its attributes in lower case without options, as they came.
pub struct Entry {
    pub line: u64,
    pub dn: String,
    pub attributes: Vec<(String, String)>,
    /// Attributes beyond [`FIELDS`] that were left out.
    pub left_out: bool,
}

impl Entry {
    /// The values of an attribute.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.attributes.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is of an object class.
    pub fn is(&self, class: &str) -> bool {
        self.all("objectclass").any(|known| known.eq_ignore_ascii_case(class))
    }
}

/// Gives every entry to `each` until that is false; lines that are none go to `bad`.
pub fn read(text: &str, mut each: impl FnMut(Entry) -> bool, mut bad: impl FnMut(u64)) {
    let mut entry: Option<Entry> = None;
    for (line, text) in Unfolded::of(text) {
        if text.is_empty() {
            if let Some(done) = entry.take()
                && !each(done)
            {
                return;
            }
            continue;
        }
        if text.starts_with('#') {
            continue;
        }
        let Some((name, value)) = attribute(&text) else {
            bad(line);
            continue;
        };
        match &mut entry {
            None if name == "dn" => {
                entry = Some(Entry { line, dn: value, attributes: Vec::new(), left_out: false });
            }
            None if name == "version" => {}
            None => bad(line),
            // Members of a list are values of one attribute, as many as there are people.
            Some(entry) if entry.attributes.len() < FIELDS * 100 => entry.attributes.push((name, value)),
            Some(entry) => entry.left_out = true,
        }
    }
    if let Some(done) = entry {
        each(done);
    }
}

/// `name: value`, `name:: base64`, `name;option: value`. A `:<` names a file, which is not opened.
fn attribute(line: &str) -> Option<(String, String)> {
    let (name, rest) = line.split_once(':')?;
    let name = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if name.is_empty() || name.contains(' ') {
        return None;
    }
    if let Some(encoded) = rest.strip_prefix(':') {
        let bytes = STANDARD.decode(encoded.trim()).ok()?;
        return Some((name, String::from_utf8_lossy(&bytes).into_owned()));
    }
    if rest.starts_with('<') {
        return None;
    }
    Some((name, rest.trim_start_matches(' ').to_owned()))
}

/// Lines with those that go on joined (RFC 2849 §2, note 2), each with its number.
struct Unfolded<'a> {
    lines: std::iter::Peekable<std::iter::Enumerate<std::str::Lines<'a>>>,
}

impl<'a> Unfolded<'a> {
    fn of(text: &'a str) -> Self {
        Self { lines: text.lines().enumerate().peekable() }
    }
}

impl<'a> Iterator for Unfolded<'a> {
    type Item = (u64, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        let (at, first) = self.lines.next()?;
        let mut whole = Cow::Borrowed(first);
        while !first.is_empty()
            && let Some((_, more)) = self.lines.next_if(|(_, line)| line.starts_with(' '))
        {
            whole.to_mut().push_str(&more[1..]);
        }
        Some((at as u64 + 1, whole))
    }
}
