//! Waves: mailboxes that move together, each in one wave at most; the hours of waves and sources; and who comes first.

use anser_base::{Error, Result};
use anser_db::{Row, Tx, params};
use anser_directory::Hours;
use serde::{Deserialize, Serialize};

use crate::Migrate;
use crate::acts::{list, those};
use crate::hours;
use crate::model::{Priority, Source};
use crate::rows;
use crate::run::unknown;
use crate::views::PaceView;
use crate::which::{Which, meant};

/// Waves of one move.
const WAVES: usize = 1_000;
/// Characters of a wave's name.
const NAME: usize = 60;

/// A wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wave {
    pub name: String,
    /// In which its mailboxes are brought; all day without.
    pub hours: Option<Hours>,
}

/// What changes of how a source or a wave is taken; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// In which mailboxes are brought, as [`Hours::parse`] reads them; empty for all day.
    pub hours: Option<String>,
    /// Bytes of one day (UTC) that are asked for, of a source; 0 for any.
    pub bytes_a_day: Option<u64>,
}

impl Pace {
    /// `Some(None)` takes them away. [`anser_base::Class::Invalid`] for what are no hours.
    fn hours(&self) -> Result<Option<Option<Hours>>> {
        let bad = |text: &str| {
            Error::invalid(
                format!("{text} are no hours: 22:00-06:00+08:00"),
                format!("{text} 不是时段，应如 22:00-06:00+08:00"),
            )
        };
        match self.hours.as_deref() {
            None => Ok(None),
            Some("") => Ok(Some(None)),
            Some(text) => Hours::parse(text).map(|hours| Some(Some(hours))).ok_or_else(|| bad(text)),
        }
    }
}

impl Migrate {
    /// Puts mailboxes into a wave, which is made when there is none of this name; or takes them out of theirs. Without `which` the wave
    /// alone is made. How many mailboxes.
    pub async fn set_wave(&self, name: &str, which: Which, wave: Option<String>) -> Result<u64> {
        let of = self.named(name).await?.id;
        let wave = wave.map(|wave| named(&wave)).transpose()?;
        let change = move |tx: &mut Tx<'_>| {
            if let Some(wave) = &wave {
                put(tx, of, wave)?;
            }
            let mut count = 0;
            if !which.is_empty() {
                let is_meant = meant(&which);
                for mailbox in list(tx, of)?.iter().filter(|mailbox| is_meant(mailbox)) {
                    let sql = "UPDATE mov_accounts SET wave = ?2 WHERE id = ?1";
                    tx.execute(sql, params![mailbox.id as i64, wave.as_deref()])?;
                    count += 1;
                }
                // They have other hours from now on.
                hours::look_again(tx, of)?;
            }
            Ok(count)
        };
        let count = self.write(change).await?;
        self.inner.stirred.notify_one();
        Ok(count)
    }

    /// Forgets a wave; its mailboxes stay, in none.
    pub async fn remove_wave(&self, name: &str, wave: &str) -> Result<u64> {
        let (of, wave) = (self.named(name).await?.id, wave.to_owned());
        let remove = move |tx: &mut Tx<'_>| {
            let key = params![of as i64, &wave];
            if tx.execute("DELETE FROM mov_waves WHERE move = ?1 AND name = ?2", key)? == 0 {
                return Err(unknown(&format!("wave {wave}")));
            }
            let count = tx.execute("UPDATE mov_accounts SET wave = NULL WHERE move = ?1 AND wave = ?2", key)?;
            hours::look_again(tx, of)?;
            Ok(count)
        };
        let count = self.write(remove).await?;
        self.inner.stirred.notify_one();
        Ok(count)
    }

    /// Says in which hours mailboxes of a wave are brought. The wave is made when there is none of this name.
    pub async fn pace_wave(&self, name: &str, wave: &str, pace: &Pace) -> Result<()> {
        let (of, wave, hours) = (self.named(name).await?.id, named(wave)?, pace.hours()?);
        self.write(move |tx| {
            put(tx, of, &wave)?;
            let Some(hours) = hours else { return Ok(()) };
            let sql = "UPDATE mov_waves SET hours = ?3 WHERE move = ?1 AND name = ?2";
            tx.execute(sql, params![of as i64, &wave, hours.map(|hours| hours.to_string()).as_deref()])?;
            hours::look_again(tx, of)
        })
        .await?;
        self.inner.stirred.notify_one();
        Ok(())
    }

    /// Says in which hours mailboxes of a source are brought, and how much of it in a day; of the first source when none is named.
    pub async fn pace_source(&self, name: &str, source: Option<String>, pace: &Pace) -> Result<()> {
        let (of, hours, bytes) = (self.named(name).await?.id, pace.hours()?, pace.bytes_a_day);
        self.write(move |tx| {
            let all = rows::sources(tx, of)?;
            let found = all.iter().find(|one| source.as_ref().is_none_or(|wanted| one.name == *wanted));
            let id = found.ok_or_else(|| unknown("source"))?.id as i64;
            if let Some(hours) = hours {
                let hours = hours.map(|hours| hours.to_string());
                tx.execute("UPDATE mov_sources SET hours = ?2 WHERE id = ?1", params![id, hours.as_deref()])?;
            }
            if let Some(bytes) = bytes {
                tx.execute("UPDATE mov_sources SET bytes_a_day = ?2 WHERE id = ?1", params![id, bytes as i64])?;
            }
            hours::look_again(tx, of)
        })
        .await?;
        self.inner.stirred.notify_one();
        Ok(())
    }

    /// Puts mailboxes at the head of the queue, until each was brought; those of a wave or with addresses, never all. How many.
    pub async fn first(&self, name: &str, which: Which) -> Result<u64> {
        if which.is_empty() {
            return Err(Error::invalid("name the mailboxes that come first", "请指定优先迁移的邮箱"));
        }
        let count = self.raise(name, which, Priority::First).await?;
        self.inner.stirred.notify_one();
        Ok(count)
    }

    /// Raises the priority of mailboxes. How many are meant.
    pub(crate) async fn raise(&self, name: &str, which: Which, to: Priority) -> Result<u64> {
        let of = self.named(name).await?.id;
        self.write(move |tx| {
            let mut count = 0;
            for mailbox in &those(tx, of, &which)? {
                let sql = "UPDATE mov_accounts SET priority = ?2 WHERE id = ?1 AND priority < ?2";
                tx.execute(sql, params![mailbox.id as i64, to as i64])?;
                count += 1;
            }
            Ok(count)
        })
        .await
    }

    /// [`anser_base::Class::NotFound`] where a wave is named that there is none of, so that no act means nobody by mistake.
    pub async fn check_which(&self, name: &str, which: &Which) -> Result<()> {
        // Whoever names nobody may be about to make the move.
        if which.is_empty() {
            return Ok(());
        }
        let (of, which) = (self.named(name).await?.id, which.clone());
        self.read(move |tx| crate::which::check(tx, of, &which)).await
    }
}

/// A name for a wave. [`anser_base::Class::Invalid`] for one that is empty, too long, or could not be typed.
fn named(text: &str) -> Result<String> {
    let text = text.trim();
    match (1..=NAME).contains(&text.chars().count()) && !text.contains(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(Error::invalid("a wave's name has 1 to 60 characters", "批次名称须为 1 至 60 个字符")),
    }
}

/// The waves of a move, by name.
pub(crate) fn rows_of(tx: &mut Tx<'_>, of: u64) -> Result<Vec<Wave>> {
    tx.query("SELECT name, hours FROM mov_waves WHERE move = ?1 ORDER BY name", params![of as i64], |row| {
        Ok(Wave { name: row.text(0)?, hours: hours_of(row, 1)? })
    })
}

/// A column of hours.
pub(crate) fn hours_of(row: &Row<'_>, column: usize) -> Result<Option<Hours>> {
    Ok(row.opt_text(column)?.and_then(|text| Hours::parse(&text)))
}

fn put(tx: &mut Tx<'_>, of: u64, name: &str) -> Result<()> {
    let sql = "INSERT INTO mov_waves (move, name) VALUES (?1, ?2) ON CONFLICT (move, name) DO NOTHING";
    tx.execute(sql, params![of as i64, name])?;
    match rows_of(tx, of)?.len() > WAVES {
        true => Err(Error::invalid("a move has 1000 waves at most", "一个迁移项目最多 1000 个批次")),
        false => Ok(()),
    }
}

/// How a source is taken on this day.
pub(crate) fn pace_of(tx: &mut Tx<'_>, source: &Source, day: i64) -> Result<PaceView> {
    let sql = "SELECT hours, bytes_a_day FROM mov_sources WHERE id = ?1";
    let found = tx.query_one(sql, params![source.id as i64], |row| Ok((hours_of(row, 0)?, row.int(1)? as u64)))?;
    let (hours, bytes_a_day) = found.unwrap_or_default();
    let bytes_today = hours::bytes_of_day(tx, source.id, day)?;
    let (name, hours) = (source.name.clone(), hours.map(|hours| hours.to_string()));
    Ok(PaceView { source: name, hours, bytes_a_day, bytes_today, at_once: 0, spared: false })
}
