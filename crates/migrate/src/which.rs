//! Which mailboxes an act is for. A list of words: addresses here and logins there name mailboxes; `wave:NAME`, `state:STATE` and
//! `trouble:CLASS` name those of a wave, in a state, with trouble of a class. Words of one kind stand beside each other, and each kind narrows
//! what the others mean: `wave:first state:refused` is what was refused of the wave. No word means all.

use std::collections::HashSet;

use anser_base::{Error, Result};
use anser_db::Tx;

use crate::model::{Mailbox, State};
use crate::rows;
use crate::run::unknown;
use crate::trouble::class_of;
use crate::wave;

/// The words.
pub type Which = Vec<String>;

/// What stands before the name of a wave.
pub const WAVE: &str = "wave:";
/// What stands before a state.
pub const STATE: &str = "state:";
/// What stands before a class of trouble.
pub const TROUBLE: &str = "trouble:";

/// Names that are looked up one by one.
const FEW: usize = 20;

/// Whether they name mailboxes, or a wave, as whoever means these and no others does; a state or trouble alone may be everybody's.
pub fn names_some(which: &[String]) -> bool {
    which.iter().any(|one| !one.starts_with(STATE) && !one.starts_with(TROUBLE))
}

/// Whether a mailbox is among them.
pub(crate) fn is_meant(mailbox: &Mailbox, which: &[String]) -> bool {
    meant(which)(mailbox)
}

/// The names among these words.
fn names(which: &[String]) -> impl Iterator<Item = &str> {
    let is_kind = |one: &str| [WAVE, STATE, TROUBLE].iter().any(|kind| one.starts_with(kind));
    which.iter().map(|one| &**one).filter(move |one| !is_kind(one))
}

/// Mailboxes of a move that are among them, where these are few: each is looked up. `None` where all have to be gone over.
pub(crate) fn few(tx: &mut Tx<'_>, of: u64, which: &[String]) -> Result<Option<Vec<Mailbox>>> {
    let names: Vec<&str> = names(which).take(FEW + 1).collect();
    if !(1..=FEW).contains(&names.len()) {
        return Ok(None);
    }
    let found = rows::mailboxes_named(tx, of, &names)?;
    Ok(Some(found.into_iter().filter(meant(which)).collect()))
}

/// The same of many mailboxes: lists of names are long.
pub(crate) fn meant(which: &[String]) -> impl Fn(&Mailbox) -> bool {
    let names: HashSet<&str> = names(which).collect();
    move |mailbox| {
        (names.is_empty() || names.contains(&*mailbox.address) || names.contains(&*mailbox.login))
            && meets_kinds(mailbox, which)
    }
}

fn meets_kinds(mailbox: &Mailbox, which: &[String]) -> bool {
    let meets = |kind: &str, it: Option<&str>| {
        let mut all = which.iter().filter_map(|one| one.strip_prefix(kind)).peekable();
        all.peek().is_none() || all.any(|one| Some(one) == it)
    };
    meets(WAVE, mailbox.wave.as_deref())
        && meets(STATE, Some(mailbox.state.word()))
        && meets(TROUBLE, class_of(mailbox).as_deref())
}

/// [`anser_base::Class::NotFound`] for a wave that there is none of, [`anser_base::Class::Invalid`] for a state.
pub(crate) fn check(tx: &mut Tx<'_>, of: u64, which: &[String]) -> Result<()> {
    let known = wave::rows_of(tx, of)?;
    for one in which {
        if let Some(name) = one.strip_prefix(WAVE)
            && !known.iter().any(|wave| wave.name == name)
        {
            return Err(unknown(&format!("wave {name}")));
        }
        if let Some(state) = one.strip_prefix(STATE)
            && State::from_word(state).is_none()
        {
            return Err(Error::invalid(format!("there is no state {state}"), format!("没有状态 {state}")));
        }
    }
    Ok(())
}
