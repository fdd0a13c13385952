//! What a session notes in the journal. A journal that cannot be written to is logged and stops no mail: the message is durable in
//! the queue when its acceptance is noted.

use anser_base::EntryId;
use anser_directory::{AuthFailure, Login};
use anser_journal::{By, Entry, Origin, What};
use anser_queue::Envelope;
use anser_wire::smtp::Reply;

use crate::session::Session;
use crate::transaction::sender_text;

impl Session {
    /// A message was taken into the queue.
    pub async fn note_accepted(&self, entry: EntryId, envelope: NotedEnvelope, message_id: Option<String>, size: u64) {
        let NotedEnvelope { sender, recipients } = envelope;
        let account = self.login.as_ref().map(|account| account.id);
        self.note(What::Accepted { entry, message_id, sender, recipients, size, account, parent: None }).await;
    }

    /// A connection, sender, recipient or message was refused.
    pub async fn note_refused(&self, stage: &str, reply: &Reply, recipient: Option<String>) {
        let (sender, recipients) = match &self.transaction {
            Some(transaction) => (
                sender_text(transaction.sender.as_ref()),
                recipient.map_or_else(|| transaction.recipient_texts(), |recipient| vec![recipient]),
            ),
            None => (String::new(), Vec::new()),
        };
        let why = reply.to_string();
        self.note(What::Refused { stage: stage.to_owned(), sender, recipients, message_id: None, why }).await;
    }

    /// A sender was refused.
    pub async fn note_sender_refused(&self, sender: String, reply: &Reply) {
        let why = reply.to_string();
        let what = What::Refused { stage: "mail".to_owned(), sender, recipients: Vec::new(), message_id: None, why };
        self.note(what).await;
    }

    /// Somebody logged in.
    pub async fn note_login(&self, login: &Login, user: &str, mechanism: &str) {
        let by = By::of(login.via.name(), login.via.number());
        let (account, user, mechanism) = (login.account.id, user.to_owned(), mechanism.to_owned());
        self.note(What::Login { account, user, mechanism, by }).await;
    }

    /// Somebody could not log in.
    pub async fn note_login_failed(&self, user: &str, failure: &AuthFailure) {
        let (why, reason) = (failure.error.chain(), Some(failure.reason.name().to_owned()));
        self.note(What::LoginFailed { user: user.to_owned(), why, reason }).await;
    }

    pub(crate) async fn note(&self, what: What) {
        let origin = Origin::peer(self.service.name(), self.stream.peer_addr().ip());
        if let Err(error) = self.deps.journal.append(Entry { origin, what }).await {
            tracing::error!(error = error.chain(), "the journal did not take an event");
        }
    }
}

/// What the journal keeps of an envelope, taken before the queue takes the envelope itself.
pub struct NotedEnvelope {
    /// The reverse path; empty for the null sender.
    pub sender: String,
    /// The recipients.
    pub recipients: Vec<String>,
}

impl NotedEnvelope {
    /// Of an envelope.
    pub fn of(envelope: &Envelope) -> Self {
        Self {
            sender: sender_text(envelope.sender.as_ref()),
            recipients: envelope.recipients.iter().map(|recipient| recipient.address.to_string()).collect(),
        }
    }
}
