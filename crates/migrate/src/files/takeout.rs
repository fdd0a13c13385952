//! Google Takeout: one mbox with all mail, each message with its labels in `X-Gmail-Labels`. A label is a folder; a message with several
//! is one message in several of them. Labels of Google's own are named in the language of the account: `data/labels.toml` knows them.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::LazyLock;

use anser_mime::text::decode_header;
use anser_store::{Flags, Keywords};
use serde::Deserialize;

use super::{DEPTH, FOLDERS, Found, Mail, keyword_of, mbox};
use crate::source::Seen;
use crate::tables::table;

const TABLE: &str = include_str!("../../data/labels.toml");
/// Labels of one message that are followed.
const LABELS: usize = 1_000;

/// What a label of Google's own says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Use {
    Inbox,
    Sent,
    Drafts,
    Junk,
    Trash,
    Unread,
    Starred,
    Important,
    /// It says nothing that is not told otherwise.
    Nothing,
}

#[derive(Deserialize)]
struct Table {
    label: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "use")]
    meaning: Use,
    names: Vec<String>,
}

pub(crate) static USES: LazyLock<HashMap<String, Use>> = LazyLock::new(|| {
    let table: Table = table(TABLE);
    let rows = table.label.into_iter();
    rows.flat_map(|row| row.names.into_iter().map(move |name| (name.to_lowercase(), row.meaning))).collect()
});

/// The label of what has none that is a folder.
const ARCHIVE: (&str, &str) = ("Archive", "\\archive");

/// What labels come to.
#[derive(Debug, Default, PartialEq)]
struct Meaning {
    /// Names of folders, and their attributes.
    folders: Vec<(String, &'static str)>,
    flags: Flags,
    keywords: Vec<String>,
}

/// The folders of one mbox, or of a directory of them, each with its messages.
pub fn folders(root: &Path) -> io::Result<Vec<(Found, Vec<Mail>)>> {
    let mut paths = vec![root.to_owned()];
    if fs::metadata(root)?.is_dir() {
        paths = fs::read_dir(root)?.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "mbox"));
        paths.sort();
    }
    let mut all: Vec<(Found, Vec<Mail>)> = vec![(Found::new(&[b"INBOX"], b'/', root.to_owned()), Vec::new())];
    let mut known = HashMap::from([("INBOX".to_owned(), 0)]);
    for path in paths {
        for mail in mbox::messages(&path)?.1 {
            let (meaning, seen) = (meaning_of(&labels_of(mail.labels())), mail.seen(0));
            let keywords = Keywords::new(meaning.keywords.iter().map(String::as_str)).with(&seen.keywords);
            let seen = Seen { flags: meaning.flags, keywords, ..seen };
            for (name, attribute) in meaning.folders {
                let next = all.len();
                let at = *known.entry(name.clone()).or_insert(next);
                if at == next {
                    if next >= FOLDERS {
                        known.remove(&name);
                        continue;
                    }
                    let levels: Vec<&[u8]> = name.split('/').map(str::as_bytes).take(DEPTH).collect();
                    let mut found = Found::new(&levels, b'/', path.clone());
                    found.folder.attributes.extend((!attribute.is_empty()).then(|| attribute.to_owned()));
                    all.push((found, Vec::new()));
                }
                all[at].1.push(Mail::new(&seen, mail.place.clone(), &[]));
            }
        }
    }
    Ok(all)
}

/// The labels of a field: words in the encodings of a header, with commas between; one that has a comma stands in quotes.
fn labels_of(field: &[u8]) -> Vec<String> {
    let text = decode_header(field);
    let (mut labels, mut label, mut quoted) = (Vec::new(), String::new(), false);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => labels.push(std::mem::take(&mut label)),
            _ => label.push(letter),
        }
    }
    labels.push(label);
    labels.iter_mut().for_each(|label| *label = label.trim().to_owned());
    labels.retain(|label| !label.is_empty());
    labels.truncate(LABELS);
    labels
}

fn meaning_of(labels: &[String]) -> Meaning {
    let mut meaning = Meaning { flags: Flags::SEEN, ..Meaning::default() };
    for label in labels {
        let folder = match USES.get(&label.to_lowercase()) {
            Some(Use::Inbox) => ("INBOX", ""),
            Some(Use::Sent) => ("Sent", "\\sent"),
            Some(Use::Drafts) => {
                meaning.flags = meaning.flags.with(Flags::DRAFT);
                ("Drafts", "\\drafts")
            }
            Some(Use::Junk) => ("Junk", "\\junk"),
            Some(Use::Trash) => ("Trash", "\\trash"),
            Some(Use::Unread) => {
                meaning.flags = meaning.flags.without(Flags::SEEN);
                continue;
            }
            Some(Use::Starred) => {
                meaning.flags = meaning.flags.with(Flags::FLAGGED);
                continue;
            }
            Some(Use::Important) => {
                meaning.keywords.push("$Important".to_owned());
                continue;
            }
            Some(Use::Nothing) => continue,
            // Categories are told in the same field, and are no labels that somebody made.
            None if label.starts_with("Category ") || label.starts_with("类别") || label.starts_with("類別") => {
                meaning.keywords.push(keyword_of(label));
                continue;
            }
            None => (label.as_str(), ""),
        };
        if !meaning.folders.iter().any(|(name, _)| name == folder.0) {
            meaning.folders.push((folder.0.to_owned(), folder.1));
        }
    }
    if meaning.folders.is_empty() {
        meaning.folders.push((ARCHIVE.0.to_owned(), ARCHIVE.1));
    }
    meaning
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_are_read_in_whatever_form_and_language() {
        let labels = |field: &str| labels_of(field.as_bytes());
        assert_eq!(labels("Inbox,Opened, \"a,b\" ,Work/2026"), ["Inbox", "Opened", "a,b", "Work/2026"]);
        assert_eq!(
            labels("=?UTF-8?Q?=E6=94=B6=E4=BB=B6=E7=AE=B1,=E5=B7=B2=E5=8A=A0=E6=98=9F=E6=A0=87?="),
            ["收件箱", "已加星标"]
        );
        let meaning = |field: &str| meaning_of(&labels(field));
        let names = |meaning: &Meaning| meaning.folders.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let one = meaning("收件箱,未读,已加星标,重要,项目/甲");
        assert_eq!(
            (names(&one), one.flags, one.keywords),
            (vec!["INBOX".into(), "项目/甲".into()], Flags::FLAGGED, vec!["$Important".into()])
        );
        let one = meaning("Archived,Opened,Category promotions");
        assert_eq!(
            (names(&one), one.flags, one.keywords),
            (vec!["Archive".into()], Flags::SEEN, vec!["Category_promotions".into()])
        );
        assert_eq!(meaning("Entwürfe").folders, [("Drafts".to_owned(), "\\drafts")]);
        assert!(USES.len() > 60);
    }

    proptest! {
        #[test]
        fn whatever_labels_are_every_message_has_a_folder(field in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(!meaning_of(&labels_of(&field)).folders.is_empty());
        }
    }
}
