//! How servers name messages and folders beside UIDs and what these are called.

use crate::fake::{Folder, Habits, Mail};

/// Data items by what offers them: a capability, or what the server calls itself.
const ITEMS: [(&str, &str); 4] =
    [("DIGEST=SHA1", "DIGEST.SHA1"), ("OBJECTID", "EMAILID"), ("X-GM-EXT-1", "X-GM-MSGID"), ("Dovecot", "X-GUID")];

fn offers(habits: &Habits, wanted: &str) -> bool {
    habits.capabilities.split(' ').chain(habits.calls_itself).any(|word| word == wanted)
}

/// What stands in the answer of a message for the names that were asked for; `None` when one was that is not offered, or not known after all.
pub fn of_mail(habits: &Habits, items: &str, mail: &Mail) -> Option<String> {
    let mut said = String::new();
    for (offer, item) in ITEMS.iter().filter(|(_, item)| items.contains(item)) {
        if !offers(habits, offer) || habits.boasts {
            return None;
        }
        let name = mail.name.map_or_else(|| blake3::hash(&mail.body).to_hex()[..32].to_owned(), str::to_owned);
        said += &if *item == "EMAILID" { format!(" {item} ({name})") } else { format!(" {item} {name}") };
    }
    Some(said)
}

/// What stands in STATUS of a folder.
pub fn of_folder(habits: &Habits, items: &str, folder: &Folder) -> String {
    let is_asked = |item: &str| items.contains(item) && !folder.id.is_empty();
    match () {
        () if is_asked("MAILBOXID") && offers(habits, "OBJECTID") => format!(" MAILBOXID ({})", folder.id),
        () if is_asked("X-GUID") && offers(habits, "Dovecot") => format!(" X-GUID {}", folder.id),
        () => String::new(),
    }
}

/// What EXAMINE says besides (RFC 8474 §4.2).
pub fn of_open(habits: &Habits, folder: &Folder) -> String {
    match offers(habits, "OBJECTID") && !folder.id.is_empty() {
        true => format!("* OK [MAILBOXID ({})] x\r\n", folder.id),
        false => String::new(),
    }
}
