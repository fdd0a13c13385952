//! Everything that IMAP shows of a mailbox, so that two sides can be held against each other.

use std::collections::BTreeMap;

use crate::peers::wire::Imap;

/// One message, without its UID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    /// The whole message.
    pub body: Vec<u8>,
    /// Its flags without `\Recent`, sorted.
    pub flags: Vec<String>,
    /// INTERNALDATE, as seconds since 1970 would tell it: in UTC.
    pub date: String,
}

/// One folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// UIDVALIDITY.
    pub uidvalidity: u64,
    /// UIDNEXT.
    pub uidnext: u64,
    /// Messages by UID.
    pub messages: BTreeMap<u64, Message>,
    /// `\Sent` and the like.
    pub uses: Vec<String>,
    /// Whether it is subscribed to.
    pub subscribed: bool,
}

/// Folders by name.
pub type Side = BTreeMap<String, Folder>;

/// Reads everything; `/` is the separator of both servers. Folders without messages and without a use are there too.
pub fn side(imap: &mut Imap) -> Side {
    let listed = imap.run("LIST \"\" \"*\" RETURN (SUBSCRIBED SPECIAL-USE)").expect("LIST");
    let mut side = Side::new();
    for response in &listed {
        let Some(rest) = response.text.strip_prefix("* LIST (") else { continue };
        let (attributes, rest) = rest.split_once(") \"/\" ").expect("a separator of /");
        let name = match response.literals.first() {
            Some(name) => String::from_utf8_lossy(name).into_owned(),
            None => rest.trim_matches('"').replace("\\\"", "\"").replace("\\\\", "\\"),
        };
        let has = |word: &str| attributes.to_lowercase().contains(word);
        if has("\\noselect") || has("\\nonexistent") {
            continue;
        }
        let uses = ["\\Drafts", "\\Sent", "\\Trash", "\\Junk", "\\Archive"];
        let uses = uses.iter().filter(|one| has(&one.to_lowercase())).map(|one| (*one).to_owned()).collect();
        let mut folder = open(imap, &name);
        (folder.uses, folder.subscribed) = (uses, has("\\subscribed"));
        side.insert(name, folder);
    }
    side
}

/// Reads everything of a server that knows no extended LIST, or has another separator; folders are named as they are called here.
/// Those that cannot be opened are left out, and uses.
pub fn side_of(imap: &mut Imap, separator: char, prefix: &str) -> Side {
    let names = |imap: &mut Imap, command: &str| -> Vec<(bool, String)> {
        let mut found = Vec::new();
        for response in imap.run(command).expect("LIST") {
            let Some((attributes, rest)) = response.text.split_once(&format!(") \"{separator}\" ")) else { continue };
            let name = match response.literals.first() {
                Some(name) => String::from_utf8_lossy(name).into_owned(),
                None => rest.trim_matches('"').replace("\\\"", "\"").replace("\\\\", "\\"),
            };
            found.push((!attributes.to_lowercase().contains("\\no"), name));
        }
        found
    };
    let subscribed = names(imap, "LSUB \"\" \"*\"");
    let mut side = Side::new();
    for (_, name) in names(imap, "LIST \"\" \"*\"").into_iter().filter(|(is_there, name)| *is_there || name == "INBOX")
    {
        if imap.run(&format!("EXAMINE \"{name}\"")).is_err() {
            continue;
        }
        let mut folder = open(imap, &name);
        folder.subscribed = subscribed.iter().any(|(_, other)| *other == name);
        let own = name.strip_prefix(prefix).unwrap_or(&name);
        side.insert(
            own.replace('/', "\u{0}")
                .replace(separator, "/")
                .replace('\u{0}', if separator == '/' { "/" } else { "&IhU-" }),
            folder,
        );
    }
    side
}

fn open(imap: &mut Imap, name: &str) -> Folder {
    let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
    let opened = imap.run(&format!("EXAMINE \"{quoted}\"")).expect("EXAMINE");
    let number = |word: &str| opened.iter().find_map(|response| response.number(word)).unwrap_or(0);
    let (uidvalidity, mut uidnext) = (number("[UIDVALIDITY"), number("[UIDNEXT"));
    if uidnext == 0 {
        let asked = imap.run(&format!("STATUS \"{quoted}\" (UIDNEXT)")).expect("STATUS");
        uidnext = asked.iter().find_map(|response| response.number("(UIDNEXT")).unwrap_or(0);
    }
    let mut messages = BTreeMap::new();
    for response in imap.run("UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])").expect("FETCH") {
        let Some(uid) = response.number("UID").filter(|_| response.text.contains(" FETCH ")) else { continue };
        let list =
            response.text.split_once("FLAGS (").and_then(|(_, rest)| rest.split_once(')')).map_or("", |two| two.0);
        let mut flags: Vec<String> =
            list.split_whitespace().filter(|flag| *flag != "\\Recent").map(str::to_owned).collect();
        flags.sort();
        let date = response.text.split_once("INTERNALDATE \"").and_then(|(_, rest)| rest.split_once('"'));
        let date = date.map_or(String::new(), |(date, _)| date.to_owned());
        let body = response.literals.into_iter().next().unwrap_or_default();
        messages.insert(uid, Message { body, flags, date });
    }
    Folder { uidvalidity, uidnext, messages, uses: Vec::new(), subscribed: false }
}
