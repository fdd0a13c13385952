//! Address lists as IMAP tells them: one flat list in which groups are markers.

/// One entry of an address list, in the four fields of an IMAP address structure (RFC 9051 §7.5.2). All bytes are as
/// they stand in the header, unfolded and without quotes or comments: encoded words are not decoded and 8-bit text
/// keeps its charset.
///
/// A group `name: a@b, c@d;` becomes a start marker (`mailbox` is the group name, `host` is `None`), its members, and
/// an end marker (`mailbox` and `host` are `None`). An address without a domain has `host == Some(empty)`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Address {
    /// Display name, or the comment after a bare address.
    pub name: Option<Vec<u8>>,
    /// Obsolete source route (`@a,@b`), RFC 5322 §4.4.
    pub route: Option<Vec<u8>>,
    /// Local part; group name for a group start.
    pub mailbox: Option<Vec<u8>>,
    /// Domain; `None` marks a group start or end.
    pub host: Option<Vec<u8>>,
}

impl Address {
    /// Whether this entry opens a group.
    pub fn is_group_start(&self) -> bool {
        self.host.is_none() && self.mailbox.is_some()
    }

    /// Whether this entry closes a group.
    pub fn is_group_end(&self) -> bool {
        self.host.is_none() && self.mailbox.is_none()
    }
}
