//! DELE, RSET and QUIT (RFC 1939 §5, §6).

use anser_base::Error;
use anser_journal::What;

use super::list::no_such_message;
use crate::maildrop::Removed;
use crate::note::{note, remember_read};
use crate::reply::{Code, Outcome, Reply};
use crate::session::Session;

pub(super) fn dele(session: &mut Session, number: u32) -> Outcome {
    let maildrop = session.maildrop()?;
    maildrop.message(number).ok_or_else(no_such_message)?;
    maildrop.mark(number);
    Ok(Reply::ok(format!("message {number} deleted"), format!("已删除第 {number} 封邮件")))
}

pub(super) fn rset(session: &mut Session) -> Outcome {
    let maildrop = session.maildrop()?;
    maildrop.unmark_all();
    let (count, size) = (maildrop.count(), maildrop.size());
    Ok(Reply::ok(format!("{count} messages ({size} octets)"), format!("{count} 封邮件（{size} 字节）")))
}

/// In TRANSACTION this is the update. The lock is free before the answer, so that a client may come again at once.
pub(super) async fn quit(session: &mut Session) -> Outcome {
    session.ended = true;
    let bye = Reply::ok("bye", "再见");
    let Some(maildrop) = session.maildrop.take() else { return Ok(bye) };
    remember_read(&maildrop).await;
    let removed = maildrop.remove_marked().await;
    let account = maildrop.account.clone();
    drop(maildrop);
    match removed {
        Err(error) => Ok(nothing_removed(&error)),
        Ok(Removed { uids, .. }) if uids.is_empty() => Ok(bye),
        Ok(Removed { uids, message_ids }) => {
            let (actor, mailbox) = (account.address.to_string(), "INBOX".to_owned());
            let uids = sequence_set(&uids);
            note(session, What::Deleted { actor, account: account.id, mailbox, uids, message_ids }).await;
            Ok(bye)
        }
    }
}

fn nothing_removed(error: &Error) -> Reply {
    tracing::error!(error = error.chain(), "deleted messages were not removed");
    let code = match Code::of(error.class) {
        Code::None => Code::SysTemp,
        code => code,
    };
    Reply::coded(code, "deleted messages were not removed", "已标记的邮件未能删除")
}

/// Ascending UIDs as a sequence set (RFC 9051 §4.1.1).
fn sequence_set(uids: &[u32]) -> String {
    let ranges = uids.chunk_by(|a, b| a + 1 == *b).map(|range| match range {
        [one] => one.to_string(),
        range => format!("{}:{}", range[0], range[range.len() - 1]),
    });
    ranges.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_joined() {
        assert_eq!(sequence_set(&[]), "");
        assert_eq!(sequence_set(&[1, 2, 3, 5, 8, 9]), "1:3,5,8:9");
    }
}
