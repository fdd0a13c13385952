//! A look at the other server while its owner waits: nothing of it is kept. It counts, since each says a password to a stranger's server.

use std::time::Duration;

use anser_base::{AccountId, Class, Error, Result, Timestamp};
use anser_db::Tx;
use tokio::time::timeout;

use super::rows::{self, Own};
use super::{mine, parts};
use crate::Migrate;
use crate::model::Mailbox;
use crate::reach;
use crate::source::Origin;
use crate::trouble::Trouble;

/// Looks of one account in an hour.
pub const LOOKS: u32 = 60;
/// How long what is told as a whole may take: less than a request may.
const TIME: Duration = Duration::from_secs(90);

/// Counts a look. [`Class::Limit`] when there were too many of the account's in this hour.
fn count_look(tx: &mut Tx<'_>, own: &mut Own, now: Timestamp) -> Result<()> {
    let hour = now.secs() / 3600;
    let others = rows::of_account(tx, own.account)?;
    let looks: u32 = others.iter().filter(|one| one.look_hour == hour).map(|one| one.looks).sum();
    if looks >= LOOKS {
        let (en, zh) = ("too many looks in this hour: try again in the next", "本小时内查看次数过多，请稍后再试");
        return Err(Error::new(Class::Limit, en, zh));
    }
    own.looks = if own.look_hour == hour { own.looks + 1 } else { 1 };
    own.look_hour = hour;
    Ok(())
}

impl Migrate {
    /// Does a look, within what persons may reach. [`Trouble::Later`] when it takes too long.
    pub(super) async fn in_time<T>(&self, looking: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
        let within = reach::within(self.inner.deps.allowed.clone(), looking);
        timeout(TIME, within).await.unwrap_or_else(|_| Err(Trouble::lost("no answer in time")))
    }

    /// Opens the other mailbox of an account's own move. Whoever calls this is within what persons may reach.
    pub(super) async fn look(&self, owner: AccountId, id: u64) -> Result<(Mailbox, Origin), Trouble> {
        let now = self.inner.deps.clock.now();
        let count = move |tx: &mut Tx<'_>| {
            let mut own = mine(tx, owner, id)?;
            count_look(tx, &mut own, now)?;
            rows::put(tx, &own)
        };
        let (_, mailbox, source) = self.read(move |tx| mine(tx, owner, id).and_then(|own| parts(tx, &own))).await?;
        // What was refused once is refused again: nothing is said there before its owner says something else.
        if let Some(known) = self.inner.refusal(&mailbox, &source).await? {
            return Err(Trouble::Login { kind: known.kind, why: known.why });
        }
        self.write(count).await?;
        match self.inner.open(&mailbox, &source).await {
            Ok(origin) => Ok((mailbox, origin)),
            Err(Trouble::Login { kind, why }) => {
                self.inner.note_refusal(&mailbox, &source, kind, &why).await?;
                Err(Trouble::Login { kind, why })
            }
            Err(other) => Err(other),
        }
    }
}
