//! EmailSubmission (RFC 8621 §7): messages that are handed over to be sent, by the same rules as at the submission service.
//!
//! | file | holds |
//! |---|---|
//! | `envelope` | who sends to whom |
//! | `set` | what a client asks for, in an order in which nothing is sent of which nobody knows |
//! | `send`, `cancel` | sending, and taking back what was not sent yet |
//! | `recall` | taking back what was sent |
//! | `reports` | what came back on it |
//! | `status` | how far each recipient is, out of the queue and the journal |
//! | `query` | EmailSubmission/query |

mod cancel;
mod envelope;
mod query;
pub(crate) mod recall;
mod reports;
mod send;
mod set;
mod status;

use std::net::IpAddr;
use std::sync::Arc;

use anser_base::{Address, EntryId, Error, MessageId, Result, ThreadId, Timestamp};
use anser_directory::Account;
use anser_queue::Recipient;
use anser_store::{Logged, MailTx, RecordKind};
use anser_wire::smtp::Ret;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::blob::message_blob;
use crate::email::written_utc;
use crate::identity::own;
use crate::ids;
use crate::law::changes::Changes;
use crate::law::get::Get;
use crate::law::state;
use crate::method::{Call, Outcome};

pub(crate) use query::{query, query_changes};
pub(crate) use reports::Looked;
pub(crate) use send::refused;
pub(crate) use set::set;

/// Hands a message over to the house's submission service; when it returns a number, the message is durable there.
pub type Submit = Arc<dyn Fn(Letter) -> BoxFuture<'static, std::result::Result<EntryId, NotSent>> + Send + Sync>;

/// A message that is handed over.
pub struct Letter {
    /// Who sends it.
    pub account: Arc<Account>,
    /// From where.
    pub client: IpAddr,
    /// The reverse path.
    pub sender: Option<Address>,
    /// The recipients.
    pub recipients: Vec<Recipient>,
    /// ENVID (RFC 3461 §4.4).
    pub envid: Option<String>,
    /// RET (RFC 3461 §4.3).
    pub ret: Option<Ret>,
    /// Not to be sent earlier.
    pub not_before: Option<Timestamp>,
    /// The message, piece by piece.
    pub message: BoxStream<'static, Result<Bytes>>,
}

/// Why a message was not taken; texts are for people.
#[derive(Debug)]
pub enum NotSent {
    /// The reverse path is not the account's.
    Sender(String),
    /// The author is not the account.
    Author(String),
    /// It is for nobody.
    NoRecipients,
    /// It is for more than so many.
    TooManyRecipients(usize),
    /// These may not be written to.
    Recipients(Vec<Address>, String),
    /// It is larger than so many bytes.
    TooLarge(u64),
    /// Something else about it, or too much was sent lately.
    Message(String),
    /// Trouble in the house.
    Failed(Error),
}

/// The longest time that a message may wait to be sent, in seconds (RFC 8621 §1.3.2, `maxDelayedSend`).
pub(crate) const DELAY: u64 = anser_base::limits::DELAYED_SEND;

pub(crate) const PROPERTIES: [&str; 10] = [
    "id",
    "identityId",
    "emailId",
    "threadId",
    "envelope",
    "sendAt",
    "undoStatus",
    "deliveryStatus",
    "dsnBlobIds",
    "mdnBlobIds",
];

/// `undoStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Undo {
    Pending,
    Final,
    Canceled,
}

/// A submission as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Submission {
    identity: String,
    email: u64,
    thread: u64,
    /// As it was used.
    envelope: Value,
    send_at: i64,
    /// The queue's number of it; `None` while it is being handed over, or when that was cut short.
    entry: Option<u64>,
    /// When the client asked for it.
    #[serde(default)]
    asked: i64,
    /// Its Message-ID, by which a number is found again that was not written.
    #[serde(default)]
    message_id: Option<String>,
    undo: Undo,
    /// By recipient; what was known last.
    status: Value,
    /// Whether all recipients have reached their end.
    done: bool,
    /// Where the account stood when it was made: reports on it came later.
    #[serde(default)]
    since: u64,
    /// The messages that are reports on its delivery.
    #[serde(default)]
    dsn: Vec<u64>,
    /// The messages that tell that it was read.
    #[serde(default)]
    mdn: Vec<u64>,
    /// Who read it.
    #[serde(default)]
    displayed: Vec<String>,
}

impl Submission {
    fn object(&self, id: u64) -> Map<String, Value> {
        let Value::Object(object) = json!({
            "id": ids::submission_id(id),
            "identityId": self.identity,
            "emailId": ids::email_id(None, MessageId(self.email)),
            "threadId": ids::thread_id(None, ThreadId(self.thread)),
            "envelope": self.envelope,
            "sendAt": written_utc(Timestamp(self.send_at)),
            "undoStatus": self.undo,
            "deliveryStatus": self.told_status(),
            "dsnBlobIds": blobs(&self.dsn),
            "mdnBlobIds": blobs(&self.mdn),
        }) else {
            return Map::new();
        };
        object
    }

    /// What is known of each recipient, and who of them read it.
    fn told_status(&self) -> Value {
        let mut status = self.status.clone();
        for (recipient, told) in status.as_object_mut().into_iter().flatten() {
            if self.displayed.iter().any(|one| one.eq_ignore_ascii_case(recipient)) {
                told["displayed"] = "yes".into();
            }
        }
        status
    }

    /// Nobody got it and nobody will, as this reply says.
    fn cancel(&mut self, reply: &str) {
        (self.undo, self.done) = (Undo::Canceled, true);
        if let Value::Object(all) = &mut self.status {
            all.values_mut().for_each(|status| *status = status::told(reply, "no"));
        }
    }

    /// These will not get it, as this reply says.
    fn unsend(&mut self, recipients: &[String], reply: &str) {
        if let Value::Object(all) = &mut self.status {
            let gone = all.iter_mut().filter(|(recipient, _)| recipients.contains(recipient));
            gone.for_each(|(_, status)| *status = status::told(reply, "no"));
            if all.keys().all(|recipient| recipients.contains(recipient)) {
                (self.undo, self.done) = (Undo::Canceled, true);
            }
        }
    }

    fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

fn blobs(messages: &[u64]) -> Vec<String> {
    messages.iter().map(|id| message_blob(MessageId(*id))).collect()
}

fn read(tx: &mut MailTx<'_, '_>) -> Result<(String, Vec<(u64, Submission)>)> {
    let all = tx.records(RecordKind::Submission)?;
    let known = all.into_iter().filter_map(|(id, bytes)| Some((id, serde_json::from_slice(&bytes).ok()?)));
    Ok((state::now(tx), known.collect()))
}

const WHAT: Logged = Logged::Records(RecordKind::Submission);

/// RFC 8621 §7.1.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let get = Get::read(call, |name| PROPERTIES.contains(&name))?;
    call.args.done()?;
    own(&get.access)?;
    let (state, all) = status::refreshed(call, &get.access).await?;
    get.answer(get.among(state, all.iter().map(|(id, one)| (ids::submission_id(*id), one.object(*id)))))
}

/// RFC 8621 §7.2.
pub(crate) async fn changes(call: &mut Call) -> Outcome {
    let asked = Changes::read(call)?;
    own(&asked.access)?;
    status::refreshed(call, &asked.access).await?;
    asked.of_records(call, RecordKind::Submission, ids::submission_id).await
}
