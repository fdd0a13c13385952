//! MAIL (RFC 5321 §4.1.1.2) with SIZE, BODY, SMTPUTF8, RET, ENVID, AUTH, REQUIRETLS, MT-PRIORITY, HOLDFOR and HOLDUNTIL.

use std::time::Duration;

use anser_base::Timestamp;
use anser_base::limits::DELAYED_SEND;
use anser_wire::smtp::{Hold, MailFrom, Reply};

use crate::answer::{Answer, Stop};
use crate::deps::Service;
use crate::policy::{self, Party};
use crate::session::Session;
use crate::transaction::Transaction;

/// Begins a transaction.
pub async fn mail(session: &mut Session, mail: MailFrom) -> Result<Answer, Stop> {
    let sender_text = mail.path.as_ref().map(ToString::to_string).unwrap_or_default();
    match begin(session, mail).await {
        Ok(transaction) => {
            let (asked, given) = (transaction.mail.priority, transaction.priority);
            session.transaction = Some(transaction);
            match (asked, given) {
                (Some(asked), Some(given)) if asked != given => {
                    Ok(Answer::ok((2, 3, 6), format!("{given} is the new priority")))
                }
                _ => Ok(Answer::ok((2, 1, 0), "Sender ok")),
            }
        }
        Err(stop) => {
            if let Stop::Refused(reply) | Stop::Close(reply) = &stop {
                session.note_sender_refused(sender_text, reply).await;
            }
            Err(stop)
        }
    }
}

async fn begin(session: &Session, mail: MailFrom) -> Result<Transaction, Stop> {
    check_login(session)?;
    check_parameters(session, &mail)?;
    check_rate(session)?;
    let sender = policy::sender(&Party::of(session), mail.path.as_ref()).await?;
    let not_before = mail.hold.map(|hold| release(hold, session.deps.clock.now())).transpose()?;
    // Who is not known here may give way, not push ahead (RFC 6710 §4.1).
    let priority = mail.priority.map(|asked| if session.login.is_some() { asked } else { asked.min(0) });
    let mut transaction = Transaction { not_before, priority, ..Transaction::new(sender, mail) };
    transaction.tenant = session.login.as_ref().map(|account| account.tenant);
    Ok(transaction)
}

fn check_login(session: &Session) -> Result<(), Stop> {
    match (session.service, &session.login) {
        (Service::Submission, None) if !session.may_log_in() && session.may_start_tls() => {
            Err(Stop::refused(530, (5, 7, 0), "Say STARTTLS first, then log in"))
        }
        (Service::Submission, None) => Err(Stop::refused(530, (5, 7, 0), "Log in first")),
        _ => Ok(()),
    }
}

fn check_parameters(session: &Session, mail: &MailFrom) -> Result<(), Stop> {
    let limits = &session.deps.limits;
    if !mail.other.is_empty() {
        return Err(Stop::refused(555, (5, 5, 4), "A parameter is not recognised"));
    }
    if mail.hold.is_some() && session.service != Service::Submission {
        return Err(Stop::refused(555, (5, 5, 4), "Only own users can have mail held back"));
    }
    if mail.size.is_some_and(|size| size > limits.message_size) {
        return Err(too_large(limits.message_size));
    }
    if mail.requiretls && session.service == Service::Lmtp {
        return Err(Stop::refused(555, (5, 5, 4), "REQUIRETLS is not offered"));
    }
    if mail.requiretls && !session.stream.is_secure() {
        return Err(Stop::refused(530, (5, 7, 10), "REQUIRETLS needs TLS"));
    }
    Ok(())
}

/// When the message is to be sent; refused where that is too late (RFC 4865 §4). What is over is now.
fn release(hold: Hold, now: Timestamp) -> Result<Timestamp, Stop> {
    let at = match hold {
        Hold::For(seconds) => now.after(Duration::from_secs(seconds)),
        Hold::Until(at) => Timestamp::from_secs(at),
    };
    match at.since(now).as_secs() > DELAYED_SEND {
        true => Err(Stop::refused(501, (5, 5, 4), format!("It can be held back for {DELAYED_SEND} seconds at most"))),
        false => Ok(at),
    }
}

/// The message is larger than allowed, in bytes.
pub fn too_large(limit: u64) -> Stop {
    Stop::refused(552, (5, 3, 4), format!("The message is larger than {limit} octets"))
}

fn check_rate(session: &Session) -> Result<(), Stop> {
    if session.tally.messages >= session.deps.limits.messages {
        return Err(Stop::close(421, (4, 7, 0), "Too many messages on one connection; open another"));
    }
    let source = session.source();
    if session.service != Service::Mx || session.deps.limits.is_exempt(source) {
        return Ok(());
    }
    session.deps.rates.message(source).map_err(too_often)
}

/// The rate is used up.
pub fn too_often(wait: Duration) -> Stop {
    let text = format!("Too much mail in a short time; try again in {} s", wait.as_secs().max(1));
    Stop::Refused(Reply::new(450, Some((4, 7, 1)), text))
}
