//! The state table: which command is refused in which state. The table of the crate's documentation, as data.

use anser_wire::smtp::{Command, CommandError};

/// Where a session is. Columns of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No greeting yet, or none since TLS began.
    Connected,
    /// The peer has greeted.
    Greeted,
    /// The peer has greeted and logged in.
    Authenticated,
    /// A sender is given.
    MailGiven,
    /// At least one recipient is accepted.
    RcptGiven,
    /// Chunks of a message have come, the last one has not.
    Data,
}

/// Rows of the table; all commands that are not named are allowed everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    Mail,
    Rcpt,
    Data,
    Bdat,
    StartTls,
    Auth,
}

type Cell = Option<CommandError>;

const fn sequence(text: &'static str) -> Cell {
    Some(CommandError::new(503, (5, 5, 1), text))
}

const GOES: Cell = None;
const HELLO: Cell = sequence("Say hello first");
const NESTED: Cell = sequence("A transaction is under way");
const NO_MAIL: Cell = sequence("MAIL comes first");
const NO_RCPT: Cell = sequence("No valid recipients");
const CHUNKS: Cell = sequence("BDAT LAST or RSET is expected");
const LOGGED_IN: Cell = sequence("You are logged in already");

#[rustfmt::skip]
const TABLE: [(Row, [Cell; 6]); 6] = [
    //              Connected Greeted   Authenticated MailGiven RcptGiven Data
    (Row::Mail,     [HELLO,   GOES,     GOES,         NESTED,   NESTED,   CHUNKS]),
    (Row::Rcpt,     [HELLO,   NO_MAIL,  NO_MAIL,      GOES,     GOES,     CHUNKS]),
    (Row::Data,     [HELLO,   NO_MAIL,  NO_MAIL,      NO_RCPT,  GOES,     CHUNKS]),
    (Row::Bdat,     [HELLO,   NO_MAIL,  NO_MAIL,      NO_RCPT,  GOES,     GOES]),
    (Row::StartTls, [HELLO,   GOES,     LOGGED_IN,    NESTED,   NESTED,   CHUNKS]),
    (Row::Auth,     [HELLO,   GOES,     LOGGED_IN,    NESTED,   NESTED,   CHUNKS]),
];

/// Why a command cannot be carried out in a state; `None` when it can.
pub fn refusal(command: &Command, state: State) -> Option<CommandError> {
    let row = match command {
        Command::MailFrom(_) => Row::Mail,
        Command::RcptTo(_) => Row::Rcpt,
        Command::Data => Row::Data,
        Command::Bdat { .. } => Row::Bdat,
        Command::StartTls => Row::StartTls,
        Command::Auth { .. } => Row::Auth,
        _ => return None,
    };
    let (_, cells) = TABLE.into_iter().find(|(known, _)| *known == row)?;
    let [connected, greeted, authenticated, mail_given, rcpt_given, data] = cells;
    match state {
        State::Connected => connected,
        State::Greeted => greeted,
        State::Authenticated => authenticated,
        State::MailGiven => mail_given,
        State::RcptGiven => rcpt_given,
        State::Data => data,
    }
}
