//! Who sent a message: checked for what comes from other servers, signed for what own users submit.

use std::time::Duration;

use anser_base::EntryId;
use anser_net::dns::Resolver;
use anser_peers::aggregate::Row;
use anser_peers::{Kind as Report, Peers, announced};
use anser_senderauth::author::Author;
use anser_senderauth::dmarc::Policy;
use anser_senderauth::dns::{Asking, Kind, Trouble};
use anser_senderauth::{Passed, Peer, Verdict, results};
use tokio::time::{Instant, timeout_at};

use crate::answer::Stop;
use crate::deps::Service;
use crate::policy::Party;
use crate::session::Session;

/// What senders are checked with.
#[derive(Clone, Debug)]
pub struct Senders {
    /// The DNS.
    pub resolver: Resolver,
    /// How long the DNS may take for one message, all in all. What is not known by then is a temporary error of its method, and the
    /// message is taken as if nobody had asked for anything.
    pub deadline: Duration,
    /// Domains that may vouch for messages whose authors' domains ask to refuse them: servers that seal what they forward (ARC), mailing
    /// lists that SPF or DKIM shows to be genuine. With all domains below them.
    pub trusted: Vec<String>,
    /// A message is refused when the author's domain asks for it (DMARC p=reject) and nobody vouches for it.
    pub follow_reject: bool,
    /// A message goes to the junk mailbox when the author's domain asks to set it apart (p=quarantine), or to refuse it and that is not
    /// followed, and nobody vouches for it.
    pub follow_quarantine: bool,
    /// Where it is counted what domains are to be told of mail in their name (RFC 9990); without it nobody is told.
    pub peers: Option<Peers>,
}

impl Senders {
    /// With the settings that fit most houses.
    pub fn new(resolver: Resolver) -> Self {
        Self {
            resolver,
            deadline: Duration::from_secs(20),
            trusted: Vec::new(),
            follow_reject: true,
            follow_quarantine: true,
            peers: None,
        }
    }

    /// What is done to a message: what the author's domain asks for (RFC 9989 §5.4, §7.3), unless somebody vouches for it or the house
    /// does not follow.
    fn applied(&self, verdict: &Verdict) -> Policy {
        match verdict.asks() {
            Policy::None => Policy::None,
            _ if self.vouched_by(verdict).is_some() => Policy::None,
            Policy::Reject if self.follow_reject => Policy::Reject,
            _ if self.follow_quarantine => Policy::Quarantine,
            _ => Policy::None,
        }
    }

    /// Who vouches for a message: the newest seal, or a mailing list.
    fn vouched_by<'v>(&self, verdict: &'v Verdict) -> Option<&'v str> {
        verdict.vouched_by(&self.trusted).or_else(|| verdict.authenticated_within(&self.trusted))
    }
}

/// The resolver with an end to its patience.
struct Timed<'s> {
    resolver: &'s Resolver,
    until: Instant,
}

impl anser_senderauth::Resolver for Timed<'_> {
    fn ask<'a>(&'a self, name: &'a str, kind: Kind) -> Asking<'a> {
        Box::pin(async move {
            let found = timeout_at(self.until, self.resolver.ask(name, kind)).await;
            found.unwrap_or_else(|_| Err(Trouble("the time for this message is over".into())))
        })
    }
}

/// What of a message has to be looked at while it comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing.
    No,
    /// Its signatures are to be verified.
    Check,
    /// It is to be signed.
    Sign,
}

impl Look {
    /// For the messages of a session. Other hosts of the house are believed.
    pub fn of(session: &Session) -> Self {
        if session.service == Service::Submission {
            return Self::Sign;
        }
        let asked = session.service == Service::Mx && session.deps.senders.is_some();
        if asked && !session.deps.limits.is_exempt(session.source()) { Self::Check } else { Self::No }
    }
}

/// The verdict on a message that came from another server; `None` when it is not to be checked.
pub async fn judge(session: &Session, passed: Option<&Passed>) -> Option<Verdict> {
    let checked = passed.filter(|_| Look::of(session) == Look::Check);
    let (Some(senders), Some(passed)) = (&session.deps.senders, checked) else { return None };
    let resolver = Timed { resolver: &senders.resolver, until: Instant::now() + senders.deadline };
    let peer = Peer {
        ip: session.source(),
        helo: session.hello.as_ref().map_or("", |hello| hello.name.as_str()),
        sender: session.transaction.as_ref().and_then(|transaction| transaction.sender.as_ref()),
        receiver: &session.deps.hostname,
        now: session.deps.clock.now().secs(),
    };
    let verdict = anser_senderauth::check(&resolver, passed, peer).await;
    Some(Verdict { applied: senders.applied(&verdict), ..verdict })
}

/// The signatures of the author's domain, for the front of a submitted message: one for each active key. A message whose author has no
/// domain of ours is signed by that of its sender, if it is one of ours; none at all stops no mail.
pub async fn signatures(party: &Party<'_>, passed: Option<&Passed>) -> Result<String, Stop> {
    let Some(passed) = passed.filter(|_| party.service == Service::Submission) else { return Ok(String::new()) };
    let sender = party.sender.map(|sender| sender.domain().to_owned());
    Ok(party.deps.directory.sign(passed, Author::of(passed).domains.into_iter().chain(sender)).await?)
}

/// The refusal of what the author's domain wants refused.
pub fn refusal(verdict: &Verdict) -> Stop {
    let text = format!("Refused as the domain of its author, {}, asks for (DMARC)", verdict.dmarc.domain);
    Stop::refused(550, (5, 7, 1), text)
}

/// Counts a message for the report that its author's domain asks for. Reports for our postmasters are not reported on, so that two servers
/// do not go on telling each other of their reports. What cannot be counted is left out.
pub async fn count(session: &Session, passed: Option<&Passed>, verdict: &Verdict) {
    let peers = session.deps.senders.as_ref().and_then(|senders| senders.peers.as_ref());
    let (Some(peers), Some((domain, row))) = (peers, Row::of(verdict)) else { return };
    let is_postmaster =
        |recipient: &anser_queue::Recipient| recipient.address.local().eq_ignore_ascii_case("postmaster");
    let for_postmasters = session.transaction.as_ref().is_some_and(|all| all.recipients.iter().all(is_postmaster));
    if for_postmasters && passed.is_some_and(|passed| announced(passed.header()).is_some()) {
        return;
    }
    if let Err(error) = peers.count(Report::Dmarc, &domain, &row).await {
        tracing::error!(error = error.chain(), "a message could not be counted for a report");
    }
}

/// The field with what was found, for the front of the message (RFC 8601 §4).
pub fn field(session: &Session, verdict: &Verdict) -> String {
    results::field(&session.deps.hostname, &verdict.results())
}

impl Session {
    /// The verdict goes into the journal, so that a trace shows it.
    pub async fn note_verdict(&self, entry: EntryId, verdict: &Verdict) {
        let results = verdict.results().split_whitespace().collect::<Vec<_>>().join(" ");
        self.note(anser_journal::What::Judged { entry, results }).await;
    }
}
