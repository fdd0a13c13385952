//! The queue, and the life of a message.

use anser_base::{Class, EntryId, Error, Result};
use anser_journal::Query;
use anser_queue::{Filter, Listed, State};

use crate::answer::{EntryView, EventView, Item, Out, RecipientView, Report};
use crate::request::{Entries, QueueAct, Selection};
use crate::{Actor, Admin};

/// Entries that are read at once.
const PAGE: usize = 200;

impl Admin {
    /// Entries that match, oldest first.
    pub async fn list_queue(&self, selection: Selection, out: &Out) -> Result<Report> {
        let mut after = None;
        loop {
            let page = self.deps.queue.list(filter(&selection), after, PAGE).await?;
            for entry in &page.entries {
                out.item(Item::Entry(view(entry))).await?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(Report::Done),
            }
        }
    }

    /// One entry.
    pub async fn show_entry(&self, entry: EntryId, out: &Out) -> Result<Report> {
        let listed = self.deps.queue.show(entry).await?;
        out.item(Item::Entry(view(&listed))).await?;
        Ok(Report::Done)
    }

    /// Retries, holds, releases or removes entries and counts them. Of all that match, those that have gone meanwhile or are being
    /// delivered are left out; of named ones the first such is an error.
    pub async fn act_on_queue(&self, actor: &Actor, what: QueueAct, entries: Entries) -> Result<Report> {
        match entries {
            Entries::These(ids) => {
                for id in &ids {
                    self.act_on_entry(actor, what, *id).await?;
                }
                Ok(Report::Counted { count: ids.len() as u64 })
            }
            Entries::Matching(selection) => self.act_on_all(actor, what, &selection).await,
        }
    }

    async fn act_on_all(&self, actor: &Actor, what: QueueAct, selection: &Selection) -> Result<Report> {
        let (mut after, mut count) = (None, 0);
        loop {
            let page = self.deps.queue.list(filter(selection), after, PAGE).await?;
            for entry in &page.entries {
                match self.act_on_entry(actor, what, entry.id).await {
                    Ok(()) => count += 1,
                    Err(error) if matches!(error.class, Class::NotFound | Class::Conflict) => {}
                    Err(error) => return Err(error),
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(Report::Counted { count }),
            }
        }
    }

    async fn act_on_entry(&self, actor: &Actor, what: QueueAct, id: EntryId) -> Result<()> {
        let before = self.deps.queue.show(id).await?;
        match what {
            QueueAct::Retry => self.deps.queue.retry_now(id).await?,
            QueueAct::Hold => self.deps.queue.hold(id).await?,
            QueueAct::Release => self.deps.queue.release(id).await?,
            QueueAct::Remove => self.deps.queue.remove(id).await?,
        }
        let sender = before.envelope.sender.map(|sender| sender.to_string()).unwrap_or_default();
        self.note(actor, what.name(), &id.to_string(), Some(format!("from <{sender}>")), None).await
    }

    /// The newest events that a Message-ID, an address or an entry's number has to do with, in the order of time.
    pub async fn trace(&self, query: &str, limit: usize, out: &Out) -> Result<Report> {
        if query.trim().is_empty() {
            return Err(Error::invalid("nothing to look for", "没有查询内容"));
        }
        self.deps.journal.flush().await?;
        for event in self.deps.journal.trace(Query::parse(query), limit).await? {
            let view = EventView {
                at: event.at.to_string(),
                node: event.node,
                seq: event.seq,
                protocol: event.origin.protocol,
                client: event.origin.client,
                what: event.what,
            };
            out.item(Item::Event(view)).await?;
        }
        Ok(Report::Done)
    }
}

fn filter(selection: &Selection) -> Filter {
    let Selection { sender, recipient, held } = selection.clone();
    Filter { sender, recipient, held }
}

fn view(entry: &Listed) -> EntryView {
    let envelope = &entry.envelope;
    let recipients = envelope.recipients.iter().zip(&entry.progress).map(|(recipient, progress)| RecipientView {
        address: recipient.address.to_string(),
        state: state_name(progress.state).to_owned(),
        attempts: progress.attempts,
        due: (!progress.state.is_final() && !entry.held).then(|| progress.due.to_string()),
        why: progress.why.clone(),
    });
    EntryView {
        id: entry.id.0,
        sender: envelope.sender.as_ref().map(ToString::to_string).unwrap_or_default(),
        recipients: recipients.collect(),
        size: entry.size,
        accepted: envelope.accepted.to_string(),
        expires: envelope.expires.to_string(),
        due: entry.due.map(|due| due.to_string()),
        held: entry.held,
        leased: entry.leased,
        protocol: envelope.origin.protocol.name().to_owned(),
        client: envelope.origin.client,
    }
}

fn state_name(state: State) -> &'static str {
    match state {
        State::Waiting => "waiting",
        State::Done => "done",
        State::Failed => "failed",
        State::Expired => "expired",
    }
}
