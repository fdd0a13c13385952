//! One login at a time says a password for the first time: of clients that come at once with the same one, one tries it at the old server,
//! and the others go by what becomes of that.
//!
//! | the first | those who waited with the same secret |
//! |---|---|
//! | is let in | go on together |
//! | is refused | find the refusal noted ([`crate::refused`]), and say nothing there |
//! | hears nothing of use | one after the other tries |
//! | hears nothing at all for a while | each tries for itself |
//!
//! Each login of a source has a turn of its own. Other processes have theirs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use crate::halt;
use crate::trouble::Trouble;

/// Logins that are tried or waited for at once.
const AT_ONCE: usize = 10_000;
/// How long somebody waits for the one who tries: longer than servers take to refuse a password, shorter than a door waits.
const WAIT: Duration = Duration::from_secs(18);
/// When it is tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// The mark of the secret that whoever had the turn before was let in by.
type Taken = Option<Vec<u8>>;

/// Logins under way, by source and login.
#[derive(Default)]
pub(crate) struct Logins {
    all: Mutex<HashMap<(u64, String), Arc<tokio::sync::Mutex<Taken>>>>,
}

/// The turn of one login; it is over when this is gone.
pub(crate) struct Turn(OwnedMutexGuard<Taken>);

impl Logins {
    /// The turn of a login, to be kept until it is known what becomes of it; `None` for whoever waited until somebody else was let in by the
    /// secret of this mark, or until nobody had answered that one for a while: each goes by what it hears itself then. [`Trouble::NotYet`]
    /// while too many logins are under way.
    pub async fn turn(&self, source: u64, login: &str, mark: &[u8]) -> Result<Option<Turn>, Trouble> {
        let later = |why: &str| Trouble::NotYet { why: why.to_owned(), pause: AGAIN };
        let turn = self.of(source, login).ok_or_else(|| later("too many logins are under way"))?;
        if let Ok(mut taken) = turn.clone().try_lock_owned() {
            // What was so before says nothing of now.
            *taken = None;
            return Ok(Some(Turn(taken)));
        }
        let Ok(mut taken) = halt::answer(timeout(WAIT, turn.lock_owned())).await? else { return Ok(None) };
        if taken.as_deref() == Some(mark) {
            return Ok(None);
        }
        *taken = None;
        Ok(Some(Turn(taken)))
    }

    fn of(&self, source: u64, login: &str) -> Option<Arc<tokio::sync::Mutex<Taken>>> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, turn| Arc::strong_count(turn) > 1);
        let key = (source, login.to_owned());
        (all.len() < AT_ONCE || all.contains_key(&key)).then(|| all.entry(key).or_default().clone())
    }
}

impl Turn {
    /// Its login was let in by the secret of this mark.
    pub fn taken(mut self, mark: &[u8]) {
        *self.0 = Some(mark.to_vec());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn those_who_waited_go_by_what_became_of_the_first() {
        let logins = Logins::default();
        let first = logins.turn(1, "ann", b"x").await.unwrap().expect("nobody was before");
        assert!(logins.turn(1, "bob", b"x").await.unwrap().is_some(), "another login has its own");
        assert!(logins.turn(2, "ann", b"x").await.unwrap().is_some());
        let (same, other) = (logins.turn(1, "ann", b"x"), logins.turn(1, "ann", b"y"));
        let (same, other, ()) = tokio::join!(same, other, async { first.taken(b"x") });
        assert!(same.unwrap().is_none(), "it is right");
        assert!(other.unwrap().is_some(), "of this one nothing is known");
        assert!(logins.turn(1, "ann", b"x").await.unwrap().is_some(), "it may have changed since");
        logins.turn(1, "carl", b"x").await.unwrap();
        assert_eq!(logins.all.lock().unwrap().len(), 1, "who is through is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let logins = Logins::default();
        let _first = logins.turn(1, "ann", b"x").await.unwrap();
        assert!(logins.turn(1, "ann", b"x").await.unwrap().is_none());
    }
}
