//! Unique ids of POP3 (RFC 1939 §7) for messages that came by IMAP: programs that leave mail on the server know it by these, and would
//! fetch all of it again.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use anser_base::{AccountId, BlobId, Durability, MailboxId};
use anser_db::Place;
use anser_store::{MailTx, UidlForm};

use crate::Inner;
use crate::entry::Entry;
use crate::merge::where_is;
use crate::model::{Kind, Mailbox, Source};
use crate::pass_through::source_for;
use crate::pop3::Pop3;
use crate::pop3::connection::Said;
use crate::rows;
use crate::source::{Seen, Window};
use crate::trouble::Trouble;

/// For a connection: many an old server has no POP3, and does not even say so.
const CONNECTION: Duration = Duration::from_secs(10);
/// For an answer.
const ANSWER: Duration = Duration::from_secs(120);
/// Messages of an inbox that are looked at.
const MESSAGES: usize = 1_000_000;

/// Messages whose ids tell in which form the old server makes them.
const NEWEST: usize = 50;

/// A message that is here, in the order in which the old server has it.
struct Here {
    size: u64,
    content: Option<BlobId>,
    mailbox: MailboxId,
    uid: u32,
}

/// Asks the old server for its unique ids by POP3, and gives each to the message that has it. How many. [`Trouble`] when there is no
/// POP3: nothing is lost by that where nobody uses it.
pub(crate) async fn pair(inner: &Inner, mailbox: &Mailbox, own: &Source, account: AccountId) -> Result<u64, Trouble> {
    if own.kind != Kind::Imap {
        return Ok(0);
    }
    let id = mailbox.id;
    let here = inner.deps.store.read(account, move |tx| inbox(tx, id)).await?;
    if here.is_empty() {
        return Ok(0);
    }
    let mut pop3 = maildrop(inner, mailbox, own).await?;
    let there = pop3.list().await?;
    let same = there.len() == here.len() && there.iter().zip(&here).all(|(there, here)| there.size == here.size);
    let pairs = match same {
        true => there.into_iter().zip(here).collect(),
        false => by_content(&mut pop3, there, here).await?,
    };
    pop3.leave().await;
    write(inner, account, pairs).await
}

/// The maildrop of the same login, by POP3.
pub(crate) async fn maildrop(inner: &Inner, mailbox: &Mailbox, own: &Source) -> Result<Pop3, Trouble> {
    let of = mailbox.of;
    let sources = inner.deps.db.read(Place::Moves, move |tx| rows::sources(tx, of)).await?;
    let source = source_for(own, &sources, Kind::Pop3);
    let mut entry = inner.entry(mailbox, own).await?;
    loop {
        let opened = log_in(&source, &entry).await;
        if let Some(opened) = inner.entered(mailbox, own, &mut entry, opened).await? {
            return Ok(opened);
        }
    }
}

async fn log_in(source: &Source, entry: &Entry) -> Result<Pop3, Trouble> {
    let password = entry.secret.as_ref().ok_or_else(|| Trouble::lost("no password is known"))?;
    let mut pop3 = Pop3::connect(source, CONNECTION, ANSWER).await?;
    pop3.take_all_as_it_is().await?;
    match Said::of(&pop3.ask_in(&entry.login, password).await?) {
        Said::In => Ok(pop3),
        Said::InUse(trouble) | Said::Not(trouble) => Err(trouble),
    }
}

/// The messages of the inbox that came by this login, as the ledger has them.
fn inbox(tx: &mut MailTx<'_, '_>, id: u64) -> anser_base::Result<Vec<Here>> {
    let folders = tx.ledger_folders(id)?;
    // After UIDVALIDITY changed the newest one counts.
    let found = folders.into_iter().rev().find(|folder| folder.name.eq_ignore_ascii_case(b"INBOX"));
    let Some(folder) = found else { return Ok(Vec::new()) };
    let (first, last) = Window::WHOLE.keys();
    let mut all = Vec::new();
    for row in tx.ledger_rows(folder.key, &first, &last, MESSAGES)? {
        if !row.state.is_here() {
            continue;
        }
        if let Some((mailbox, uid)) = where_is(tx, &row)? {
            all.push(Here { size: row.size, content: row.content, mailbox, uid });
        }
    }
    Ok(all)
}

/// Where the two lists differ, the bytes tell; of equal ones the first there is the first here.
async fn by_content(pop3: &mut Pop3, there: Vec<Seen>, here: Vec<Here>) -> Result<Vec<(Seen, Here)>, Trouble> {
    let mut by_content: HashMap<BlobId, VecDeque<Here>> = HashMap::new();
    for one in here {
        if let Some(content) = one.content {
            by_content.entry(content).or_default().push_back(one);
        }
    }
    let mut pairs = Vec::new();
    for one in there {
        let hash = BlobId(*pop3.hash(one.at).await?.as_bytes());
        if let Some(twin) = by_content.get_mut(&hash).and_then(VecDeque::pop_front) {
            pairs.push((one, twin));
        }
    }
    Ok(pairs)
}

async fn write(inner: &Inner, account: AccountId, pairs: Vec<(Seen, Here)>) -> Result<u64, Trouble> {
    let mut ids: HashMap<MailboxId, Vec<(u32, String)>> = HashMap::new();
    for (there, here) in pairs {
        if let Some(uidl) = there.uidl {
            ids.entry(here.mailbox).or_default().push((here.uid, uidl));
        }
    }
    let count = ids.values().map(|ids| ids.len() as u64).sum();
    let work = move |tx: &mut MailTx<'_, '_>| {
        for (mailbox, ids) in &ids {
            tx.set_uidls(*mailbox, ids)?;
            let uidvalidity = tx.mailbox(*mailbox)?.uidvalidity;
            let newest = ids.iter().rev().take(NEWEST).map(|(uid, id)| (*uid, id.as_str()));
            if let Some(form) = UidlForm::of(uidvalidity, newest) {
                tx.set_uidl_form(*mailbox, form)?;
            }
        }
        Ok(())
    };
    inner.deps.store.write(account, Durability::Sync, work).await?;
    Ok(count)
}
