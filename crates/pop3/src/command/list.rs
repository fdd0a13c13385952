//! STAT, LIST and UIDL (RFC 1939 §5, §7).

use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

pub(super) fn stat(session: &mut Session) -> Outcome {
    let maildrop = session.maildrop()?;
    Ok(Reply::Exact(format!("{} {}", maildrop.count(), maildrop.size())))
}

pub(super) async fn list(session: &mut Session) -> Outcome {
    let maildrop = session.maildrop()?;
    let (count, size) = (maildrop.count(), maildrop.size());
    session
        .reply(&Reply::ok(format!("{count} messages ({size} octets)"), format!("{count} 封邮件（{size} 字节）")))
        .await?;
    let Session { stream, maildrop: Some(maildrop), .. } = session else { return Ok(Reply::Written) };
    for (number, entry) in maildrop.unmarked_from(1) {
        stream.write_all(format!("{number} {}\r\n", entry.size).as_bytes()).await.map_err(Trouble::Gone)?;
    }
    session.write(b".\r\n").await?;
    Ok(Reply::Written)
}

pub(super) fn list_one(session: &mut Session, number: u32) -> Outcome {
    let entry = session.maildrop()?.message(number).ok_or_else(no_such_message)?;
    Ok(Reply::Exact(format!("{number} {}", entry.size)))
}

pub(super) async fn uidl(session: &mut Session) -> Outcome {
    session.maildrop()?.ids().await?;
    session.reply(&Reply::ok("unique ids follow", "唯一标识列表")).await?;
    let Session { stream, maildrop: Some(maildrop), .. } = session else { return Ok(Reply::Written) };
    if let Some(ids) = maildrop.known_ids() {
        for (number, entry) in maildrop.unmarked_from(1) {
            stream.write_all(format!("{number} {}\r\n", ids.of(entry.uid)).as_bytes()).await.map_err(Trouble::Gone)?;
        }
    }
    session.write(b".\r\n").await?;
    Ok(Reply::Written)
}

pub(super) async fn uidl_one(session: &mut Session, number: u32) -> Outcome {
    let maildrop = session.maildrop()?;
    let uid = maildrop.message(number).map(|entry| entry.uid).ok_or_else(no_such_message)?;
    Ok(Reply::Exact(format!("{number} {}", maildrop.ids().await?.of(uid))))
}

pub(super) fn no_such_message() -> Reply {
    Reply::err("no such message", "没有此邮件")
}
