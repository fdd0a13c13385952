//! Mail comes in from files, through the ledger of moves: the same messages once, however often they are brought. Nothing is triggered
//! by it: no queue, no report, no rule.

use std::collections::HashMap;

use anser_base::{AccountId, BlobId, Durability, Error, MailboxId, Result, TenantId};
use anser_migrate::commit::{Arrived, Done, Target, commit};
use anser_migrate::files::Ends;
use anser_migrate::source::{Seen, Taken};
use anser_mime::date::{DateTime, format_internal_date};
use anser_store::{Flags, Keywords, LedgerFolder, LedgerKey, MailTx};
use tokio::sync::mpsc;

use crate::answer::{Mail, Out, Report};
use crate::{Actor, Admin};

/// Messages of one transaction.
const BATCH: usize = 64;
/// Bytes of one transaction, beyond which no further message joins it.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// The source of the ledger that stands for all files that were ever imported; logins of moves count up from 1.
const FILES: u64 = 1 << 62;

/// Where messages of each folder go, and how often each content came so far: identical messages of one import are told apart so.
#[derive(Default)]
struct Bringing {
    targets: HashMap<Vec<String>, Target>,
    met: HashMap<(MailboxId, BlobId), u32>,
}

impl Admin {
    /// Puts messages into an account's mailboxes, which are made as needed; those that an import brought before are left out, unless
    /// they were removed here since. Works batch by batch: one is made durable while the next is read. When it fails, the batches before
    /// are in.
    pub async fn import(&self, actor: &Actor, address: &str, mails: mpsc::Receiver<Mail>, out: &Out) -> Result<Report> {
        let account = self.account(address).await?;
        let mut done = Done::default();
        let ended = self.take_all(account.tenant, account.id, mails, out, &mut done).await;
        let Done { messages, bytes, .. } = done;
        let after = Some(format!("{messages} messages, {bytes} bytes"));
        self.note(actor, "mail.import", address, None, after).await?;
        ended.map(|()| Report::Mails { messages, bytes, skipped: 0, failed: Vec::new() })
    }

    async fn take_all(
        &self,
        tenant: TenantId,
        account: AccountId,
        mut mails: mpsc::Receiver<Mail>,
        out: &Out,
        done: &mut Done,
    ) -> Result<()> {
        let (mut bringing, mut next) = (Bringing::default(), None);
        let mut committing: Option<tokio::task::JoinHandle<Result<Done>>> = None;
        loop {
            let batch = gather(&mut mails, &mut next).await;
            let target = match batch.first() {
                Some(first) => Some(self.target(tenant, account, &first.head.folder, &mut bringing).await?),
                None => None,
            };
            if let Some(before) = committing.take() {
                let more = before.await.map_err(Error::unavailable)??;
                (done.messages, done.bytes) = (done.messages + more.messages, done.bytes + more.bytes);
                out.progress(done.messages, 0);
            }
            let Some(target) = target else { return Ok(()) };
            let arrived: Result<Vec<Arrived>> =
                batch.into_iter().map(|mail| arrived(mail, target.mailbox, &mut bringing)).collect();
            let arrived = arrived?;
            committing = Some(tokio::spawn(commit(self.deps.store.clone(), target, arrived)));
        }
    }

    async fn target(
        &self,
        tenant: TenantId,
        account: AccountId,
        folder: &[String],
        bringing: &mut Bringing,
    ) -> Result<Target> {
        if let Some(known) = bringing.targets.get(folder) {
            return Ok(known.clone());
        }
        let path = folder.to_vec();
        let work = move |tx: &mut MailTx<'_, '_>| ledger_folder(tx, &path);
        let LedgerFolder { key, mailbox, .. } = self.deps.store.write(account, Durability::Sync, work).await?;
        let (keeps_uids, pass, may_have_moved, again) = (false, 1, false, true);
        let (labels, quota, adoptable, overlap) = (false, None, None, None);
        let target = Target {
            tenant,
            account,
            mailbox,
            key,
            keeps_uids,
            labels,
            pass,
            quota,
            may_have_moved,
            again,
            adoptable,
            overlap,
        };
        bringing.targets.insert(folder.to_vec(), target.clone());
        Ok(target)
    }
}

/// Waits for a full batch of one folder, or for the end; empty at the end. What belongs to another folder waits in `next`.
async fn gather(mails: &mut mpsc::Receiver<Mail>, next: &mut Option<Mail>) -> Vec<Mail> {
    let (mut batch, mut bytes) = (Vec::<Mail>::new(), 0);
    while batch.len() < BATCH && bytes < BATCH_BYTES {
        let mail = match next.take() {
            Some(mail) => mail,
            None => match mails.recv().await {
                Some(mail) => mail,
                None => break,
            },
        };
        if batch.first().is_some_and(|first| first.head.folder != mail.head.folder) {
            *next = Some(mail);
            break;
        }
        bytes += mail.body.len();
        batch.push(mail);
    }
    batch
}

/// Files may be read in any order and from anywhere: a message is known by its bytes, and by how many of the same came before it.
fn arrived(mail: Mail, mailbox: MailboxId, bringing: &mut Bringing) -> Result<Arrived> {
    let Mail { head, body } = mail;
    let content = BlobId::of(&body);
    let count = bringing.met.entry((mailbox, content)).or_default();
    let key = [&content.0[..], &count.to_be_bytes()].concat();
    *count += 1;
    let date = |millis: i64| DateTime { unix: millis.div_euclid(1000), offset_minutes: i32::from(head.zone) };
    let received = head.received.map_or(String::new(), |millis| format_internal_date(date(millis)));
    let keywords = Keywords::new(head.keywords.iter().map(String::as_str));
    let (flags, written, size) = (Flags(head.flags), head.written, head.size);
    let seen = Seen { at: 0, key, uid: 0, uidl: None, identity: None, flags, keywords, received, written, size };
    let ends = head.line_ends.as_deref().map(Ends::from_bytes).transpose()?;
    Ok(Arrived { seen, taken: Taken::Memory(body.into()), ends })
}

/// The folder of the ledger for what goes to this path.
fn ledger_folder(tx: &mut MailTx<'_, '_>, path: &[String]) -> Result<LedgerFolder> {
    let mailbox = mailbox_at(tx, path)?;
    let (name, known) = (path.join("/").into_bytes(), tx.ledger_folders(FILES)?);
    let next = known.iter().map(|folder| folder.key.folder).max().unwrap_or(0) + 1;
    let folder = known.iter().find(|folder| folder.name == name).map_or(next, |folder| folder.key.folder);
    let (key, keeps_uids) = (LedgerKey { source: FILES, folder }, false);
    let (uidvalidity, uidnext, modseq, messages, state, mark, id) = (0, 0, 0, 0, 0, Vec::new(), 0);
    let folder =
        LedgerFolder { key, name, mailbox, uidvalidity, uidnext, modseq, messages, keeps_uids, state, mark, id };
    tx.put_ledger_folder(&folder)?;
    Ok(folder)
}

/// The mailbox at this path, made with those above it when it is not there.
fn mailbox_at(tx: &mut MailTx<'_, '_>, folder: &[String]) -> Result<MailboxId> {
    let path: Vec<&str> = folder.iter().map(String::as_str).collect();
    let mut parent = None;
    for depth in 1..=path.len() {
        let found = tx.mailbox_at(&path[..depth])?;
        parent = Some(match found {
            Some(mailbox) => mailbox.id,
            None => tx.create_mailbox(parent, path[depth - 1], None)?.id,
        });
    }
    parent.map_or_else(|| Ok(tx.inbox()?.id), Ok)
}
