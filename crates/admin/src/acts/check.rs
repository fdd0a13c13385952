//! Verification of all that is stored.

use anser_base::{Error, Result};

use crate::answer::{FindingView, Item, Out, Report};
use crate::{Actor, Admin};

/// What a check has seen so far.
#[derive(Default)]
struct Tally {
    accounts: u64,
    bodies: u64,
    events: u64,
    findings: u64,
    mended: u64,
}

impl Admin {
    /// Verifies bodies and the journal's chain, and tells each finding. Repairs what can be with `repair`.
    pub async fn check(&self, actor: &Actor, repair: bool, out: &Out) -> Result<Report> {
        let mut tally = Tally::default();
        self.check_bodies(&mut tally, out).await?;
        self.check_journal(&mut tally, out).await?;
        if repair {
            let after = format!("{} findings, {} mended", tally.findings, tally.mended);
            self.note(actor, "check.repair", &self.deps.hostname, None, Some(after)).await?;
        }
        let Tally { accounts, bodies, events, findings, mended } = tally;
        Ok(Report::Checked { accounts, bodies, events, findings, mended })
    }

    async fn check_bodies(&self, tally: &mut Tally, out: &Out) -> Result<()> {
        let (blobs, progress) = (self.deps.blobs.clone(), out.clone());
        let work = move || {
            let (mut seen, mut bad) = (0, Vec::new());
            let strange = blobs.verify_all(&mut |checked| {
                seen += 1;
                progress.progress(seen, 0);
                if let Err(error) = checked.verdict {
                    bad.push((checked.id, error.chain()));
                }
            })?;
            Ok::<_, Error>((seen, bad, strange))
        };
        let (seen, bad, strange) = tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)??;
        tally.bodies = seen;
        for (id, why) in bad {
            let (en, zh) = (format!("the body does not verify: {why}"), format!("正文校验失败：{why}"));
            found(tally, out, format!("body {id}"), en, zh).await?;
        }
        for path in strange {
            let (en, zh) = ("does not belong here".to_owned(), "不属于此处的文件".to_owned());
            found(tally, out, path.display().to_string(), en, zh).await?;
        }
        Ok(())
    }

    async fn check_journal(&self, tally: &mut Tally, out: &Out) -> Result<()> {
        let verdict = self.deps.journal.verify().await?;
        tally.events = verdict.events;
        match verdict.broken {
            Some(broken) => {
                let place = format!("journal node {} event {}", broken.node, broken.seq);
                found(tally, out, place, broken.why.en.into(), broken.why.zh.into()).await
            }
            None => Ok(()),
        }
    }
}

async fn found(tally: &mut Tally, out: &Out, place: String, en: String, zh: String) -> Result<()> {
    tally.findings += 1;
    out.item(Item::Finding(FindingView { place, en, zh, mended: false })).await
}
