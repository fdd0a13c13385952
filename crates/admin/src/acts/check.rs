//! Verification of all that is stored.

use anser_base::{AccountId, Class, Error, Result, TenantId, Text};
use anser_db::Place;
use anser_directory::AccountFilter;
use anser_journal::month_of;
use anser_store::{Finding, Level};

use crate::answer::{FindingView, Item, Out, Report};
use crate::{Actor, Admin};

/// Entries of the queue that are read at once.
const PAGE: usize = 500;

/// What a check has seen so far.
#[derive(Default)]
struct Tally {
    accounts: u64,
    bodies: u64,
    events: u64,
    findings: u64,
    mended: u64,
    torn: u64,
}

impl Tally {
    async fn found(&mut self, out: &Out, place: String, text: Text, mended: bool) -> Result<()> {
        self.findings += 1;
        self.mended += u64::from(mended);
        let (en, zh) = (text.en.into_owned(), text.zh.into_owned());
        out.item(Item::Finding(FindingView { place, en, zh, mended })).await
    }
}

/// What was found out about one account.
struct Checked {
    findings: Vec<(Text, bool)>,
}

impl Admin {
    /// Verifies the files of directory, queue and journal, the journal's chain, every account and every body, and tells each finding.
    /// With `repair` mends what can be mended: rows, counters and indexes of accounts, and account files that are damaged. With
    /// `quick` bodies are only looked for, not read. May run beside a working server.
    pub async fn check(&self, actor: &Actor, repair: bool, quick: bool, out: &Out) -> Result<Report> {
        let mut tally = Tally::default();
        self.check_shared(&mut tally, out).await?;
        self.check_journal(&mut tally, out).await?;
        self.check_accounts(&mut tally, repair, quick, out).await?;
        if !quick {
            self.check_bodies(&mut tally, out).await?;
        }
        if repair {
            let after = format!("{} findings, {} mended", tally.findings, tally.mended);
            self.note(actor, "check.repair", &self.deps.hostname, None, Some(after)).await?;
        }
        let Tally { accounts, bodies, events, findings, mended, torn } = tally;
        Ok(Report::Checked { accounts, bodies, events, findings, mended, torn })
    }

    /// The files of the server as a whole, and whether every entry of the queue can be read.
    async fn check_shared(&self, tally: &mut Tally, out: &Out) -> Result<()> {
        let month = month_of(self.deps.clock.now());
        for (name, place) in [
            ("server.db", Place::Server),
            ("queue.db", Place::Queue),
            ("moves.db", Place::Moves),
            ("peers.db", Place::Peers),
            ("journal", Place::Journal(month)),
        ] {
            let db = self.deps.db.clone();
            let lines =
                tokio::task::spawn_blocking(move || db.integrity(place)).await.map_err(Error::unavailable)??;
            for line in lines {
                tally.found(out, name.to_owned(), broken_file(&line), false).await?;
            }
        }
        let mut after = None;
        loop {
            match self.deps.queue.list(anser_queue::Filter::default(), after, PAGE).await {
                Ok(page) if page.next.is_some() => after = page.next,
                Ok(_) => return Ok(()),
                Err(error) if error.class == Class::Damaged => {
                    let text = broken_file(&error.chain());
                    return tally.found(out, "queue".to_owned(), text, false).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn check_journal(&self, tally: &mut Tally, out: &Out) -> Result<()> {
        let verdict = self.deps.journal.verify().await?;
        tally.events = verdict.events;
        match verdict.broken {
            Some(broken) => {
                let place = format!("journal node {} event {}", broken.node, broken.seq);
                tally.found(out, place, broken.why, false).await
            }
            None => Ok(()),
        }
    }

    async fn check_accounts(&self, tally: &mut Tally, repair: bool, quick: bool, out: &Out) -> Result<()> {
        let total = self.deps.directory.account_count().await?;
        let mut filter = AccountFilter::default();
        loop {
            let page = self.deps.directory.accounts(filter.clone()).await?;
            for account in &page.accounts {
                let checked = self.check_account(account.id, account.tenant, repair, quick).await?;
                for (text, mended) in checked.findings {
                    tally.found(out, account.address.to_string(), text, mended).await?;
                }
                tally.accounts += 1;
                out.progress(tally.accounts, total);
            }
            match page.next {
                Some(next) => filter.after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn check_account(&self, id: AccountId, tenant: TenantId, repair: bool, quick: bool) -> Result<Checked> {
        let (db, store) = (self.deps.db.clone(), self.deps.store.clone());
        let level = if quick { Level::Quick } else { Level::Full };
        let work = move || {
            let mut findings = Vec::new();
            let lines = db.integrity(Place::Account(id))?;
            let salvaged = repair && !lines.is_empty();
            if salvaged {
                db.salvage(Place::Account(id))?;
            }
            findings.extend(lines.iter().map(|line| (broken_file(line), salvaged)));
            // What is derived is thrown away when it is damaged, repair or not: it is made again by itself.
            if db.exists(Place::Search(id)) {
                for line in db.integrity(Place::Search(id))?.iter().take(1) {
                    store.discard_index(id)?;
                    findings.push((broken_index(line), true));
                }
            }
            match store.check(id, tenant, level, repair, &mut |_| ()) {
                Ok(report) => {
                    let mended = |finding: &Finding| report.repaired && finding.is_mendable();
                    findings.extend(report.findings.iter().map(|finding| (finding.text(), mended(finding))));
                }
                // The file itself is the finding.
                Err(error) if error.class == Class::Damaged && !findings.is_empty() => {}
                Err(error) if error.class == Class::Damaged => findings.push((broken_file(&error.chain()), false)),
                Err(error) => return Err(error),
            }
            Ok(Checked { findings })
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?
    }

    async fn check_bodies(&self, tally: &mut Tally, out: &Out) -> Result<()> {
        let (blobs, progress) = (self.deps.blobs.clone(), out.clone());
        let work = move || {
            let (mut seen, mut bad) = (0, Vec::new());
            let strange = blobs.verify_all(&mut |checked| {
                seen += 1;
                progress.progress(seen, 0);
                if let Err(error) = checked.verdict {
                    bad.push((checked.tenant, checked.id, error.chain()));
                }
            })?;
            Ok::<_, Error>((seen, bad, strange))
        };
        let (seen, mut bad, strange) = tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)??;
        tally.bodies = seen;
        // A put that was cut off before anything referred to it is no damage; the sweeper removes what it left. Where an account
        // cannot be read, nobody knows what is referred to.
        let references = if bad.is_empty() { None } else { self.references().await.ok() };
        let all = bad.len();
        bad.retain(|(tenant, id, _)| references.as_ref().is_none_or(|references| references.has(*tenant, *id)));
        tally.torn = (all - bad.len()) as u64;
        for (_, id, why) in bad {
            let text = Text::new(format!("the body does not verify: {why}"), format!("正文校验失败：{why}"));
            tally.found(out, format!("body {id}"), text, false).await?;
        }
        for path in strange {
            let text = Text::new("does not belong here", "不属于此处的文件");
            tally.found(out, path.display().to_string(), text, false).await?;
        }
        Ok(())
    }
}

fn broken_index(line: &str) -> Text {
    Text::new(
        format!("the search index was damaged and is made anew: {line}"),
        format!("搜索索引已损坏，将自动重建：{line}"),
    )
}

fn broken_file(line: &str) -> Text {
    Text::new(format!("the file is damaged: {line}"), format!("文件已损坏：{line}"))
}
