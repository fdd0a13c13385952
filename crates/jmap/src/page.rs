//! docs/api/methods.md, made of the table of methods, of what each type tells, and of the errors that its sources name.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::email::{CONVENIENT, PLAIN};
use crate::method::{METHODS, READING};
use crate::vendor::{BULK_PROPERTIES, MOVE_PROPERTIES, RULES_PROPERTIES, VIEW_PROPERTIES};
use crate::{identity, mailbox, principal, push, quota, share, sieve, submission, vacation};

/// A type: what of it is told, and where in the sources it is.
struct Type {
    name: &'static str,
    properties: &'static [&'static str],
    sources: &'static str,
}

const TYPES: [Type; 23] = [
    Type { name: "PushSubscription", properties: &push::PROPERTIES, sources: "push/web" },
    Type { name: "Blob", properties: &[], sources: "blob" },
    Type { name: "Mailbox", properties: &mailbox::PROPERTIES, sources: "mailbox" },
    Type { name: "Thread", properties: &["id", "emailIds"], sources: "thread.rs" },
    Type { name: "Email", properties: &PLAIN, sources: "email" },
    Type { name: "SearchSnippet", properties: &["emailId", "subject", "preview"], sources: "email/snippet.rs" },
    Type { name: "Identity", properties: &identity::PROPERTIES, sources: "identity.rs" },
    Type { name: "EmailSubmission", properties: &submission::PROPERTIES, sources: "submission" },
    Type { name: "VacationResponse", properties: &vacation::PROPERTIES, sources: "vacation.rs" },
    Type { name: "MDN", properties: &[], sources: "mdn" },
    Type { name: "SieveScript", properties: &sieve::PROPERTIES, sources: "sieve.rs" },
    Type { name: "Quota", properties: &quota::PROPERTIES, sources: "quota.rs" },
    Type { name: "Principal", properties: &principal::PROPERTIES, sources: "principal.rs" },
    Type { name: "ShareNotification", properties: &share::PROPERTIES, sources: "share.rs" },
    Type {
        name: "AddressBook",
        properties: &["id", "name", "description", "sortOrder", "isDefault", "isSubscribed", "shareWith", "myRights"],
        sources: "contact/book.rs",
    },
    Type { name: "ContactCard", properties: &["id", "addressBookIds"], sources: "contact" },
    Type { name: "EmailView", properties: &VIEW_PROPERTIES, sources: "vendor/view.rs" },
    Type { name: "Bulk", properties: &BULK_PROPERTIES, sources: "vendor/bulk.rs" },
    Type { name: "Document", properties: &["id", "key", "value"], sources: "vendor/document.rs" },
    Type { name: "Note", properties: &["id", "emailId", "text", "due"], sources: "vendor/note.rs" },
    Type { name: "MailMove", properties: &MOVE_PROPERTIES, sources: "vendor/moves.rs" },
    Type { name: "Recall", properties: &submission::recall::PROPERTIES, sources: "submission/recall" },
    Type { name: "Rules", properties: &RULES_PROPERTIES, sources: "vendor/rules.rs" },
];

/// What stands for another word in the sources.
const NAMED: [(&str, &str); 9] = [
    ("SetError::property(", "invalidProperties"),
    ("SetError::properties(", "invalidProperties"),
    ("SetError::forbidden(", "forbidden"),
    ("SetError::not_found", "notFound"),
    ("MethodError::invalid(", "invalidArguments"),
    ("cannot()", "cannotCalculateChanges"),
    ("changes::since(", "cannotCalculateChanges"),
    ("asked.of_records(", "cannotCalculateChanges"),
    ("submission::refused", "forbiddenToSend"),
];

fn files(at: &Path, all: &mut Vec<PathBuf>) {
    if at.is_file() {
        return all.push(at.to_owned());
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.iter().for_each(|entry| files(entry, all));
}

/// The words of errors that the sources of a type name, beside those that every method may answer.
fn errors(of: &Type) -> BTreeSet<String> {
    let (mut all, mut found) = (Vec::new(), BTreeSet::new());
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(of.sources), &mut all);
    for path in all {
        let source = fs::read_to_string(path).unwrap();
        let source = source.split("#[cfg(test)]\nmod tests").next().unwrap();
        for call in ["SetError::new(", "MethodError::new("] {
            // What stands before the first call names no error.
            let told =
                source.split(call).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
            found.extend(told.map(str::to_owned));
        }
        found.extend(NAMED.iter().filter(|(call, _)| source.contains(call)).map(|(_, word)| (*word).to_owned()));
    }
    found
}

/// Words in backquotes.
fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" ")
}

fn page() -> String {
    let mut page = String::from(
        "# Methods\n\nMade of the table of methods and of their sources; a test holds it to that. What a method takes and answers is in its RFC, of \
         `urn:anser:mail`\nin [mail.md](mail.md).\n\n| method | needs in `using` | changes something |\n|---|---|---|\n",
    );
    for method in METHODS {
        let verb = method.name.split_once('/').map_or("", |(_, verb)| verb);
        let changes = if READING.contains(&verb) { "" } else { "yes" };
        let _ = writeln!(page, "| {} | `{}` | {changes} |", method.name, method.capability);
    }
    page += "\n## Properties and errors\n\nEvery method may answer with the errors of RFC 8620 §3.6.2, every `/set` with `stateMismatch`, `notFound`, \
             `invalidPatch`, `invalidProperties`,\n`overQuota` and `tooLarge`. Below are the words that the sources of a type name themselves. Texts (`detail`, \
             `description`) are in English, or in\nChinese where `Accept-Language` asks for it.\n\n| type | properties | errors |\n|---|---|---|\n";
    for of in &TYPES {
        let mut properties = listed(of.properties.iter().copied());
        if of.name == "Email" {
            let _ = write!(properties, " {} `header:…`", listed(CONVENIENT.iter().map(|(name, ..)| *name)));
        }
        if of.name == "ContactCard" {
            properties += " and those of JSContact (RFC 9553)";
        }
        let errors = errors(of);
        let _ = writeln!(page, "| {} | {properties} | {} |", of.name, listed(errors.iter().map(String::as_str)));
    }
    page
}

#[test]
fn the_page_of_methods_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api/methods.md");
    if std::env::var_os("ANSER_WRITE_PAGES").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(there == page(), "docs/api/methods.md is old: run this test with ANSER_WRITE_PAGES=1");
}

#[test]
fn every_type_of_the_table_is_on_the_page() {
    let told: BTreeSet<&str> = TYPES.iter().map(|of| of.name).collect();
    for method in METHODS {
        let (kind, _) = method.name.split_once('/').unwrap();
        assert!(kind == "Core" || told.contains(kind), "{kind}");
    }
}
