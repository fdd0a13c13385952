//! The table of commands.

mod auth;
mod greet;
mod list;
mod login;
mod retrieve;
mod update;

use anser_wire::pop3::Command;

use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

/// The states that take a command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    Authorization,
    Transaction,
    Both,
}

/// Answers a command.
pub(crate) async fn run(session: &mut Session, command: Command) -> Outcome {
    require_state(session, taken(&command))?;
    match command {
        Command::User(name) => login::user(session, name),
        Command::Pass(password) => login::pass(session, &password).await,
        Command::Apop { .. } => login::apop(),
        Command::Auth { mechanism: None, .. } => auth::list(session).await,
        Command::Auth { mechanism: Some(mechanism), initial } => auth::run(session, &mechanism, initial).await,
        Command::Stls => greet::stls(session).await,
        Command::Utf8 => greet::utf8(),
        Command::Capa => greet::capa(session).await,
        Command::Lang(tag) => greet::lang(session, tag.as_deref()).await,
        Command::Stat => list::stat(session),
        Command::List(None) => list::list(session).await,
        Command::List(Some(number)) => list::list_one(session, number),
        Command::Uidl(None) => list::uidl(session).await,
        Command::Uidl(Some(number)) => list::uidl_one(session, number).await,
        Command::Retr(number) => retrieve::retr(session, number).await,
        Command::Top { message, lines } => retrieve::top(session, message, lines).await,
        Command::Dele(number) => update::dele(session, number),
        Command::Rset => update::rset(session),
        Command::Noop => Ok(Reply::ok("nothing done", "无操作")),
        Command::Quit => update::quit(session).await,
        Command::Unknown(_) => Err(Trouble::Bad(Reply::err("unknown command", "未知命令"))),
    }
}

fn taken(command: &Command) -> Taken {
    match command {
        Command::User(_) | Command::Pass(_) | Command::Apop { .. } | Command::Auth { .. } => Taken::Authorization,
        Command::Stls | Command::Utf8 => Taken::Authorization,
        Command::Stat | Command::List(_) | Command::Uidl(_) | Command::Retr(_) | Command::Top { .. } => {
            Taken::Transaction
        }
        Command::Dele(_) | Command::Rset | Command::Noop => Taken::Transaction,
        Command::Capa | Command::Lang(_) | Command::Quit | Command::Unknown(_) => Taken::Both,
    }
}

fn require_state(session: &Session, taken: Taken) -> Result<(), Trouble> {
    match (taken, session.maildrop.is_some()) {
        (Taken::Authorization, true) => Err(Trouble::Bad(Reply::err("you are logged in", "您已登录"))),
        (Taken::Transaction, false) => Err(Trouble::Bad(Reply::err("log in first", "请先登录"))),
        _ => Ok(()),
    }
}
