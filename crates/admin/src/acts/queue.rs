//! The queue, and the life of a message.

use anser_base::{EntryId, Error, Result, Timestamp};
use anser_directory::RouteWay;
use anser_journal::Query;
use anser_queue::{Act, Filter, Listed, State};

use crate::answer::{EntryView, EventView, Item, Out, RecipientView, Report};
use crate::request::{Entries, QueueAct, Selection};
use crate::{Actor, Admin, administered};

/// Entries that are read at once.
const PAGE: usize = 200;

impl Admin {
    /// Entries that match, oldest first.
    pub async fn list_queue(&self, selection: Selection, out: &Out) -> Result<Report> {
        let (filter, mut after) = (self.filter(&selection), None);
        loop {
            let page = self.deps.queue.list(filter.clone(), after, PAGE).await?;
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

    /// Retries, holds, releases, reroutes or removes entries and counts them. Of all that match, those that have gone meanwhile or are
    /// being delivered are left out; of named ones the first such is an error. A way that means nothing is `Class::Invalid`.
    pub async fn act_on_queue(&self, actor: &Actor, what: QueueAct, entries: Entries, out: &Out) -> Result<Report> {
        let act = act(&what)?;
        match entries {
            Entries::These(ids) => {
                for id in &ids {
                    self.act_on_entry(actor, &what, &act, *id).await?;
                }
                Ok(Report::Counted { count: ids.len() as u64 })
            }
            Entries::Matching(selection) => self.act_on_all(actor, &what, &act, &selection, out).await,
        }
    }

    /// In slices, each durable and noted, so that a million entries keep nobody waiting and an end in the middle is no harm.
    async fn act_on_all(
        &self,
        actor: &Actor,
        what: &QueueAct,
        act: &Act,
        selection: &Selection,
        out: &Out,
    ) -> Result<Report> {
        let (filter, mut after, mut count) = (self.filter(selection), None, 0);
        let counts = self.deps.queue.counts().await?;
        let all = counts.fresh + counts.waiting + counts.held;
        loop {
            let slice = self.deps.queue.act_on_slice(act, &filter, after).await?;
            for id in &slice.changed {
                let noted = administered(actor, what.name(), &id.to_string(), None, way(act));
                self.deps.journal.append(noted).await?;
            }
            count += slice.changed.len() as u64;
            out.progress(count, all);
            match slice.next {
                Some(next) => after = Some(next),
                None => {
                    self.deps.journal.flush().await?;
                    return Ok(Report::Counted { count });
                }
            }
        }
    }

    async fn act_on_entry(&self, actor: &Actor, what: &QueueAct, act: &Act, id: EntryId) -> Result<()> {
        let before = self.deps.queue.show(id).await?;
        self.deps.queue.act(id, act).await?;
        let sender = before.envelope.sender.map(|sender| sender.to_string()).unwrap_or_default();
        self.note(actor, what.name(), &id.to_string(), Some(format!("from <{sender}>")), way(act)).await
    }

    fn filter(&self, selection: &Selection) -> Filter {
        let Selection { sender, recipient, domain, why, older, newer, held } = selection.clone();
        let now = self.deps.clock.now();
        let ago = |minutes: u64| Timestamp(now.0.saturating_sub_unsigned(minutes.saturating_mul(60_000)));
        Filter { sender, recipient, domain, why, before: older.map(ago), since: newer.map(ago), held }
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

fn act(what: &QueueAct) -> Result<Act> {
    Ok(match what {
        QueueAct::Retry => Act::Retry,
        QueueAct::Hold => Act::Hold,
        QueueAct::Release => Act::Release,
        QueueAct::Remove => Act::Remove,
        QueueAct::Reroute { way } if way == "usual" => Act::Reroute(None),
        QueueAct::Reroute { way } => match RouteWay::parse(way) {
            Some(RouteWay::Host(_) | RouteWay::Exchanges(_)) => Act::Reroute(Some(way.clone())),
            _ => return Err(Error::invalid(format!("{way} is no way for mail"), format!("{way} 不是有效的去向"))),
        },
    })
}

fn way(act: &Act) -> Option<String> {
    match act {
        Act::Reroute(way) => Some(way.clone().unwrap_or_else(|| "usual".to_owned())),
        _ => None,
    }
}

fn view(entry: &Listed) -> EntryView {
    let envelope = &entry.envelope;
    let recipients = envelope.recipients.iter().zip(&entry.progress).map(|(recipient, progress)| RecipientView {
        address: recipient.address.to_string(),
        state: state_name(progress.state).to_owned(),
        attempts: progress.attempts,
        due: (!progress.state.is_final() && !entry.held && !progress.is_held()).then(|| progress.due.to_string()),
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
        via: envelope.via.clone(),
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
