//! CAPA, STLS, UTF8, LANG.

use anser_base::Language;

use crate::capability;
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

/// CAPA (RFC 2449 §5).
pub(super) async fn capa(session: &mut Session) -> Outcome {
    let lines = capability::lines(session);
    session.reply(&Reply::ok("capabilities follow", "功能列表")).await?;
    session.write(format!("{}\r\n.\r\n", lines.join("\r\n")).as_bytes()).await?;
    Ok(Reply::Written)
}

/// STLS (RFC 2595 §4): what the client said before counts no more, and what it sent behind the line is thrown away.
pub(super) async fn stls(session: &mut Session) -> Outcome {
    if session.stream.is_secure() {
        return Ok(Reply::err("TLS is active already", "TLS 已启用"));
    }
    let Some(acceptor) = session.deps.tls.clone() else {
        return Ok(Reply::err("TLS is not offered", "不支持 TLS"));
    };
    session.reply(&Reply::ok("begin TLS", "开始 TLS")).await?;
    session.stream.start_tls(&acceptor).await.map_err(Trouble::Gone)?;
    (session.user, session.language) = (None, Language::default());
    Ok(Reply::Written)
}

/// UTF8 (RFC 6856 §2.1). Messages go out as they are stored in either mode, and names may be UTF-8 in either.
pub(super) fn utf8() -> Outcome {
    Ok(Reply::ok("UTF8 enabled", "已启用 UTF8"))
}

/// LANG (RFC 6856 §3).
pub(super) async fn lang(session: &mut Session, range: Option<&str>) -> Outcome {
    let chosen = match range {
        None => return list_languages(session).await,
        Some("*") => Some(session.maildrop.as_ref().map_or(Language::Default, |it| it.account.locale.into())),
        Some(range) => Language::named(range),
    };
    let Some(language) = chosen else { return Ok(Reply::err("no such language", "不支持该语言")) };
    session.language = language;
    let (en, zh) = ("language changed", "语言已切换");
    Ok(Reply::ok(format!("{} {en}", language.tag()), format!("{} {zh}", language.tag())))
}

async fn list_languages(session: &mut Session) -> Outcome {
    session.reply(&Reply::ok("languages follow", "语言列表")).await?;
    for (_, tag, name) in Language::LISTED {
        session.write(format!("{tag} {name}\r\n").as_bytes()).await?;
    }
    session.write(b".\r\n").await?;
    Ok(Reply::Written)
}
