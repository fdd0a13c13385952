//! Who follows the accounts that have subscriptions, and sends. A change goes out at once; what happens within [`PAUSE`] after that goes
//! together. What a push service does not take is tried again, ever more seldom, together with what happened meanwhile: a StateChange
//! tells where things stand, so that nothing is lost by leaving out what was in between.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::iter;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anser_base::{AccountId, Error, Result, Timestamp};
use anser_directory::PushSubscription;
use anser_net::http::client::{Options, exchange, post};
use anser_net::http::{HeaderValue, header};
use serde_json::{Map, Value, json};
use tokio::sync::{Notify, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};
use url::Url;

use super::{AN_HOUR, Subscription, push_id, seal};
use crate::auth;
use crate::door::Door;
use crate::ids;
use crate::push::follow::Follower;

/// Least time between two messages for one subscription.
const PAUSE: Duration = Duration::from_secs(3);
/// How long one message may take, and how long it is kept for a client that is away (RFC 8030 §5.2, `TTL`), in seconds.
const TIME: Duration = Duration::from_secs(20);
const TTL: u32 = 86_400;
/// Most bytes of a push service's answer.
const ANSWER: usize = 16 * 1024;
/// The first and the longest wait after a failure.
const WAITS: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(3600));
/// How many failures in a row end a subscription whose code was not shown yet, and how many another: three days, so that a night without the
/// Internet ends none.
const FAILURES: (u32, u32) = (12, 78);
/// Messages on their way at once, of all accounts.
const AT_ONCE: usize = 32;
/// Of these, to one push service.
const AT_HOST: usize = 8;
/// Push services whose turns are remembered, beside those that are written to.
const HOSTS: usize = 1_000;
/// How often is looked which accounts have subscriptions, which may have been made at another node.
const LOOK: Duration = Duration::from_secs(60);
/// How often an account's subscriptions are read anew though nothing was told of them.
const ANEW: Duration = Duration::from_secs(3600);
/// Accounts that are followed.
const FOLLOWED: usize = 50_000;
/// Accounts whose new subscriptions are counted; beyond them counting begins anew.
const COUNTED: usize = 20_000;

/// What the door holds of it.
#[derive(Clone)]
pub(crate) struct Pusher(Arc<Inner>);

struct Inner {
    changed: Mutex<HashSet<AccountId>>,
    news: Notify,
    turns: Semaphore,
    /// The turns of each push service that is written to.
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// The hour, and how many subscriptions each account asked for in it.
    added: Mutex<(i64, HashMap<AccountId, u32>)>,
}

impl Default for Pusher {
    fn default() -> Self {
        let (changed, news, hosts, added) = Default::default();
        Self(Arc::new(Inner { changed, news, hosts, added, turns: Semaphore::new(AT_ONCE) }))
    }
}

impl Pusher {
    /// Somebody's subscriptions are others now.
    pub fn changed(&self, account: AccountId) {
        self.0.changed.lock().unwrap_or_else(PoisonError::into_inner).insert(account);
        self.0.news.notify_one();
    }

    /// The turns of a push service: those of one that does not answer are few of all.
    fn at_host(&self, host: &str) -> Arc<Semaphore> {
        let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= HOSTS {
            hosts.retain(|_, turns| Arc::strong_count(turns) > 1);
        }
        hosts.entry(host.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(AT_HOST))).clone()
    }

    /// Whether an account may ask for one more.
    pub fn may_add(&self, account: AccountId, now: Timestamp) -> bool {
        let mut added = self.0.added.lock().unwrap_or_else(PoisonError::into_inner);
        let hour = now.secs() / 3600;
        if added.0 != hour || added.1.len() >= COUNTED {
            *added = (hour, HashMap::new());
        }
        let count = added.1.entry(account).or_default();
        *count += 1;
        *count <= AN_HOUR
    }
}

/// Begins to push; it ends with the door.
pub(crate) fn begin(door: &Arc<Door>) {
    if door.deps.web.is_none() {
        return;
    }
    let (door, pusher) = (Arc::downgrade(door), door.pusher.clone());
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn(supervise(door, pusher))),
        Err(_) => tracing::error!("nothing is pushed: there is no runtime yet"),
    }
}

/// Who follows an account, and how it is told that its subscriptions are others.
struct Running {
    task: JoinHandle<()>,
    wake: Arc<Notify>,
}

async fn supervise(door: Weak<Door>, pusher: Pusher) {
    let mut running: HashMap<AccountId, Running> = HashMap::new();
    loop {
        let changed = std::mem::take(&mut *pusher.0.changed.lock().unwrap_or_else(PoisonError::into_inner));
        for account in &changed {
            if let Some(one) = running.get(account) {
                one.wake.notify_one();
            }
        }
        running.retain(|_, one| !one.task.is_finished());
        let accounts = match door.upgrade() {
            Some(door) => push_accounts(&door).await,
            None => return running.into_values().for_each(|one| one.task.abort()),
        };
        match accounts {
            Ok(accounts) => {
                for account in accounts.into_iter().take(FOLLOWED) {
                    running.entry(account).or_insert_with(|| follow(door.clone(), account));
                }
            }
            Err(error) => tracing::error!(error = error.chain(), "it cannot be told who wants to be pushed to"),
        }
        let _ = timeout(LOOK, pusher.0.news.notified()).await;
    }
}

/// The accounts that have subscriptions, after those that are over are gone.
async fn push_accounts(door: &Door) -> Result<Vec<AccountId>> {
    door.deps.directory.remove_old_push().await?;
    door.deps.directory.push_accounts().await
}

fn follow(door: Weak<Door>, account: AccountId) -> Running {
    let wake = Arc::new(Notify::new());
    let followed =
        Followed { door, account, wake: wake.clone(), follower: None, all: Vec::new(), sending: JoinSet::new() };
    Running { task: tokio::spawn(followed.run()), wake }
}

/// One account, and what is to be sent to its subscriptions.
struct Followed {
    door: Weak<Door>,
    account: AccountId,
    wake: Arc<Notify>,
    follower: Option<Follower>,
    all: Vec<Out>,
    /// What is on its way, of each subscription for itself: a push service that does not answer keeps no other waiting.
    sending: JoinSet<Out>,
}

/// What is to be sent to one subscription.
struct Out {
    row: PushSubscription,
    one: Subscription,
    /// Whether the verification code is to be sent yet.
    greets: bool,
    /// By account, its types and their states.
    changed: BTreeMap<String, Map<String, Value>>,
    /// When something may be sent at the earliest.
    due: Instant,
    failures: u32,
    is_over: bool,
    /// Whether some of it is on its way: what happens meanwhile goes after it.
    is_sending: bool,
}

/// What became of a message.
enum Sent {
    Taken,
    /// The push service does not know the subscription any more (RFC 8030 §7.3).
    Gone,
    /// It was not taken; when the service wants to be asked again, where it says so.
    Later(Option<Duration>),
}

impl Followed {
    async fn run(mut self) {
        let mut anew = Instant::now();
        loop {
            if Instant::now() >= anew {
                match self.read().await {
                    Ok(true) => anew = Instant::now() + ANEW,
                    Ok(false) => return,
                    Err(error) => {
                        tracing::error!(error = error.chain(), "subscriptions cannot be read");
                        anew = Instant::now() + LOOK;
                    }
                }
            }
            let due = self.all.iter().filter(|out| out.waits()).map(|out| out.due).min();
            let until = due.map_or(anew, |due| due.min(anew));
            let told = async {
                match &mut self.follower {
                    Some(follower) => follower.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.wake.notified() => anew = Instant::now(),
                told = told => match told {
                    Ok(told) => self.note(&told.change),
                    Err(error) => {
                        tracing::error!(error = error.chain(), "changes cannot be followed");
                        self.follower = None;
                        anew = anew.min(Instant::now() + LOOK);
                    }
                },
                Some(sent) = self.sending.join_next() => match sent {
                    Ok(sent) => self.settle(sent).await,
                    // Nobody knows whose it was: all go on.
                    Err(error) => {
                        tracing::error!(%error, "something that was pushed was cut short");
                        self.all.iter_mut().for_each(|out| out.is_sending = false);
                    }
                },
                () = sleep_until(until) => self.send_due(),
            }
        }
    }

    /// Reads the subscriptions anew; whether there are any. What was asked for with something that is good no more goes.
    async fn read(&mut self) -> Result<bool> {
        let Some(door) = self.door.upgrade() else { return Ok(false) };
        let directory = &door.deps.directory;
        let (mut user, mut all) = (None, Vec::new());
        for row in directory.push_subscriptions(self.account).await? {
            match (auth::of_pass(&door, &row.pass).await?, Subscription::of(&row)) {
                (Some(found), Some(one)) => {
                    user = Some(found);
                    let known = self.all.iter().position(|out| out.row.id == row.id).map(|at| self.all.swap_remove(at));
                    all.push(Out::of(row, one, known));
                }
                _ => drop(directory.remove_push(self.account, row.id).await?),
            }
        }
        self.all = all;
        let Some(user) = user else { return Ok(false) };
        if !self.all.iter().any(|out| out.one.verified) {
            self.follower = None;
            return Ok(true);
        }
        // Others may have begun to share something, or have ended it.
        let mut fresh = Follower::of(&door.deps, &user, super::Kinds::ALL).await?;
        let missed = self.follower.as_ref().map(Follower::moment).and_then(|moment| fresh.since(&moment));
        self.follower = Some(fresh);
        if let Some(missed) = missed {
            self.note(&missed.change);
        }
        Ok(true)
    }

    /// Notes a change for everybody who wants to hear of it.
    fn note(&mut self, change: &Value) {
        let Some(accounts) = change["changed"].as_object() else { return };
        for out in self.all.iter_mut().filter(|out| out.one.verified) {
            let kinds = out.one.kinds();
            for (account, types) in accounts {
                let wanted = types.as_object().into_iter().flatten().filter(|(name, _)| kinds.has(name));
                let wanted: Map<String, Value> = wanted.map(|(name, state)| (name.clone(), state.clone())).collect();
                if !wanted.is_empty() {
                    out.changed.entry(account.clone()).or_default().extend(wanted);
                }
            }
        }
    }

    fn send_due(&mut self) {
        let now = Instant::now();
        for out in self.all.iter_mut().filter(|out| out.waits() && out.due <= now) {
            let (mut sent, door) = (out.leave(), self.door.clone());
            self.sending.spawn(async move {
                let Some(door) = door.upgrade() else { return sent };
                if let Err(error) = sent.send(&door).await {
                    tracing::error!(error = error.chain(), "nothing can be pushed at present");
                    sent.failed(None);
                }
                sent
            });
        }
    }

    /// Notes what became of something that was on its way.
    async fn settle(&mut self, sent: Out) {
        let Some(at) = self.all.iter().position(|out| out.row.id == sent.row.id) else { return };
        if !sent.is_over {
            return self.all[at].come_back(sent);
        }
        self.all.swap_remove(at);
        let Some(door) = self.door.upgrade() else { return };
        if let Err(error) = door.deps.directory.remove_push(self.account, sent.row.id).await {
            tracing::error!(error = error.chain(), "a subscription that is over stays");
        }
    }
}

impl Out {
    /// What waits for a subscription that is known stays.
    fn of(row: PushSubscription, one: Subscription, known: Option<Self>) -> Self {
        match known {
            Some(known) => Self { greets: known.greets && !one.verified, row, one, ..known },
            None => Self {
                greets: !one.verified,
                row,
                one,
                changed: BTreeMap::new(),
                due: Instant::now(),
                failures: 0,
                is_over: false,
                is_sending: false,
            },
        }
    }

    fn waits(&self) -> bool {
        !self.is_sending && (self.greets || !self.changed.is_empty())
    }

    /// What waits, to be sent.
    fn leave(&mut self) -> Self {
        self.is_sending = true;
        let changed = std::mem::take(&mut self.changed);
        Self { row: self.row.clone(), one: self.one.clone(), changed, ..*self }
    }

    /// What was not taken waits on, together with what happened meanwhile.
    fn come_back(&mut self, sent: Self) {
        let newer = std::mem::replace(&mut self.changed, sent.changed);
        for (account, types) in newer {
            self.changed.entry(account).or_default().extend(types);
        }
        (self.due, self.failures, self.is_sending) = (sent.due, sent.failures, false);
        // Its code may have been shown meanwhile.
        self.greets &= sent.greets;
    }

    /// Sends what waits, if what the subscription was asked for with is still good.
    async fn send(&mut self, door: &Door) -> Result<()> {
        let url = Url::parse(&self.one.url).map_err(Error::unavailable)?;
        // Who waits for a turn of its service takes none of the others'; what is good is looked at when the turn has come.
        let at_host = door.pusher.at_host(url.host_str().unwrap_or_default());
        let _of_host = at_host.acquire().await.map_err(Error::unavailable)?;
        let _turn = door.pusher.0.turns.acquire().await.map_err(Error::unavailable)?;
        let is_over = self.row.expires <= door.deps.clock.now();
        let Some(user) = auth::of_pass(door, &self.row.pass).await?.filter(|_| !is_over) else {
            self.is_over = true;
            return Ok(());
        };
        // What is shared no more since it was noted is not told.
        let open: HashSet<String> =
            iter::once(user.account.id).chain(user.others.iter().map(|other| other.id)).map(ids::account_id).collect();
        self.changed.retain(|account, _| open.contains(account));
        if self.greets {
            let text = json!({ "@type": "PushVerification", "pushSubscriptionId": push_id(self.row.id),
                "verificationCode": self.one.code });
            match self.one.post(door, text.to_string().as_bytes()).await? {
                Sent::Taken => (self.greets, self.failures) = (false, 0),
                Sent::Gone => self.is_over = true,
                Sent::Later(after) => self.failed(after),
            }
            return Ok(());
        }
        while let Some(piece) = self.piece() {
            let text = json!({ "@type": "StateChange", "changed": piece }).to_string();
            match self.one.post(door, text.as_bytes()).await? {
                Sent::Taken => {
                    piece.keys().for_each(|account| drop(self.changed.remove(account)));
                    (self.failures, self.due) = (0, Instant::now() + PAUSE);
                }
                Sent::Gone => {
                    self.is_over = true;
                    break;
                }
                Sent::Later(after) => {
                    self.failed(after);
                    break;
                }
            }
        }
        Ok(())
    }

    /// As many accounts of what changed as fit into one message.
    fn piece(&self) -> Option<Map<String, Value>> {
        let (mut piece, mut left) = (Map::new(), seal::TEXT - 100);
        for (account, types) in &self.changed {
            let types = Value::Object(types.clone());
            let size = account.len() + types.to_string().len() + 10;
            if size > left && !piece.is_empty() {
                break;
            }
            left = left.saturating_sub(size);
            piece.insert(account.clone(), types);
        }
        (!piece.is_empty()).then_some(piece)
    }

    fn failed(&mut self, after: Option<Duration>) {
        let wait = WAITS.0.saturating_mul(1 << self.failures.min(10));
        self.failures += 1;
        self.due = Instant::now() + after.unwrap_or(wait).clamp(WAITS.0, WAITS.1);
        self.is_over |= self.failures >= if self.greets { FAILURES.0 } else { FAILURES.1 };
    }
}

impl Subscription {
    async fn post(&self, door: &Door, text: &[u8]) -> Result<Sent> {
        let Some(web) = &door.deps.web else { return Ok(Sent::Later(None)) };
        let url = Url::parse(&self.url).map_err(Error::unavailable)?;
        let body = match self.keys() {
            Some(keys) => match seal::seal(&keys, door.deps.entropy.bytes(), text) {
                Ok(body) => body,
                // Nobody ever reads what is sealed with that.
                Err(_) => return Ok(Sent::Gone),
            },
            None => text.to_vec(),
        };
        let mut request = post(url.as_str(), "application/json", body)?;
        let key = door.vapid.key(&door.deps.directory).await?;
        let authorization = key.authorization(&url, &door.deps.url, door.deps.clock.now())?;
        let fields = request.headers_mut();
        fields.insert(header::AUTHORIZATION, HeaderValue::from_str(&authorization).map_err(Error::unavailable)?);
        fields.insert("ttl", HeaderValue::from(TTL));
        fields.insert("urgency", HeaderValue::from_static("normal"));
        if self.keys.is_some() {
            fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static("aes128gcm"));
        }
        let options = Options { time: TIME, plain: false, ..web.options.clone() };
        let answer = match exchange(&web.resolver, request, ANSWER, &options).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(error = error.chain(), "a push service was not reached");
                return Ok(Sent::Later(None));
            }
        };
        let after = answer.headers().get(header::RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
        Ok(match answer.status().as_u16() {
            200..=299 => Sent::Taken,
            404 | 410 => Sent::Gone,
            _ => Sent::Later(after.map(Duration::from_secs)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_has_turns_of_its_own() {
        let pusher = Pusher::default();
        let dead = pusher.at_host("dead.example");
        let all: Vec<_> = (0..AT_HOST).map(|_| dead.try_acquire().unwrap()).collect();
        assert!(pusher.at_host("dead.example").try_acquire().is_err());
        assert!(pusher.at_host("live.example").try_acquire().is_ok() && AT_HOST < AT_ONCE);
        (0..HOSTS).for_each(|number| drop(pusher.at_host(&format!("{number}.example"))));
        assert!(pusher.at_host("dead.example").try_acquire().is_err(), "who is waited for is not forgotten");
        drop(all);
    }

    #[test]
    fn an_account_asks_for_so_many_an_hour() {
        let (pusher, ann, now) = (Pusher::default(), AccountId(1), Timestamp(0));
        assert!((0..AN_HOUR).all(|_| pusher.may_add(ann, now)));
        assert!(!pusher.may_add(ann, now) && pusher.may_add(AccountId(2), now));
        assert!(pusher.may_add(ann, now.after(Duration::from_secs(3600))));
    }
}
