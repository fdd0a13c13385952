//! States on the wire: places in the account's change log. One log serves all types; that a type did not change between two states is
//! told by its `/changes` being empty.

use anser_base::Result;
use anser_store::{LogLine, LogPoint, Logged, MailTx};

use crate::error::MethodError;
use crate::ids::number;

/// The state string of a place: `57`, or `57-3-12` within a transaction.
pub(crate) fn shown(point: LogPoint) -> String {
    match point.within {
        None => point.modseq.to_string(),
        Some((kind, id)) => format!("{}-{kind}-{id}", point.modseq),
    }
}

/// The state after all that happened.
pub(crate) fn now(tx: &MailTx<'_, '_>) -> String {
    shown(LogPoint::after(tx.state()))
}

/// The inverse of [`shown`].
pub(crate) fn parse(text: &str) -> Option<LogPoint> {
    let mut parts = text.split('-').map(number);
    let modseq = parts.next()??;
    let within = match (parts.next(), parts.next(), parts.next()) {
        (None, ..) => None,
        (Some(kind), Some(id), None) => Some((kind? as i64, id? as i64)),
        _ => return None,
    };
    Some(LogPoint { modseq, within })
}

/// The lines of the log since a state, at most `limit`; `None` when it is no state or the log does not reach back to it.
pub(crate) fn since(tx: &mut MailTx<'_, '_>, state: &str, what: Logged, limit: usize) -> Result<Option<Vec<LogLine>>> {
    match parse(state) {
        Some(point) => tx.logged_after(point, what, limit),
        None => Ok(None),
    }
}

/// `ifInState` (RFC 8620 §5.3): whether nothing of the type happened since.
pub(crate) fn check(
    tx: &mut MailTx<'_, '_>,
    what: Logged,
    state: Option<&str>,
) -> Result<std::result::Result<(), MethodError>> {
    let Some(state) = state else { return Ok(Ok(())) };
    let same = since(tx, state, what, 1)?.is_some_and(|lines| lines.is_empty());
    Ok(if same { Ok(()) } else { Err(MethodError::new("stateMismatch", "")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_one_form() {
        for text in ["0", "57", "57-3-12"] {
            assert_eq!(parse(text).map(shown).as_deref(), Some(text));
        }
        for wrong in ["", "-1", "57-", "57-3", "57-3-12-1", "057", "x", "57-x-1"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
