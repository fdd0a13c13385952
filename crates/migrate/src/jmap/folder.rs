//! Mailboxes, and what the messages of one look like.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anser_store::Flags;
use anser_wire::imap::encode_mutf7;
use serde_json::{Value, json};

use super::Jmap;
use super::connection::is_id;
use crate::source::{Folder, Seen, Space, Standing, keywords_of};
use crate::trouble::Trouble;

/// Mailboxes of one account that are followed at most.
const FOLDERS: usize = 20_000;
/// Messages of one mailbox at most.
const MESSAGES: usize = 2_000_000;
/// Levels of mailboxes that are followed.
const DEPTH: usize = 100;
/// Octets of a path, beyond which the mailboxes above are left out.
const PATH: usize = 2_000;
/// Stands between levels: no name holds it (RFC 8621 §2).
const DELIMITER: u8 = 0x1f;
/// How often a mailbox is listed from its beginning, of which a whole page went while it was listed.
const AGAIN: usize = 5;

/// A mailbox, and its id.
#[derive(Clone, Debug)]
pub struct Known {
    folder: Folder,
    id: String,
}

/// The messages of the open mailbox, with the ids of their bodies.
#[derive(Clone, Debug, Default)]
pub struct Open {
    seen: Vec<Seen>,
    pub(super) blobs: Arc<Vec<Blob>>,
}

/// A body, and how many octets it has.
#[derive(Clone, Debug)]
pub(super) struct Blob {
    pub id: String,
    pub size: u64,
}

impl Jmap {
    /// Every mailbox of the account. How each stands is told with a number of the state of all mail: another one after every change.
    pub async fn folders(&mut self) -> Result<Vec<Folder>, Trouble> {
        let account = &self.account;
        let properties = ["id", "name", "parentId", "role", "isSubscribed", "totalEmails"];
        let get = json!({ "accountId": account, "ids": null, "properties": properties });
        let state = json!({ "accountId": account, "ids": [], "properties": ["id"] });
        let mut answers = self.call(&[("Mailbox/get", get), ("Email/get", state)]).await?;
        let (emails, mailboxes) = (answers.pop().unwrap_or_default(), answers.pop().unwrap_or_default());
        let state = stamp(emails["state"].as_str().unwrap_or_default());
        let list = mailboxes["list"].as_array().map(Vec::as_slice).unwrap_or_default();
        let by_id: HashMap<&str, &Value> = list.iter().filter_map(|one| Some((one["id"].as_str()?, one))).collect();
        let (mut known, mut names) = (Vec::new(), HashMap::<Vec<u8>, usize>::new());
        for mailbox in list.iter().take(FOLDERS) {
            let Some(id) = mailbox["id"].as_str().filter(|id| is_id(id)) else { continue };
            let messages = mailbox["totalEmails"].as_u64().unwrap_or(0);
            // Two of one name below one parent cannot be (RFC 8621 §2), but beside the mailbox with the role of the inbox one may be called so.
            let path = name_of(&by_id, mailbox);
            let mut name = path.clone();
            while names.contains_key(&name) {
                let count = names.entry(path.clone()).or_insert(1);
                *count += 1;
                name = [&path[..], format!(" {count}").as_bytes()].concat();
            }
            names.insert(name.clone(), 1);
            let folder = Folder {
                name,
                delimiter: Some(DELIMITER),
                attributes: mailbox["role"]
                    .as_str()
                    .map(|role| format!("\\{}", role.to_lowercase()))
                    .into_iter()
                    .collect(),
                subscribed: mailbox["isSubscribed"].as_bool().unwrap_or(true),
                standing: Some(standing(messages, state)),
                stamp: 0,
                id: 0,
                space: Space::Own,
            };
            known.push(Known { folder, id: id.to_owned() });
        }
        self.folders = known;
        Ok(self.folders.iter().map(|one| one.folder.clone()).collect())
    }

    /// Opens a mailbox: lists what is in it.
    pub async fn examine(&mut self, name: &[u8]) -> Result<Standing, Trouble> {
        if self.folders.is_empty() {
            self.folders().await?;
        }
        let found = self.folders.iter().find(|one| one.folder.name == name);
        let id = found.map(|one| one.id.clone()).ok_or_else(|| Trouble::Refused("there is no such mailbox".into()))?;
        for _ in 0..AGAIN {
            if let Some((open, state)) = self.look(&id).await? {
                let messages = open.seen.len() as u64;
                self.open = open;
                return Ok(standing(messages, stamp(&state)));
            }
        }
        Err(Trouble::lost("the mailbox changes all the time"))
    }

    /// The messages of the open mailbox.
    pub fn list(&self) -> &[Seen] {
        &self.open.seen
    }

    /// Goes over a mailbox page by page, the oldest first: each begins behind a message of the one before (RFC 8620 §5.5), so that what
    /// comes and goes meanwhile moves nothing. The state is that of the beginning: what was missed shows in the next one. `None` when
    /// all of a page is gone before the next was asked for.
    async fn look(&mut self, id: &str) -> Result<Option<(Open, String)>, Trouble> {
        let (mut seen, mut blobs, mut met) = (Vec::new(), Vec::new(), HashSet::new());
        let (mut behind, mut began) = (Vec::<String>::new(), None);
        loop {
            let Some((query, emails)) = self.page(id, &mut behind).await? else { return Ok(None) };
            began.get_or_insert_with(|| emails["state"].as_str().unwrap_or_default().to_owned());
            let asked: Vec<&str> = query["ids"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if asked.is_empty() {
                return Ok(Some((Open { seen, blobs: Arc::new(blobs) }, began.unwrap_or_default())));
            }
            let fresh: HashSet<&str> = asked.iter().copied().filter(|id| is_id(id) && !met.contains(*id)).collect();
            if fresh.is_empty() || seen.len() + fresh.len() > MESSAGES {
                return Err(Trouble::lost("the server lists messages without end"));
            }
            let list = emails["list"].as_array().map(Vec::as_slice).unwrap_or_default();
            if list.is_empty() && emails["notFound"].as_array().is_none_or(Vec::is_empty) {
                return Err(Trouble::lost("the server lists messages that it does not show"));
            }
            for email in list {
                let (Some(id), Some(blob)) = (email["id"].as_str(), email["blobId"].as_str()) else { continue };
                if is_id(blob) && fresh.contains(id) && met.insert(id.to_owned()) {
                    seen.push(seen_of(seen.len() as u32 + 1, id, email));
                    blobs.push(Blob { id: blob.to_owned(), size: email["size"].as_u64().unwrap_or(0) });
                }
            }
            met.extend(fresh.into_iter().map(str::to_owned));
            behind = asked.into_iter().map(str::to_owned).collect();
        }
    }

    /// The page behind the last of these messages that is still there; the first page behind none. `None` when none of them is.
    async fn page(&mut self, mailbox: &str, behind: &mut Vec<String>) -> Result<Option<(Value, Value)>, Trouble> {
        let from_start = behind.is_empty();
        loop {
            let mut query = json!({
                "accountId": self.account,
                "filter": { "inMailbox": mailbox },
                "sort": [{ "property": "receivedAt", "isAscending": true }],
                "limit": self.at_once,
            });
            match behind.last() {
                Some(anchor) => (query["anchor"], query["anchorOffset"]) = (anchor.as_str().into(), 1.into()),
                None if from_start => query["position"] = 0.into(),
                None => return Ok(None),
            }
            let ids = json!({ "resultOf": "0", "name": "Email/query", "path": "/ids" });
            let properties = ["id", "blobId", "keywords", "receivedAt", "size"];
            let get = json!({ "accountId": self.account, "#ids": ids, "properties": properties });
            match self.call(&[("Email/query", query), ("Email/get", get)]).await {
                Ok(answers) => {
                    let mut answers = answers.into_iter();
                    return Ok(Some((answers.next().unwrap_or_default(), answers.next().unwrap_or_default())));
                }
                Err(Trouble::Refused(why)) if why.contains("anchorNotFound") => drop(behind.pop()),
                Err(other) => return Err(other),
            }
        }
    }
}

/// There are no UIDs: the next one is always the first.
fn standing(messages: u64, modseq: u64) -> Standing {
    Standing { messages, uidnext: 1, modseq, ..Standing::default() }
}

fn seen_of(at: u32, id: &str, email: &Value) -> Seen {
    let (mut flags, mut words) = (Flags::default(), Vec::new());
    for keyword in email["keywords"].as_object().into_iter().flatten().filter(|(_, on)| **on == true).map(|one| one.0) {
        match keyword.to_ascii_lowercase().as_str() {
            "$seen" => flags = flags.with(Flags::SEEN),
            "$answered" => flags = flags.with(Flags::ANSWERED),
            "$flagged" => flags = flags.with(Flags::FLAGGED),
            "$draft" => flags = flags.with(Flags::DRAFT),
            _ => words.push(keyword.as_str()),
        }
    }
    Seen {
        at,
        key: id.as_bytes().to_vec(),
        uid: 0,
        uidl: None,
        identity: None,
        flags,
        keywords: keywords_of(words),
        received: email["receivedAt"].as_str().and_then(internal_date).unwrap_or_default(),
        written: None,
        size: email["size"].as_u64().unwrap_or(0),
    }
}

/// A UTCDate (RFC 8620 §1.4) as IMAP writes it.
fn internal_date(date: &str) -> Option<String> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (date, time) = date.strip_suffix('Z')?.split_once('T')?;
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    let time = time.split('.').next()?;
    let is_number = |text: &str, digits| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_time = time.len() == 8 && time.split(':').all(|part| is_number(part, 2));
    (is_number(year, 4) && is_number(day, 2) && is_time).then(|| format!("{day}-{month}-{year} {time} +0000"))
}

/// The path of a mailbox, as its name on the wire. One with the role of the inbox is the inbox, whatever it is called.
fn name_of(by_id: &HashMap<&str, &Value>, mailbox: &Value) -> Vec<u8> {
    let (mut levels, mut at, mut left) = (Vec::new(), mailbox, PATH);
    for _ in 0..DEPTH {
        let is_inbox = at["role"].as_str().is_some_and(|role| role.eq_ignore_ascii_case("inbox"));
        let letters = at["name"].as_str().unwrap_or_default().chars().filter(|c| !c.is_control());
        let name: String = letters.take(PATH / 4).collect();
        let level = if is_inbox { "INBOX".to_owned() } else { encode_mutf7(&name) };
        left = left.saturating_sub(level.len());
        levels.push(level);
        let Some(parent) = at["parentId"].as_str().filter(|_| !is_inbox && left > 0) else { break };
        let Some(above) = by_id.get(parent) else { break };
        at = above;
    }
    levels.reverse();
    levels.join(&char::from(DELIMITER).to_string()).into_bytes()
}

/// A number for a state; 0 for none.
fn stamp(state: &str) -> u64 {
    let Some(number) = blake3::hash(state.as_bytes()).as_bytes().first_chunk().copied() else { return 0 };
    // It is kept where a modification sequence is, which has 63 bits.
    if state.is_empty() { 0 } else { u64::from_le_bytes(number) >> 1 | 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_imap_has_them() {
        assert_eq!(internal_date("2014-10-30T14:12:00Z").as_deref(), Some("30-Oct-2014 14:12:00 +0000"));
        assert_eq!(internal_date("2014-10-30T14:12:00.123Z").as_deref(), Some("30-Oct-2014 14:12:00 +0000"));
        for wrong in ["", "2014-10-30", "2014-13-30T14:12:00Z", "2014-10-30T14:12Z", "\"-10-30T14:12:00Z", "x"] {
            assert_eq!(internal_date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn mailboxes_are_named_by_their_paths() {
        let list = [
            json!({ "id": "a", "name": "Eingang", "role": "inbox", "parentId": null }),
            json!({ "id": "b", "name": "R&D/甲", "parentId": "a" }),
            json!({ "id": "c", "name": "round", "parentId": "d" }),
            json!({ "id": "d", "name": "about", "parentId": "c" }),
        ];
        let by_id = list.iter().map(|one| (one["id"].as_str().unwrap(), one)).collect();
        let list = list.each_ref();
        assert_eq!(name_of(&by_id, list[0]), b"INBOX");
        assert_eq!(name_of(&by_id, list[1]), b"INBOX\x1fR&-D/&dTI-");
        assert!(name_of(&by_id, list[2]).len() < 1000, "a circle ends");
    }
}
