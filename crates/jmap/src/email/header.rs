//! Header fields as properties: `header:{name}`, in the forms of RFC 8621 §4.1.2, and the properties that stand for some of them
//! (§4.1.3).

use anser_base::Timestamp;
use anser_mime::address::{self, Address};
use anser_mime::{date, header, text};
use serde_json::{Value, json};

/// Addresses, ids and URLs that are told of one field at most.
const LISTED: usize = 1_000;
/// Longest name of a field, in bytes.
const NAME: usize = 200;

/// A form of RFC 8621 §4.1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Raw,
    Text,
    Addresses,
    GroupedAddresses,
    MessageIds,
    Date,
    Urls,
}

const FORMS: [(&str, Form); 7] = [
    ("asRaw", Form::Raw),
    ("asText", Form::Text),
    ("asAddresses", Form::Addresses),
    ("asGroupedAddresses", Form::GroupedAddresses),
    ("asMessageIds", Form::MessageIds),
    ("asDate", Form::Date),
    ("asURLs", Form::Urls),
];

const TEXT: &[Form] = &[Form::Text];
const ADDRESSES: &[Form] = &[Form::Addresses, Form::GroupedAddresses];
const IDS: &[Form] = &[Form::MessageIds];
const DATE: &[Form] = &[Form::Date];
const URLS: &[Form] = &[Form::Urls];
const NONE: &[Form] = &[];

/// The fields of RFC 5322 and RFC 2369, and the forms that they may be told in besides `asRaw`. All others may be told in any.
const FIELDS: [(&str, &[Form]); 29] = [
    ("subject", TEXT),
    ("comments", TEXT),
    ("keywords", TEXT),
    ("list-id", TEXT),
    ("from", ADDRESSES),
    ("sender", ADDRESSES),
    ("reply-to", ADDRESSES),
    ("to", ADDRESSES),
    ("cc", ADDRESSES),
    ("bcc", ADDRESSES),
    ("resent-from", ADDRESSES),
    ("resent-sender", ADDRESSES),
    ("resent-reply-to", ADDRESSES),
    ("resent-to", ADDRESSES),
    ("resent-cc", ADDRESSES),
    ("resent-bcc", ADDRESSES),
    ("message-id", IDS),
    ("in-reply-to", IDS),
    ("references", IDS),
    ("resent-message-id", IDS),
    ("date", DATE),
    ("resent-date", DATE),
    ("list-help", URLS),
    ("list-unsubscribe", URLS),
    ("list-subscribe", URLS),
    ("list-post", URLS),
    ("list-owner", URLS),
    ("list-archive", URLS),
    ("received", NONE),
];

/// A field, in a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderProperty {
    pub name: String,
    pub form: Form,
    pub all: bool,
}

/// Properties that stand for a field (RFC 8621 §4.1.3).
pub(crate) const CONVENIENT: [(&str, &str, Form); 11] = [
    ("messageId", "Message-ID", Form::MessageIds),
    ("inReplyTo", "In-Reply-To", Form::MessageIds),
    ("references", "References", Form::MessageIds),
    ("sender", "Sender", Form::Addresses),
    ("from", "From", Form::Addresses),
    ("to", "To", Form::Addresses),
    ("cc", "Cc", Form::Addresses),
    ("bcc", "Bcc", Form::Addresses),
    ("replyTo", "Reply-To", Form::Addresses),
    ("subject", "Subject", Form::Text),
    ("sentAt", "Date", Form::Date),
];

impl HeaderProperty {
    /// The field that a property means: `header:…`, or one of [`CONVENIENT`]. `None` when it means none, or in no form that is allowed.
    pub fn of(property: &str) -> Option<Self> {
        if let Some((_, name, form)) = CONVENIENT.iter().find(|(known, ..)| *known == property) {
            return Some(Self { name: (*name).to_owned(), form: *form, all: false });
        }
        let mut parts = property.strip_prefix("header:")?.split(':');
        let name = parts.next().filter(|name| (1..=NAME).contains(&name.len()))?;
        let graphic = name.bytes().all(|byte| byte.is_ascii_graphic());
        let (mut form, mut all) = (None, false);
        for part in parts {
            match FORMS.iter().find(|(known, _)| *known == part) {
                Some((_, known)) if form.is_none() && !all => form = Some(*known),
                None if part == "all" && !all => all = true,
                _ => return None,
            }
        }
        let property = Self { name: name.to_owned(), form: form.unwrap_or(Form::Raw), all };
        (graphic && property.is_allowed()).then_some(property)
    }

    fn is_allowed(&self) -> bool {
        let known = FIELDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&self.name));
        self.form == Form::Raw || known.is_none_or(|(_, forms)| forms.contains(&self.form))
    }

    /// What a header block says.
    pub fn value(&self, block: &[u8]) -> Value {
        let mut values = header::find_all(block, &self.name).map(|field| field.value);
        match self.all {
            true => values.map(|value| told(self.form, value)).collect(),
            false => values.by_ref().last().map_or(Value::Null, |value| told(self.form, value)),
        }
    }
}

fn told(form: Form, value: &[u8]) -> Value {
    match form {
        Form::Raw => String::from_utf8_lossy(value).replace('\0', "").into(),
        Form::Text => text::decode_header(value).trim().into(),
        Form::Addresses => addresses(&address::parse_list(value)),
        Form::GroupedAddresses => groups(&address::parse_list(value)),
        Form::MessageIds => bracketed(value).map_or(Value::Null, Value::from),
        Form::Date => date::parse(value).map_or(Value::Null, |date| written(date.unix, date.offset_minutes).into()),
        Form::Urls => bracketed(value).map_or(Value::Null, Value::from),
    }
}

/// A list of EmailAddress, groups opened.
pub(crate) fn addresses(list: &[Address]) -> Value {
    list.iter().filter_map(address_of).collect()
}

fn address_of(address: &Address) -> Option<Value> {
    let (email, name) = (address.email()?, address.name_text());
    let name = name.trim();
    Some(json!({ "name": if name.is_empty() { Value::Null } else { name.into() }, "email": email }))
}

fn groups(list: &[Address]) -> Value {
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    let mut is_open = false;
    for address in list {
        match address_of(address) {
            Some(told) => match groups.last_mut().filter(|_| is_open) {
                Some((_, members)) => members.push(told),
                None => {
                    groups.push((Value::Null, vec![told]));
                    is_open = true;
                }
            },
            None if address.is_group_start() => {
                groups.push((address.name_text().trim().into(), Vec::new()));
                is_open = true;
            }
            None => is_open = false,
        }
    }
    groups.into_iter().map(|(name, addresses)| json!({ "name": name, "addresses": addresses })).collect()
}

/// What stands between angle brackets, comments aside; `None` when nothing does.
pub(crate) fn bracketed(value: &[u8]) -> Option<Vec<String>> {
    let unfolded = header::unfold(value);
    let text = String::from_utf8_lossy(&unfolded);
    let mut found = Vec::new();
    let mut rest = &*text;
    while let Some((_, after)) = rest.split_once('<').filter(|_| found.len() < LISTED) {
        let (inside, after) = after.split_once('>')?;
        let inside: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
        if !inside.is_empty() {
            found.push(inside);
        }
        rest = after;
    }
    (!found.is_empty()).then_some(found)
}

/// A `Date` (RFC 8620 §1.4): seconds since 1970, shown in a zone of so many minutes.
pub(crate) fn written(unix: i64, offset: i32) -> String {
    let local = Timestamp::from_secs(unix.saturating_add(i64::from(offset) * 60)).to_string();
    let zone = match offset {
        0 => "Z".to_owned(),
        _ => {
            let minutes = offset.unsigned_abs();
            format!("{}{:02}:{:02}", if offset < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
        }
    };
    local.replace(".000Z", &zone)
}

/// A `UTCDate` (RFC 8620 §1.4).
pub(crate) fn written_utc(at: Timestamp) -> String {
    written(at.secs(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(property: &str, block: &str) -> Value {
        HeaderProperty::of(property).unwrap().value(block.as_bytes())
    }

    /// The examples of RFC 8621 §4.1.2.
    #[test]
    fn fields_are_told_in_their_forms() {
        let from = "From: \"James Smythe\" <james@example.com>, Friends:\r\n jane@example.com, =?UTF-8?Q?John_Sm=C3=AEth?=\r\n <john@example.com>;\r\n";
        let list = json!([{"name": "James Smythe", "email": "james@example.com"}, {"name": null, "email": "jane@example.com"},
            {"name": "John Smîth", "email": "john@example.com"}]);
        assert_eq!(value("from", from), list);
        assert_eq!(value("header:FROM:asAddresses", from), list);
        assert_eq!(
            value("header:from:asGroupedAddresses", from),
            json!([{"name": null, "addresses": [{"name": "James Smythe", "email": "james@example.com"}]},
                {"name": "Friends", "addresses": [{"name": null, "email": "jane@example.com"},
                    {"name": "John Smîth", "email": "john@example.com"}]}])
        );
        assert_eq!(value("header:Subject", "Subject:  x\r\n\ty\r\n"), json!("  x\r\n\ty"));
        assert_eq!(value("subject", "Subject: =?utf-8?B?6ZmI?=\r\n"), json!("陈"));
        assert_eq!(value("references", "References: <a@b>\r\n <c@d>\r\n"), json!(["a@b", "c@d"]));
        assert_eq!(value("messageId", "Message-ID: nonsense\r\n"), json!(null));
        assert_eq!(value("sentAt", "Date: Thu, 30 Oct 2014 14:12:00 +0800\r\n"), json!("2014-10-30T14:12:00+08:00"));
        assert_eq!(
            value("header:List-Post:asURLs", "List-Post: <mailto:a@b>, <http://x/\r\n y> (comment)\r\n"),
            json!(["mailto:a@b", "http://x/y"])
        );
    }

    #[test]
    fn the_last_of_several_counts_unless_all_are_wanted() {
        let block = "X: 1\r\nX: 2\r\n\r\nX: 3\r\n";
        assert_eq!(value("header:x:asText", block), json!("2"));
        assert_eq!(value("header:X:asText:all", block), json!(["1", "2"]));
        assert_eq!((value("header:Y", block), value("header:Y:all", block)), (json!(null), json!([])));
    }

    #[test]
    fn forms_that_a_field_has_not_are_refused() {
        for property in [
            "header:From:asText",
            "header:Subject:asAddresses",
            "header:Received:asText",
            "header:X:all:asText",
            "header:X:asText:asRaw",
            "header:",
            "header:a b",
            "header:X:astext",
            "colour",
        ] {
            assert_eq!(HeaderProperty::of(property), None, "{property}");
        }
    }
}
