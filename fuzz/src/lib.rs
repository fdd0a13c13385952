//! Fuzz targets: functions of any bytes, which must neither panic nor run for ever nor make what a reader cannot read.
//!
//! `./x fuzz` lists them, `./x fuzz TARGET [SECONDS]` runs one under libFuzzer on the stable compiler. The test of this package runs
//! all of them over `seeds/`, so that they always compile and hold. What a run finds is kept there once it is mended.

mod contacts;
mod fetch;
mod imap;
mod mail;
mod moving;
mod others;
mod search;
mod senders;
mod sieve;
mod sign_in;
mod well_formed;

/// A target.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// What it does with a sequence of bytes.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "imap_command", run: imap::command },
    Target { name: "imap_response", run: imap::response },
    Target { name: "sequence_set", run: imap::sequence_set },
    Target { name: "body_section", run: imap::body_section },
    Target { name: "mutf7", run: imap::mutf7 },
    Target { name: "envelope", run: mail::envelope },
    Target { name: "bodystructure", run: mail::bodystructure },
    Target { name: "mime", run: mail::mime },
    Target { name: "search_document", run: search::document },
    Target { name: "search_index", run: search::index },
    Target { name: "pop3_command", run: others::pop3_command },
    Target { name: "roster", run: others::roster },
    Target { name: "contacts", run: contacts::file },
    Target { name: "archive", run: moving::archive },
    Target { name: "cyrus_header", run: moving::cyrus_header },
    Target { name: "cyrus_index", run: moving::cyrus_index },
    Target { name: "mbox", run: moving::mbox },
    Target { name: "outlook_file", run: moving::outlook_file },
    Target { name: "outlook_rtf", run: moving::outlook_rtf },
    Target { name: "smtp_command", run: others::smtp_command },
    Target { name: "sieve_script", run: sieve::script },
    Target { name: "sieve_interpreter", run: sieve::interpreter },
    Target { name: "managesieve_command", run: sieve::command },
    Target { name: "sender_records", run: senders::records },
    Target { name: "sender_headers", run: senders::headers },
    Target { name: "peer_report", run: senders::report },
    Target { name: "passkey", run: sign_in::passkey },
    Target { name: "id_token", run: sign_in::id_token },
    Target { name: "cas_answer", run: sign_in::cas },
];

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
