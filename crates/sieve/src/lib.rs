//! Sieve (RFC 5228): scripts compiled to programs, programs run over a message, and rules as a form for people who write
//! no scripts. Pure: no I/O, no clock; the caller gives the message, the time and a [`World`] that answers for the store.
//!
//! ```
//! use anser_sieve::{Action, Environment, Fuel, Input, Nothing, Program, Script, run};
//!
//! let program = Program::compile(b"require \"fileinto\";\nif header :contains \"subject\" \"sale\" { fileinto \"Ads\"; }").unwrap();
//! let input = Input {
//!     message: b"Subject: big sale\r\n\r\n",
//!     structure: None,
//!     sender: "shop@example.org",
//!     recipient: "ann@example.com",
//!     owner: &[],
//!     now: anser_base::Timestamp::from_secs(0),
//!     zone: &|_| 480,
//!     environment: &Environment::new(),
//!     world: &Nothing,
//!     boundary: "random",
//!     fuel: Fuel::default(),
//! };
//! let outcome = run(&[Script { name: "main", program: &program }], &input);
//! assert!(matches!(&outcome.actions[0].action, Action::FileInto(file) if file.mailbox == "Ads"));
//! assert_eq!(outcome.actions[0].origin.line, 2);
//! ```
//!
//! # Where things are
//!
//! | module | holds |
//! |---|---|
//! | `table` | the language as data: every command, test, tag and capability. Start here |
//! | `lex`, `parse` | bytes to tokens to a generic tree |
//! | `compile` | the tree against the table |
//! | `program`, `template` | the compiled form |
//! | `stored` | its bytes |
//! | `compare` | comparators, match types, wildcards, regular expressions |
//! | `message` | header fields and parts, and changes to them |
//! | `run` | the machine, its budget, what comes out |
//! | `act`, `ask` | what commands do and tests find out, one file a family |
//! | [`form`] | rules as a form, to a script and back |
//!
//! # Failure
//!
//! A script that does not compile is never run: the caller keeps the message. A script that fails while it runs, or that
//! uses up its [`Fuel`], leaves a keep and a [`Failure`] that names script and line; what it did before is undone.

mod act;
mod ask;
mod compare;
mod compile;
pub mod form;
mod lex;
mod mailto;
mod message;
mod mistake;
mod parse;
mod program;
mod run;
mod stored;
mod table;
mod template;

pub use compile::{MAX_SCRIPT, compile};
pub use mistake::{MAX_MISTAKES, Mistake, Mistakes, Place};
pub use program::Program;
pub use run::{
    Action, Environment, Exhausted, Failure, FileInto, Fuel, Input, MAX_STEPS_TOLD, Nothing, Notify, Origin, Outcome,
    RedirectTo, Remember, Script, Taken, Vacation, Withheld, World, Zone, run,
};
pub use table::{EXTENSIONS, Extension, NOTIFY_METHODS};
