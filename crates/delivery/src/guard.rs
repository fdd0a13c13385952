//! Guards what own accounts send to other organisations: limits, a brake on people who were never written to, and signs that an account is
//! in wrong hands. Such an account's mail is held, nothing of it is lost, and the administrator is told.
//!
//! | sign | held when |
//! |---|---|
//! | rate | within an hour as much again was tried as is allowed |
//! | returns | many recipients do not exist, and most of what was sent came back |
//! | networks | it sends from many networks within an hour |
//!
//! What is counted is in memory: a restart begins anew. What is held, and who was written to, is in the directory.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anser_base::{AccountId, Address, EntryId, Result, Timestamp};
use anser_blob::Prepared;
use anser_directory::{Account, DEFAULT_TENANT, SendingLimits};
use anser_journal::What;
use anser_mime::date::{DateTime, format_rfc5322};
use anser_net::network::is_public;
use anser_queue::{Body, Change, Entry, Envelope, Origin, Outcome, Plan, Protocol, Recipient};
use anser_wire::smtp::BodyType;

use crate::Delivery;
use crate::remote::Way;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Networks within an hour that are more than one person comes by.
const NETWORKS: usize = 10;
/// Returns within a day that are more than mistakes, and the part of all recipients that they have to be.
const RETURNS: f64 = 40.0;
const SHARE: f64 = 0.4;
/// How long mail over a limit waits until it is looked at again.
const AGAIN: Duration = Duration::from_secs(600);
/// Senders that are watched, and entries that are known to be counted; when there are more all begin anew.
const WATCHED: usize = 50_000;

/// What is watched.
#[derive(Default)]
pub(crate) struct Guard {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    senders: HashMap<Sender, Watch>,
    counted: HashSet<EntryId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Sender {
    Account(AccountId),
    Domain(String),
}

#[derive(Default)]
struct Watch {
    hour: Window,
    day: Window,
    new: Window,
    /// What was put off for the limit of the hour.
    refused: Window,
    sent: Window,
    returned: Window,
    networks: Vec<(IpAddr, Timestamp)>,
}

/// How much there was in a time that moves on, from the counts of its last two parts.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    begun: Timestamp,
    now: f64,
    before: f64,
}

impl Window {
    fn sum(&mut self, now: Timestamp, span: Duration) -> f64 {
        let gone = now.since(self.begun);
        if gone >= span {
            self.before = if gone < span * 2 { self.now } else { 0.0 };
            (self.begun, self.now) = (now, 0.0);
        }
        self.now + self.before * (1.0 - now.since(self.begun).as_secs_f64() / span.as_secs_f64())
    }

    fn add(&mut self, now: Timestamp, span: Duration, count: f64) {
        self.sum(now, span);
        self.now += count;
    }
}

/// What a message adds.
#[derive(Clone, Copy)]
struct Load {
    recipients: f64,
    new: f64,
}

enum Verdict {
    Go,
    /// Too much at present, in words.
    Wait(&'static str),
    /// In wrong hands, in words.
    Hold(String),
}

impl Watch {
    fn judge(&mut self, limits: &SendingLimits, load: Load, now: Timestamp) -> Verdict {
        let Load { recipients, new } = load;
        let (hour, day) = (f64::from(limits.per_hour), f64::from(limits.per_day));
        if self.hour.sum(now, HOUR) + recipients > hour {
            self.refused.add(now, HOUR, recipients);
            return match self.refused.sum(now, HOUR) > hour {
                true => Verdict::Hold(format!("more than twice {hour} recipients in an hour")),
                false => Verdict::Wait("the limit of an hour"),
            };
        }
        if self.day.sum(now, DAY) + recipients > day {
            return Verdict::Wait("the limit of a day");
        }
        if self.new.sum(now, DAY) + new > f64::from(limits.new_per_day) {
            return Verdict::Wait("the limit of people who were never written to");
        }
        self.hour.add(now, HOUR, recipients);
        self.day.add(now, DAY, recipients);
        self.new.add(now, DAY, new);
        Verdict::Go
    }

    /// Notes where the account sends from; tells when that is too many places.
    fn comes_from(&mut self, network: IpAddr, now: Timestamp) -> Option<String> {
        self.networks.retain(|(known, at)| *known != network && now.since(*at) < HOUR);
        self.networks.push((network, now));
        let many = self.networks.len() > NETWORKS;
        many.then(|| format!("it sends from {} networks within an hour", self.networks.len()))
    }

    fn ends(&mut self, sent: f64, returned: f64, now: Timestamp) -> Option<String> {
        self.sent.add(now, DAY, sent);
        self.returned.add(now, DAY, returned);
        let (sent, returned) = (self.sent.sum(now, DAY), self.returned.sum(now, DAY));
        let many = returned >= RETURNS && returned >= SHARE * (sent + returned);
        many.then(|| format!("{returned:.0} of {:.0} recipients did not exist or refused", sent + returned))
    }
}

impl Guard {
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.senders.len() > WATCHED || state.counted.len() > WATCHED {
            *state = State::default();
        }
        state
    }
}

impl Delivery {
    /// What becomes of the recipients elsewhere of an entry that an own account submitted; `None` lets them go. Trouble with the directory
    /// lets them go as well: a guard that fails stops no mail.
    pub(crate) async fn guard(&self, entry: &Entry, remote: &[(usize, Way)]) -> Option<Outcome> {
        let origin = &entry.envelope.origin;
        let account = origin.account.filter(|_| origin.protocol == Protocol::Submission && !remote.is_empty())?;
        let judged = self.judge(entry, account, remote).await;
        judged.unwrap_or_else(|error| {
            tracing::error!(error = error.chain(), "what an account sends cannot be guarded");
            None
        })
    }

    async fn judge(&self, entry: &Entry, id: AccountId, remote: &[(usize, Way)]) -> Result<Option<Outcome>> {
        let directory = &self.deps.directory;
        if directory.sending_hold(id).await?.is_some() {
            return Ok(Some(held()));
        }
        let Some(account) = directory.account(id).await? else { return Ok(None) };
        if self.guard.state().counted.contains(&entry.id) {
            return Ok(None);
        }
        let people: Vec<Address> =
            remote.iter().map(|(index, _)| entry.envelope.recipients[*index].address.clone()).collect();
        let load =
            Load { recipients: people.len() as f64, new: directory.new_correspondents(id, &people).await?.into() };
        let limits = directory.sending_limits(&account).await?;
        let of_domain = directory.sending_limits_of_domain(account.address.domain()).await?;
        match self.weigh(entry, &account, load, &limits, of_domain.as_ref()) {
            Verdict::Go => {
                directory.note_correspondents(id, &people).await?;
                Ok(None)
            }
            Verdict::Wait(why) => Ok(Some(Outcome::Wait { after: AGAIN, why: format!("4.7.28 {why} is reached") })),
            Verdict::Hold(why) => {
                self.hold_account(&account, &why).await?;
                Ok(Some(held()))
            }
        }
    }

    fn weigh(
        &self,
        entry: &Entry,
        account: &Account,
        load: Load,
        limits: &SendingLimits,
        of_domain: Option<&SendingLimits>,
    ) -> Verdict {
        let (now, mut state) = (self.deps.clock.now(), self.guard.state());
        let network = entry.envelope.origin.client.filter(|client| is_public(*client)).map(network);
        let own = state.senders.entry(Sender::Account(account.id)).or_default();
        if let Some(why) = network.and_then(|network| own.comes_from(network, now)) {
            return Verdict::Hold(why);
        }
        let verdict = own.judge(limits, load, now);
        if !matches!(verdict, Verdict::Go) {
            return verdict;
        }
        if let Some(limits) = of_domain {
            let domain = Sender::Domain(account.address.domain().to_owned());
            // A whole domain is never in wrong hands for its rate.
            if !matches!(state.senders.entry(domain).or_default().judge(limits, load, now), Verdict::Go) {
                return Verdict::Wait("the limit of the domain");
            }
        }
        state.counted.insert(entry.id);
        Verdict::Go
    }

    /// Notes how the recipients elsewhere of an entry ended.
    pub(crate) async fn watch_ends(&self, entry: &Entry, plan: &Plan) {
        let origin = &entry.envelope.origin;
        let Some(id) = origin.account.filter(|_| origin.protocol == Protocol::Submission) else { return };
        let ended = |wanted: Change| plan.changes.iter().filter(|(_, change)| *change == wanted).count() as f64;
        let (sent, returned, now) = (ended(Change::Done), ended(Change::Failed), self.deps.clock.now());
        if sent + returned == 0.0 {
            return;
        }
        let sign = self.guard.state().senders.entry(Sender::Account(id)).or_default().ends(sent, returned, now);
        let Some(why) = sign else { return };
        let done = async {
            match self.deps.directory.account(id).await? {
                Some(account) => self.hold_account(&account, &why).await,
                None => Ok(()),
            }
        };
        if let Err(error) = done.await {
            tracing::error!(error = error.chain(), why, "an account that seems to be in wrong hands cannot be held");
        }
    }

    /// Holds what an account sends, once, and tells the administrator.
    async fn hold_account(&self, account: &Account, why: &str) -> Result<()> {
        if !self.deps.directory.hold_sending(account.id, why).await? {
            return Ok(());
        }
        self.guard.state().senders.remove(&Sender::Account(account.id));
        let address = account.address.to_string();
        tracing::warn!(account = address, why, "the mail of an account is held");
        let (actor, act) = ("guard".to_owned(), "sending.hold".to_owned());
        self.journal(What::Administered { actor, act, object: address.clone(), before: None, after: Some(why.into()) })
            .await;
        let Some(to) = Address::new("postmaster", account.address.domain()) else { return Ok(()) };
        let raw = self.notice(&to, &address, why);
        let prepared = Prepared::new(raw.as_bytes());
        let body = Body::inline(prepared.id, raw.len() as u64, prepared.stored);
        let plain = Envelope::new(None, vec![Recipient::new(to)], Origin::internal(), self.deps.clock.now());
        let envelope = Envelope { body_type: BodyType::EightBitMime, tenant: Some(DEFAULT_TENANT), ..plain };
        self.deps.queue.put(envelope, body).await.map(drop)
    }

    fn notice(&self, to: &Address, account: &str, why: &str) -> String {
        let (host, id) = (&self.deps.hostname, self.deps.entropy.token(20));
        let date = format_rfc5322(DateTime { unix: self.deps.clock.now().secs(), offset_minutes: 0 });
        format!(
            "From: postmaster@{host}\r\nTo: {to}\r\nSubject: Mail of {account} is held\r\nDate: {date}\r\n\
             Message-ID: <{id}@{host}>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
             The account {account} may be in wrong hands: {why}.\r\n\
             What it sends to other organisations is held in the queue; nothing is lost.\r\n\
             Set a new password, then:\r\n\r\n    anser sending release {account}\r\n    \
             anser queue release --sender {account}\r\n\r\n\
             or, if it was not the owner who wrote: anser queue remove --held --sender {account}\r\n\r\n\
             账号 {account} 可能已被盗用（{why}）。它的外发邮件已暂停在队列中，没有丢失。\r\n\
             请先修改密码，再用上述命令放行或删除。\r\n"
        )
    }
}

fn held() -> Outcome {
    Outcome::Hold { why: "4.7.0 the mail of this account is held until the administrator has looked at it".into() }
}

/// One provider's customers move within such a range.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & 0xffff_0000).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 96 << 96).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_forgets_slowly_and_wholly() {
        let (mut window, start) = (Window::default(), Timestamp::from_secs(1_000_000));
        window.add(start, HOUR, 60.0);
        assert_eq!(window.sum(start, HOUR), 60.0);
        assert_eq!(window.sum(start.after(HOUR), HOUR), 60.0);
        assert_eq!(window.sum(start.after(HOUR + HOUR / 2), HOUR), 30.0);
        assert_eq!(window.sum(start.after(HOUR * 3), HOUR), 0.0);
    }
}
