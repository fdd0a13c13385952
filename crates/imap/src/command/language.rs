//! LANGUAGE (RFC 5255 §3).

use anser_base::Language;

use crate::reply::{Outcome, Reply};
use crate::session::Session;

/// Without arguments lists the languages; else takes the first of the wanted ones that is spoken here.
pub(super) fn run(session: &mut Session, wanted: &[String]) -> Outcome {
    if wanted.is_empty() {
        let tags: Vec<&str> = Language::LISTED.iter().map(|(_, tag, _)| *tag).collect();
        session.untagged(&format!("LANGUAGE ({})", tags.join(" ")));
        return Ok(Reply::ok("Done"));
    }
    let Some(language) = wanted.iter().find_map(|range| named(range)) else {
        return Ok(Reply::no("", "This language is not spoken here"));
    };
    session.untagged(&format!("LANGUAGE ({})", language.tag()));
    session.language = language;
    Ok(Reply::ok("Language changed"))
}

fn named(range: &str) -> Option<Language> {
    if range.eq_ignore_ascii_case("default") { Some(Language::Default) } else { Language::named(range) }
}
