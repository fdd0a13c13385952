//! The commands, a file each.

mod auth;
mod bdat;
mod data;
mod hello;
mod mail;
mod other;
mod rcpt;
mod starttls;

use anser_wire::smtp::Command;

use crate::answer::{Answer, Stop};
use crate::session::Session;
use crate::state;

pub use mail::{too_large, too_often};

/// Carries out one command, unless the state table refuses it.
pub async fn carry_out(session: &mut Session, command: Command) -> Result<Answer, Stop> {
    if let Some(refusal) = state::refusal(&command, session.state()) {
        if let Command::Bdat { size, .. } = command {
            bdat::skip(session, size).await?;
        }
        return Err(refusal.into());
    }
    match command {
        Command::Ehlo(name) => hello::ehlo(session, name),
        Command::Helo(name) => hello::helo(session, name),
        Command::Lhlo(name) => hello::lhlo(session, name),
        Command::MailFrom(mail) => mail::mail(session, mail).await,
        Command::RcptTo(rcpt) => rcpt::rcpt(session, rcpt).await,
        Command::Data => data::data(session).await,
        Command::Bdat { size, last } => bdat::bdat(session, size, last).await,
        Command::StartTls => starttls::starttls(session).await,
        Command::Auth { mechanism, initial } => auth::auth(session, &mechanism, initial).await,
        Command::Rset => other::rset(session),
        Command::Noop => other::noop(session),
        Command::Vrfy(_) => other::vrfy(session),
        Command::Expn(_) => other::expn(),
        Command::Help(_) => other::help(session),
        Command::Quit => other::quit(session),
        Command::Unknown(_) => Err(Stop::refused(500, (5, 5, 1), "Command not recognised")),
    }
}
