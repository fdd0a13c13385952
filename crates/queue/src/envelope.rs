//! The envelope of a message (RFC 5321 §2.3.1) and an entry of the queue.

use std::net::IpAddr;

use anser_base::{AccountId, Address, EntryId, TenantId, Timestamp};
use anser_wire::smtp::{BodyType, Notify, Ret};

use crate::body::Body;
use crate::state::{Progress, State};

/// One recipient as the sender named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Where the message goes.
    pub address: Address,
    /// ORCPT, decoded, with its type: `rfc822;ann@example.org` (RFC 3461 §4.2).
    pub orcpt: Option<String>,
    /// What the sender wants to be told (RFC 3461 §4.1).
    pub notify: Notify,
}

impl Recipient {
    /// A recipient without DSN parameters, whose failure and delay is reported (RFC 3461 §4.1: the sender gave no NOTIFY).
    pub fn new(address: Address) -> Self {
        Self { address, orcpt: None, notify: Notify { success: false, failure: true, delay: true } }
    }
}

/// Through which door a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// SMTP from another server (RFC 5321).
    Smtp,
    /// Submission by an own user (RFC 6409).
    Submission,
    /// LMTP (RFC 2033).
    Lmtp,
    /// Made by the house: a report, an away message, a redirected copy.
    Internal,
}

impl Protocol {
    /// The word for logs and the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Submission => "submission",
            Self::Lmtp => "lmtp",
            Self::Internal => "internal",
        }
    }
}

/// Where a message came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The door.
    pub protocol: Protocol,
    /// The peer's address.
    pub client: Option<IpAddr>,
    /// What the peer called itself in EHLO.
    pub helo: Option<String>,
    /// The account that logged in.
    pub account: Option<AccountId>,
    /// The name of the listener that took it.
    pub listener: Option<String>,
}

impl Origin {
    /// For what the house itself sends.
    pub fn internal() -> Self {
        Self { protocol: Protocol::Internal, client: None, helo: None, account: None, listener: None }
    }
}

/// All that is known of a message besides its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The reverse path; `None` is the null sender `<>` of reports (RFC 5321 §4.5.5).
    pub sender: Option<Address>,
    /// 1 to [`anser_base::limits::RECIPIENTS`] recipients.
    pub recipients: Vec<Recipient>,
    /// What a report returns of the message (RFC 3461 §4.3).
    pub ret: Option<Ret>,
    /// ENVID, decoded (RFC 3461 §4.4).
    pub envid: Option<String>,
    /// SMTPUTF8 was asked for (RFC 6531).
    pub smtputf8: bool,
    /// BODY= (RFC 6152, RFC 3030).
    pub body_type: BodyType,
    /// REQUIRETLS was asked for (RFC 8689).
    pub requiretls: bool,
    /// Where it came from.
    pub origin: Origin,
    /// The tenant that it belongs to.
    pub tenant: Option<TenantId>,
    /// `Received` and the like: whole header fields with CRLF that go before the body.
    pub trace: Vec<u8>,
    /// The way that an operator chose for what is not delivered here, in the words of a route; without, the routes decide.
    pub via: Option<String>,
    /// −9 to 9 as in RFC 6710; 0 is usual. What is above goes first, what is below last.
    pub priority: i8,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Not to be attempted earlier (FUTURERELEASE, RFC 4865; a mail scheduled by its writer).
    pub not_before: Option<Timestamp>,
    /// From when on a recipient that is still waiting has expired. Usually [`crate::EXPIRY`] after `accepted`.
    pub expires: Timestamp,
}

impl Envelope {
    /// A plain envelope: no extensions, due at once, expiring after [`crate::EXPIRY`].
    pub fn new(sender: Option<Address>, recipients: Vec<Recipient>, origin: Origin, accepted: Timestamp) -> Self {
        Self {
            sender,
            recipients,
            ret: None,
            envid: None,
            smtputf8: false,
            body_type: BodyType::SevenBit,
            requiretls: false,
            origin,
            tenant: None,
            trace: Vec::new(),
            via: None,
            priority: 0,
            accepted,
            not_before: None,
            expires: accepted.after(crate::retry::EXPIRY),
        }
    }

    /// The same, not to be attempted before a time; the time to give up counts from then (RFC 4865 §4). One that is over changes nothing.
    pub fn released_at(self, at: Timestamp) -> Self {
        if at <= self.accepted {
            return self;
        }
        let expires = self.expires.after(at.since(self.accepted));
        Self { not_before: Some(at), expires, ..self }
    }
}

/// A message in the queue.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number, never used twice: the idempotence key of its local deliveries.
    pub id: EntryId,
    /// The envelope as it was accepted.
    pub envelope: Envelope,
    /// How far each recipient is, in the order of `envelope.recipients`.
    pub progress: Vec<Progress>,
    /// The body.
    pub body: Body,
    /// Whether an attempt may have been made whose outcome is not recorded: the server stopped, a node died, a lease was dropped.
    /// A local courier then asks the account whether it knows the entry; a remote one has no such way.
    pub redelivery: bool,
    pub(crate) home: Home,
}

impl Entry {
    /// The recipients that are to be attempted now, by index.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = (usize, &Recipient)> {
        self.envelope.recipients.iter().enumerate().filter(move |(index, _)| {
            self.progress.get(*index).is_some_and(|p| p.state == State::Waiting && p.due <= now)
        })
    }
}

/// Which table an entry is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    Fresh,
    Waiting,
}
