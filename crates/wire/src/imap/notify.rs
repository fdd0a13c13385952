//! NOTIFY (RFC 5465).

use super::FetchItem;

/// NOTIFY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notify {
    /// NONE: no event is wanted.
    None,
    /// SET: these and no others.
    Set {
        /// STATUS: the state of the mailboxes is told at once.
        status: bool,
        /// What is wanted of which mailboxes.
        groups: Vec<EventGroup>,
    },
}

/// Events of some mailboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventGroup {
    /// Which mailboxes.
    pub mailboxes: MailboxFilter,
    /// What of them.
    pub events: Events,
}

/// Which mailboxes (RFC 5465 §6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxFilter {
    /// SELECTED
    Selected,
    /// SELECTED-DELAYED
    SelectedDelayed,
    /// INBOXES
    Inboxes,
    /// PERSONAL
    Personal,
    /// SUBSCRIBED
    Subscribed,
    /// SUBTREE
    Subtree(Vec<String>),
    /// MAILBOXES
    Mailboxes(Vec<String>),
}

/// Events (RFC 5465 §5). All false means NONE.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Events {
    /// MessageNew
    pub message_new: bool,
    /// What is told of a new message in the selected mailbox.
    pub items: Vec<FetchItem>,
    /// MessageExpunge
    pub message_expunge: bool,
    /// FlagChange
    pub flag_change: bool,
    /// MailboxName
    pub mailbox_name: bool,
    /// SubscriptionChange
    pub subscription_change: bool,
    /// MailboxMetadataChange
    pub mailbox_metadata: bool,
    /// ServerMetadataChange
    pub server_metadata: bool,
    /// An event that is none of these: answer NO with BADEVENT.
    pub other: bool,
}

impl Events {
    /// The events that there are, as BADEVENT lists them.
    pub const NAMES: [&'static str; 7] = [
        "MessageNew",
        "MessageExpunge",
        "FlagChange",
        "MailboxName",
        "SubscriptionChange",
        "MailboxMetadataChange",
        "ServerMetadataChange",
    ];

    /// Whether one of them is about messages.
    pub fn has_messages(&self) -> bool {
        self.message_new || self.message_expunge || self.flag_change
    }

    /// Whether one of them is not about messages.
    pub fn has_others(&self) -> bool {
        self.mailbox_name || self.subscription_change || self.mailbox_metadata || self.server_metadata
    }
}
