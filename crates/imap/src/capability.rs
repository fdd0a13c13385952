//! What the server says it can do (RFC 9051 §6.1.1).

use crate::session::Session;

/// Before the login. What comes with TLS and the ways to log in are added as they apply.
const ALWAYS: &str = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE";

/// After the login; APPENDLIMIT is added.
const AUTHENTICATED: &str = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE CHILDREN SPECIAL-USE CREATE-SPECIAL-USE \
     LIST-EXTENDED LIST-STATUS STATUS=SIZE UIDPLUS MOVE UNSELECT MULTIAPPEND BINARY ESEARCH SEARCHRES WITHIN CONDSTORE QRESYNC \
     OBJECTID SAVEDATE PREVIEW QUOTA QUOTA=RES-STORAGE UTF8=ACCEPT";

/// The words of CAPABILITY in the session's present state.
pub(crate) fn words(session: &Session) -> String {
    if session.user.is_some() {
        return format!("{AUTHENTICATED} APPENDLIMIT={}", session.deps.limits.message_size);
    }
    let mut words = ALWAYS.to_owned();
    if session.deps.tls.is_some() && !session.is_secure() {
        words.push_str(" STARTTLS");
    }
    if !session.takes_passwords() {
        words.push_str(" LOGINDISABLED");
        return words;
    }
    words.push_str(" AUTH=PLAIN AUTH=LOGIN AUTH=SCRAM-SHA-256");
    if session.is_secure() {
        words.push_str(" AUTH=SCRAM-SHA-256-PLUS");
    }
    words
}
