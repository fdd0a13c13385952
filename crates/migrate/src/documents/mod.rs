//! The documents of a move, in Chinese and English, made of what the move knows: those that an organisation hands out before it moves, and
//! those that it works by: see [`crate::paper`].
//!
//! A template is lines: `# heading`, `## heading`, `- item`, `1. step`, `[ ] thing to be ticked`, `{{table NAME}}`, else a paragraph.
//! `{{NAME}}` stands for a fact; a line that begins with `?NAME ` is there when the fact is not empty.

mod calendar;
mod facts;
mod page;

use std::collections::BTreeMap;

pub use calendar::{Appointment, calendar};
pub use page::{letter, page};

/// A language of the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// Chinese.
    Zh,
}

/// One document.
#[derive(Clone, Copy, Debug)]
pub struct Document {
    /// The name of its file, without an ending.
    pub name: &'static str,
    en: &'static str,
    zh: &'static str,
}

impl Document {
    fn template(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Zh => self.zh,
        }
    }
}

macro_rules! documents {
    ($($name:literal),* $(,)?) => {
        [$(Document {
            name: $name,
            en: include_str!(concat!("../../documents/", $name, ".en.txt")),
            zh: include_str!(concat!("../../documents/", $name, ".zh.txt")),
        },)*]
    };
}

/// The nine documents that are handed out, then those to work by.
pub const DOCUMENTS: [Document; 13] = documents![
    "1-plan",
    "2-network-administrator",
    "3-notice",
    "4-dns",
    "5-administrator",
    "6-clients",
    "7-clients-tls",
    "8-webmail",
    "9-lists",
    "10-freeze",
    "11-checklist",
    "12-rollback",
    "13-visits",
];

/// The letters, in the order of [`crate::Occasion`].
pub(crate) const LETTERS: [Document; 2] = documents!["letter-success", "letter-reminder"];

/// A table: its columns in English and Chinese, and its rows.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The columns.
    pub columns: Vec<(&'static str, &'static str)>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Without rows yet.
    pub fn new(columns: &[(&'static str, &'static str)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }
}

/// What the documents tell.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Texts, by the name that templates call them by.
    pub texts: BTreeMap<&'static str, String>,
    /// Tables likewise.
    pub tables: BTreeMap<&'static str, Table>,
}

impl Facts {
    /// A text; empty when it is not known.
    fn text(&self, name: &str) -> &str {
        self.texts.get(name).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of facts that a template calls for.
    fn called(template: &str) -> Vec<&str> {
        // Before the first braces stands no name.
        let in_braces = template.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
        let conditions = template.lines().filter_map(|line| line.strip_prefix('?')?.split(' ').next());
        in_braces.chain(conditions).collect()
    }

    #[test]
    fn both_languages_call_for_the_same_known_facts() {
        for document in DOCUMENTS.iter().chain(&LETTERS) {
            let sorted = |language| {
                let mut all = called(document.template(language));
                all.sort_unstable();
                all.dedup();
                all
            };
            assert_eq!(sorted(Language::En), sorted(Language::Zh), "{}", document.name);
            for name in sorted(Language::En) {
                let known = match name.strip_prefix("table ") {
                    Some(table) => page::TABLES.contains(&table),
                    None => page::TEXTS.contains(&name),
                };
                assert!(known, "{}: {name}", document.name);
            }
        }
    }
}
