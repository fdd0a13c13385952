//! Whether a message has something to download.

use crate::structure::{Part, Structure};

/// Types that mail programs use themselves and people do not open.
const MACHINE_TYPES: [(&str, &str); 8] = [
    ("application", "pgp-signature"),
    ("application", "pkcs7-signature"),
    ("application", "x-pkcs7-signature"),
    ("application", "pgp-encrypted"),
    ("message", "delivery-status"),
    ("message", "disposition-notification"),
    ("message", "feedback-report"),
    ("text", "rfc822-headers"),
];

/// Whether some part is one to download: told so, or with a file name, or neither text nor a picture that the text
/// shows. The parts of a report are none.
pub(super) fn has_attachment(structure: &Structure) -> bool {
    let mut open = vec![(0, "")];
    while let Some((index, parent)) = open.pop() {
        let part = &structure.parts[index];
        if part.is_multipart() {
            open.extend(part.children.iter().map(|child| (*child as usize, part.subtype.as_str())));
        } else if is_attachment(part, parent) {
            return true;
        }
    }
    false
}

fn is_attachment(part: &Part, parent: &str) -> bool {
    let kind = part.disposition.as_ref().map(|disposition| disposition.kind.as_str());
    if MACHINE_TYPES.iter().any(|(media_type, subtype)| part.is(media_type, subtype)) {
        return false;
    }
    match kind {
        Some("attachment") => true,
        _ if parent == "report" => false,
        _ if parent == "related" && part.id.is_some() => false,
        Some("inline") => !part.is_text() && part.media_type != "image",
        _ => part.file_name().is_some() || !(part.is_text() || parent == "alternative"),
    }
}
