//! The capabilities a script can require (RFC 5228 §6).

use std::fmt;

macro_rules! extensions {
    ($($variant:ident = $name:literal, $rfc:literal;)*) => {
        /// A capability.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Extension {
            $(#[doc = concat!("`", $name, "`, ", $rfc, ".")] $variant,)*
        }

        /// Every capability with its name, in the order in which they are told.
        pub const EXTENSIONS: &[(Extension, &str)] = &[$((Extension::$variant, $name),)*];
    };
}

extensions! {
    FileInto = "fileinto", "RFC 5228 §4.1";
    Envelope = "envelope", "RFC 5228 §5.4";
    EncodedCharacter = "encoded-character", "RFC 5228 §2.4.2.4";
    Octet = "comparator-i;octet", "RFC 4790 §9.3";
    AsciiCasemap = "comparator-i;ascii-casemap", "RFC 4790 §9.2";
    UnicodeCasemap = "comparator-i;unicode-casemap", "RFC 5051";
    AsciiNumeric = "comparator-i;ascii-numeric", "RFC 4790 §9.1";
    Subaddress = "subaddress", "RFC 5233";
    Variables = "variables", "RFC 5229";
    Body = "body", "RFC 5173";
    Relational = "relational", "RFC 5231";
    Regex = "regex", "draft-ietf-sieve-regex";
    Imap4Flags = "imap4flags", "RFC 5232";
    Copy = "copy", "RFC 3894";
    Date = "date", "RFC 5260";
    Index = "index", "RFC 5260 §6";
    EditHeader = "editheader", "RFC 5293";
    Reject = "reject", "RFC 5429 §2.2";
    Ereject = "ereject", "RFC 5429 §2.1";
    Vacation = "vacation", "RFC 5230";
    VacationSeconds = "vacation-seconds", "RFC 6131";
    Mailbox = "mailbox", "RFC 5490 §3";
    MailboxId = "mailboxid", "RFC 9042";
    SpecialUse = "special-use", "RFC 8579";
    MboxMetadata = "mboxmetadata", "RFC 5490 §3";
    ServerMetadata = "servermetadata", "RFC 5490 §4";
    Environment = "environment", "RFC 5183";
    Include = "include", "RFC 6609";
    Duplicate = "duplicate", "RFC 7352";
    Fcc = "fcc", "RFC 8580";
    ExtLists = "extlists", "RFC 6134";
    Enotify = "enotify", "RFC 5435";
    Mime = "mime", "RFC 5703 §4";
    ForEveryPart = "foreverypart", "RFC 5703 §3";
    ExtractText = "extracttext", "RFC 5703 §7";
    Replace = "replace", "RFC 5703 §5";
    Enclose = "enclose", "RFC 5703 §6";
    Ihave = "ihave", "RFC 5463";
    SpamTest = "spamtest", "RFC 5235 §3.2";
    SpamTestPlus = "spamtestplus", "RFC 5235 §3.2";
    VirusTest = "virustest", "RFC 5235 §3.3";
    ImapSieve = "imapsieve", "RFC 6785";
}

/// Schemes of notification that `notify` takes, for the NOTIFY capability of ManageSieve (RFC 5804 §1.7).
pub const NOTIFY_METHODS: &[&str] = &["mailto"];

impl Extension {
    /// The capability called `name`; letter case counts (RFC 5228 §2.10.5).
    pub fn named(name: &str) -> Option<Extension> {
        EXTENSIONS.iter().find(|(_, known)| *known == name).map(|(extension, _)| *extension)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        EXTENSIONS[self as usize].1
    }

    /// Whether `ihave` may switch it on: not when it changes how the script's strings are read (RFC 5463 §4).
    pub(crate) fn can_be_late(self) -> bool {
        !matches!(self, Extension::EncodedCharacter | Extension::Variables)
    }
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extensions(pub(crate) u64);

impl Extensions {
    pub(crate) fn add(&mut self, extension: Extension) {
        self.0 |= 1 << extension as u32;
    }

    pub(crate) fn has(self, extension: Extension) -> bool {
        self.0 & 1 << extension as u32 != 0
    }
}
