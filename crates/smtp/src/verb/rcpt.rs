//! RCPT (RFC 5321 §4.1.1.3) with NOTIFY and ORCPT (RFC 3461 §4.1, §4.2).

use std::time::Duration;

use anser_base::limits::RECIPIENTS;
use anser_queue::Recipient;
use anser_wire::smtp::{ForwardPath, RcptTo};

use super::mail::too_often;
use crate::answer::{Answer, Stop};
use crate::deps::Service;
use crate::policy::{self, Admitted, Party};
use crate::session::Session;

/// Unknown recipients of a session that are answered at once.
const FREE_UNKNOWN: u32 = 3;
/// The longest that an unknown recipient's answer waits.
const LONGEST_DELAY: Duration = Duration::from_secs(8);

/// Adds a recipient.
pub async fn rcpt(session: &mut Session, rcpt: RcptTo) -> Result<Answer, Stop> {
    match admit(session, &rcpt).await {
        Ok(admitted) => {
            add(session, admitted, rcpt);
            Ok(Answer::ok((2, 1, 5), "Recipient ok"))
        }
        Err(stop) => {
            if let Stop::Refused(reply) = &stop {
                session.note_refused("rcpt", reply, Some(path_text(&rcpt.path))).await;
                if reply.enhanced == Some((5, 1, 1)) {
                    count_unknown(session).await;
                }
            }
            Err(stop)
        }
    }
}

async fn admit(session: &Session, rcpt: &RcptTo) -> Result<Admitted, Stop> {
    if !rcpt.other.is_empty() {
        return Err(Stop::refused(555, (5, 5, 4), "A parameter is not recognised"));
    }
    let accepted = session.transaction.as_ref().map_or(0, |transaction| transaction.accepted);
    if accepted >= session.deps.limits.recipients.min(RECIPIENTS) {
        return Err(Stop::refused(452, (4, 5, 3), "Too many recipients; send them the message again"));
    }
    let admitted = policy::recipient(&Party::of(session), &rcpt.path).await?;
    if let Some(account) = &session.login {
        session.deps.rates.recipient(account.id).map_err(too_often)?;
    }
    Ok(admitted)
}

fn add(session: &mut Session, admitted: Admitted, rcpt: RcptTo) {
    let mut recipient = Recipient::new(admitted.address);
    recipient.orcpt = rcpt.orcpt.map(|(kind, address)| format!("{kind};{address}"));
    recipient.notify = rcpt.notify.unwrap_or(recipient.notify);
    if let Some(transaction) = &mut session.transaction {
        transaction.add(recipient, admitted.tenant);
    }
}

/// Makes guessing addresses slow: the answer to each further unknown recipient takes longer.
async fn count_unknown(session: &mut Session) {
    let limits = &session.deps.limits;
    if session.service != Service::Mx || limits.is_exempt(session.source()) {
        return;
    }
    session.tally.unknown += 1;
    if let Some(doubled) = session.tally.unknown.checked_sub(FREE_UNKNOWN + 1) {
        let delay = limits.unknown_delay.saturating_mul(1 << doubled.min(8)).min(LONGEST_DELAY);
        session.shutdown.or(tokio::time::sleep(delay)).await;
    }
}

fn path_text(path: &ForwardPath) -> String {
    match path {
        ForwardPath::Mailbox(mailbox) => mailbox.to_string(),
        ForwardPath::Postmaster => "postmaster".to_owned(),
    }
}
