//! The verbs of a proof: both sides are compared, and what came of it is handed out, signed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use anser_base::{Class, Error, Result};
use anser_db::Tx;
use anser_directory::{AppPasswordKind, OF_THE_HOUSE, Services};
use anser_wire::Secret;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, spawn_blocking};

use crate::Migrate;
use crate::imap::Imap;
use crate::imported::AccountProof;
use crate::model::{Mailbox, Source, State};
use crate::paper;
use crate::report;
use crate::rows;
use crate::run::unknown;
use crate::signature::Signer;
use crate::trouble::Trouble;
use crate::verify::{self, Faces, Level, Proof};
use crate::which::{Which, is_meant, meant};

/// How long the password of a verification may live.
const VERIFYING: Duration = Duration::from_secs(24 * 3600);

/// What a comparison came to.
#[derive(Debug)]
pub struct Compared {
    /// The proofs that were made.
    pub proofs: Vec<Proof>,
    /// Mailboxes that could not be compared, in their order.
    pub failed: Vec<Uncompared>,
}

/// A mailbox that could not be compared.
#[derive(Debug)]
pub struct Uncompared {
    /// The name at the old server.
    pub login: String,
    /// The address here.
    pub address: String,
    /// Why.
    pub why: Error,
}

impl Uncompared {
    fn of(mailbox: Mailbox, why: Error) -> Self {
        Self { login: mailbox.login, address: mailbox.address, why }
    }
}

/// Whether a mailbox can be compared, or what it waits for; `None` where nobody began, or it was taken out of the move. `was_whole`: some
/// pass brought everything; of a trial only a few messages are here.
fn may_compare(mailbox: &Mailbox, was_whole: bool) -> Option<Result<()>> {
    let state = mailbox.state;
    // Looks for late mail are short, and what they bring this proof is too old for.
    let is_sweep = mailbox.cut.0 > 0 && matches!(state, State::Copying | State::Waiting | State::Refused);
    match state {
        State::Abandoned => None,
        State::New | State::Ready | State::Refused if !was_whole => None,
        _ if was_whole && (is_sweep || matches!(state, State::Settled | State::Asking)) => Some(Ok(())),
        _ => {
            let word = state.word();
            let (en, zh) = (
                format!("it waits for a pass that goes over all of it ({word})"),
                format!("须等待一次完整迁移结束（{word}）"),
            );
            Some(Err(Error::new(Class::Conflict, en, zh)))
        }
    }
}

impl Migrate {
    /// Holds mailboxes at the source against what they show here, through `faces`: this server's own doors. Of each source as many at
    /// once as it has connections. Keeps each proof, the newest of each mailbox; in their order. Mailboxes that nobody began are left out.
    /// One that cannot be compared, or that a pass has to go over first, keeps no other from it.
    pub async fn verify(&self, name: &str, which: Which, faces: Faces, level: Level) -> Result<Compared> {
        let of = self.named(name).await?.id;
        let sources: Vec<Arc<Source>> =
            self.read(move |tx| rows::sources(tx, of)).await?.into_iter().map(Arc::new).collect();
        let free: HashMap<u64, Arc<Semaphore>> =
            sources.iter().map(|one| (one.id, Arc::new(Semaphore::new(one.connections.max(1) as usize)))).collect();
        let faces = Arc::new(faces);
        let (mut running, mut ended) = (JoinSet::new(), BTreeMap::new());
        let all = self.all(of).await?;
        let pasts = self.pasts(of, &all).await?;
        for (at, mailbox) in all.into_iter().filter(|mailbox| is_meant(mailbox, &which)).enumerate() {
            match may_compare(&mailbox, pasts.get(&mailbox.id).is_some_and(|past| past.whole.0 > 0)) {
                Some(Ok(())) => {}
                Some(Err(waits)) => {
                    ended.insert(at, Err(Uncompared::of(mailbox, waits)));
                    continue;
                }
                None => continue,
            }
            let source = sources.iter().find(|one| one.id == mailbox.source).ok_or_else(|| unknown("source"))?.clone();
            let (migrate, faces, free) = (self.clone(), faces.clone(), free[&source.id].clone());
            running.spawn(async move {
                // Nobody closes it.
                let _free = free.acquire().await;
                let proven = Box::pin(migrate.verify_one(&mailbox, &source, &faces, level)).await;
                (at, proven.map_err(|error| Uncompared::of(mailbox, error)))
            });
        }
        while let Some(one) = running.join_next().await {
            let (at, proven) = one.map_err(Error::unavailable)?;
            ended.insert(at, proven);
        }
        let (mut proofs, mut failed) = (Vec::new(), Vec::new());
        for proven in ended.into_values() {
            match proven {
                Ok(proof) => proofs.push(proof),
                Err(one) => failed.push(one),
            }
        }
        Ok(Compared { proofs, failed })
    }

    /// Compares one mailbox, and keeps the proof. `Class::Conflict` when its source is at another server by now.
    async fn verify_one(&self, mailbox: &Mailbox, source: &Source, faces: &Faces, level: Level) -> Result<Proof> {
        // A proof tells nothing of what a pass brings in the middle of it.
        let began = self.inner.deps.clock.now();
        let directory = &self.inner.deps.directory;
        let found = directory.account(mailbox.account).await?;
        let whose = found.ok_or_else(|| unknown("account of this mailbox"))?;
        let rule = self.inner.rule_for(mailbox, source).await?;
        let mut there = self.inner.open(mailbox, source).await?;
        // A password of its own, which ends by itself when this process does not get to taking it back.
        let name = format!("{OF_THE_HOUSE}{}", self.inner.deps.entropy.token(8));
        let (account, kind) = (mailbox.account, AppPasswordKind::Typed);
        let services = Services(Services::IMAP.0 | Services::POP3.0);
        let made = directory.add_app_password(account, kind, &name, services, Some(VERIFYING)).await?;
        // Passed through to the old server, it would be compared with itself.
        directory.look_here(made.id, true);
        let own = Secret::new(made.password.as_bytes());
        let compared = async {
            let mut here = Imap::open(&faces.imap, &mailbox.address, &own).await?;
            let (store, whose) = (&self.inner.deps.store, (whose.tenant, account));
            let of = (mailbox.id, rule);
            let found = verify::verify(&mut there, &mut here, store, whose, of, level).await;
            here.leave().await;
            let mut proof = found?;
            if let Some(face) = &faces.pop3 {
                verify::ids::hold(&self.inner, (mailbox, source), &mut there, (face, &own), &mut proof).await?;
            }
            Ok::<Proof, Trouble>(proof)
        };
        let compared = compared.await;
        directory.look_here(made.id, false);
        directory.revoke_app_password(account, kind, made.id).await?;
        there.leave().await;
        let (login, address) = (mailbox.login.clone(), mailbox.address.clone());
        let proof = Proof { login, address, ..compared? };
        let (id, text) = (mailbox.id, serde_json::to_string(&proof).map_err(Error::unavailable)?);
        let sum = proof.sum();
        let asked = source.clone();
        let keep = move |tx: &mut Tx<'_>| {
            let now = rows::source(tx, asked.id)?.ok_or_else(|| unknown("source"))?;
            match (now.kind, &now.host, now.port) == (asked.kind, &asked.host, asked.port) {
                true => rows::put_proof(tx, id, began, &text, &sum),
                false => Err(Error::new(
                    Class::Conflict,
                    "the move has another old server by now: compare once more",
                    "该迁移的旧服务器已更改，请重新核对",
                )),
            }
        };
        self.write(keep).await?;
        Ok(proof)
    }

    /// The newest proofs.
    pub async fn proofs(&self, name: &str, which: Which) -> Result<Vec<Proof>> {
        let mut all = self.all(self.named(name).await?.id).await?;
        all.retain(meant(&which));
        self.proofs_of(&all).await
    }

    /// A proof may be some 100 KB: they are read on a worker thread.
    async fn proofs_of(&self, all: &[Mailbox]) -> Result<Vec<Proof>> {
        let mut proofs = Vec::new();
        for page in all.chunks(rows::PROOFS) {
            let ids: Vec<u64> = page.iter().map(|mailbox| mailbox.id).collect();
            let asked = ids.clone();
            let found = self.read(move |tx| rows::proofs(tx, &asked)).await?;
            let parse = move || {
                let texts = ids.iter().filter_map(|id| found.get(id));
                texts
                    .map(|(_, text)| serde_json::from_str(text).map_err(Error::damaged))
                    .collect::<Result<Vec<Proof>>>()
            };
            proofs.extend(spawn_blocking(parse).await.map_err(Error::unavailable)??);
        }
        Ok(proofs)
    }

    /// The newest proofs as a signed document: `html`, `csv`, `json` or `pdf`. `Class::Invalid` for another format.
    pub async fn signed_report(&self, name: &str, which: Which, format: &str) -> Result<String> {
        let of = self.named(name).await?.id;
        let mut all = self.all(of).await?;
        all.retain(meant(&which));
        let proofs = self.proofs_of(&all).await?;
        let (gates, lost) = (self.read(move |tx| rows::gates(tx, of)).await?, self.lost(of).await?);
        let mut accounts = self.hold_accounts(name).await?;
        if !which.is_empty() {
            let addresses: HashSet<String> = all.iter().map(|mailbox| mailbox.address.to_lowercase()).collect();
            accounts.retain(|one| addresses.contains(&one.address.to_lowercase()));
        }
        let ids: HashSet<u64> = all.iter().map(|mailbox| mailbox.id).collect();
        let (signer, taken_on) = (Signer::new(&self.inner.deps.key)?, gates.taken_on_by(&lost, |id| ids.contains(id)));
        let format = format.to_owned();
        let write = move || write(&format, &signer, (&proofs, &accounts), taken_on.as_deref());
        spawn_blocking(write).await.map_err(Error::unavailable)?
    }

    /// The public key that reports are signed by.
    pub fn report_key(&self) -> Result<String> {
        Ok(Signer::new(&self.inner.deps.key)?.key())
    }
}

/// Proofs as a signed document, on a worker thread: there may be many.
fn write(
    format: &str,
    signer: &Signer,
    (proofs, accounts): (&[Proof], &[AccountProof]),
    taken_on: Option<&str>,
) -> Result<String> {
    let report = match format {
        "csv" => report::csv(proofs, accounts),
        "json" => report::json(proofs, accounts, taken_on),
        "html" => paper::html(&report::paper(proofs, accounts, taken_on)),
        "pdf" => {
            let foot = signer.foot(&report::json(proofs, accounts, taken_on));
            paper::pdf(&report::paper(proofs, accounts, taken_on), &foot)
        }
        _ => return Err(Error::invalid("a report is html, csv, json or pdf", "报告格式为 html、csv、json 或 pdf")),
    };
    Ok(signer.sign(format, report))
}
