//! Who sends to whom: as the client says, or as the header does (RFC 8621 §7).

use anser_base::{Address, Timestamp};
use anser_mime::address::parse_list;
use anser_mime::header::find_all;
use anser_queue::Recipient;
use anser_wire::smtp::{Notify, Ret};
use serde_json::{Map, Value, json};

use super::DELAY;
use crate::email::moment;
use crate::error::SetError;
use crate::identity::Identity;

/// Longest ENVID, in bytes (RFC 3461 §4.4).
const ENVID: usize = 100;

/// An envelope.
#[derive(Clone, Default)]
pub(super) struct Envelope {
    pub sender: Option<Address>,
    pub recipients: Vec<Recipient>,
    pub envid: Option<String>,
    pub ret: Option<Ret>,
    pub not_before: Option<Timestamp>,
}

fn wrong(text: &str) -> SetError {
    SetError::property("envelope", text)
}

impl Envelope {
    /// Reads an Envelope object; holding is counted from `now`.
    pub fn read(value: &Value, now: Timestamp) -> Result<Self, SetError> {
        let mut envelope = Self::default();
        let from = value.get("mailFrom").ok_or_else(|| wrong("mailFrom is missing"))?;
        envelope.sender = match from.get("email").and_then(Value::as_str) {
            Some("") => None,
            email => Some(email.and_then(Address::parse).ok_or_else(|| wrong("mailFrom has no address"))?),
        };
        for (name, value) in parameters(from)? {
            envelope.of_mail(&name, value.as_deref(), now)?;
        }
        let Some(Value::Array(to)) = value.get("rcptTo") else { return Err(wrong("rcptTo is missing")) };
        let mut invalid = Vec::new();
        for one in to {
            let email = one.get("email").and_then(Value::as_str).unwrap_or_default();
            let Some(address) = Address::parse(email) else {
                invalid.push(email.to_owned());
                continue;
            };
            let mut recipient = Recipient::new(address);
            for (name, value) in parameters(one)? {
                of_rcpt(&mut recipient, &name, value.as_deref())?;
            }
            envelope.recipients.push(recipient);
        }
        if !invalid.is_empty() {
            return Err(SetError::new("invalidRecipients", "").with("invalidRecipients", invalid));
        }
        Ok(envelope)
    }

    fn of_mail(&mut self, name: &str, value: Option<&str>, now: Timestamp) -> Result<(), SetError> {
        match (name, value) {
            ("HOLDFOR", Some(seconds)) => {
                let seconds = seconds.parse().ok().filter(|seconds| *seconds <= DELAY);
                let seconds = seconds.ok_or_else(|| wrong("HOLDFOR is a number of seconds within the limit"))?;
                self.not_before = Some(now.after(std::time::Duration::from_secs(seconds)));
            }
            ("HOLDUNTIL", Some(until)) => {
                let at = moment(until).map(Timestamp::from_secs).filter(|at| at.since(now).as_secs() <= DELAY);
                self.not_before = Some(at.ok_or_else(|| wrong("HOLDUNTIL is a time within the limit"))?);
            }
            ("ENVID", Some(id)) if id.len() <= ENVID && id.bytes().all(|b| b.is_ascii_graphic()) => {
                self.envid = Some(id.to_owned());
            }
            ("RET", Some(ret)) if ret.eq_ignore_ascii_case("FULL") => self.ret = Some(Ret::Full),
            ("RET", Some(ret)) if ret.eq_ignore_ascii_case("HDRS") => self.ret = Some(Ret::Hdrs),
            // They follow from the message.
            ("SIZE" | "BODY" | "SMTPUTF8", _) => {}
            _ => return Err(wrong(&format!("{name} is not understood"))),
        }
        Ok(())
    }

    /// What the header says: from `Sender`, else `From`, if that is the identity's address, else from the identity; to all that it names.
    pub fn of_header(header: &[u8], identity: &Identity) -> Self {
        let named = |name: &str| -> Vec<Address> {
            let fields = find_all(header, name).flat_map(|field| parse_list(field.value));
            fields.filter_map(|entry| Address::parse(&entry.email()?)).collect()
        };
        let own = Address::parse(&identity.email);
        let author = [named("Sender"), named("From")].into_iter().find(|all| !all.is_empty()).unwrap_or_default();
        let sender = author.into_iter().next().filter(|author| Some(author) == own.as_ref()).or(own);
        let to = ["To", "Cc", "Bcc"].into_iter().flat_map(named).map(Recipient::new);
        let mut recipients: Vec<Recipient> = Vec::new();
        for recipient in to {
            if !recipients.iter().any(|known| known.address == recipient.address) {
                recipients.push(recipient);
            }
        }
        Self { sender, recipients, ..Self::default() }
    }

    /// The object that says the same.
    pub fn object(&self) -> Value {
        let address = |address: &Address| json!({ "email": address.to_string(), "parameters": null });
        let none = || json!({ "email": "", "parameters": null });
        json!({
            "mailFrom": self.sender.as_ref().map_or_else(none, address),
            "rcptTo": self.recipients.iter().map(|one| address(&one.address)).collect::<Vec<_>>(),
        })
    }
}

fn of_rcpt(recipient: &mut Recipient, name: &str, value: Option<&str>) -> Result<(), SetError> {
    match (name, value) {
        ("NOTIFY", Some(list)) => {
            let has = |word: &str| list.split(',').any(|one| one.eq_ignore_ascii_case(word));
            let known = ["NEVER", "SUCCESS", "FAILURE", "DELAY"];
            if !list.split(',').all(|one| known.iter().any(|word| word.eq_ignore_ascii_case(one))) {
                return Err(wrong("NOTIFY is not understood"));
            }
            recipient.notify = Notify { success: has("SUCCESS"), failure: has("FAILURE"), delay: has("DELAY") };
        }
        ("ORCPT", Some(text))
            if text.len() <= 500 && text.contains(';') && text.bytes().all(|b| b.is_ascii_graphic()) =>
        {
            recipient.orcpt = Some(text.to_owned());
        }
        _ => return Err(wrong(&format!("{name} is not understood"))),
    }
    Ok(())
}

/// The parameters of an address; names in upper case.
fn parameters(address: &Value) -> Result<Vec<(String, Option<String>)>, SetError> {
    let none = Map::new();
    let all = match address.get("parameters") {
        None | Some(Value::Null) => &none,
        Some(Value::Object(all)) => all,
        Some(_) => return Err(wrong("parameters are a map")),
    };
    let one = |(name, value): (&String, &Value)| match value {
        Value::Null => Ok((name.to_ascii_uppercase(), None)),
        Value::String(text) => Ok((name.to_ascii_uppercase(), Some(text.clone()))),
        _ => Err(wrong("a parameter is a text")),
    };
    all.iter().map(one).collect()
}
