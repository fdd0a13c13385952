//! What the server says it can do (RFC 9051 §6.1.1): one table. `docs/protocols.md` is made from it too.

use anser_directory::{Mechanism, Peer, Service};

use crate::reply::{Outcome, Reply};
use crate::session::Session;

/// A word of CAPABILITY, when it is shown, and what defines it. A word that ends in `=` gets its value from [`value`].
type Row = (&'static str, fn(&Session) -> bool, &'static str);

const TABLE: &[Row] = &[
    ("IMAP4rev1", always, "RFC 3501"),
    ("IMAP4rev2", always, "RFC 9051"),
    ("LITERAL+", always, "RFC 7888"),
    ("SASL-IR", always, "RFC 4959"),
    ("ID", always, "RFC 2971"),
    ("ENABLE", always, "RFC 5161"),
    ("IDLE", always, "RFC 2177"),
    ("LANGUAGE", always, "RFC 5255"),
    ("STARTTLS", may_start_tls, "RFC 9051"),
    ("LOGINDISABLED", takes_no_passwords, "RFC 9051"),
    ("AUTH=SCRAM-SHA-256-PLUS", may_bind, "RFC 7677"),
    ("AUTH=SCRAM-SHA-256", may_prove, "RFC 7677"),
    ("AUTH=OAUTHBEARER", may_log_in, "RFC 7628"),
    ("AUTH=XOAUTH2", may_log_in, "RFC 7628"),
    ("AUTH=PLAIN", may_log_in, "RFC 4616"),
    ("AUTH=LOGIN", may_log_in, "RFC 4422"),
    ("NAMESPACE", logged_in, "RFC 2342"),
    ("XLIST", logged_in, "RFC 6154"),
    ("CHILDREN", logged_in, "RFC 3348"),
    ("SPECIAL-USE", logged_in, "RFC 6154"),
    ("CREATE-SPECIAL-USE", logged_in, "RFC 6154"),
    ("LIST-EXTENDED", logged_in, "RFC 5258"),
    ("LIST-STATUS", logged_in, "RFC 5819"),
    ("STATUS=SIZE", logged_in, "RFC 8438"),
    ("UIDPLUS", logged_in, "RFC 4315"),
    ("MOVE", logged_in, "RFC 6851"),
    ("UNSELECT", logged_in, "RFC 3691"),
    ("MULTIAPPEND", logged_in, "RFC 3502"),
    ("CATENATE", logged_in, "RFC 4469"),
    ("URL-PARTIAL", logged_in, "RFC 5550"),
    ("REPLACE", logged_in, "RFC 8508"),
    ("BINARY", logged_in, "RFC 3516"),
    ("ESEARCH", logged_in, "RFC 4731"),
    ("SEARCHRES", logged_in, "RFC 5182"),
    ("SORT", logged_in, "RFC 5256"),
    ("SORT=DISPLAY", logged_in, "RFC 5957"),
    ("ESORT", logged_in, "RFC 5267"),
    ("THREAD=ORDEREDSUBJECT", logged_in, "RFC 5256"),
    ("THREAD=REFERENCES", logged_in, "RFC 5256"),
    ("PARTIAL", logged_in, "RFC 9394"),
    ("INPROGRESS", logged_in, "RFC 9585"),
    ("UIDONLY", logged_in, "RFC 9586"),
    ("WITHIN", logged_in, "RFC 5032"),
    ("CONDSTORE", logged_in, "RFC 7162"),
    ("QRESYNC", logged_in, "RFC 7162"),
    ("OBJECTID", logged_in, "RFC 8474"),
    ("SAVEDATE", logged_in, "RFC 8514"),
    ("PREVIEW", logged_in, "RFC 8970"),
    ("QUOTA", logged_in, "RFC 9208"),
    ("QUOTASET", logged_in, "RFC 9208"),
    ("QUOTA=RES-STORAGE", logged_in, "RFC 9208"),
    ("QUOTA=RES-MAILBOX", logged_in, "RFC 9208"),
    ("ACL", logged_in, "RFC 4314"),
    ("RIGHTS=kxte", logged_in, "RFC 4314"),
    ("LIST-MYRIGHTS", logged_in, "RFC 8440"),
    ("NOTIFY", logged_in, "RFC 5465"),
    ("METADATA", logged_in, "RFC 5464"),
    ("METADATA-SERVER", logged_in, "RFC 5464"),
    ("LIST-METADATA", logged_in, "RFC 9590"),
    ("UTF8=ACCEPT", logged_in, "RFC 6855"),
    ("COMPRESS=DEFLATE", may_compress, "RFC 4978"),
    ("UNAUTHENTICATE", logged_in, "RFC 8437"),
    ("JMAPACCESS", has_jmap, "RFC 9698"),
    ("APPENDLIMIT=", logged_in, "RFC 7889"),
];

/// CAPABILITY.
pub(crate) fn run(session: &mut Session) -> Outcome {
    let line = format!("CAPABILITY {}", words(session));
    session.untagged(&line);
    Ok(Reply::ok("Done"))
}

/// The words of CAPABILITY in the session's present state.
pub(crate) fn words(session: &Session) -> String {
    let shown = TABLE.iter().filter(|(_, when, _)| when(session));
    let words = shown.map(|(word, ..)| match word.strip_suffix('=') {
        Some(name) => format!("{word}{}", value(session, name)),
        None => (*word).to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn value(session: &Session, name: &str) -> u64 {
    match name {
        "APPENDLIMIT" => session.deps.limits.message_size,
        _ => 0,
    }
}

fn always(_: &Session) -> bool {
    true
}

fn logged_in(session: &Session) -> bool {
    session.user.is_some()
}

fn may_start_tls(session: &Session) -> bool {
    let plain = !session.is_secure() && !session.stream.is_deflated();
    !logged_in(session) && session.deps.tls.is_some() && plain
}

fn may_compress(session: &Session) -> bool {
    logged_in(session) && !session.stream.is_deflated()
}

fn has_jmap(session: &Session) -> bool {
    logged_in(session) && session.deps.jmap_url.is_some()
}

fn takes_no_passwords(session: &Session) -> bool {
    !logged_in(session) && !session.takes_passwords()
}

fn may_log_in(session: &Session) -> bool {
    !logged_in(session) && session.takes_passwords()
}

fn may_prove(session: &Session) -> bool {
    may_log_in(session) && is_offered(session, Mechanism::ScramSha256)
}

fn may_bind(session: &Session) -> bool {
    may_log_in(session) && is_offered(session, Mechanism::ScramSha256Plus)
}

fn is_offered(session: &Session, mechanism: Mechanism) -> bool {
    let peer = Peer::of(&session.deps.directory, &session.stream, Service::Imap);
    Mechanism::offered(&peer).any(|name| name == mechanism.name())
}
