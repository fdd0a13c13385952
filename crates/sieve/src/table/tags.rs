//! Tagged arguments, in groups that rows share.

use super::{Extension, Kind, Needs, Syntax};

/// One tagged argument.
pub(crate) struct TagRow {
    pub(crate) name: &'static str,
    pub(crate) tag: Tag,
    pub(crate) needs: Needs,
    /// What follows the tag; `None` when nothing does.
    pub(crate) value: Option<Kind>,
    /// It makes sense only beside this one.
    pub(crate) beside: Option<Tag>,
    /// Tags of one group exclude each other; 0 excludes nothing.
    pub(crate) group: u8,
}

macro_rules! tags {
    ($($tag:ident)*) => {
        /// The names under which a compiled command holds its tagged arguments.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Tag { $($tag,)* }

        /// Every tag, for the stored form.
        pub(crate) const TAGS: &[Tag] = &[$(Tag::$tag,)*];
    };
}

tags! {
    Is Contains Matches Regex Count Value List Comparator
    All LocalPart Domain User Detail
    Over Under
    Copy Create Flags MailboxId SpecialUse Fcc
    Days Seconds Subject From Addresses Mime Handle
    Importance Options Message
    Personal Global Once Optional
    Index Last Zone OriginalZone
    Raw Content Text
    Header UniqueId Percent
    Name First AnyChild Type Subtype ContentType Param Headers
    Lower Upper LowerFirst UpperFirst QuoteWildcard QuoteRegex EncodeUrl Length
}

/// Groups of tags that exclude each other.
mod group {
    pub(super) const MATCH: u8 = 1;
    pub(super) const PART: u8 = 2;
    pub(super) const SIZE: u8 = 3;
    pub(super) const PERIOD: u8 = 4;
    pub(super) const PLACE: u8 = 5;
    pub(super) const ZONE: u8 = 6;
    pub(super) const BODY: u8 = 7;
    pub(super) const UNIQUE: u8 = 8;
    pub(super) const MIME: u8 = 9;
    pub(super) const CASE: u8 = 10;
    pub(super) const FIRST: u8 = 11;
    pub(super) const QUOTE: u8 = 12;
}

const PLAIN: TagRow = TagRow { name: "", tag: Tag::Is, needs: Needs::Nothing, value: None, beside: None, group: 0 };

const fn text(syntax: Syntax) -> Option<Kind> {
    Some(Kind::Text(syntax))
}

const fn list(syntax: Syntax) -> Option<Kind> {
    Some(Kind::List(syntax))
}

/// A tag without conditions.
const fn plain(name: &'static str, tag: Tag, value: Option<Kind>) -> TagRow {
    TagRow { name, tag, value, ..PLAIN }
}

/// One of a group.
const fn one_of(group: u8, name: &'static str, tag: Tag, value: Option<Kind>) -> TagRow {
    TagRow { name, tag, value, group, ..PLAIN }
}

/// A tag that a capability brings.
const fn of(needs: &'static [Extension], group: u8, name: &'static str, tag: Tag, value: Option<Kind>) -> TagRow {
    TagRow { name, tag, value, group, needs: Needs::All(needs), ..PLAIN }
}

/// Match types (RFC 5228 §2.7.1, RFC 5231, RFC 6134 §2.2).
pub(crate) static MATCH: &[TagRow] = &[
    one_of(group::MATCH, "is", Tag::Is, None),
    one_of(group::MATCH, "contains", Tag::Contains, None),
    one_of(group::MATCH, "matches", Tag::Matches, None),
    of(&[Extension::Regex], group::MATCH, "regex", Tag::Regex, None),
    of(&[Extension::Relational], group::MATCH, "count", Tag::Count, text(Syntax::Relation)),
    of(&[Extension::Relational], group::MATCH, "value", Tag::Value, text(Syntax::Relation)),
    of(&[Extension::ExtLists], group::MATCH, "list", Tag::List, None),
    plain("comparator", Tag::Comparator, text(Syntax::Comparator)),
];

/// Parts of an address (RFC 5228 §2.7.4, RFC 5233).
pub(crate) static ADDRESS_PART: &[TagRow] = &[
    one_of(group::PART, "all", Tag::All, None),
    one_of(group::PART, "localpart", Tag::LocalPart, None),
    one_of(group::PART, "domain", Tag::Domain, None),
    of(&[Extension::Subaddress], group::PART, "user", Tag::User, None),
    of(&[Extension::Subaddress], group::PART, "detail", Tag::Detail, None),
];

/// `:over` and `:under` of `size`.
pub(crate) static SIZE: &[TagRow] = &[
    one_of(group::SIZE, "over", Tag::Over, Some(Kind::Number)),
    one_of(group::SIZE, "under", Tag::Under, Some(Kind::Number)),
];

/// RFC 5260 §6.
pub(crate) static INDEX: &[TagRow] = &[
    of(&[Extension::Index], 0, "index", Tag::Index, Some(Kind::Number)),
    TagRow { beside: Some(Tag::Index), ..of(&[Extension::Index], 0, "last", Tag::Last, None) },
];

/// `:index` and `:last` of `deleteheader`, which need no `index` (RFC 5293 §5).
pub(crate) static OCCURRENCE: &[TagRow] = &[
    plain("index", Tag::Index, Some(Kind::Number)),
    TagRow { beside: Some(Tag::Index), ..plain("last", Tag::Last, None) },
];

/// `:last` of `addheader`.
pub(crate) static LAST: &[TagRow] = &[plain("last", Tag::Last, None)];

/// `:mime` and what goes with it (RFC 5703 §4).
pub(crate) static MIME: &[TagRow] = &[
    of(&[Extension::Mime], 0, "mime", Tag::Mime, None),
    TagRow { beside: Some(Tag::Mime), ..of(&[Extension::Mime], 0, "anychild", Tag::AnyChild, None) },
];

/// Which piece of a MIME field is looked at (RFC 5703 §4.1).
pub(crate) static MIME_PART: &[TagRow] = &[
    TagRow { beside: Some(Tag::Mime), ..of(&[Extension::Mime], group::MIME, "type", Tag::Type, None) },
    TagRow { beside: Some(Tag::Mime), ..of(&[Extension::Mime], group::MIME, "subtype", Tag::Subtype, None) },
    TagRow { beside: Some(Tag::Mime), ..of(&[Extension::Mime], group::MIME, "contenttype", Tag::ContentType, None) },
    TagRow { beside: Some(Tag::Mime), ..of(&[Extension::Mime], group::MIME, "param", Tag::Param, list(Syntax::Any)) },
];

/// RFC 5173 §5.
pub(crate) static BODY: &[TagRow] = &[
    one_of(group::BODY, "raw", Tag::Raw, None),
    one_of(group::BODY, "content", Tag::Content, list(Syntax::Any)),
    one_of(group::BODY, "text", Tag::Text, None),
];

/// RFC 5260 §4.1.
pub(crate) static ZONE: &[TagRow] = &[one_of(group::ZONE, "zone", Tag::Zone, text(Syntax::Zone))];

/// RFC 5260 §4.1.
pub(crate) static ORIGINAL_ZONE: &[TagRow] = &[one_of(group::ZONE, "originalzone", Tag::OriginalZone, None)];

/// RFC 3894.
pub(crate) static COPY: &[TagRow] = &[of(&[Extension::Copy], 0, "copy", Tag::Copy, None)];

/// RFC 5232 §5.
pub(crate) static FLAGS: &[TagRow] = &[of(&[Extension::Imap4Flags], 0, "flags", Tag::Flags, list(Syntax::Any))];

/// Where `fileinto` stores (RFC 5490 §3.2, RFC 9042 §4, RFC 8579 §4).
pub(crate) static TARGET: &[TagRow] = &[
    of(&[Extension::Mailbox], 0, "create", Tag::Create, None),
    of(&[Extension::MailboxId], 0, "mailboxid", Tag::MailboxId, text(Syntax::Any)),
    of(&[Extension::SpecialUse], 0, "specialuse", Tag::SpecialUse, text(Syntax::SpecialUse)),
];

/// `:fcc` and the arguments of `fileinto` that go with it (RFC 8580 §3).
pub(crate) static FCC: &[TagRow] = &[
    of(&[Extension::Fcc], 0, "fcc", Tag::Fcc, text(Syntax::Mailbox)),
    beside_fcc(of(&[Extension::Imap4Flags], 0, "flags", Tag::Flags, list(Syntax::Any))),
    beside_fcc(of(&[Extension::Mailbox], 0, "create", Tag::Create, None)),
    beside_fcc(of(&[Extension::MailboxId], 0, "mailboxid", Tag::MailboxId, text(Syntax::Any))),
    beside_fcc(of(&[Extension::SpecialUse], 0, "specialuse", Tag::SpecialUse, text(Syntax::SpecialUse))),
];

const fn beside_fcc(row: TagRow) -> TagRow {
    TagRow { beside: Some(Tag::Fcc), ..row }
}

/// `:list` of `redirect` (RFC 6134 §2.4).
pub(crate) static EXTERNAL_LIST: &[TagRow] = &[of(&[Extension::ExtLists], 0, "list", Tag::List, None)];

/// RFC 5230 §4, RFC 6131.
pub(crate) static VACATION: &[TagRow] = &[
    one_of(group::PERIOD, "days", Tag::Days, Some(Kind::Number)),
    of(&[Extension::VacationSeconds], group::PERIOD, "seconds", Tag::Seconds, Some(Kind::Number)),
    plain("subject", Tag::Subject, text(Syntax::Any)),
    plain("from", Tag::From, text(Syntax::Any)),
    plain("addresses", Tag::Addresses, list(Syntax::Any)),
    plain("mime", Tag::Mime, None),
    plain("handle", Tag::Handle, text(Syntax::Any)),
];

/// RFC 5435 §3.
pub(crate) static NOTIFY: &[TagRow] = &[
    plain("from", Tag::From, text(Syntax::Any)),
    plain("importance", Tag::Importance, text(Syntax::Importance)),
    plain("options", Tag::Options, list(Syntax::Any)),
    plain("message", Tag::Message, text(Syntax::Any)),
];

/// RFC 6609 §3.2.
pub(crate) static INCLUDE: &[TagRow] = &[
    one_of(group::PLACE, "personal", Tag::Personal, None),
    one_of(group::PLACE, "global", Tag::Global, None),
    plain("once", Tag::Once, None),
    plain("optional", Tag::Optional, None),
];

/// RFC 7352 §3.
pub(crate) static DUPLICATE: &[TagRow] = &[
    plain("handle", Tag::Handle, text(Syntax::Any)),
    one_of(group::UNIQUE, "header", Tag::Header, text(Syntax::Any)),
    one_of(group::UNIQUE, "uniqueid", Tag::UniqueId, text(Syntax::Any)),
    plain("seconds", Tag::Seconds, Some(Kind::Number)),
    plain("last", Tag::Last, None),
];

/// RFC 5235 §3.2.
pub(crate) static PERCENT: &[TagRow] = &[of(&[Extension::SpamTestPlus], 0, "percent", Tag::Percent, None)];

/// RFC 5703 §3.
pub(crate) static NAME: &[TagRow] = &[plain("name", Tag::Name, text(Syntax::Constant))];

/// RFC 5703 §7.
pub(crate) static FIRST: &[TagRow] = &[plain("first", Tag::First, Some(Kind::Number))];

/// RFC 5703 §5.
pub(crate) static REPLACE: &[TagRow] = &[
    plain("mime", Tag::Mime, None),
    plain("subject", Tag::Subject, text(Syntax::Any)),
    plain("from", Tag::From, text(Syntax::Any)),
];

/// RFC 5703 §6.
pub(crate) static ENCLOSE: &[TagRow] =
    &[plain("subject", Tag::Subject, text(Syntax::Any)), plain("headers", Tag::Headers, list(Syntax::Header))];

/// Modifiers of `set` (RFC 5229 §4.1, RFC 5435 §6).
pub(crate) static MODIFIERS: &[TagRow] = &[
    one_of(group::CASE, "lower", Tag::Lower, None),
    one_of(group::CASE, "upper", Tag::Upper, None),
    one_of(group::FIRST, "lowerfirst", Tag::LowerFirst, None),
    one_of(group::FIRST, "upperfirst", Tag::UpperFirst, None),
    one_of(group::QUOTE, "quotewildcard", Tag::QuoteWildcard, None),
    of(&[Extension::Regex], group::QUOTE, "quoteregex", Tag::QuoteRegex, None),
    of(&[Extension::Enotify], 0, "encodeurl", Tag::EncodeUrl, None),
    plain("length", Tag::Length, None),
];
