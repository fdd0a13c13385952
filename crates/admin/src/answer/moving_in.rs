//! What is said of people who move in, and of where their logins are checked.

use std::collections::BTreeMap;

use anser_base::Text;
use serde::{Deserialize, Serialize};

/// What a file or one of its columns was taken for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnView {
    /// The column's name in the file; of the file itself, its format.
    pub name: String,
    /// What it was taken for, in English; empty when it is not used.
    pub en: String,
    /// The same in Chinese.
    pub zh: String,
    /// Of the file itself, its charset.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub charset: Option<String>,
}

impl ColumnView {
    /// Of a file.
    pub fn new(format: &str, charset: &str, separator: &str) -> Self {
        let separator = if separator == "\t" { "tab" } else { separator };
        let words = format!("{format} {charset} {separator}").trim_end().to_owned();
        Self { name: format.to_owned(), en: words.clone(), zh: words, charset: Some(charset.to_owned()) }
    }

    /// Of a column.
    pub fn of(name: &str, words: Option<(&str, &str)>) -> Self {
        let (en, zh) = words.unwrap_or_default();
        Self { name: name.to_owned(), en: en.to_owned(), zh: zh.to_owned(), charset: None }
    }
}

/// A domain's front door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontDoorView {
    /// The domain.
    pub domain: String,
    /// `imap`, `pop3`, `smtp`, `ldap`, `http`.
    pub protocol: String,
    /// The old server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `implicit`, `starttls`, `implicit-any`, `starttls-any`, `none`.
    pub tls: String,
    /// LDAP: the name that is bound as, with `{login}` in it. HTTP: the path of the hook.
    #[serde(default)]
    pub target: Option<String>,
    /// The old server wants `user@domain`.
    pub whole_address: bool,
    /// Until when it is open (RFC 3339).
    pub until: String,
    /// It is open no more.
    pub over: bool,
    /// Wrong passwords of one name that go to the old server within a day.
    pub tries: u32,
    /// Names that become accounts when the old server knows them.
    pub create: Option<String>,
    /// How many accounts may be made so.
    pub most: u32,
    /// How many were.
    pub made: u32,
}

/// What becomes of a line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineView {
    /// Its number, from 1.
    pub line: u64,
    /// The address or domain that it is about.
    pub address: String,
    /// `new`, `changed`, `same`, `refused`, `left-out`, `removed`.
    pub state: String,
    /// What is other, where it is `changed`.
    pub fields: Vec<String>,
    /// What is to be said about it, in English.
    pub en: Option<String>,
    /// The same in Chinese.
    pub zh: Option<String>,
}

impl LineView {
    /// Of these parts.
    pub fn new(line: u64, address: &str, state: &str, fields: Vec<String>, why: Option<&Text>) -> Self {
        let (en, zh) = (why.map(|text| text.en.to_string()), why.map(|text| text.zh.to_string()));
        Self { line, address: address.to_owned(), state: state.to_owned(), fields, en, zh }
    }
}

/// A first password, for its owner alone; shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlipView {
    /// Whose.
    pub address: String,
    /// Their name.
    pub name: String,
    /// Where they belong.
    pub department: String,
    /// The password.
    pub password: String,
    /// Others may know what it is made of.
    pub weak: bool,
}

impl std::fmt::Debug for SlipView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SlipView").field("address", &self.address).finish_non_exhaustive()
    }
}

/// How many passwords are stored in which way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemeView {
    /// Its name.
    pub name: String,
    /// How many.
    pub count: u64,
    /// Whether a stolen one is soon guessed; each is replaced at its owner's first login.
    pub weak: bool,
}

/// How many there are of something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotalView {
    /// Of what, in English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
    /// In the files.
    pub file: u64,
    /// In the survey form of the move, where that asks for it and somebody answered by a number.
    pub form: Option<u64>,
    /// In the directory, in the domains that the files name.
    pub here: u64,
}

impl TotalView {
    /// Whether all say the same.
    pub fn is_equal(&self) -> bool {
        self.file == self.here && self.form.is_none_or(|form| form == self.file)
    }
}

/// A letter to a user of a move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeView {
    /// The name at the old server.
    pub login: String,
    /// The address here.
    pub address: String,
    /// `new`: into the mailbox here; `old`: into the one at the old server.
    pub side: String,
    /// `due`, `sent`, `before`; `unsure`: begun, and nobody knows whether it went; `failed`; `no-way` into the old mailbox.
    pub state: String,
    /// When it was begun before, or why it failed or is unsure.
    pub why: Option<String>,
}

/// What became of a letter that a domain was tried with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeView {
    /// The domain.
    pub domain: String,
    /// `in`: from outside into a mailbox here; `out`: from here to an address elsewhere.
    pub way: String,
    /// `right`, `wrong`, `waiting`.
    pub state: String,
    /// What happened, and what to do, in English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

/// When somebody asks how the users do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitView {
    /// In milliseconds since 1970.
    pub at_ms: i64,
}

/// What the way back of a mailbox would bring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnedView {
    /// Its address.
    pub address: String,
    /// What.
    #[serde(flatten)]
    pub returned: anser_migrate::Returned,
}

/// A mailbox that could not be compared, beside others that were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UncomparedView {
    /// The name at the old server.
    pub login: String,
    /// Its address.
    pub address: String,
    /// Why, in English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

impl From<anser_migrate::Uncompared> for UncomparedView {
    fn from(one: anser_migrate::Uncompared) -> Self {
        let (en, zh) = (one.why.text.en.into_owned(), one.why.text.zh.into_owned());
        Self { login: one.login, address: one.address, en, zh }
    }
}

/// What the undoing of a mailbox takes away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoneView {
    /// Its address.
    pub address: String,
    /// Nothing was done yet.
    pub dry_run: bool,
    /// What.
    #[serde(flatten)]
    pub undone: anser_migrate::Undone,
}

/// A piece of a document of a move; the pieces of one come one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentView {
    /// The name of its file.
    pub name: String,
    /// `en`, `zh`.
    pub language: String,
    /// The piece.
    pub text: String,
}

/// A move as a whole, at one look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressView {
    /// Mailboxes by state.
    pub states: BTreeMap<String, u64>,
    /// Mailboxes that wait for a person, or failed and are tried again; what they lack is in their notes.
    pub troubled: u64,
    /// Mailboxes by the class of what keeps them from moving on.
    pub troubles: BTreeMap<String, u64>,
    /// Messages that were looked at or brought.
    pub done: u64,
    /// Messages at the old servers, as far as they are known.
    pub total: u64,
    /// Bytes that were brought.
    pub bytes: u64,
    /// Bytes in a second, of late.
    pub speed: u64,
    /// Messages in a second, of late.
    pub rate: u64,
    /// Seconds that it may still take; `None` while nobody can say.
    pub left: Option<u64>,
}
