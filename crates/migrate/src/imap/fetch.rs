//! Messages of an open folder: their list in windows, and their bodies in batches. Answers are told apart by UID, never by their
//! order or by the command that they follow: servers mix the answers of pipelined commands.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use anser_base::{BlobId, TenantId};
use anser_store::{Flags, Keywords, Store};
use anser_wire::imap::client::{Fetched, Response, sets};

use super::connection::{Got, Imap, well};
use crate::adopt::identity;
use crate::source::{
    Allowance, BODY, Batch, Incoming, Listed, Partial, Seen, Spared, Taken, Told, Window, keywords_of, mark_of, parted,
    room,
};
use crate::trouble::Trouble;

/// Messages of one folder at most; more is no mail server.
const FOLDER: usize = 5_000_000;
/// Messages of a list that is held as a whole.
const LIST: usize = 1_000_000;
/// Changes that are followed one by one; where there are more the folder is listed, window by window.
const CHANGES: usize = 50_000;
/// Data items that a body is asked for by, one after the other when it does not come; the last needs BINARY (RFC 3516).
const WAYS: [&str; 3] = ["BODY.PEEK[]", "RFC822", "BINARY.PEEK[]"];
/// Fields that an identity is made of.
const IDENTITY: &str = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE)]";
/// Bytes of them that are looked at.
const FIELDS: usize = 64 * 1024;
/// Longest date that is kept, in bytes.
const DATE: usize = 64;

impl Imap {
    /// Data items that a body is asked for by, one after the other when it does not come.
    pub fn ways(&self) -> &'static [&'static str] {
        if self.can("BINARY") { &WAYS } else { &WAYS[..2] }
    }

    /// What the messages of a window look like. [`Trouble::Later`] when it holds more than 20,000 of them.
    pub async fn list(&mut self, window: Window) -> Result<Vec<Seen>, Trouble> {
        match self.list_or_part(window, LIST).await? {
            Listed::All(seen) => Ok(seen),
            Listed::Parts(_) => Err(without_end()),
        }
    }

    /// What the messages of a window look like; where there are more than `most`, windows that hold fewer.
    pub async fn list_or_part(&mut self, window: Window, most: usize) -> Result<Listed, Trouble> {
        match self.list_once(window, most).await {
            // It knows less than it seemed to.
            Err(Trouble::Refused(_)) if self.identity.take().is_some() => self.list_once(window, most).await,
            listed => listed,
        }
    }

    /// What a message looks like.
    fn items(&self) -> String {
        let identity = self.identity.map(|item| format!(" {item}")).unwrap_or_default();
        format!("(UID FLAGS INTERNALDATE RFC822.SIZE{identity})")
    }

    async fn list_once(&mut self, window: Window, most: usize) -> Result<Listed, Trouble> {
        let last = if window.last == u32::MAX { "*".to_owned() } else { window.last.to_string() };
        let command = format!("UID FETCH {}:{last} {}", window.first, self.items());
        let identity = self.identity;
        let (mut seen, mut uids) = (Vec::new(), Vec::new());
        let mut too_many = false;
        self.run(&command, |response| {
            if let Response::Fetch(fetched) = response {
                too_many |= uids.len() >= FOLDER;
                // `9:*` names the last message whatever its UID.
                if let Some(one) = seen_of(fetched, identity)
                    .filter(|one| !too_many && one.uid >= window.first && one.uid <= window.last)
                {
                    uids.push(one.uid);
                    if uids.len() <= most {
                        seen.push(one);
                    } else {
                        seen = Vec::new();
                    }
                }
            }
        })
        .await?;
        if too_many {
            return Err(without_end());
        }
        if uids.len() <= most {
            return Ok(Listed::All(seen));
        }
        let parts = parted(window, uids);
        // Few messages that are told of again and again.
        if parts.len() < 2 { Err(without_end()) } else { Ok(Listed::Parts(parts)) }
    }
}

fn without_end() -> Trouble {
    Trouble::lost("the server lists messages without end")
}

impl Imap {
    /// What changed in the open folder after this modification sequence (RFC 7162 §3.1.4.1), and with QRESYNC what left (§3.2.6). `None`
    /// from a server that cannot tell.
    pub async fn changed_since(&mut self, modseq: u64) -> Result<Option<Told>, Trouble> {
        if !self.can("CONDSTORE") && !self.can("QRESYNC") {
            return Ok(None);
        }
        let vanished = if self.tells_vanished { " VANISHED" } else { "" };
        let since = format!("(CHANGEDSINCE {modseq}{vanished})");
        let command = format!("UID FETCH 1:* {} {since}", self.items());
        let (mut told, mut too_many, identity) = (Told::default(), false, self.identity);
        let each = |response| {
            too_many |= told.changed.len() + told.vanished.len() >= CHANGES;
            match response {
                Response::Fetch(fetched) if !too_many => told.changed.extend(seen_of(fetched, identity)),
                Response::Vanished { uids, .. } if !too_many => told.vanished.extend(uids),
                _ => {}
            }
        };
        match self.run(&command, each).await {
            Err(Trouble::Refused(_)) => Ok(None),
            Err(other) => Err(other),
            Ok(_) if too_many => Ok(None),
            Ok(_) => Ok(Some(told)),
        }
    }
}

impl Imap {
    /// How often the open folder has each [`identity`]. `None` of a folder of more than a million messages, and from a server that hands
    /// out no fields. `alive` is told of each that was looked at. [`Trouble::Later`] when it does so without end.
    pub async fn identities(
        &mut self,
        messages: u64,
        windows: impl Iterator<Item = Window>,
        alive: &(dyn Fn(u64) + Sync),
    ) -> Result<Option<HashMap<BlobId, u32>>, Trouble> {
        if messages > LIST as u64 {
            return Ok(None);
        }
        let (mut all, mut told): (HashMap<BlobId, u32>, usize) = (HashMap::new(), 0);
        for Window { first, last } in windows {
            let end = if last == u32::MAX { "*".to_owned() } else { last.to_string() };
            let command = format!("UID FETCH {first}:{end} (UID {IDENTITY})");
            let each = |uid: Option<u32>, block: &[u8]| {
                // `9:*` names the last message whatever its UID.
                let is_asked = uid.is_some_and(|uid| (first..=last).contains(&uid));
                identity(block).filter(|_| is_asked).into_iter().for_each(|id| *all.entry(id).or_default() += 1);
                told += 1;
                alive(1);
            };
            match self.blocks(&command, 2 * LIST, each).await {
                Ok(()) => {}
                Err(Trouble::Refused(_)) => return Ok(None),
                Err(other) => return Err(other),
            }
            if told > 2 * LIST {
                return Err(without_end());
            }
        }
        Ok(Some(all))
    }

    /// Hands over the octets that a command brings of each message, 64 KiB of one at most, and its UID. [`Trouble::Refused`] when the server
    /// refuses, [`Trouble::Later`] when it tells of more than `most` messages.
    pub(super) async fn blocks(
        &mut self,
        command: &str,
        most: usize,
        mut each: impl FnMut(Option<u32>, &[u8]),
    ) -> Result<(), Trouble> {
        let tag = self.send(command).await?;
        let (mut block, mut told) = (Vec::new(), 0);
        loop {
            match self.next().await? {
                Got::Body(_) => block.clear(),
                Got::Octets(count) => {
                    let wanted = count.min(FIELDS.saturating_sub(block.len()));
                    block.extend_from_slice(&self.octets()[..wanted]);
                    self.used(count);
                }
                Got::Response(Response::Fetch(fetched)) => {
                    each(fetched.uid, fetched.body.as_deref().unwrap_or(&block));
                    block.clear();
                    told += 1;
                    if told > most {
                        return Err(without_end());
                    }
                }
                Got::Response(Response::Condition(condition)) if condition.tag.as_ref() == Some(&tag) => {
                    return well(condition, "UID FETCH").map(drop);
                }
                Got::Response(_) => {}
            }
        }
    }
}

/// What a message looks like; `item` is what it was asked to be named by.
fn seen_of(fetched: Fetched, item: Option<&str>) -> Option<Seen> {
    let (flags, keywords) = flags_of(&fetched.flags?);
    let mut date = fetched.internal_date.unwrap_or_default();
    date.truncate(DATE);
    let received = String::from_utf8_lossy(&date).into_owned();
    let (uid, size) = (fetched.uid?, fetched.size.unwrap_or(0));
    // By each item messages have other names.
    let identity = fetched.identity.zip(item).map(|(name, item)| mark_of(format!("{item} {name}").as_bytes()));
    Some(Seen {
        at: uid,
        key: uid.to_be_bytes().to_vec(),
        uid,
        uidl: None,
        identity,
        flags,
        keywords,
        received,
        written: None,
        size,
    })
}

/// System flags and keywords. A flag with a backslash that nobody defined becomes a keyword without it; `\Recent` is the session's.
pub fn flags_of(words: &[String]) -> (Flags, Keywords) {
    let (mut flags, mut keywords) = (Flags::default(), Vec::new());
    for word in words {
        match Flags::named(word) {
            Some(flag) => flags = flags.with(flag),
            None if word.eq_ignore_ascii_case("\\Recent") || word == "\\*" => {}
            None => keywords.push(word.trim_start_matches('\\')),
        }
    }
    (flags, keywords_of(keywords))
}

/// Bodies of an open folder, several commands at a time.
pub struct Fetcher<'a> {
    imap: &'a mut Imap,
    store: Store,
    tenant: TenantId,
    allowance: Allowance,
    under_way: VecDeque<(String, Vec<u32>)>,
    arrived: HashMap<u32, Taken>,
    /// The body that is arriving, and how long it was announced to be.
    current: Option<(Incoming, u64)>,
    /// What is not asked for.
    spared: Arc<Spared>,
}

impl<'a> Fetcher<'a> {
    /// Over an open folder; large bodies go to this tenant's bodies at once.
    pub fn new(imap: &'a mut Imap, store: Store, tenant: TenantId, allowance: Allowance) -> Self {
        let (under_way, arrived, current, spared) = Default::default();
        Self { imap, store, tenant, allowance, under_way, arrived, current, spared }
    }

    /// Lets nothing be asked for of what is here.
    pub fn spare(&mut self, spared: Arc<Spared>) {
        self.spared = spared;
    }

    /// Commands that were not answered yet.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Asks for some bodies, by ascending UIDs of few ranges.
    pub async fn ask(&mut self, uids: Vec<u32>) -> Result<(), Trouble> {
        self.ask_for(uids, WAYS[0]).await
    }

    /// Asks for one body by the data item of this number.
    pub async fn ask_otherwise(&mut self, uid: u32, way: usize) -> Result<bool, Trouble> {
        let Some(item) = self.imap.ways().get(way) else { return Ok(false) };
        self.ask_for(vec![uid], item).await.map(|()| true)
    }

    async fn ask_for(&mut self, uids: Vec<u32>, item: &str) -> Result<(), Trouble> {
        let wanted: Vec<u32> = uids.iter().copied().filter(|uid| !self.spared.contains_key(uid)).collect();
        let tag = match wanted.is_empty() {
            true => String::new(),
            false => self.imap.send(&format!("UID FETCH {} (UID {item})", sets(&wanted).join(","))).await?,
        };
        self.under_way.push_back((tag, uids));
        Ok(())
    }

    /// What the oldest command brought; of the connection's end, what it had brought until then.
    pub async fn receive(&mut self) -> Result<Batch, Trouble> {
        match self.receive_whole().await {
            Err(trouble @ (Trouble::Later { .. } | Trouble::Stopped)) => {
                let (_, wanted) = self.under_way.pop_front().unwrap_or_default();
                let spared = self.not_asked(&wanted);
                // Of several it is not known whose body it was.
                let partial = match (&wanted[..], self.current.take()) {
                    ([at], Some((incoming, size))) if self.arrived.is_empty() && incoming.seam().is_some() => {
                        Some(Partial { at: *at, incoming, size })
                    }
                    _ => None,
                };
                let mut arrived = std::mem::take(&mut self.arrived);
                arrived.extend(spared);
                Ok(Batch { partial, ..Batch::broken(wanted, arrived, trouble) })
            }
            other => other,
        }
    }

    async fn receive_whole(&mut self) -> Result<Batch, Trouble> {
        loop {
            if self.under_way.front().is_some_and(|(tag, _)| tag.is_empty()) {
                return Ok(self.batch(0, None).unwrap_or_default());
            }
            match self.imap.next().await? {
                Got::Body(size) if size > BODY => {
                    return Err(Trouble::lost("a message is larger than what can be kept"));
                }
                Got::Body(size) => {
                    let room = room(self.arrived.values());
                    let incoming = Incoming::begin(size, room, &self.store, self.tenant, &self.allowance);
                    self.current = Some((incoming, size));
                }
                Got::Octets(count) => {
                    if let Some((current, _)) = &mut self.current {
                        current.take(&self.imap.octets()[..count]).await?;
                    }
                    self.imap.used(count);
                }
                Got::Response(Response::Fetch(fetched)) => self.keep(fetched).await?,
                Got::Response(Response::Condition(condition)) if condition.tag.is_some() => {
                    if let Some(batch) = self.end(condition)? {
                        return Ok(batch);
                    }
                }
                Got::Response(_) => {}
            }
        }
    }

    /// The end of a message's answer: now it is known whose body it was.
    async fn keep(&mut self, fetched: Fetched) -> Result<(), Trouble> {
        let current = self.current.take();
        let taken = match (current, fetched.body) {
            (Some((current, _)), _) => current.end().await?,
            (None, Some(body)) => Taken::Memory(body),
            (None, None) => return Ok(()),
        };
        let wanted = |uid: &u32| self.under_way.iter().any(|(_, uids)| uids.binary_search(uid).is_ok());
        if let Some(uid) = fetched.uid.filter(wanted) {
            self.arrived.entry(uid).or_insert(taken);
        }
        Ok(())
    }

    fn end(&mut self, condition: anser_wire::imap::client::Condition) -> Result<Option<Batch>, Trouble> {
        let Some(at) = self.under_way.iter().position(|(tag, _)| Some(tag) == condition.tag.as_ref()) else {
            return Ok(None);
        };
        let refused = match well(condition, "UID FETCH") {
            Ok(_) => None,
            Err(Trouble::Refused(why)) => Some(why),
            // It stays under way: what came ends with what came of the oldest.
            Err(other) => return Err(other),
        };
        Ok(self.batch(at, refused))
    }

    /// What of these was not asked for.
    fn not_asked(&self, uids: &[u32]) -> HashMap<u32, Taken> {
        uids.iter().filter_map(|uid| Some((*uid, Taken::Here(self.spared.get(uid)?.clone())))).collect()
    }

    /// What the command at this place brought.
    fn batch(&mut self, at: usize, refused: Option<String>) -> Option<Batch> {
        let (_, wanted) = self.under_way.remove(at)?;
        let mut arrived = self.not_asked(&wanted);
        for uid in &wanted {
            arrived.extend(self.arrived.remove(uid).map(|taken| (*uid, taken)));
        }
        Some(Batch { wanted, arrived, refused, ..Batch::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_nobody_defined_become_keywords() {
        let words = ["\\Seen", "\\RECENT", "$Forwarded", "\\FORWARDED", "NonJunk"].map(str::to_owned);
        let (flags, keywords) = flags_of(&words);
        assert_eq!(flags, Flags::SEEN);
        assert_eq!(keywords.iter().collect::<Vec<_>>(), ["$Forwarded", "FORWARDED", "NonJunk"]);
        let (_, keywords) = flags_of(&["Forwarded".to_owned()]);
        assert_eq!(keywords.iter().collect::<Vec<_>>(), ["$Forwarded", "Forwarded"]);
    }
}
