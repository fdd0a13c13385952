//! Ids on the wire. Those of mailboxes, messages and conversations are the object ids that IMAP tells (RFC 8474, RFC 8621 §1.2): in
//! accounts of others they begin with the account's, as there.

use std::fmt::Display;

use anser_base::{AccountId, MailboxId, MessageId, ThreadId};

/// Whose account an id is of, when it is not the user's own.
pub(crate) type Scope = Option<AccountId>;

/// The id of an account.
pub(crate) fn account_id(id: AccountId) -> String {
    format!("A{id}")
}

/// The inverse of [`account_id`].
pub(crate) fn parse_account(id: &str) -> Option<AccountId> {
    number(id.strip_prefix('A')?).map(AccountId)
}

pub(crate) fn mailbox_id(scope: Scope, id: MailboxId) -> String {
    shown(scope, 'F', id)
}

pub(crate) fn email_id(scope: Scope, id: MessageId) -> String {
    shown(scope, 'M', id)
}

pub(crate) fn thread_id(scope: Scope, id: ThreadId) -> String {
    shown(scope, 'T', id)
}

pub(crate) fn parse_mailbox(scope: Scope, id: &str) -> Option<MailboxId> {
    parsed(scope, 'F', id).map(MailboxId)
}

pub(crate) fn parse_email(scope: Scope, id: &str) -> Option<MessageId> {
    parsed(scope, 'M', id).map(MessageId)
}

pub(crate) fn parse_thread(scope: Scope, id: &str) -> Option<ThreadId> {
    parsed(scope, 'T', id).map(ThreadId)
}

/// The id of a sender identity.
pub(crate) fn identity_id(id: u64) -> String {
    format!("I{id}")
}

pub(crate) fn parse_identity(id: &str) -> Option<u64> {
    number(id.strip_prefix('I')?)
}

/// The id of a submission.
pub(crate) fn submission_id(id: u64) -> String {
    format!("S{id}")
}

pub(crate) fn parse_submission(id: &str) -> Option<u64> {
    number(id.strip_prefix('S')?)
}

fn shown(scope: Scope, letter: char, id: impl Display) -> String {
    match scope {
        None => format!("{letter}{id}"),
        Some(account) => format!("A{account}-{letter}{id}"),
    }
}

fn parsed(scope: Scope, letter: char, id: &str) -> Option<u64> {
    let own = match scope {
        None => id,
        Some(account) => id.strip_prefix(&account_id(account))?.strip_prefix('-')?,
    };
    number(own.strip_prefix(letter)?)
}

/// A number in the one form that we write, and that columns can hold.
pub(crate) fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| *number <= i64::MAX as u64)?;
    (plain && (text == "0" || !text.starts_with('0'))).then_some(number)
}

/// A number of a date, zeros in front of it and all.
pub(crate) fn number_with_zeros(text: &str) -> Option<u64> {
    let digits = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_form_in_one_account() {
        let ann = Some(AccountId(7));
        assert_eq!(email_id(ann, MessageId(12)), "A7-M12");
        assert_eq!(parse_email(ann, "A7-M12"), Some(MessageId(12)));
        assert_eq!(parse_email(None, "M12"), Some(MessageId(12)));
        for wrong in ["A7-M12", "M012", "M", "M+1", "m12", "F12", "M99999999999999999999", "M-1", ""] {
            assert_eq!(parse_email(None, wrong), None, "{wrong}");
        }
        assert_eq!(parse_email(ann, "M12"), None);
    }
}
