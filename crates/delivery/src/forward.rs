//! Sends a message on to other addresses: aliases that lead elsewhere, members of groups. The copies are new entries, put in the same
//! transaction that settles this one.

use anser_base::{Address, limits};
use anser_mime::header;
use anser_queue::{Entry, Envelope, Outcome, Recipient, Submission};

use crate::Delivery;
use crate::content::Content;

/// The field by which a forward that comes back is recognised.
pub(crate) const LOOP_FIELD: &str = "Delivered-To";

impl Delivery {
    /// Makes the copies. A recipient that is local as well is done only when both are; its earlier outcome stands when that was not
    /// `Done`, and no copy is made then, so that trying again makes it once.
    pub(crate) async fn forward(
        &self,
        entry: &Entry,
        recipients: Vec<(usize, Vec<Address>)>,
        outcomes: &mut Vec<(usize, Outcome)>,
    ) -> (Vec<(usize, Outcome)>, Vec<Submission>) {
        let (mut decided, mut copies) = (Vec::new(), Vec::new());
        for (index, addresses) in recipients {
            let earlier = outcomes.iter().position(|(at, _)| *at == index);
            if earlier.is_some_and(|at| outcomes[at].1 != Outcome::Done) {
                continue;
            }
            earlier.map(|at| outcomes.remove(at));
            let via = &entry.envelope.recipients[index].address;
            if self.came_through(entry, via).await {
                decided.push((
                    index,
                    Outcome::Fail { why: "5.4.6 the message has been here before: a forwarding loop".into() },
                ));
                continue;
            }
            let sender = self.sender_onward(entry, via).await;
            let copy = |part: &[Address]| self.copy(entry, index, sender.clone(), part);
            copies.extend(addresses.chunks(limits::RECIPIENTS).map(copy));
            decided.push((index, Outcome::Done));
        }
        (decided, copies)
    }

    /// The sender with which the message goes on, so that SPF holds at the next server. If the directory cannot say, it stays as it is.
    async fn sender_onward(&self, entry: &Entry, via: &Address) -> Option<Address> {
        let sender = entry.envelope.sender.as_ref()?;
        let onward = self.deps.directory.forwarding_sender(sender, via).await;
        Some(onward.unwrap_or_else(|error| {
            tracing::warn!(error = error.chain(), "a message is sent on with its own sender");
            sender.clone()
        }))
    }

    fn copy(&self, entry: &Entry, index: usize, sender: Option<Address>, addresses: &[Address]) -> Submission {
        let original = &entry.envelope.recipients[index];
        let recipients = addresses
            .iter()
            .map(|address| Recipient {
                address: address.clone(),
                orcpt: original.orcpt.clone(),
                notify: original.notify,
            })
            .collect();
        let mut trace = format!("{LOOP_FIELD}: {}\r\n", original.address).into_bytes();
        trace.extend_from_slice(&entry.envelope.trace);
        let now = self.deps.clock.now();
        let plain = Envelope::new(sender, recipients, entry.envelope.origin.clone(), now);
        let envelope = Envelope {
            ret: entry.envelope.ret,
            envid: entry.envelope.envid.clone(),
            smtputf8: entry.envelope.smtputf8,
            body_type: entry.envelope.body_type,
            requiretls: entry.envelope.requiretls,
            tenant: entry.envelope.tenant,
            trace,
            ..plain
        };
        Submission { envelope, body: entry.body.clone() }
    }

    /// Whether the header shows that the message was sent on from this address before, perhaps by way of other servers. A body that
    /// cannot be read leaves the trace of this server to tell.
    async fn came_through(&self, entry: &Entry, via: &Address) -> bool {
        let block = match Content::open(&self.deps.store, entry).await {
            Ok(content) => content.header(),
            Err(_) => entry.envelope.trace.clone().into(),
        };
        let key = via.key();
        header::find_all(&block, LOOP_FIELD)
            .any(|field| Address::parse(&String::from_utf8_lossy(field.value)).is_some_and(|seen| seen.key() == key))
    }
}
