//! Mail goes out, byte for byte.

use std::sync::Arc;

use anser_base::{Error, MailboxId, Result};
use anser_directory::Account;
use anser_journal::{Entry as Note, Origin, What};
use anser_migrate::files::{Ends, Restore};
use anser_migrate::imap::write::Body;
use anser_store::{Entry, Message};
use bytes::Bytes;

use crate::answer::{Mail, MailHead, Out, Report};
use crate::{Actor, Admin};

/// Messages whose rows are read at once.
const PAGE: usize = 64;

impl Admin {
    /// Hands out every message of an account, or of one mailbox (`A/B`), mailbox after mailbox in the order of UIDs.
    pub async fn export(&self, actor: &Actor, address: &str, folder: Option<String>, out: &Out) -> Result<Report> {
        let account = self.account(address).await?;
        let mailboxes = self.mailboxes(&account, folder.as_deref()).await?;
        for (_, path) in &mailboxes {
            self.note_access(actor, &account, &path.join("/")).await?;
        }
        let total = self.deps.store.read(account.id, |tx| Ok(tx.messages())).await?;
        let (mut messages, mut bytes) = (0, 0);
        for (mailbox, path) in mailboxes {
            let snapshot = self.deps.store.snapshot(account.id, mailbox).await?;
            let entries: Vec<Entry> = snapshot.iter().cloned().collect();
            for some in entries.chunks(PAGE) {
                for (entry, message) in self.rows(&account, some.to_vec()).await? {
                    messages += 1;
                    bytes += self.hand_out(&account, &path, (entry, message), out).await?;
                }
                out.progress(messages, total);
            }
        }
        Ok(Report::Mails { messages, bytes, skipped: 0, failed: Vec::new() })
    }

    async fn mailboxes(&self, account: &Account, only: Option<&str>) -> Result<Vec<(MailboxId, Vec<String>)>> {
        let all = |tx: &mut anser_store::MailTx<'_, '_>| {
            let mut found = Vec::new();
            for mailbox in tx.mailboxes()? {
                found.push((mailbox.id, tx.path(mailbox.id)?));
            }
            Ok(found)
        };
        let all = self.deps.store.read(account.id, all).await?;
        let Some(only) = only else { return Ok(all) };
        let is_it = |path: &[String]| {
            let name = path.join("/");
            name == only || (name.eq_ignore_ascii_case("INBOX") && only.eq_ignore_ascii_case("INBOX"))
        };
        let found: Vec<_> = all.into_iter().filter(|(_, path)| is_it(path)).collect();
        match found.is_empty() {
            true => Err(Error::not_found(format!("there is no mailbox {only}"), format!("没有文件夹 {only}"))),
            false => Ok(found),
        }
    }

    /// Some messages; those that were expunged meanwhile are left out.
    async fn rows(&self, account: &Arc<Account>, entries: Vec<Entry>) -> Result<Vec<(Entry, Message)>> {
        let rows = move |tx: &mut anser_store::MailTx<'_, '_>| {
            let mut found: Vec<(Entry, Message)> = Vec::new();
            for entry in &entries {
                found.extend(tx.message(entry.message)?.map(|message| (entry.clone(), message)));
            }
            Ok(found)
        };
        self.deps.store.read(account.id, rows).await
    }

    /// One message, piece by piece; its octets.
    async fn hand_out(
        &self,
        account: &Account,
        path: &[String],
        (entry, message): (Entry, Message),
        out: &Out,
    ) -> Result<u64> {
        let (store, tenant) = (self.deps.store.clone(), account.tenant);
        let line_ends = message.line_ends;
        let open = move || Ok::<_, Error>((store.blobs().open(tenant, message.blob)?, message.prefix));
        let (reader, prefix) = tokio::task::spawn_blocking(open).await.map_err(Error::unavailable)??;
        let mut body = Lines::of(Body::new(prefix, reader), line_ends.as_deref())?;
        let head = MailHead {
            folder: path.to_vec(),
            flags: entry.flags.0,
            keywords: entry.keywords.iter().map(str::to_owned).collect(),
            received: Some(entry.received.0),
            zone: entry.zone,
            written: None,
            uid: entry.uid,
            size: body.size,
            line_ends,
        };
        let (size, mut left) = (head.size, head.size);
        let first = body.next(left).await?;
        left -= first.len() as u64;
        out.mail(Mail { head, body: first }).await?;
        while left > 0 {
            let piece = body.next(left).await?;
            left -= piece.len() as u64;
            out.part(piece).await?;
        }
        Ok(size)
    }

    async fn note_access(&self, actor: &Actor, account: &Account, mailbox: &str) -> Result<()> {
        let (actor, act) = (actor.name.clone(), "export".to_owned());
        let what = What::Accessed { actor, account: account.id, mailbox: mailbox.to_owned(), act };
        let origin = Origin { protocol: Some("cli".to_owned()), client: None };
        self.deps.journal.append_durable(Note { origin, what }).await
    }
}

/// The bytes of a message, with its lines as the file had them that it came from.
struct Lines {
    body: Body,
    restore: Option<Restore>,
    /// Bytes in all.
    size: u64,
}

impl Lines {
    fn of(body: Body, line_ends: Option<&[u8]>) -> Result<Self> {
        let ends = line_ends.map(Ends::from_bytes).transpose()?;
        let shorter = ends.as_ref().map_or(0, Ends::shorter);
        let size = body.size().checked_sub(shorter).ok_or_else(|| Error::damaged("more lines than bytes"))?;
        Ok(Self { body, restore: ends.map(Restore::new), size })
    }

    /// Some more of them, of which there are so many; none at the end alone.
    async fn next(&mut self, left: u64) -> Result<Bytes> {
        loop {
            let piece = self.body.next().await?;
            let is_end = piece.is_empty();
            let piece = match &mut self.restore {
                Some(restore) if is_end => restore.end().into(),
                Some(restore) => restore.take(&piece).into(),
                None => piece,
            };
            if piece.len() as u64 > left || (is_end && (piece.len() as u64) < left) {
                return Err(Error::damaged("the body is not as long as it was"));
            }
            if is_end || !piece.is_empty() {
                return Ok(piece);
            }
        }
    }
}
