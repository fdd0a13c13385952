//! docs/api/methods.md, made of the table of methods, of what each type tells, and of the errors that its sources name. That each of them
//! happens is the promise of `every_error_of_the_page_happens`.

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
    Type { name: "MailMove", properties: &MOVE_PROPERTIES, sources: "vendor/moves" },
    Type { name: "Recall", properties: &submission::recall::PROPERTIES, sources: "submission/recall" },
    Type { name: "Rules", properties: &RULES_PROPERTIES, sources: "vendor/rules.rs" },
];

/// What methods that are called so may answer beside what all may (RFC 8620 §5).
const USUAL: [(&str, &[&str]); 6] = [
    (
        "",
        &[
            "unknownMethod",
            "invalidArguments",
            "invalidResultReference",
            "forbidden",
            "accountNotFound",
            "accountNotSupportedByMethod",
            "accountReadOnly",
            "requestTooLarge",
            "serverUnavailable",
            "serverFail",
        ],
    ),
    ("changes", &["cannotCalculateChanges"]),
    ("set", &["stateMismatch", "notFound", "invalidPatch", "invalidProperties"]),
    ("copy", &["stateMismatch", "fromAccountNotFound", "fromAccountNotSupportedByMethod"]),
    ("query", &["unsupportedFilter", "unsupportedSort", "anchorNotFound"]),
    ("queryChanges", &["unsupportedFilter", "unsupportedSort", "cannotCalculateChanges", "tooManyChanges"]),
];

/// What else single methods may answer: of the method, or of one of its objects.
const ERRORS: [(&str, &[&str]); 24] = [
    ("PushSubscription/set", &["overQuota", "rateLimit"]),
    ("Blob/copy", &["notFound", "overQuota"]),
    ("Blob/upload", &["blobNotFound", "invalidProperties", "overQuota", "tooLarge"]),
    ("Blob/lookup", &["unknownDataType"]),
    ("Mailbox/set", &["mailboxHasChild", "mailboxHasEmail", "tooLarge"]),
    ("Email/set", &["blobNotFound", "overQuota", "tooLarge", "tooManyKeywords"]),
    ("Email/copy", &["invalidProperties", "notFound", "overQuota", "tooManyKeywords"]),
    (
        "Email/import",
        &["invalidEmail", "invalidProperties", "overQuota", "stateMismatch", "tooLarge", "tooManyKeywords"],
    ),
    ("SearchSnippet/get", &["unsupportedFilter"]),
    ("Identity/set", &["forbiddenFrom"]),
    (
        "EmailSubmission/set",
        &[
            "cannotUnsend",
            "forbiddenFrom",
            "forbiddenMailFrom",
            "forbiddenToSend",
            "invalidRecipients",
            "noRecipients",
            "tooLarge",
            "tooManyRecipients",
        ],
    ),
    ("VacationResponse/set", &["singleton"]),
    ("MDN/send", &["forbiddenToSend", "invalidProperties", "invalidRecipients", "mdnAlreadySent", "notFound"]),
    ("SieveScript/set", &["alreadyExists", "blobNotFound", "invalidSieve", "overQuota", "sieveIsActive", "tooLarge"]),
    ("SieveScript/validate", &["blobNotFound"]),
    ("AddressBook/set", &["addressBookHasContents", "overQuota"]),
    ("ContactCard/set", &["alreadyExists", "tooLarge"]),
    ("ContactCard/import", &["blobNotFound"]),
    ("Bulk/set", &["overQuota"]),
    ("MailMove/set", &["rateLimit"]),
    ("Document/set", &["alreadyExists", "overQuota", "tooLarge"]),
    ("Note/set", &["alreadyExists"]),
    ("Recall/set", &["alreadyExists", "overQuota"]),
    ("Rules/set", &["singleton"]),
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
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let is_others = |path: &PathBuf| TYPES.iter().any(|of| sources.join(of.sources) == *path);
    let entries = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| !is_others(path)).for_each(|entry| files(&entry, all));
}

/// The words of errors that the sources of a type name.
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

fn own_errors(method: &str) -> &'static [&'static str] {
    ERRORS.iter().find(|(name, _)| *name == method).map_or(&[], |(_, errors)| errors)
}

fn page() -> String {
    let mut page = String::from(
        "# Methods\n\nMade of the table of methods and of their sources; a test holds it to that. What a method takes and answers is in its RFC, of \
         `urn:anser:mail`\nin [mail.md](mail.md).\n\n| method | needs in `using` | changes something | errors beside the usual |\n|---|---|---|---|\n",
    );
    for method in METHODS {
        let verb = method.name.split_once('/').map_or("", |(_, verb)| verb);
        let changes = if READING.contains(&verb) { "" } else { "yes" };
        let errors = listed(own_errors(method.name).iter().copied());
        let _ = writeln!(page, "| {} | `{}` | {changes} | {errors} |", method.name, method.capability);
    }
    page += "\n## Usual errors\n\nThey are those of RFC 8620 §3.6.2 and §5: of a method, or of one object of a `/set` or a `/copy`. Texts (`detail`, `description`) are \
             in English, or in\nChinese where `Accept-Language` asks for it.\n\n| methods | errors |\n|---|---|\n";
    for (verb, errors) in USUAL {
        let verb = if verb.is_empty() { "all".to_owned() } else { format!("`{verb}`") };
        let _ = writeln!(page, "| {verb} | {} |", listed(errors.iter().copied()));
    }
    page += "\n## Properties\n\n| type | properties |\n|---|---|\n";
    for of in &TYPES {
        let mut properties = listed(of.properties.iter().copied());
        if of.name == "Email" {
            let _ = write!(properties, " {} `header:…`", listed(CONVENIENT.iter().map(|(name, ..)| *name)));
        }
        if of.name == "ContactCard" {
            properties += " and those of JSContact (RFC 9553)";
        }
        let _ = writeln!(page, "| {} | {properties} |", of.name);
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

/// What the sources of a type name is on the page, of one of its methods or of all.
#[test]
fn every_error_of_the_sources_is_on_the_page() {
    let mut untold = Vec::new();
    for of in &TYPES {
        let methods =
            METHODS.iter().filter(|method| method.name.split_once('/').is_some_and(|(kind, _)| kind == of.name));
        let told: BTreeSet<&str> = methods
            .flat_map(|method| {
                let (_, verb) = method.name.split_once('/').unwrap_or_default();
                let usual = USUAL.iter().filter(move |(of, _)| of.is_empty() || *of == verb);
                usual.flat_map(|(_, errors)| *errors).chain(own_errors(method.name)).copied()
            })
            .collect();
        let words = errors(of).into_iter().filter(|word| !told.contains(word.as_str()));
        untold.extend(words.map(|word| (of.name, word)));
    }
    assert!(untold.is_empty(), "{untold:?}");
    let known = |name: &str| METHODS.iter().any(|method| method.name == name);
    assert!(ERRORS.iter().all(|(name, _)| known(name)), "of a method that is none");
}
