//! What a form holds.

use serde::{Deserialize, Serialize};

/// Items of one form.
pub const MAX_ITEMS: usize = 2_000;

/// A person's rules, in the order in which they run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// What stands before everything else, as a person wrote it: comments and `require` commands.
    #[serde(default)]
    pub head: String,
    /// The items.
    pub items: Vec<Item>,
}

/// One thing that a form shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Item {
    /// Conditions and what to do.
    Rule(Rule),
    /// The away message.
    Away(Away),
    /// Everything goes on to somebody else.
    Forward(Forward),
    /// Senders that are not wanted.
    Blocked(SenderList),
    /// Senders that are wanted, whatever later items say.
    Allowed(SenderList),
    /// Script that no form made, verbatim.
    Script(String),
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What its owner calls it; any text.
    pub name: String,
    /// Whether it runs.
    pub enabled: bool,
    /// Whether all conditions must hold, or any.
    pub quantifier: Quantifier,
    /// No conditions: it applies to every message.
    pub conditions: Vec<Condition>,
    /// What to do; flags are set first, wherever they stand.
    pub deeds: Vec<Deed>,
    /// No later item is looked at when it applies.
    pub stop: bool,
}

/// How conditions go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quantifier {
    /// All must hold.
    All,
    /// One is enough.
    Any,
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// One of `values` is found in a field; none of them with `not`. Without values it never holds.
    Text {
        /// Where to look.
        field: Field,
        /// How to compare.
        how: How,
        /// What to look for.
        values: Vec<String>,
        /// The opposite.
        not: bool,
    },
    /// The message has a header field.
    Exists {
        /// Its name.
        header: String,
        /// The opposite.
        not: bool,
    },
    /// The message is larger than this, in bytes.
    Larger(u64),
    /// The message is smaller than this, in bytes.
    Smaller(u64),
    /// A part of the message is an attachment.
    Attachment {
        /// The opposite.
        not: bool,
    },
    /// Today is one of these days, in the owner's zone; an open end has none.
    Today {
        /// First day.
        from: Option<Day>,
        /// Last day.
        until: Option<Day>,
    },
}

/// What a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// Author.
    From,
    /// Recipients, main ones.
    To,
    /// Recipients, copies.
    Cc,
    /// Recipients of both kinds.
    Recipient,
    /// Subject.
    Subject,
    /// Text of the message.
    Body,
    /// Any header field, by name.
    Header(String),
}

/// How a text is compared; letter case of US-ASCII never counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It is the value; of addresses, the address.
    Is,
    /// It has the value somewhere.
    Contains,
    /// It begins with the value.
    Begins,
    /// It ends with the value.
    Ends,
    /// It matches the value, in which `*` and `?` are wildcards.
    Matches,
    /// A regular expression is found in it.
    Regex,
    /// Its domain is the value; for fields with addresses only, else the same as [`How::Is`].
    Domain,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deed {
    /// Keep it in the inbox.
    Keep,
    /// Put it into a mailbox, which is made when it does not exist.
    File {
        /// Name.
        mailbox: String,
        /// A copy: what else happens to the message is not changed.
        copy: bool,
    },
    /// Mark it as read.
    Read,
    /// Mark it with a star.
    Star,
    /// Give it a keyword.
    Keyword(String),
    /// Send it on.
    Forward {
        /// Where to.
        to: String,
        /// A copy stays.
        copy: bool,
    },
    /// Throw it away.
    Discard,
    /// Send it back, with a reason.
    Reject(String),
    /// Tell somebody by mail.
    Notify(String),
}

/// The away message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    /// Whether it is on.
    pub enabled: bool,
    /// First day, in the owner's zone.
    pub from: Option<Day>,
    /// Last day.
    pub until: Option<Day>,
    /// Subject of the answer; the default says that it is automatic.
    pub subject: Option<String>,
    /// Domains of the house: their senders get `inside`, all others `outside`.
    pub domains: Vec<String>,
    /// Answer to senders of the house, and to everybody when there are no `domains`. Empty: none.
    pub inside: String,
    /// Answer to others. Empty: none.
    pub outside: String,
    /// Days in which one sender gets the answer once.
    pub days: u32,
    /// Further addresses of the owner.
    pub addresses: Vec<String>,
}

/// Forwarding of everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// Whether it is on.
    pub enabled: bool,
    /// Where to.
    pub to: Vec<String>,
    /// A copy stays.
    pub keep: bool,
}

/// A list of senders, and what becomes of their mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderList {
    /// Whether it is on.
    pub enabled: bool,
    /// Addresses, and domains with an `@` before them.
    pub senders: Vec<String>,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// What becomes of the mail of listed senders; no later item sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Into the inbox.
    Keep,
    /// Into a mailbox.
    File(String),
    /// Thrown away.
    Discard,
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Day {
    /// Year.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl Item {
    /// What to call it: the rule's name, or the kind of the item.
    pub fn name(&self) -> &str {
        match self {
            Item::Rule(rule) => &rule.name,
            _ => self.kind(),
        }
    }

    /// The word for its kind in the script's comments.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Item::Rule(_) => "rule",
            Item::Away(_) => "away",
            Item::Forward(_) => "forward",
            Item::Blocked(_) => "blocked",
            Item::Allowed(_) => "allowed",
            Item::Script(_) => "script",
        }
    }

    /// Addresses that mail would go to.
    pub(super) fn addresses(&self) -> Vec<&str> {
        match self {
            Item::Forward(forward) => forward.to.iter().map(String::as_str).collect(),
            Item::Rule(rule) => rule.deeds.iter().filter_map(Deed::address).collect(),
            _ => Vec::new(),
        }
    }
}

impl Deed {
    fn address(&self) -> Option<&str> {
        match self {
            Deed::Forward { to, .. } | Deed::Notify(to) => Some(to),
            _ => None,
        }
    }
}
