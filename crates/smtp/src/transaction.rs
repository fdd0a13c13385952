//! A mail transaction: what MAIL and RCPT said.

use anser_base::{Address, TenantId, Timestamp};
use anser_queue::Recipient;
use anser_wire::smtp::{BodyType, MailFrom};

use crate::message::intake::Intake;

/// From MAIL to the end of the message.
pub struct Transaction {
    /// The reverse path; `None` is the null sender.
    pub sender: Option<Address>,
    /// MAIL with its parameters.
    pub mail: MailFrom,
    /// The accepted recipients, each once.
    pub recipients: Vec<Recipient>,
    /// How often a recipient was accepted: LMTP answers as often.
    pub accepted: usize,
    /// Whose message it is: the tenant of the account that submits it, or of the first recipient of ours. The body of a large
    /// message is stored there.
    pub tenant: Option<TenantId>,
    /// The priority that was asked for, as far as it is granted (RFC 6710).
    pub priority: Option<i8>,
    /// When it is to be sent (RFC 4865).
    pub not_before: Option<Timestamp>,
    /// What came by BDAT so far.
    pub chunks: Option<Intake>,
}

impl Transaction {
    /// A transaction without recipients.
    pub fn new(sender: Option<Address>, mail: MailFrom) -> Self {
        let (priority, not_before) = (None, None);
        Self { sender, mail, recipients: Vec::new(), accepted: 0, tenant: None, priority, not_before, chunks: None }
    }

    /// Accepts a recipient; one that is there already stays as it is.
    pub fn add(&mut self, recipient: Recipient, tenant: Option<TenantId>) {
        self.accepted += 1;
        self.tenant = self.tenant.or(tenant);
        if !self.recipients.iter().any(|known| known.address == recipient.address) {
            self.recipients.push(recipient);
        }
    }

    /// Whether the message may hold any octets (RFC 3030 §3).
    pub fn is_binary(&self) -> bool {
        self.mail.body == Some(BodyType::BinaryMime)
    }

    /// The recipients for the journal.
    pub fn recipient_texts(&self) -> Vec<String> {
        self.recipients.iter().map(|recipient| recipient.address.to_string()).collect()
    }
}

/// An address for the journal; the null sender is empty.
pub fn sender_text(sender: Option<&Address>) -> String {
    sender.map(Address::to_string).unwrap_or_default()
}
