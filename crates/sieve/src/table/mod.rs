//! The language as data: every command and test with its arguments, tags and the capabilities they ask for. The compiler
//! checks scripts against it, the interpreter calls the function of the row; nothing else knows the names.

mod extension;
mod tags;

use crate::act::{deliver, edit, flags, flow, include, notify, parts, refuse, vacation, variables};
use crate::ask::{address, body, date, facts, header, lists, logic, numbers, store, strings};
use crate::program::Node;
use crate::run::{Flow, Halt, Machine};

pub(crate) use extension::Extensions;
pub use extension::{EXTENSIONS, Extension, NOTIFY_METHODS};
pub(crate) use tags::*;

/// What a command does.
pub(crate) type Act = fn(&mut Machine<'_>, &Node) -> Result<Flow, Halt>;
/// What a test finds out.
pub(crate) type Ask = fn(&mut Machine<'_>, &Node) -> Result<bool, Halt>;

/// One command or test.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) needs: Needs,
    /// Groups of tags; of one group a script may use one tag at a time, unless the group says otherwise.
    pub(crate) tags: &'static [&'static [TagRow]],
    /// Positional arguments.
    pub(crate) arguments: &'static [Kind],
    /// The first positional argument may be left out.
    pub(crate) is_first_optional: bool,
    /// The last one may be left out.
    pub(crate) is_last_optional: bool,
    pub(crate) tests: Tests,
    pub(crate) has_block: bool,
    pub(crate) run: Run,
}

/// A row's function.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    Act(Act),
    Ask(Ask),
}

/// Capabilities that a row or tag asks for.
#[derive(Clone, Copy)]
pub(crate) enum Needs {
    Nothing,
    All(&'static [Extension]),
    /// One of them is enough.
    Any(&'static [Extension]),
}

/// How many tests follow the arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tests {
    None,
    One,
    List,
}

/// What an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Text(Syntax),
    List(Syntax),
}

/// What the text of an argument must look like. Checked when the script is compiled if it is constant; what it expands to
/// is checked again where it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    Any,
    /// Holds no variables by the RFC's word: script names, capabilities.
    Constant,
    /// A header field name that a test asks for.
    Header,
    /// A header field with addresses (RFC 5228 §5.1).
    AddressHeader,
    /// A header field name that is written or removed (RFC 5293).
    Field,
    /// Where mail goes.
    Address,
    /// A mailbox name.
    Mailbox,
    /// The name of a variable that is set (RFC 5229 §4).
    Variable,
    /// The name of a global variable (RFC 6609 §3.4.1).
    Global,
    /// A relation (RFC 5231 §4).
    Relation,
    Comparator,
    /// `+hhmm`.
    Zone,
    DatePart,
    /// `from` or `to` (RFC 5228 §5.4).
    EnvelopePart,
    /// What a matching test compares with: `:matches` patterns, regular expressions.
    Key,
    /// `1`, `2` or `3` (RFC 5435 §3.4).
    Importance,
    /// `mailto:` (RFC 5435 §3.2).
    Method,
    /// A special use (RFC 8579), with its backslash.
    SpecialUse,
}

/// The row of which others are made.
pub(crate) const PLAIN: Row = Row {
    name: "",
    needs: Needs::Nothing,
    tags: &[],
    arguments: &[],
    is_first_optional: false,
    is_last_optional: false,
    tests: Tests::None,
    has_block: false,
    run: Run::Act(flow::nothing),
};

/// Every command.
pub(crate) static COMMANDS: &[&Row] = &[
    &flow::REQUIRE,
    &flow::IF,
    &flow::ELSIF,
    &flow::ELSE,
    &flow::STOP,
    &flow::ERROR,
    &deliver::KEEP,
    &deliver::DISCARD,
    &deliver::FILEINTO,
    &deliver::REDIRECT,
    &refuse::REJECT,
    &refuse::EREJECT,
    &vacation::VACATION,
    &notify::NOTIFY,
    &flags::SETFLAG,
    &flags::ADDFLAG,
    &flags::REMOVEFLAG,
    &variables::SET,
    &include::INCLUDE,
    &include::RETURN,
    &include::GLOBAL,
    &edit::ADDHEADER,
    &edit::DELETEHEADER,
    &parts::FOREVERYPART,
    &parts::BREAK,
    &parts::EXTRACTTEXT,
    &parts::REPLACE,
    &parts::ENCLOSE,
];

/// Every test.
pub(crate) static TESTS: &[&Row] = &[
    &logic::TRUE,
    &logic::FALSE,
    &logic::NOT,
    &logic::ALLOF,
    &logic::ANYOF,
    &logic::IHAVE,
    &header::HEADER,
    &header::EXISTS,
    &header::SIZE,
    &address::ADDRESS,
    &address::ENVELOPE,
    &body::BODY,
    &date::DATE,
    &date::CURRENTDATE,
    &strings::STRING,
    &strings::HASFLAG,
    &facts::ENVIRONMENT,
    &facts::DUPLICATE,
    &facts::VALID_NOTIFY_METHOD,
    &facts::NOTIFY_METHOD_CAPABILITY,
    &numbers::SPAMTEST,
    &numbers::VIRUSTEST,
    &store::MAILBOXEXISTS,
    &store::MAILBOXIDEXISTS,
    &store::SPECIALUSE_EXISTS,
    &store::METADATA,
    &store::METADATAEXISTS,
    &store::SERVERMETADATA,
    &store::SERVERMETADATAEXISTS,
    &lists::VALID_EXT_LIST,
];

/// The row called `name` among `rows`; letter case does not matter.
pub(crate) fn find(rows: &'static [&'static Row], name: &str) -> Option<&'static Row> {
    rows.iter().find(|row| row.name.eq_ignore_ascii_case(name)).copied()
}

impl Row {
    /// The tag called `name` that this row takes.
    pub(crate) fn tag(&self, name: &str) -> Option<&'static TagRow> {
        self.tags.iter().flat_map(|group| group.iter()).find(|tag| tag.name.eq_ignore_ascii_case(name))
    }

    /// Whether it compares things: it then has a match type and a comparator, said or not.
    pub(crate) fn is_matching(&self) -> bool {
        self.tag("comparator").is_some()
    }
}

impl Needs {
    /// Whether `known` has what is asked for.
    pub(crate) fn are_met(self, known: Extensions) -> bool {
        match self {
            Needs::Nothing => true,
            Needs::All(all) => all.iter().all(|extension| known.has(*extension)),
            Needs::Any(any) => any.iter().any(|extension| known.has(*extension)),
        }
    }

    /// The capabilities, for a mistake.
    pub(crate) fn shown(self) -> String {
        let (Needs::All(list) | Needs::Any(list)) = self else { return String::new() };
        list.iter().map(|extension| format!("\"{extension}\"")).collect::<Vec<_>>().join(", ")
    }
}
