//! What a file can say, after it was understood.

use std::fmt;

use anser_base::{Address, Language};

/// One thing that a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line where it begins, from 1.
    pub line: u64,
    /// What it says.
    pub entry: Entry,
}

/// What a row is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A domain that mail is taken for.
    Domain {
        /// Its name.
        name: String,
        /// The domain whose addresses it repeats.
        alias_of: Option<String>,
    },
    /// Somebody with a mailbox.
    Person(Box<Person>),
    /// Mail to the address goes on to others; in whose domain they are, decides what it becomes.
    Alias {
        /// The address.
        address: Address,
        /// Where it leads; at least one.
        targets: Vec<Address>,
    },
    /// Whatever nobody in the domain has goes there.
    CatchAll {
        /// The domain.
        domain: String,
        /// Where to.
        target: Address,
    },
    /// A list of people under one address.
    List {
        /// Its address.
        address: Address,
        /// The name shown beside it.
        name: String,
        /// Its members, as the file has them.
        members: Vec<Address>,
    },
}

/// Somebody with a mailbox. `None` and empty: the file does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The main address.
    pub address: Address,
    /// The name shown beside it.
    pub name: Option<String>,
    /// Where they belong: levels from the top down, joined by `/`.
    pub department: Option<String>,
    /// What opens the mailbox.
    pub pass: Option<Pass>,
    /// The number of their identity card, from which some organisations make first passwords.
    pub id_number: Option<Secret>,
    /// Room in bytes; 0 is no limit.
    pub quota: Option<u64>,
    /// Other addresses.
    pub aliases: Vec<Address>,
    /// Where their mail goes on to.
    pub forwards: Vec<Address>,
    /// Whether a copy stays when it does.
    pub keep: bool,
    /// Their language.
    pub language: Option<Language>,
    /// What stands below what they write.
    pub signature: Option<String>,
    /// What is answered while they are away.
    pub away: Option<Away>,
    /// Their rules.
    pub sieve: Option<String>,
    /// Whether the mailbox may be used.
    pub active: Option<bool>,
    /// The lists that they are on.
    pub lists: Vec<Address>,
}

/// What is answered while somebody is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    /// The text.
    pub text: String,
    /// Whether it is answered now.
    pub on: bool,
}

/// What opens a mailbox. Belongs into no log.
#[derive(Clone, PartialEq, Eq)]
pub enum Pass {
    /// As its owner types it.
    Clear(String),
    /// As the old system stored it.
    Hashed(String),
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pass")
    }
}

/// A text that belongs into no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
