//! A plan done, in one transaction of the account.

use anser_base::pack::{Packer, Unpacker};
use anser_base::{Class, EntryId, Error, MailboxId, MessageId, Result, Timestamp};
use anser_queue::{Body, Submission, pack_submissions, unpack_submissions};
use anser_sieve::FileInto;
use anser_store::{MailTx, NewMessage};

use super::plan::{Act, Filing, Plan, act};
use super::world::{canonical, object_id, role_named};

/// Mailboxes that one message may make, with those above them.
const CREATED: usize = 100;

/// What became of a delivery.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filed {
    /// Where it was stored.
    pub stored: Vec<(MailboxId, MessageId)>,
    /// What the journal is told.
    pub acts: Vec<Act>,
    /// What follows, as [`unpack_kept`] reads it; that of an earlier attempt when there was one.
    pub kept: Option<Vec<u8>>,
}

/// What follows from a delivery outside of the account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// The recipient is refused, and why.
    pub reject: Option<String>,
    /// New mail.
    pub mails: Vec<Submission>,
}

/// Where and when.
pub(crate) struct At<'a> {
    pub entry: EntryId,
    pub index: u32,
    pub body: &'a Body,
    pub quota: Option<u64>,
    pub now: Timestamp,
}

/// Does all of a plan or nothing. What was delivered before is not done again. `Class::Conflict` when another delivery made a
/// duplicate of this message meanwhile: ask the scripts again.
pub(crate) fn apply(tx: &mut MailTx<'_, '_>, plan: &Plan, at: &At<'_>) -> Result<Filed> {
    if !tx.note_delivery(at.entry)? {
        return Ok(Filed { kept: tx.follow_up(at.entry, at.index)?, ..Filed::default() });
    }
    remember(tx, plan)?;
    let mut filing = Filer { tx, at, filed: Filed { acts: plan.acts.clone(), ..Filed::default() }, created: 0 };
    let mut placed = Vec::new();
    for copy in &plan.copies {
        filing.store(copy, at.quota, &mut placed)?;
    }
    let mut mails = Vec::new();
    for mail in &plan.mails {
        if let Some((key, until)) = &mail.once
            && !filing.tx.remember(key, *until)?
        {
            filing.filed.acts.push(act(format!("{} withheld: answered before", mail.act.what), &mail.act.origin));
            continue;
        }
        mails.push(mail.submission.clone());
        filing.filed.acts.push(mail.act.clone());
        if let Some(fcc) = &mail.fcc {
            filing.store(fcc, None, &mut Vec::new())?;
        }
    }
    for (key, until, notice) in &plan.notices {
        if filing.tx.remember(key, *until)? {
            filing.store(notice, None, &mut Vec::new())?;
        }
    }
    let mut filed = filing.filed;
    if plan.reject.is_some() || !mails.is_empty() {
        let kept = pack_kept(&Kept { reject: plan.reject.clone(), mails }, at.body);
        tx.keep_follow_up(at.entry, at.index, &kept)?;
        filed.kept = Some(kept);
    }
    Ok(filed)
}

fn remember(tx: &mut MailTx<'_, '_>, plan: &Plan) -> Result<()> {
    for seen in &plan.remember {
        if seen.known {
            if seen.again {
                tx.remember_again(&seen.key, seen.until)?;
            }
        } else if !tx.remember(&seen.key, seen.until)? {
            return Err(Error::new(Class::Conflict, "a duplicate came meanwhile", "同时收到了重复的邮件"));
        }
    }
    Ok(())
}

struct Filer<'t, 'a, 'b, 'c> {
    tx: &'t mut MailTx<'b, 'c>,
    at: &'a At<'a>,
    filed: Filed,
    created: usize,
}

impl Filer<'_, '_, '_, '_> {
    /// Stores a copy, once in each mailbox of what is the same.
    fn store(
        &mut self,
        copy: &Filing,
        quota: Option<u64>,
        placed: &mut Vec<(MailboxId, anser_base::BlobId)>,
    ) -> Result<()> {
        let found = match &copy.target {
            None => None,
            Some(file) => find_mailbox(self.tx, file, &mut self.created)?,
        };
        if let Some(file) = &copy.target {
            let what = match found {
                Some(_) => format!("fileinto \"{}\"", file.mailbox),
                None => format!("fileinto \"{}\" not done, kept: there is no such mailbox", file.mailbox),
            };
            self.filed.acts.push(act(what, &copy.origin));
        }
        let mailbox = match found {
            Some(mailbox) => mailbox,
            None => self.tx.inbox()?.id,
        };
        if placed.contains(&(mailbox, copy.content.blob)) {
            return Ok(());
        }
        let new = NewMessage {
            prefix: copy.prefix.clone(),
            flags: copy.flags,
            keywords: copy.keywords.clone(),
            quota,
            ..NewMessage::new(copy.content.clone(), mailbox, self.at.now)
        };
        if let Some(appended) = self.tx.append(&new)? {
            self.filed.stored.push((mailbox, appended.message));
        }
        placed.push((mailbox, copy.content.blob));
        Ok(())
    }
}

/// The mailbox that is meant: by its id (RFC 9042), by its use (RFC 8579), by its name, or made now. `created` counts those that were
/// made.
pub(super) fn find_mailbox(tx: &mut MailTx<'_, '_>, file: &FileInto, created: &mut usize) -> Result<Option<MailboxId>> {
    if let Some(id) = file.mailbox_id.as_deref().and_then(object_id)
        && tx.mailbox(id).is_ok()
    {
        return Ok(Some(id));
    }
    let role = file.special_use.as_deref().and_then(role_named);
    if let Some(role) = role
        && let Some(mailbox) = tx.mailbox_with_role(role)?
    {
        return Ok(Some(mailbox.id));
    }
    let name = canonical(&file.mailbox);
    let path: Vec<&str> = name.split('/').collect();
    if let Some(mailbox) = tx.mailbox_at(&path)? {
        return Ok(Some(mailbox.id));
    }
    if !file.create {
        return Ok(None);
    }
    let mut parent = None;
    for depth in 1..=path.len() {
        if let Some(known) = tx.mailbox_at(&path[..depth])? {
            parent = Some(known.id);
            continue;
        }
        *created += 1;
        if *created > CREATED {
            return Ok(None);
        }
        let role = role.filter(|_| depth == path.len());
        match tx.create_mailbox(parent, path[depth - 1], role) {
            Ok(made) => {
                tx.subscribe(made.id, true)?;
                parent = Some(made.id);
            }
            Err(error) if matches!(error.class, Class::Invalid | Class::Limit | Class::Exists) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(parent)
}

fn pack_kept(kept: &Kept, own: &Body) -> Vec<u8> {
    let mut out = Packer::with_capacity(512);
    out.option(kept.reject.as_deref(), Packer::text);
    out.bytes(&pack_submissions(&kept.mails, own));
    out.finish()
}

/// What follows from a delivery, from its bytes and the body of its entry.
pub(crate) fn unpack_kept(bytes: &[u8], own: &Body) -> Result<Kept> {
    let mut from = Unpacker::new(bytes);
    let reject = from.option(|from| from.text().map(str::to_owned))?;
    Ok(Kept { reject, mails: unpack_submissions(from.bytes()?, own)? })
}
