//! Running programs over a message.

mod budget;
mod machine;
mod outcome;
mod values;
mod world;

use anser_base::{Text, Timestamp};
use anser_mime::structure::Structure;

use crate::program::Program;

pub(crate) use budget::Budget;
pub use budget::{Exhausted, Fuel};
pub(crate) use machine::{Machine, Scope};
pub use outcome::{
    Action, Failure, FileInto, MAX_STEPS_TOLD, Notify, Origin, Outcome, RedirectTo, Remember, Taken, Vacation, Withheld,
};
pub(crate) use values::whole_list_name;
pub use world::{Environment, Nothing, World};

/// One script of a message, in the order in which they run.
#[derive(Clone, Copy, Debug)]
pub struct Script<'a> {
    /// Name, for traces and reports.
    pub name: &'a str,
    /// What to run.
    pub program: &'a Program,
}

/// A time zone: its minutes east of UTC at a second of UTC since 1970, which are others in summer.
pub type Zone<'a> = &'a dyn Fn(i64) -> i32;

/// Everything that scripts may look at.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The message as it came.
    pub message: &'a [u8],
    /// Its structure, when the caller has it already.
    pub structure: Option<&'a Structure>,
    /// Envelope sender without angle brackets; empty for bounces.
    pub sender: &'a str,
    /// Envelope recipient for whom the scripts run.
    pub recipient: &'a str,
    /// Addresses of the owner, for vacation (RFC 5230 §4.5); the recipient is one without being named.
    pub owner: &'a [String],
    /// What time it is.
    pub now: Timestamp,
    /// The owner's zone.
    pub zone: Zone<'a>,
    /// RFC 5183.
    pub environment: &'a Environment,
    /// What only the store knows.
    pub world: &'a dyn World,
    /// Random text for the boundary of messages that `enclose` makes: nobody who wrote the message may know it.
    pub boundary: &'a str,
    /// What all scripts together may use.
    pub fuel: Fuel,
}

/// Runs `scripts` one after the other: those before the user's, his own, those after. Each one hands the message on when
/// it keeps it, by command or because nothing cancelled the implicit keep; one that does not ends the run. What a script
/// that fails did is undone, and it keeps (RFC 5228 §2.10.6). Flags that a keep sets, and changes to the message, go on to the next script.
pub fn run(scripts: &[Script<'_>], input: &Input<'_>) -> Outcome {
    let mut machine = Machine::new(input);
    let mut keep =
        Taken { action: Action::Keep { flags: Vec::new(), is_implicit: true }, version: 0, origin: Origin::default() };
    for (at, script) in scripts.iter().enumerate() {
        let is_last = at + 1 == scripts.len();
        match machine.whole_script(script) {
            Some(kept) if is_last => keep = kept,
            Some(kept) => {
                if let Action::Keep { flags, .. } = &kept.action {
                    machine.flags.clone_from(flags);
                }
                keep = kept;
            }
            None => return machine.finish(None),
        }
        if machine.is_exhausted {
            break;
        }
    }
    machine.finish(Some(keep))
}

/// Where a command leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    /// Ends all scripts of this one's family (RFC 5228 §3.3).
    Stop,
    /// Ends this script (RFC 6609 §3.3).
    Return,
    /// Ends the innermost loop, or the one of this name.
    Break(Option<String>),
}

/// Why a script cannot go on.
#[derive(Debug)]
pub(crate) enum Halt {
    Exhausted(Exhausted),
    Error(Text),
}

impl From<Exhausted> for Halt {
    fn from(what: Exhausted) -> Self {
        Halt::Exhausted(what)
    }
}

impl Halt {
    pub(crate) fn error(en: impl Into<String>, zh: impl Into<String>) -> Halt {
        Halt::Error(Text::new(en.into(), zh.into()))
    }
}
