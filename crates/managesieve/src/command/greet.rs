//! The greeting and CAPABILITY, STARTTLS, NOOP, LOGOUT (RFC 5804 §1.7, §2).

use anser_base::{Language, Text};
use anser_directory::{Mechanism, Peer, Service};
use anser_sieve::{EXTENSIONS, Extension, Fuel, NOTIFY_METHODS};
use anser_wire::managesieve::{Code, string};

use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

/// The capabilities, and that the server is ready.
pub(crate) async fn greeting(session: &mut Session) -> Outcome {
    write_capabilities(session).await?;
    Ok(Reply::ok("ManageSieve ready", "ManageSieve 就绪"))
}

pub(super) async fn capability(session: &mut Session) -> Outcome {
    write_capabilities(session).await?;
    Ok(Reply::done())
}

/// STARTTLS (RFC 5804 §2.2): capabilities come again, and what the client sent behind the line is thrown away.
pub(super) async fn starttls(session: &mut Session) -> Outcome {
    if session.stream.is_secure() {
        return Ok(Reply::no("TLS is active already", "TLS 已启用"));
    }
    let Some(acceptor) = session.deps.tls.clone() else {
        return Ok(Reply::no("TLS is not offered", "不支持 TLS"));
    };
    if session.account.is_some() {
        return Ok(Reply::no("STARTTLS comes before the login", "STARTTLS 须在登录之前使用"));
    }
    session.reply(&Reply::ok("begin TLS", "开始 TLS")).await?;
    session.stream.start_tls(&acceptor).await.map_err(Trouble::Gone)?;
    greeting(session).await
}

/// NOOP (RFC 5804 §2.13).
pub(super) fn noop(tag: Option<String>) -> Reply {
    match tag {
        Some(tag) => Reply::Ok(Some(Code::Tag(tag)), Text::new("Done", "完成")),
        None => Reply::done(),
    }
}

pub(super) fn logout(session: &mut Session) -> Reply {
    session.ended = true;
    Reply::ok("goodbye", "再见")
}

async fn write_capabilities(session: &mut Session) -> Result<(), Trouble> {
    let mut out = Vec::new();
    for (name, value) in capabilities(session) {
        out.extend(string(name.as_bytes()));
        if let Some(value) = value {
            out.push(b' ');
            out.extend(string(value.as_bytes()));
        }
        out.extend_from_slice(b"\r\n");
    }
    session.write(&out).await
}

/// RFC 5804 §1.7.
fn capabilities(session: &Session) -> Vec<(&'static str, Option<String>)> {
    let peer = Peer::of(&session.deps.directory, &session.stream, Service::ManageSieve);
    let mechanisms: Vec<&str> = match session.takes_logins() && session.account.is_none() {
        true => Mechanism::offered(&peer).collect(),
        false => Vec::new(),
    };
    // IMAP runs no scripts: `imapsieve` compiles, so that scripts of other servers come in, and is not promised.
    let promised = EXTENSIONS.iter().filter(|(extension, _)| *extension != Extension::ImapSieve);
    let extensions: Vec<&str> = promised.map(|(_, name)| *name).collect();
    let mut all = vec![
        ("IMPLEMENTATION", Some("Anser".to_owned())),
        ("VERSION", Some("1.0".to_owned())),
        ("SASL", Some(mechanisms.join(" "))),
        ("SIEVE", Some(extensions.join(" "))),
        ("NOTIFY", Some(NOTIFY_METHODS.join(" "))),
        ("MAXREDIRECTS", Some(Fuel::default().redirects.to_string())),
        ("UNAUTHENTICATE", None),
    ];
    if session.offers_tls() && session.account.is_none() {
        all.push(("STARTTLS", None));
    }
    if session.language != Language::Default {
        all.push(("LANGUAGE", Some(session.language.tag().to_owned())));
    }
    if let Some(account) = &session.account {
        all.push(("OWNER", Some(account.address.to_string())));
    }
    all
}
