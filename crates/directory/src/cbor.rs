//! What authenticators write (RFC 8949), as far as CTAP lets them: definite lengths, no tags, no fractions.

/// Deepest nesting of arrays and maps that is read.
const DEPTH: usize = 4;
/// Most members of one array or map.
const MEMBERS: u64 = 64;

/// One data item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// Major types 0 and 1.
    Integer(i64),
    /// Major type 2.
    Bytes(&'a [u8]),
    /// Major type 3.
    Text(&'a str),
    /// Major type 4.
    Array(Vec<Item<'a>>),
    /// Major type 5, as written.
    Map(Vec<(Item<'a>, Item<'a>)>),
    /// `false` and `true`.
    Bool(bool),
    /// `null`.
    Null,
}

impl<'a> Item<'a> {
    /// The member of a map that has an integer for a name, as in COSE (RFC 9052 §1.4).
    pub fn labelled(&self, label: i64) -> Option<&Item<'a>> {
        self.member(&Item::Integer(label))
    }

    /// The member of a map that has a text for a name.
    pub fn named(&self, name: &str) -> Option<&Item<'a>> {
        self.member(&Item::Text(name))
    }

    fn member(&self, name: &Item<'_>) -> Option<&Item<'a>> {
        let Self::Map(members) = self else { return None };
        members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The number that it is.
    pub fn integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    /// The bytes that it is.
    pub fn bytes(&self) -> Option<&'a [u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }
}

/// The first item, and what comes behind it. `None` for anything that CTAP forbids, that is cut short, or nested too deep.
pub fn first(input: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let mut rest = input;
    let item = item(&mut rest, DEPTH)?;
    Some((item, rest))
}

fn item<'a>(rest: &mut &'a [u8], depth: usize) -> Option<Item<'a>> {
    let (&initial, after) = rest.split_first()?;
    *rest = after;
    let (major, low) = (initial >> 5, initial & 0x1f);
    if major == 7 {
        return match low {
            20 => Some(Item::Bool(false)),
            21 => Some(Item::Bool(true)),
            22 => Some(Item::Null),
            _ => None,
        };
    }
    let argument = argument(rest, low)?;
    match major {
        0 => Some(Item::Integer(argument.try_into().ok()?)),
        1 => Some(Item::Integer(-1 - i64::try_from(argument).ok()?)),
        2 => Some(Item::Bytes(taken(rest, argument)?)),
        3 => Some(Item::Text(str::from_utf8(taken(rest, argument)?).ok()?)),
        4 if argument <= MEMBERS => {
            let depth = depth.checked_sub(1)?;
            (0..argument).map(|_| item(rest, depth)).collect::<Option<Vec<_>>>().map(Item::Array)
        }
        5 if argument <= MEMBERS => {
            let depth = depth.checked_sub(1)?;
            let member = |_| Some((item(rest, depth)?, item(rest, depth)?));
            (0..argument).map(member).collect::<Option<Vec<_>>>().map(Item::Map)
        }
        _ => None,
    }
}

/// RFC 8949 §3: the low five bits, or the bytes that follow.
fn argument(rest: &mut &[u8], low: u8) -> Option<u64> {
    match low {
        0..=23 => Some(low.into()),
        24..=27 => {
            let bytes = taken(rest, 1 << (low - 24))?;
            Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
        }
        _ => None,
    }
}

fn taken<'a>(rest: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length.try_into().ok()?)?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(hex: &str) -> Option<Item<'static>> {
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        first(bytes.leak()).filter(|(_, rest)| rest.is_empty()).map(|(item, _)| item)
    }

    #[test]
    fn the_examples_of_rfc_8949_are_read() {
        for (hex, number) in
            [("00", 0), ("17", 23), ("1818", 24), ("1903e8", 1000), ("1b000000e8d4a51000", 1_000_000_000_000)]
        {
            assert_eq!(read(hex), Some(Item::Integer(number)), "{hex}");
        }
        for (hex, number) in [("20", -1), ("29", -10), ("3863", -100), ("3903e7", -1000)] {
            assert_eq!(read(hex), Some(Item::Integer(number)), "{hex}");
        }
        assert_eq!(read("4401020304"), Some(Item::Bytes(&[1, 2, 3, 4])));
        assert_eq!(read("63e6b0b4"), Some(Item::Text("水")));
        assert_eq!(read("8301820203820405").map(|item| matches!(item, Item::Array(all) if all.len() == 3)), Some(true));
        let map = read("a26161016162820203").unwrap();
        assert_eq!(map.named("a").and_then(Item::integer), Some(1));
        assert_eq!(read("f5"), Some(Item::Bool(true)));
        assert_eq!(read("f6"), Some(Item::Null));
    }

    #[test]
    fn what_ctap_forbids_is_not_read() {
        for hex in [
            "",
            "5f42010243030405ff",
            "9fff",
            "bf61610161629f0203ffff",
            "c074",
            "f93c00",
            "1bffffffffffffffff",
            "5bffffffffffffffff",
            "9affffffff",
            "62c328",
            "8181818181 00",
        ] {
            assert_eq!(read(&hex.replace(' ', "")), None, "{hex}");
        }
    }
}
