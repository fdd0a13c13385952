//! What came of running the scripts of a message.

use anser_base::Text;

use super::budget::Exhausted;

/// What is to be done with a message, and why. There is always at least one action.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// What to do, in this order. The caller does all of it or none, and treats what it cannot do (a mailbox that is gone)
    /// as it treats a keep.
    pub actions: Vec<Taken>,
    /// Versions of the message that scripts made; an action with [`Taken::version`] `n > 0` is about `versions[n - 1]`,
    /// with 0 about the message as it came.
    pub versions: Vec<Vec<u8>>,
    /// Unique ids that `duplicate` saw and that the caller remembers once all actions are done (RFC 7352 §3).
    pub remember: Vec<Remember>,
    /// What went wrong, script by script. A script that failed left no action but a keep.
    pub failures: Vec<Failure>,
    /// Conditions that were true, in order, at most [`MAX_STEPS_TOLD`]: with the origins of the actions they tell why.
    pub matched: Vec<Origin>,
    /// Steps of the budget that were used.
    pub steps: u64,
}

/// Conditions told of one message.
pub const MAX_STEPS_TOLD: usize = 500;

/// An action and the line that asked for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// What to do.
    pub action: Action,
    /// Which version of the message it is about; see [`Outcome::versions`].
    pub version: usize,
    /// Who asked for it.
    pub origin: Origin,
}

/// A place in the scripts of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Name of the script, as the caller gave it or as it was included.
    pub script: String,
    /// Line, from 1; 0 for the end of the script, where the implicit keep is.
    pub line: u32,
    /// The rule of the form that the line belongs to.
    pub rule: Option<String>,
}

/// Something to do with a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Into the inbox (RFC 5228 §4.3). Flags are those to set.
    Keep {
        /// IMAP flags and keywords.
        flags: Vec<String>,
        /// No command asked for it: nothing cancelled the implicit keep.
        is_implicit: bool,
    },
    /// Into a mailbox (RFC 5228 §4.1).
    FileInto(FileInto),
    /// On to another address (RFC 5228 §4.2).
    Redirect {
        /// Where to: an address, or the name of an external list (RFC 6134).
        to: RedirectTo,
    },
    /// Nothing more (RFC 5228 §4.4).
    Discard,
    /// Back to the sender (RFC 5429).
    Reject {
        /// Why, for the sender.
        reason: String,
        /// `ereject`: in the SMTP dialogue if that is possible, and to nobody when the sender looks forged.
        is_ereject: bool,
    },
    /// An answer that the owner is away (RFC 5230).
    Vacation(Box<Vacation>),
    /// A notification by mail (RFC 5435, RFC 5436).
    Notify(Box<Notify>),
}

/// Where a message or a copy of it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileInto {
    /// Name of the mailbox, in UTF-8; what to use when neither id nor special use finds one.
    pub mailbox: String,
    /// Object id to look for first (RFC 9042).
    pub mailbox_id: Option<String>,
    /// Special use to look for first, such as `\Junk` (RFC 8579).
    pub special_use: Option<String>,
    /// Make the mailbox when it does not exist (RFC 5490 §3.2).
    pub create: bool,
    /// IMAP flags and keywords.
    pub flags: Vec<String>,
}

/// Where a redirection goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectTo {
    /// One address.
    Address(anser_base::Address),
    /// Every member of an external list; the caller resolves it.
    List(String),
}

/// An answer to the sender. The caller sends it to the envelope sender, once per [`Vacation::tracking`] and sender within
/// [`Vacation::seconds`], with an empty envelope sender and `Auto-Submitted: auto-replied`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vacation {
    /// Why RFC 5230 §4.5 and §4.6 forbid it; the caller then sends nothing.
    pub withheld: Option<Withheld>,
    /// Seconds in which one sender gets this answer once.
    pub seconds: u64,
    /// Subject of the answer.
    pub subject: String,
    /// `From` of the answer, when the script said one; the caller checks that the owner may use it.
    pub from: Option<String>,
    /// The text, or a whole MIME entity when `is_mime`.
    pub reason: String,
    /// The reason is a MIME entity with its header.
    pub is_mime: bool,
    /// What tells this answer from others (RFC 5230 §4.2): the handle, or subject, from, mime and reason as the script has
    /// them. May be long: the caller keeps a hash.
    pub tracking: String,
    /// `Message-ID` of the message that is answered, for `In-Reply-To` and `References`.
    pub in_reply_to: Option<String>,
    /// Where a copy of the answer goes.
    pub fcc: Option<FileInto>,
}

/// Why no answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Withheld {
    /// A bounce: there is nobody to answer.
    EmptySender,
    /// The sender is the owner.
    Oneself,
    /// The sender is a program: `mailer-daemon`, `owner-…`, `…-request` and the like.
    SystemSender,
    /// It came through a mailing list, or says that it is bulk mail.
    MailingList,
    /// `Auto-Submitted` says so, or a header that means the same.
    AutoSubmitted,
    /// None of the owner's addresses is in `To`, `Cc` or their kin.
    NotAddressed,
}

/// A notification by mail.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notify {
    /// Where to: addresses of the URI and of its `to` and `cc` headers.
    pub to: Vec<String>,
    /// Subject (RFC 5436 §2.7).
    pub subject: String,
    /// Body, from the URI.
    pub body: String,
    /// Further header fields of the URI that are safe to use.
    pub headers: Vec<(String, String)>,
    /// `From`, when the script said one; the caller checks that the owner may use it.
    pub from: Option<String>,
    /// 1 high, 2 normal, 3 low.
    pub importance: u8,
    /// `name=value`, as the script has them; `mailto` has none.
    pub options: Vec<String>,
    /// Automatic mail notifies nobody (RFC 5436 §2.7): the caller then sends nothing.
    pub is_withheld: bool,
    /// Where a copy goes.
    pub fcc: Option<FileInto>,
}

/// A unique id to remember.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remember {
    /// Ids of different handles are different.
    pub handle: String,
    /// The id.
    pub id: String,
    /// Seconds after which it is forgotten.
    pub seconds: u64,
    /// Seeing it again starts the time anew.
    pub from_last: bool,
    /// It was known already: with `from_last` its time starts anew, otherwise nothing changes.
    pub is_duplicate: bool,
}

/// A script that failed: its message is kept, nothing else of it is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Where.
    pub origin: Origin,
    /// What ran out, if that was it.
    pub exhausted: Option<Exhausted>,
    /// What to tell the owner.
    pub text: Text,
}

impl Action {
    /// Whether it puts the message somewhere, as it then is.
    pub(super) fn stores_message(&self) -> bool {
        matches!(self, Action::Keep { .. } | Action::FileInto(_) | Action::Redirect { .. })
    }

    /// Whether both do the same thing to the message; flags aside.
    pub(super) fn repeats(&self, other: &Action) -> bool {
        match (self, other) {
            (Action::Keep { .. }, Action::Keep { .. }) => true,
            (Action::FileInto(one), Action::FileInto(two)) => {
                let target =
                    |file: &FileInto| (file.mailbox.clone(), file.mailbox_id.clone(), file.special_use.clone());
                target(one) == target(two)
            }
            (Action::Redirect { to: one }, Action::Redirect { to: two }) => one == two,
            (Action::Discard, Action::Discard) => true,
            _ => false,
        }
    }
}
