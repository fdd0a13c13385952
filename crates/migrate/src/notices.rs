//! Letters that the users of a move get: that their mailbox has moved, and that they have not logged in here yet. Each goes to one place
//! once for each occasion, whatever stops it: what was begun and not ended is not begun again, and told.

use std::collections::{HashMap, HashSet};

use anser_base::{AccountId, Error, Result, Timestamp, words};
use anser_db::{Durability, Tx, params};
use anser_mime::date::{DateTime, format_internal_date};
use anser_store::{Flags, Keywords, LedgerRow, LedgerState, MailTx};
use serde::{Deserialize, Serialize};

use crate::Migrate;
use crate::imap::write::{Body, Letter};
use crate::model::{Home, Kind, Mailbox, State};
use crate::rows;
use crate::run::unknown;
use crate::source::Origin;
use crate::trouble::Trouble;
use crate::which::{Which, is_meant};

words! {
    /// What a letter is for.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Occasion {
        /// The mailbox has moved.
        Success = "success",
        /// Its owner has not logged in here yet.
        Reminder = "reminder",
    }
}

words! {
    /// Which mailbox a letter goes to.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Side {
        /// The one here.
        New = "new",
        /// The one at the old server.
        Old = "old",
    }
}

/// A letter that somebody is to get, or has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What for.
    pub occasion: Occasion,
    /// Where.
    pub side: Side,
    /// The name at the old server.
    pub login: String,
    /// The address here.
    pub address: String,
    /// The account here.
    pub account: AccountId,
    /// When it was begun, in milliseconds since 1970, and whether it went.
    pub begun: Option<(i64, bool)>,
    /// Whether it can be put into the old mailbox by IMAP.
    pub by_imap: bool,
    /// Whether a pass goes over the mailbox at the old server: what is put there meanwhile may be taken for late mail.
    pub is_busy: bool,
    mailbox: u64,
    /// Under which mailbox it is noted: here, of several of one person the first.
    key: u64,
}

/// Why a letter did not go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// In words.
    pub why: String,
    /// Whether it may have gone all the same: the answer was lost.
    pub may_be_there: bool,
}

impl Migrate {
    /// The letters of an occasion: of a success for every mailbox that is cut over, of a reminder for both mailboxes of everybody who has
    /// not logged in here. Where new mail goes to the old server, one letter is enough.
    pub async fn notices(&self, name: &str, which: &Which, occasion: Occasion) -> Result<Vec<Notice>> {
        let of = self.named(name).await?;
        let id = of.id;
        let sources = self.read(move |tx| rows::sources(tx, id)).await?;
        // Whether they speak IMAP, and somebody opens all mailboxes there.
        let ways = sources.iter().map(|source| (source.id, (source.kind == Kind::Imap, source.admin.is_some())));
        let ways: HashMap<u64, (bool, bool)> = ways.collect();
        let is_left = |mailbox: &Mailbox| mailbox.state != State::Abandoned && is_meant(mailbox, which);
        let (all, mut first) = (self.all(id).await?, HashMap::new());
        for mailbox in &all {
            first.entry(mailbox.account).or_insert(mailbox.id);
        }
        let all: Vec<Mailbox> = all.into_iter().filter(is_left).collect();
        let accounts: Vec<AccountId> = all.iter().map(|mailbox| mailbox.account).collect();
        let used = self.inner.deps.directory.logged_in(&accounts).await?;
        let (mut notices, mut here): (Vec<Notice>, HashSet<AccountId>) = Default::default();
        for mailbox in all {
            let sides: &[Side] = match occasion {
                Occasion::Success if mailbox.cut.0 > 0 => &[Side::New],
                Occasion::Success => &[],
                Occasion::Reminder if used.contains(&mailbox.account) => &[],
                Occasion::Reminder if mailbox.home == Home::There && of.relay.is_some() => &[Side::New],
                Occasion::Reminder => &[Side::New, Side::Old],
            };
            for side in sides {
                // Somebody with two old mailboxes has one here.
                if *side == Side::New && !here.insert(mailbox.account) {
                    continue;
                }
                let (is_imap, has_admin) = ways.get(&mailbox.source).copied().unwrap_or_default();
                let by_imap = is_imap && (has_admin || mailbox.secret.is_some());
                notices.push(Notice {
                    occasion,
                    side: *side,
                    login: mailbox.login.clone(),
                    address: mailbox.address.clone(),
                    account: mailbox.account,
                    begun: None,
                    by_imap,
                    is_busy: mailbox.state == State::Copying,
                    mailbox: mailbox.id,
                    key: if *side == Side::New { first[&mailbox.account] } else { mailbox.id },
                });
            }
        }
        self.read(move |tx| {
            let mut notices = notices.clone();
            notices.iter_mut().try_for_each(|notice| {
                notice.begun = begun(tx, notice)?;
                Ok::<_, Error>(())
            })?;
            Ok(notices)
        })
        .await
    }

    /// Begins a letter; whether nobody did before.
    pub async fn begin_notice(&self, notice: &Notice) -> Result<bool> {
        let (notice, now) = (notice.clone(), self.inner.deps.clock.now());
        self.write(move |tx| {
            let sql = "INSERT INTO mov_told (account, occasion, side, begun_ms, went) VALUES (?1, ?2, ?3, ?4, 0) \
                       ON CONFLICT DO NOTHING";
            let (occasion, side) = (notice.occasion.word(), notice.side.word());
            Ok(tx.execute(sql, params![notice.key as i64, occasion, side, now.0])? == 1)
        })
        .await
    }

    /// Ends one that was begun: it went, or it did not and may be begun again.
    pub async fn end_notice(&self, notice: &Notice, went: bool) -> Result<()> {
        let notice = notice.clone();
        self.write(move |tx| {
            let sql = match went {
                true => "UPDATE mov_told SET went = 1 WHERE account = ?1 AND occasion = ?2 AND side = ?3",
                false => "DELETE FROM mov_told WHERE account = ?1 AND occasion = ?2 AND side = ?3",
            };
            let (occasion, side) = (notice.occasion.word(), notice.side.word());
            tx.execute(sql, params![notice.key as i64, occasion, side]).map(drop)
        })
        .await
    }

    /// Puts a letter into the inbox at the old server. The ledger knows it from then on, so that no pass brings it here; of a server that
    /// does not tell its UID (RFC 4315), or that no pass has gone over yet, it comes here as late mail does.
    pub async fn append_there(&self, notice: &Notice, raw: Vec<u8>) -> Result<(), Unsent> {
        let mut body = Body::of(raw);
        self.try_append(notice, &mut body).await.map_err(|trouble| {
            // Refused, it is not there; else the answer to what was given was lost.
            let may_be_there = body.is_begun() && !matches!(trouble, Trouble::Refused(_));
            Unsent { why: trouble.words(), may_be_there }
        })
    }

    async fn try_append(&self, notice: &Notice, body: &mut Body) -> Result<(), Trouble> {
        let (id, account) = (notice.mailbox, notice.account);
        let found = self.read(move |tx| {
            let mailbox = rows::mailboxes_of(tx, account)?.into_iter().find(|mailbox| mailbox.id == id);
            match mailbox {
                Some(mailbox) => Ok(rows::source(tx, mailbox.source)?.map(|source| (mailbox, source))),
                None => Ok(None),
            }
        });
        let (mailbox, source) = found.await?.ok_or_else(|| unknown("mailbox"))?;
        let Origin::Imap(mut imap) = self.inner.open(&mailbox, &source).await? else {
            return Err(unknown("IMAP of this mailbox").into());
        };
        let standing = imap.select(b"INBOX").await?;
        let now: Timestamp = self.inner.deps.clock.now();
        let date = format_internal_date(DateTime { unix: now.secs(), offset_minutes: 0 });
        let (size, keywords) = (body.size(), Keywords::default());
        let letter = Letter { flags: Flags::default(), keywords: &keywords, date, size };
        let uid = imap.append(b"INBOX", &letter, body).await?;
        imap.leave().await;
        let Some(uid) = uid.filter(|_| mailbox.pass > 0) else { return Ok(()) };
        let know = move |tx: &mut MailTx<'_, '_>| {
            let is_it =
                |name: &[u8], uidvalidity| name.eq_ignore_ascii_case(b"INBOX") && uidvalidity == standing.uidvalidity;
            for folder in tx.ledger_folders(id)?.iter().filter(|folder| is_it(&folder.name, folder.uidvalidity)) {
                let row = LedgerRow::new(uid.to_be_bytes().to_vec(), LedgerState::Excluded);
                let note = Some("a letter of the move's own".to_owned());
                tx.put_ledger_row(folder.key, &LedgerRow { size, note, ..row })?;
            }
            Ok(())
        };
        if let Err(error) = self.inner.deps.store.write(account, Durability::Sync, know).await {
            // It went, whatever the ledger knows.
            tracing::warn!(
                login = mailbox.login,
                error = error.chain(),
                "a letter of our own may come here as late mail"
            );
        }
        Ok(())
    }
}

fn begun(tx: &mut Tx<'_>, notice: &Notice) -> Result<Option<(i64, bool)>> {
    let sql = "SELECT begun_ms, went FROM mov_told WHERE account = ?1 AND occasion = ?2 AND side = ?3";
    let (occasion, side) = (notice.occasion.word(), notice.side.word());
    tx.query_one(sql, params![notice.key as i64, occasion, side], |row| Ok((row.int(0)?, row.int(1)? != 0)))
}
