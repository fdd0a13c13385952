//! Addresses of a field, taken apart once, whatever part tests ask for (RFC 5228 §2.7.4, RFC 5233).

use std::cell::OnceCell;
use std::rc::Rc;

use anser_mime::address::{Address, parse_list};
use anser_mime::charset;

use crate::compare::Text;

/// A part of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    All,
    Local,
    Domain,
    User,
    Detail,
}

/// One address; the domain is empty when it has none.
pub(crate) struct Mailbox {
    local: String,
    domain: String,
    /// By [`Part`], each made at most once.
    texts: [OnceCell<Option<Rc<Text>>>; 5],
}

impl Mailbox {
    pub(crate) fn new(local: String, domain: String) -> Mailbox {
        Mailbox { local, domain, texts: Default::default() }
    }

    /// The addresses of an address list; markers of groups are none.
    pub(crate) fn list(raw: &[u8]) -> Rc<[Mailbox]> {
        let list = parse_list(raw);
        list.iter().filter(|entry| entry.host.is_some()).map(Mailbox::of).collect()
    }

    fn of(entry: &Address) -> Mailbox {
        let text = |bytes: &Option<Vec<u8>>| charset::decode(None, bytes.as_deref().unwrap_or_default());
        Mailbox::new(text(&entry.mailbox), text(&entry.host))
    }

    /// A part for comparing; `None` when the address has no such part. What is no address has only its text, as
    /// [`Part::All`].
    pub(crate) fn part(&self, part: Part) -> Option<Rc<Text>> {
        self.texts[part as usize].get_or_init(|| self.make(part).map(|text| Rc::new(Text::new(text)))).clone()
    }

    fn make(&self, part: Part) -> Option<String> {
        let split = self.local.split_once('+');
        match part {
            Part::All if self.domain.is_empty() => Some(self.local.clone()),
            _ if self.domain.is_empty() => None,
            Part::All => Some(format!("{}@{}", self.local, self.domain)),
            Part::Local => Some(self.local.clone()),
            Part::Domain => Some(self.domain.clone()),
            Part::User => Some(split.map_or(self.local.as_str(), |(user, _)| user).to_owned()),
            // Without a separator there is no detail, which is not an empty one (RFC 5233 §4).
            Part::Detail => split.map(|(_, detail)| detail.to_owned()),
        }
    }
}
