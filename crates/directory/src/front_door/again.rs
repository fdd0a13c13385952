//! Passwords that the moves forgot, learnt again: whoever logs in with one that is right here has it given to them once more, where a mailbox
//! still comes from the old server and that takes it. What is ours stays as it is.
//!
//! No login waits for it, and none fails by it. A session that cannot be opened at the old server waits for what is under way.

use std::sync::Arc;
use std::time::Duration;

use anser_wire::Secret;
use tokio::time::timeout;

use super::Visit;
use crate::credentials::Credentials;
use crate::login::Attempt;
use crate::names;
use crate::refusal::AuthFailure;
use crate::{Account, Directory};

/// How long a session that cannot be opened waits for a password that is learnt again.
const SESSION: Duration = Duration::from_secs(5);
/// How long it is not asked about such a password again, whatever the old server says.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// The same where it was told to the moves, and is not the one that they lack.
const NOT_LACKING: Duration = Duration::from_secs(3600);

impl Directory {
    /// Begins to learn a password again that is right here, where the moves lack it.
    pub(crate) async fn teach_again(&self, attempt: &Attempt<'_>, whose: Arc<Credentials>) -> Result<(), AuthFailure> {
        let Some(servers) = self.inner.old_servers.get() else { return Ok(()) };
        let Some(visit) = self.visit(attempt.name, Some(&*whose)).await? else { return Ok(()) };
        if !(servers.lacks)(whose.account.id).await? {
            return Ok(());
        }
        // Of too many at once some are learnt at their next login; whoever was first for a name gives it.
        let turn = self.inner.asking.again.of(&visit.address);
        let Some(held) = turn.and_then(|turn| turn.try_lock_owned().ok()) else { return Ok(()) };
        let (resting, now) = (&self.inner.asking.resting, self.inner.deps.clock.now());
        if resting.get(0, visit.address.as_str()).is_some_and(|until| until > now) {
            return Ok(());
        }
        resting.put(0, visit.address.clone(), now.after(AGAIN_AFTER));
        let (directory, name, password) = (self.clone(), attempt.name.to_vec(), Secret::new(attempt.password));
        let Attempt { service, source, tls, .. } = *attempt;
        tokio::spawn(async move {
            let _held = held;
            let attempt = Attempt { name: &name, password: password.as_bytes(), service, source, tls };
            if let Err(failure) = directory.ask_again(&attempt, &visit, &whose).await {
                tracing::debug!(error = failure.error.chain(), "a password could not be learnt again");
            }
        });
        Ok(())
    }

    async fn ask_again(&self, attempt: &Attempt<'_>, visit: &Visit, whose: &Credentials) -> Result<(), AuthFailure> {
        let Some(servers) = self.inner.old_servers.get() else { return Ok(()) };
        let login = visit.login();
        if !self.ask(attempt, visit, &login).await? {
            return Ok(());
        }
        tracing::info!(account = %whose.account.address, host = %visit.door.host, "a forgotten password was learnt again");
        self.teach(attempt, visit, whose, login).await;
        if (servers.lacks)(whose.account.id).await? {
            // That of another old server: each lesson would begin a pass.
            let until = self.inner.deps.clock.now().after(NOT_LACKING);
            self.inner.asking.resting.put(0, visit.address.clone(), until);
        }
        Ok(())
    }

    /// Waits while a password of an account is learnt again, not for long; whether one was under way.
    pub(crate) async fn wait_for_learning(&self, account: &Account) -> bool {
        let Some(turn) = self.inner.asking.again.under_way(&names::key(&account.address)) else { return false };
        drop(timeout(SESSION, turn.lock()).await);
        true
    }
}
