//! What a move says of itself: measured anew at each look, of its form, its mailboxes, their passes and their proofs.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use anser_base::{AccountId, Error, Result, Timestamp};
use anser_db::Tx;
use anser_store::{LedgerFolder, LedgerState, MailTx};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::DELTA;
use crate::Migrate;
use crate::form::Field;
use crate::history::Past;
use crate::model::{Mailbox, State};
use crate::pass::SHUT;
use crate::rows;
use crate::tickets;
use crate::verify::Sum;

/// Logins that a gate names.
const NAMED: usize = 10;

/// How many there are, some of them named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// All of them.
    pub count: u64,
    names: Vec<String>,
}

impl Named {
    /// One more.
    pub fn add(&mut self, name: &str) {
        self.count += 1;
        if self.names.len() < NAMED {
            self.names.push(name.to_owned());
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join(", "))?;
        match self.count > self.names.len() as u64 {
            true => write!(f, "… ({})", self.count),
            false => Ok(()),
        }
    }
}

/// What a move does not bring of a mailbox, as far as its proof tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Whether that is not known: there is no proof since its cut-over and since the last pass that brought something.
    pub unproven: bool,
    /// Messages and folders that are unexplained.
    pub unexplained: u64,
    /// Those that the source does not hand out.
    pub failed: u64,
    /// Messages that came to the source since, and were not brought.
    pub unbrought: u64,
}

impl Lost {
    /// Whether it is no more than this.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.unproven <= other.unproven
            && self.unexplained <= other.unexplained
            && self.failed <= other.failed
            && self.unbrought <= other.unbrought
    }
}

/// What a move does not bring of all its mailboxes, in sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InSum {
    /// Mailboxes of which something is lost.
    pub mailboxes: u64,
    /// Messages and folders that are unexplained.
    pub unexplained: u64,
    /// Those that the source does not hand out.
    pub failed: u64,
    /// Messages that came to the source since, and were not brought.
    pub unbrought: u64,
    /// Mailboxes of which that is not known. What was kept says nothing of them: nobody took them on.
    #[serde(skip)]
    pub unproven: u64,
}

impl InSum {
    /// What all of these come to.
    pub(super) fn of(lost: &BTreeMap<u64, Lost>) -> Self {
        lost.values().fold(Self::default(), |sum, one| Self {
            mailboxes: sum.mailboxes + 1,
            unexplained: sum.unexplained + one.unexplained,
            failed: sum.failed + one.failed,
            unbrought: sum.unbrought + one.unbrought,
            unproven: sum.unproven + u64::from(one.unproven),
        })
    }

    /// Whether it is no more than this.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.mailboxes <= other.mailboxes
            && self.unexplained <= other.unexplained
            && self.failed <= other.failed
            && self.unbrought <= other.unbrought
            && self.unproven <= other.unproven
    }
}

impl fmt::Display for InSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mailboxes, unexplained, failed, unbrought, .. } = self;
        write!(
            f,
            "in sum 按总数: {mailboxes} mailboxes 邮箱, {unexplained} unexplained 无法解释, {failed} failed 未能取得, \
             {unbrought} not brought 未迁入"
        )
    }
}

/// What a move says of itself.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Questions of the survey form that need an answer and have none.
    pub unanswered: Vec<&'static Field>,
    /// Users as somebody said in the survey form, where that is a number.
    pub users: Option<u64>,
    /// Accounts whose mailboxes are listed.
    pub accounts: u64,
    /// Mailboxes that are listed and not taken out of the move.
    pub mailboxes: u64,
    /// Logins that never worked, or that the old server refuses now.
    pub shut_out: Named,
    /// Logins that were not brought as a whole, and are not cut over.
    pub unready: Named,
    /// Logins over which the last pass took [`DELTA`] or longer, and that are not cut over.
    pub slow: Named,
    /// Logins that are not cut over and have no proof that counts, or one with something unexplained or failed.
    pub unproven: Named,
    /// Logins that are cut over, and at which late mail cannot be looked for as they are now.
    pub unswept: Named,
    /// Tickets that are open.
    pub tickets: Named,
    /// What is lost, by the number of each mailbox of which something is.
    pub lost: BTreeMap<u64, Lost>,
    /// The logins of these.
    pub losing: Named,
    /// When the last one was cut over, in milliseconds since 1970, once all are.
    pub over: Option<i64>,
}

impl Standing {
    /// Takes a mailbox of the move into account.
    fn count(&mut self, mailbox: &Mailbox, past: &Past, proof: Option<(Timestamp, Sum)>) {
        let is_cut = mailbox.cut.0 > 0;
        // Of what a pass brought since, or in the middle of it, a proof tells nothing.
        let counts = |at: Timestamp| past.whole.0 > 0 && at >= past.brought && at >= mailbox.cut;
        let is_proven = proof.as_ref().is_some_and(|(at, _)| counts(*at));
        let lost = proof.as_ref().map_or(Lost { unproven: true, ..Lost::default() }, |(_, sum)| Lost {
            unproven: !is_proven,
            unexplained: sum.unexplained,
            failed: sum.failed,
            // What came since the cut-over, and stays there when the move ends, is lost.
            unbrought: if is_cut { sum.unbrought } else { 0 },
        });
        if lost != Lost::default() {
            self.lost.insert(mailbox.id, lost);
            self.losing.add(&mailbox.login);
        }
        self.mailboxes += 1;
        if is_cut {
            if !matches!(mailbox.state, State::Settled | State::Copying) {
                self.unswept.add(&mailbox.login);
            }
            return;
        }
        if lost != Lost::default() {
            self.unproven.add(&mailbox.login);
        }
        if mailbox.pass == 0 || mailbox.state == State::Refused {
            self.shut_out.add(&mailbox.login);
        }
        if past.took >= DELTA {
            self.slow.add(&mailbox.login);
        }
        if mailbox.state != State::Settled || past.whole.0 == 0 {
            self.unready.add(&mailbox.login);
        }
    }
}

/// A mailbox with what is remembered of its passes, and its newest proof and when that began.
pub(crate) struct Counted {
    pub mailbox: Mailbox,
    pub past: Past,
    pub proof: Option<(Timestamp, Sum)>,
}

/// What is counted of a move so far.
struct Count {
    standing: Standing,
    accounts: HashSet<AccountId>,
    are_over: bool,
    last: Option<i64>,
    /// Mailboxes that are brought as a whole by what the tables say of them.
    brought: Vec<Mailbox>,
}

impl Count {
    fn begin(tx: &mut Tx<'_>, of: u64) -> Result<Self> {
        let (form, tickets) = (rows::form(tx, of)?, tickets::of_move(tx, of)?);
        let (users, unanswered) = (form.number_said("users"), form.missing());
        let mut standing = Standing { unanswered, users, ..Standing::default() };
        for ticket in tickets.iter().filter(|ticket| ticket.closed.is_none()) {
            standing.tickets.add(&ticket.id.to_string());
        }
        Ok(Self { standing, accounts: HashSet::new(), are_over: true, last: None, brought: Vec::new() })
    }

    fn add(&mut self, Counted { mailbox, past, proof }: Counted) {
        let is_abandoned = mailbox.state == State::Abandoned;
        self.accounts.insert(mailbox.account);
        self.are_over &= mailbox.cut.0 > 0 || is_abandoned;
        self.last = self.last.max(Some(mailbox.cut.0));
        if is_abandoned {
            return;
        }
        let unready = self.standing.unready.count;
        self.standing.count(&mailbox, &past, proof);
        if mailbox.cut.0 == 0 && self.standing.unready.count == unready {
            self.brought.push(mailbox);
        }
    }

    fn end(self) -> (Standing, Vec<Mailbox>) {
        let (accounts, over) = (self.accounts.len() as u64, self.last.filter(|_| self.are_over));
        (Standing { accounts, over, ..self.standing }, self.brought)
    }
}

impl Standing {
    /// What the tables say of a move, to a transaction that has locked its rows. Proofs were summed up before.
    pub(crate) fn of(tx: &mut Tx<'_>, of: u64) -> Result<Self> {
        let (mut count, mut after) = (Count::begin(tx, of)?, 0);
        loop {
            let page = rows::counted(tx, of, after)?;
            let Some(last) = page.last() else { return Ok(count.end().0) };
            after = last.mailbox.id;
            page.into_iter().for_each(|one| count.add(one));
        }
    }
}

impl Migrate {
    /// What is lost of a move's mailboxes, by the number of each of which something is.
    pub(crate) async fn lost(&self, of: u64) -> Result<BTreeMap<u64, Lost>> {
        Ok(self.counted(of).await?.0.lost)
    }

    /// What the tables say of a move, and the mailboxes that are brought as a whole by what they say.
    ///
    /// Passes and proofs go on meanwhile. A mailbox, its past and its proof are read by one statement: a proof is held against the very
    /// pass that was the last when it was the newest, and a mailbox is at rest in the same moment. Between two mailboxes nothing has to
    /// agree. What is remembered with the move is read after all of them: of mail that came late since, it says so.
    async fn counted(&self, of: u64) -> Result<(Standing, Vec<Mailbox>)> {
        self.sum_up(of).await?;
        let (mut count, mut after) = (self.read(move |tx| Count::begin(tx, of)).await?, 0);
        loop {
            let page = self.read(move |tx| rows::counted(tx, of, after)).await?;
            let Some(last) = page.last() else { return Ok(count.end()) };
            after = last.mailbox.id;
            page.into_iter().for_each(|one| count.add(one));
        }
    }

    /// Sums up proofs that were kept before their sums were, on a worker thread: a proof may be some 100 KB, and no transaction waits for it.
    pub(crate) async fn sum_up(&self, of: u64) -> Result<()> {
        let mut after = 0;
        loop {
            let page = self.read(move |tx| rows::proofs_without_sum(tx, of, after)).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            let parse = move || -> Vec<(u64, Sum)> {
                page.iter().filter_map(|(id, text)| Some((*id, Sum::read(text).ok()?))).collect()
            };
            let sums = spawn_blocking(parse).await.map_err(Error::unavailable)?;
            self.write(move |tx| sums.iter().try_for_each(|(id, sum)| rows::set_sum(tx, *id, sum))).await?;
        }
    }

    /// How a move stands.
    pub(crate) async fn standing(&self, of: u64) -> Result<Standing> {
        let (mut standing, brought) = self.counted(of).await?;
        for mailbox in brought {
            let (failed, mut shut) = self.left_there(&mailbox).await?;
            if shut == 0 && mailbox.note.as_deref().is_some_and(|note| note.contains(SHUT)) {
                // Before folders remembered it the last pass noted it of the mailbox alone.
                shut = 1;
            }
            if failed + shut > 0 {
                standing.unready.add(&format!("{} ({failed} failed, {shut} folders shut)", mailbox.login));
            }
        }
        Ok(standing)
    }

    /// Messages that the old server did not hand out, and folders that it did not open, of a mailbox that a pass has gone over.
    async fn left_there(&self, mailbox: &Mailbox) -> Result<(u64, u64)> {
        let id = mailbox.id;
        let find = move |tx: &mut MailTx<'_, '_>| {
            // Of a folder that was numbered anew the newest counts: what was not handed out before is asked for again there.
            let newest: HashMap<Vec<u8>, LedgerFolder> =
                tx.ledger_folders(id)?.into_iter().map(|folder| (folder.name.clone(), folder)).collect();
            let (mut failed, mut shut) = (0, 0);
            for folder in newest.values() {
                failed += tx.ledger_tally(id, Some(folder.key.folder))?.rows[LedgerState::Failed as usize];
                // The pass that went over all of it tried it in vain.
                shut += u64::from(folder.state > 0);
            }
            Ok((failed, shut))
        };
        self.inner.deps.store.read(mailbox.account, find).await
    }
}
