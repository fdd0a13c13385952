//! Walking the chain.

use std::collections::BTreeMap;

use anser_base::{Result, Text};
use anser_db::{Place, Tx, params};

use crate::chain::link;
use crate::journal::Journal;
use crate::schema;
use crate::write::{Head, START};

/// Events that are read at once.
const WINDOW: i64 = 1000;

/// What the walk found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Events that were checked.
    pub events: u64,
    /// The first break, if there is one.
    pub broken: Option<Broken>,
}

/// Where the chain breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The node whose chain it is.
    pub node: u32,
    /// The number of the first event that does not fit.
    pub seq: u64,
    /// What is wrong with it.
    pub why: Text,
}

impl Journal {
    /// Computes every hash anew and names the first event that does not fit. The oldest month that is there is taken to start
    /// rightly. That events are missing at the very end cannot be seen from the chain alone.
    pub async fn verify(&self) -> Result<Verdict> {
        let (mut heads, mut events) = (BTreeMap::new(), 0);
        for place in self.places() {
            let starts = self.db.read(place, starts).await?;
            let single = self.db.is_postgres();
            for (node, start) in first_starts(starts, single) {
                let walked = match heads.get(&node) {
                    Some(head) if *head != start => Err(broken(node, start.seq + 1, Fault::Gap)),
                    None if start.seq == 0 && start != START => Err(broken(node, 1, Fault::Changed)),
                    _ => self.walk(place, node, start).await?,
                };
                match walked {
                    Ok((head, count)) => {
                        events += count;
                        heads.insert(node, head);
                    }
                    Err(broken) => return Ok(Verdict { events, broken: Some(broken) }),
                }
            }
        }
        Ok(Verdict { events, broken: None })
    }

    /// Follows a node's events in one place.
    async fn walk(&self, place: Place, node: u32, start: Head) -> Result<Result<(Head, u64), Broken>> {
        let (mut head, mut count) = (start, 0);
        loop {
            match self.db.read(place, move |tx| step(tx, node, head)).await? {
                Ok((_, 0)) => return Ok(Ok((head, count))),
                Ok((next, seen)) => {
                    head = next;
                    count += seen;
                }
                Err(broken) => return Ok(Err(broken)),
            }
        }
    }
}

/// What every chain in a place goes on from, by node; on PostgreSQL the first month's is the one that counts.
fn first_starts(starts: Vec<(u32, Head)>, single: bool) -> Vec<(u32, Head)> {
    let mut first: BTreeMap<u32, Head> = BTreeMap::new();
    for (node, start) in starts {
        let known = first.entry(node).or_insert(start);
        if single && start.seq < known.seq {
            *known = start;
        }
    }
    first.into_iter().collect()
}

fn starts(tx: &mut Tx<'_>) -> Result<Vec<(u32, Head)>> {
    tx.query("SELECT node, seq, hash FROM journal_start ORDER BY month, node", &[], |row| {
        Ok((row.int(0)? as u32, Head { seq: row.int(1)? as u64, hash: schema::hash(&row.blob(2)?)? }))
    })
}

/// Checks one window; tells the new end and how many events it had.
fn step(tx: &mut Tx<'_>, node: u32, start: Head) -> Result<Result<(Head, u64), Broken>> {
    let (mut head, mut seen, mut fault) = (start, 0, None);
    let sql = "SELECT id, hash, event FROM journal_event WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3";
    tx.for_each(sql, params![schema::id(node, start.seq), schema::range(node).1, WINDOW], |row| {
        if fault.is_some() {
            return Ok(());
        }
        let seq = schema::seq_of(row.int(0)?);
        let hash = link(&head.hash, seq, &row.blob(2)?);
        if seq != head.seq + 1 {
            fault = Some(broken(node, head.seq + 1, Fault::Gap));
        } else if row.blob(1)? != hash {
            fault = Some(broken(node, seq, Fault::Changed));
        }
        head = Head { seq, hash };
        seen += 1;
        Ok(())
    })?;
    Ok(fault.map_or(Ok((head, seen)), Err))
}

enum Fault {
    Gap,
    Changed,
}

fn broken(node: u32, seq: u64, fault: Fault) -> Broken {
    let why = match fault {
        Fault::Gap => Text::new("the event is missing", "该事件缺失"),
        Fault::Changed => Text::new("the event or one before it was changed", "该事件或其之前的事件被改动"),
    };
    Broken { node, seq, why }
}
