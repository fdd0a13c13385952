//! ENABLE (RFC 5161).

use crate::reply::{Outcome, Reply};
use crate::session::Session;

pub(super) async fn run(session: &mut Session, words: Vec<String>) -> Outcome {
    let mut line = "ENABLED".to_owned();
    for word in words {
        let enabled = &mut session.enabled;
        match word.as_str() {
            "CONDSTORE" => session.enable_condstore(),
            "QRESYNC" => {
                enabled.qresync = true;
                session.enable_condstore();
            }
            "UIDONLY" => enabled.uid_only = true,
            "UTF8=ACCEPT" => (enabled.utf8, enabled.utf8_only) = (true, true),
            "IMAP4REV2" => (enabled.rev2, enabled.utf8) = (true, true),
            "METADATA" => super::notify::announce_metadata(session).await?,
            _ => continue,
        }
        line.push(' ');
        line.push_str(if word == "IMAP4REV2" { "IMAP4rev2" } else { &word });
    }
    session.reader.set_utf8(session.enabled.utf8);
    session.untagged(&line);
    Ok(Reply::ok("Done"))
}
