//! What users of a move complain of: rows that stay open until somebody has answered them.

use anser_base::{Class, Error, Result, Timestamp};
use anser_db::{Row, Tx, params};
use serde::{Deserialize, Serialize};

use crate::Migrate;

/// Tickets of one move.
const TICKETS: i64 = 10_000;
/// Octets of one text.
const TEXT: usize = 4_000;

/// A complaint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its number.
    pub id: u64,
    /// When it was opened, in milliseconds since 1970.
    pub opened: i64,
    /// By whom.
    pub by: String,
    /// What it is about.
    pub text: String,
    /// When it was closed.
    pub closed: Option<i64>,
    /// By whom.
    pub closed_by: Option<String>,
    /// What was done about it.
    pub answer: Option<String>,
}

impl Migrate {
    /// The tickets of a move, oldest first.
    pub async fn tickets(&self, name: &str) -> Result<Vec<Ticket>> {
        let of = self.named(name).await?;
        self.read(move |tx| of_move(tx, of.id)).await
    }

    /// Opens a ticket; its number. `Class::Invalid` for an empty or too long text, `Class::Limit` beyond 10,000.
    pub async fn open_ticket(&self, name: &str, who: &str, text: &str) -> Result<u64> {
        let (of, now) = (self.named(name).await?, self.inner.deps.clock.now());
        let (who, text) = (who.to_owned(), written(text)?);
        self.write(move |tx| {
            let count =
                tx.query_one("SELECT count(*) FROM mov_tickets WHERE move = ?1", params![of.id as i64], |row| {
                    row.int(0)
                })?;
            if count.unwrap_or(0) >= TICKETS {
                return Err(Error::new(Class::Limit, "there are too many tickets", "工单过多"));
            }
            let id =
                tx.query_one("SELECT COALESCE(MAX(id), 0) + 1 FROM mov_tickets", &[], |row| row.int(0))?.unwrap_or(1);
            let sql = "INSERT INTO mov_tickets (id, move, opened_ms, opened_by, text) VALUES (?1, ?2, ?3, ?4, ?5)";
            tx.execute(sql, params![id, of.id as i64, now.0, &who, &text])?;
            Ok(id as u64)
        })
        .await
    }

    /// Closes one with what was done about it. `Class::NotFound` when there is no such open ticket.
    pub async fn close_ticket(&self, name: &str, id: u64, who: &str, answer: &str) -> Result<()> {
        let (of, now) = (self.named(name).await?, self.inner.deps.clock.now());
        let (who, answer) = (who.to_owned(), if answer.is_empty() { None } else { Some(written(answer)?) });
        self.write(move |tx| {
            let sql = "UPDATE mov_tickets SET closed_ms = ?3, closed_by = ?4, answer = ?5 \
                       WHERE move = ?1 AND id = ?2 AND closed_ms IS NULL";
            match tx.execute(sql, params![of.id as i64, id as i64, now.0, &who, answer.as_deref()])? {
                0 => Err(Error::not_found(format!("there is no open ticket {id}"), format!("没有未结工单 {id}"))),
                _ => Ok(()),
            }
        })
        .await
    }
}

fn written(text: &str) -> Result<String> {
    let text = text.trim();
    match text.is_empty() || text.len() > TEXT {
        true => Err(Error::invalid(format!("a text has 1 to {TEXT} octets"), format!("文字长度应为 1 至 {TEXT} 字节"))),
        false => Ok(text.to_owned()),
    }
}

pub(crate) fn of_move(tx: &mut Tx<'_>, of: u64) -> Result<Vec<Ticket>> {
    let sql = "SELECT id, opened_ms, opened_by, text, closed_ms, closed_by, answer FROM mov_tickets WHERE move = ?1 ORDER BY id";
    let ticket = |row: &Row<'_>| {
        Ok(Ticket {
            id: row.int(0)? as u64,
            opened: row.int(1)?,
            by: row.text(2)?,
            text: row.text(3)?,
            closed: row.opt_int(4)?,
            closed_by: row.opt_text(5)?,
            answer: row.opt_text(6)?,
        })
    };
    tx.query(sql, params![of as i64], ticket)
}

impl Ticket {
    /// When it was opened and closed, by day.
    pub fn days(&self) -> (String, Option<String>) {
        let day = |at: i64| Timestamp(at).to_string().chars().take(10).collect::<String>();
        (day(self.opened), self.closed.map(day))
    }
}
