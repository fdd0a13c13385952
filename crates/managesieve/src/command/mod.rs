//! The commands: which state each needs, and which function answers it.

mod auth;
mod greet;
mod scripts;

use std::sync::Arc;

use anser_directory::Account;
use anser_wire::managesieve::Command;

use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

pub(crate) use greet::greeting;

pub(crate) async fn run(session: &mut Session, command: Command) -> Outcome {
    use Command as C;
    match command {
        C::Capability => greet::capability(session).await,
        C::StartTls => greet::starttls(session).await,
        C::Noop(tag) => Ok(greet::noop(tag)),
        C::Logout => Ok(greet::logout(session)),
        C::Authenticate { mechanism, initial } => auth::authenticate(session, &mechanism, initial).await,
        C::Unauthenticate => {
            owner(session)?;
            session.forget();
            Ok(Reply::done())
        }
        C::Response(_) => Err(Trouble::Bad(Reply::no("Unknown command", "未知命令"))),
        script => {
            let account = owner(session)?;
            scripts::run(session, &account, script).await
        }
    }
}

/// Who logged in.
fn owner(session: &Session) -> Result<Arc<Account>, Trouble> {
    session.account.clone().ok_or_else(|| Trouble::Bad(Reply::no("log in first", "请先登录")))
}
