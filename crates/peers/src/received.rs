//! What others told of our domains. Anybody can send a report, so nothing in it is more than somebody's word; a row says whether the
//! sender's domain was authenticated.

use std::time::Duration;

use anser_base::{Result, Timestamp};
use anser_db::{Row, Tx, params};

use crate::{DAY, Kind, Meta, Peers, aggregate, plain, tls};

/// Lines of one report that are kept; of more the rest is summed up in one.
pub const LINES: usize = 200;
/// Reports that are kept; the oldest go first.
pub const REPORTS: i64 = 10_000;
/// How long a report is kept.
pub const KEPT: Duration = Duration::from_secs(400 * 24 * 3600);
/// Groups that [`Peers::findings`] returns at most.
pub const FINDINGS: i64 = 1000;
/// Longest text of a column, in bytes.
const TEXT: usize = 1024;

/// A report that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// What about.
    pub kind: Kind,
    /// Our domain.
    pub domain: String,
    /// Who says that it reports, and about what time.
    pub meta: Meta,
    /// The domain of the message's author.
    pub sender: String,
    /// That domain was authenticated (DMARC).
    pub verified: bool,
    /// What it says.
    pub findings: Vec<Finding>,
}

/// What somebody saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// The address that sent.
    pub source: String,
    /// The author's domain; of TLS, our server.
    pub about: String,
    /// All was well.
    pub passed: bool,
    /// What was found and done, in words of the protocols.
    pub detail: String,
    /// How often.
    pub count: u64,
}

/// Which findings are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Of one domain.
    pub domain: Option<String>,
    /// About one thing.
    pub kind: Option<Kind>,
    /// From reports about the last so many days.
    pub days: u32,
}

/// Findings of all reports that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summed {
    /// What about.
    pub kind: Kind,
    /// Our domain.
    pub domain: String,
    /// What was seen.
    pub finding: Finding,
    /// Reports that say so.
    pub reports: u64,
    /// Some of them came from whom they say.
    pub verified: bool,
}

impl Received {
    /// A report on mail in our name.
    pub fn aggregate(report: aggregate::Report, sender: &str, verified: bool) -> Self {
        let findings = report.rows.into_iter().map(|(row, count)| Finding::of_row(&row, count)).collect();
        let (kind, domain) = (Kind::Dmarc, report.policy.domain);
        Self { kind, domain, meta: report.meta, sender: sender.to_owned(), verified, findings }
    }

    /// Reports on encryption on the way to us, one for each domain.
    pub fn tls(report: tls::Report, sender: &str, verified: bool) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for (session, count) in report.sessions {
            let (kind, domain, finding) =
                (Kind::Tls, session.policy.policy_domain.clone(), Finding::of_session(&session, count));
            match all.iter_mut().find(|one| one.domain == domain) {
                Some(one) => one.findings.push(finding),
                None => {
                    let (meta, sender, findings) = (report.meta.clone(), sender.to_owned(), vec![finding]);
                    all.push(Self { kind, domain, meta, sender, verified, findings });
                }
            }
        }
        all
    }
}

impl Finding {
    fn of_row(row: &aggregate::Row, count: u64) -> Self {
        let mut detail = vec![row.disposition.clone()];
        if !row.reason.is_empty() {
            detail.push(format!("({})", row.reason));
        }
        detail.extend(row.signatures.iter().map(|one| format!("dkim={} {}", one.result, one.domain)));
        detail.extend(row.checked.iter().map(|one| format!("spf={} {}", one.result, one.domain)));
        Self {
            source: row.source.map(|source| source.to_string()).unwrap_or_default(),
            about: row.author.clone(),
            passed: row.dkim || row.spf,
            detail: plain(&detail.join(" "), TEXT),
            count,
        }
    }

    fn of_session(session: &tls::Session, count: u64) -> Self {
        let failure = session.failure.clone().unwrap_or_default();
        let mut detail = vec![session.policy.policy_type.clone()];
        if session.failure.is_some() {
            let result = if failure.result_type.is_empty() { "failed" } else { &failure.result_type };
            detail.push(result.to_owned());
            detail.push(failure.failure_reason_code);
        }
        Self {
            source: failure.sending_mta_ip,
            about: failure.receiving_mx_hostname,
            passed: session.failure.is_none(),
            detail: plain(&detail.join(" "), TEXT),
            count,
        }
    }
}

impl Peers {
    /// Keeps a report. False when it was there already. A power cut may forget it; the message that brought it is mail like other.
    pub async fn keep_report(&self, report: Received) -> Result<bool> {
        let Received { kind, domain, meta, sender, verified, mut findings } = report;
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.count));
        if findings.len() > LINES {
            let rest = findings.drain(LINES..).map(|finding| finding.count).fold(0u64, u64::saturating_add);
            findings.push(Finding { detail: "…".into(), count: rest, ..Finding::default() });
        }
        let (now, id) = (self.now(), number(kind, &domain, &meta));
        self.write(move |tx| {
            let sql = "INSERT INTO peer_reports (id, kind, domain, organization, report, sender, verified, begin_s, end_s, received_ms)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING";
            let row = params![
                id,
                kind.number(),
                &domain,
                &meta.organization,
                &meta.id,
                &sender,
                verified,
                meta.begin,
                meta.end,
                now.0
            ];
            if tx.execute(sql, row)? == 0 {
                return Ok(false);
            }
            for (position, line) in findings.iter().enumerate() {
                let sql = "INSERT INTO peer_lines (report, position, source, about, passed, detail, count)
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
                let Finding { source, about, passed, detail, count } = line;
                let count = i64::try_from(*count).unwrap_or(i64::MAX).min(MOST);
                tx.execute(sql, params![id, position as i64, source, about, *passed, detail, count])?;
            }
            forget_old(tx, now)?;
            Ok(true)
        })
        .await
    }

    /// What others saw, alike things summed up: failures first, then what is most frequent.
    pub async fn findings(&self, wanted: &Wanted) -> Result<Vec<Summed>> {
        let (kind, domain, since) = self.bounds(wanted);
        let sql = "SELECT r.kind, r.domain, l.source, l.about, l.passed, l.detail, CAST(sum(l.count) AS BIGINT), count(*), max(r.verified)
                   FROM peer_reports r JOIN peer_lines l ON l.report = r.id
                   WHERE r.end_s >= ?1 AND (?2 = 0 OR r.kind = ?2) AND (?3 = '' OR r.domain = ?3)
                   GROUP BY r.kind, r.domain, l.source, l.about, l.passed, l.detail
                   ORDER BY r.kind, r.domain, l.passed, sum(l.count) DESC, l.source, l.about, l.detail LIMIT ?4";
        self.read(move |tx| tx.query(sql, params![since, kind, &domain, FINDINGS], summed)).await
    }

    /// The reports that these are from, the newest first, without their findings; a thousand at most.
    pub async fn reports(&self, wanted: &Wanted) -> Result<Vec<Received>> {
        let (kind, domain, since) = self.bounds(wanted);
        let sql = "SELECT kind, domain, organization, report, sender, verified, begin_s, end_s FROM peer_reports
                   WHERE end_s >= ?1 AND (?2 = 0 OR kind = ?2) AND (?3 = '' OR domain = ?3)
                   ORDER BY begin_s DESC, id DESC LIMIT ?4";
        self.read(move |tx| tx.query(sql, params![since, kind, &domain, FINDINGS], report)).await
    }

    fn bounds(&self, wanted: &Wanted) -> (i64, String, i64) {
        let since = self.now().secs() - i64::from(wanted.days) * DAY;
        (wanted.kind.map_or(0, Kind::number), wanted.domain.clone().unwrap_or_default().to_lowercase(), since)
    }
}

/// Most that one line can count, so that no sum of them runs over.
const MOST: i64 = 1 << 32;

fn forget_old(tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
    let newest = "SELECT received_ms FROM peer_reports ORDER BY received_ms DESC LIMIT 1 OFFSET ?1";
    let crowded = tx.query_one(newest, params![REPORTS], |row| row.int(0))?.unwrap_or(0);
    let oldest = crowded.max(now.0 - KEPT.as_millis() as i64);
    let lines = "DELETE FROM peer_lines WHERE report IN (SELECT id FROM peer_reports WHERE received_ms < ?1)";
    tx.execute(lines, params![oldest])?;
    tx.execute("DELETE FROM peer_reports WHERE received_ms < ?1", params![oldest]).map(drop)
}

/// The number of a report: the same whenever it comes, so that it is kept once (RFC 9990 has them told apart by these).
fn number(kind: Kind, domain: &str, meta: &Meta) -> i64 {
    let mut hash = blake3::Hasher::new();
    for part in [kind.word(), domain, &meta.organization, &meta.id] {
        hash.update(part.as_bytes()).update(b"\0");
    }
    let hash = hash.finalize();
    let (first, _) = hash.as_bytes().split_first_chunk().unwrap_or((&[0; 8], &[]));
    i64::from_le_bytes(*first)
}

fn summed(row: &Row<'_>) -> Result<Summed> {
    Ok(Summed {
        kind: Kind::of(row.int(0)?),
        domain: row.text(1)?,
        finding: Finding {
            source: row.text(2)?,
            about: row.text(3)?,
            passed: row.int(4)? != 0,
            detail: row.text(5)?,
            count: row.int(6)?.unsigned_abs(),
        },
        reports: row.int(7)?.unsigned_abs(),
        verified: row.int(8)? != 0,
    })
}

fn report(row: &Row<'_>) -> Result<Received> {
    Ok(Received {
        kind: Kind::of(row.int(0)?),
        domain: row.text(1)?,
        meta: Meta {
            organization: row.text(2)?,
            contact: String::new(),
            id: row.text(3)?,
            begin: row.int(6)?,
            end: row.int(7)?,
        },
        sender: row.text(4)?,
        verified: row.int(5)? != 0,
        findings: Vec::new(),
    })
}
