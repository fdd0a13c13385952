//! Opening and leaving mailboxes, waiting in them, and the tree that they are in.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::timeout;

use super::acts::earlier;
use super::dice::Dice;
use super::told::{Slot, View};
use super::wire::{Checked, End, Response, Token, check};
use super::world::{Memory, NAMES, World};

/// A server that does not tell an idle session of a change for this long has failed.
const SILENCE: Duration = Duration::from_secs(20);
/// Names that come and go.
const MOVABLE: [&str; 5] = ["A", "B", "A/x", "B/项目", "归档 & co"];

impl World<'_> {
    pub async fn select(&mut self, who: usize, dice: &mut Dice) -> Checked {
        let name = *dice.of(&NAMES);
        let id = self.truth.named(name);
        let read_only = dice.one_in(4);
        let uidvalidity = id.map_or(0, |id| self.truth.mailboxes[&id].uidvalidity);
        let memory = match self.sessions[who].enabled.qresync && !dice.one_in(4) {
            true => self.memory(uidvalidity, dice),
            false => None,
        };
        let condstore = memory.is_none() && dice.one_in(5);
        let (known, named, parameter) = match &memory {
            Some(memory) => written(memory, dice),
            None => (BTreeMap::new(), false, if condstore { " (CONDSTORE)".to_owned() } else { String::new() }),
        };
        self.sessions[who].enabled.condstore |= condstore;
        if !self.is_dead(who) {
            self.remember(who, dice);
        }
        let word = if read_only { "EXAMINE" } else { "SELECT" };
        let command = format!("{word} {}{parameter}", self.quoted(who, name));
        let (responses, end) = self.exchange(who, command).await?;
        if end == End::Closed {
            // A guest whose mailbox is gone is sent away, whatever it wants.
            return Ok(());
        }
        let was_open = self.sessions[who].view.take().is_some();
        self.sessions[who].saved.clear();
        let closed = responses.iter().any(|response| matches!(response, Response::Told(code) if code == "CLOSED"));
        check!(closed == was_open, "CLOSED is told when a mailbox was open and at no other time");
        let Some(id) = id else {
            check!(matches!(end, End::No(_)), "{name} opened, which is not there: {end:?}");
            return Ok(());
        };
        let expected = if read_only { "READ-ONLY" } else { "READ-WRITE" };
        check!(end == End::Ok(expected.to_owned()), "{word} {name} ended with {end:?}");
        let mailbox = &self.truth.mailboxes[&id];
        for fact in [
            format!("UIDVALIDITY {}", mailbox.uidvalidity),
            format!("UIDNEXT {}", mailbox.uidnext),
            format!("HIGHESTMODSEQ {}", mailbox.modseq),
        ] {
            let told = responses.iter().any(|response| matches!(response, Response::Told(code) if *code == fact));
            check!(told, "{word} did not tell {fact}");
        }
        let mut view = View::new(id, uidvalidity, read_only, mailbox.modseq);
        if let Some(memory) = memory.filter(|memory| memory.uidvalidity == uidvalidity) {
            self.resynchronized(&mut view, &memory, known, named, &responses)?;
        } else {
            let changes = |response: &&Response| matches!(response, Response::Fetch(..) | Response::Vanished { .. });
            check!(!responses.iter().any(|response| changes(&response)), "changes that nobody asked for");
        }
        self.sessions[who].view = Some(view);
        // With QRESYNC, EXISTS and FETCH are taken in once more: they must fit what was made of them.
        self.hear(who, &responses, false, false)
    }

    /// What some client remembers of this mailbox, or of another one.
    fn memory(&self, uidvalidity: u32, dice: &mut Dice) -> Option<Memory> {
        let fitting: Vec<&Memory> = self.memories.iter().filter(|memory| memory.uidvalidity == uidvalidity).collect();
        match fitting.is_empty() || dice.one_in(20) {
            true if self.memories.is_empty() => None,
            true => Some(dice.of(&self.memories).clone()),
            false => Some((*dice.of(&fitting)).clone()),
        }
    }

    /// The client's list after QRESYNC, made of what it remembered and what it was told (RFC 7162 §3.2.5).
    fn resynchronized(
        &self,
        view: &mut View,
        memory: &Memory,
        known: BTreeMap<u32, Option<u32>>,
        named: bool,
        responses: &[Response],
    ) -> Checked {
        // Of messages that it does not name, a client that names what it knows is told nothing but their number.
        let whole = !named;
        let gone = earlier(responses);
        let mailbox = &self.truth.mailboxes[&view.mailbox];
        for uid in &gone {
            check!(!mailbox.list.contains_key(uid), "UID {uid} is said to have vanished");
            check!(whole || known.contains_key(uid), "UID {uid} vanished, which was not asked for");
        }
        let mut list = known;
        list.retain(|uid, _| !gone.contains(uid));
        for response in responses {
            let Response::Fetch(_, items) = response else { continue };
            let (Some(uid), Some(_), Some(modseq)) = (items.uid, items.flags, items.modseq) else {
                return Err("a FETCH of QRESYNC lacks UID, FLAGS or MODSEQ".to_owned());
            };
            check!(modseq > memory.modseq, "UID {uid} did not change since {}", memory.modseq);
            check!(whole || list.contains_key(&uid), "UID {uid} changed, which was not asked for");
            list.insert(uid, items.flags);
        }
        if whole {
            let (mine, theirs): (Vec<&u32>, Vec<&u32>) = (list.keys().collect(), mailbox.list.keys().collect());
            check!(mine == theirs, "after QRESYNC the client has UIDs {mine:?}, not {theirs:?}");
        }
        check!(
            list.keys().all(|uid| mailbox.list.contains_key(uid)),
            "after QRESYNC the client has UIDs that are gone"
        );
        let slot = |uid: &u32| Slot { uid: Some(*uid), flags: list.get(uid).copied().flatten(), ..Slot::default() };
        view.slots = mailbox.list.keys().map(slot).collect();
        Ok(())
    }

    pub async fn leave(&mut self, who: usize, close: bool, dice: &mut Dice) -> Checked {
        self.remember(who, dice);
        let (responses, end) = self.exchange(who, if close { "CLOSE" } else { "UNSELECT" }).await?;
        check!(matches!(end, End::Ok(_)), "a mailbox cannot be left: {end:?}");
        let told = responses.iter().any(|r| matches!(r, Response::Expunge(_) | Response::Vanished { .. }));
        check!(!told, "expunges are told although the mailbox is closed");
        let session = &mut self.sessions[who];
        session.saved.clear();
        let view = session.view.take().ok_or("no mailbox is selected")?;
        if close && !view.read_only {
            let gone = self.truth.deleted(view.mailbox);
            self.truth.expunge(view.mailbox, &gone);
            self.learn(&[view.mailbox]).await?;
        }
        Ok(())
    }

    pub async fn noop(&mut self, who: usize, dice: &mut Dice) -> Checked {
        let command = if self.sessions[who].view.is_some() && dice.one_in(6) { "CHECK" } else { "NOOP" };
        let (responses, end) = self.exchange(who, command).await?;
        check!(matches!(end, End::Ok(_)), "{command} ended with {end:?}");
        self.hear(who, &responses, false, false)?;
        if dice.one_in(3) {
            self.remember(who, dice);
        }
        Ok(())
    }

    /// A session whose mailbox was deleted: whatever it does, it leaves the mailbox or the connection ends.
    pub async fn awaken(&mut self, who: usize, dice: &mut Dice) -> Checked {
        if let Some(tag) = self.sessions[who].idle.take() {
            return self.done(who, tag).await;
        }
        if dice.one_in(4) {
            return self.select(who, dice).await;
        }
        let command = *dice.of(&[
            "NOOP",
            "FETCH 1 FLAGS",
            "UID STORE 1:* +FLAGS (\\Seen)",
            "EXPUNGE",
            "UID SEARCH ALL",
            "UID MOVE 1:* INBOX",
            "UNSELECT",
            "CLOSE",
        ]);
        let (_, end) = self.exchange(who, command).await?;
        match (command, end) {
            (_, End::Closed) => {}
            ("UNSELECT" | "CLOSE", End::Ok(_)) => self.sessions[who].view = None,
            (_, end) => return Err(format!("{command} in a mailbox that is gone: {end:?}")),
        }
        Ok(())
    }

    pub async fn idle(&mut self, who: usize) -> Checked {
        let session = &mut self.sessions[who];
        if let Some(view) = &mut session.view {
            view.begin();
        }
        let client = session.client.as_mut().ok_or("not connected")?;
        let tag = client.send(b"IDLE").await?;
        match client.read(&tag).await? {
            Ok(Response::Continue) => {}
            other => return Err(format!("the continuation of IDLE comes first, not {other:?}")),
        }
        self.sessions[who].idle = Some(tag);
        Ok(())
    }

    pub async fn done(&mut self, who: usize, tag: String) -> Checked {
        let dead = self.is_dead(who);
        let client = self.sessions[who].client.as_mut().ok_or("not connected")?;
        // A connection that was ended meanwhile may not take it.
        let sent = client.send_raw(b"DONE").await;
        check!(sent.is_ok() || dead, "DONE cannot be sent: {sent:?}");
        let (responses, end) = client.finish(&tag).await?;
        if end == End::Closed {
            check!(dead, "the server closed during IDLE");
            self.sessions[who] = super::world::Session::default();
            return Ok(());
        }
        check!(!dead, "IDLE lives on in a mailbox that is gone");
        check!(matches!(end, End::Ok(_)), "IDLE ended with {end:?}");
        self.hear(who, &responses, false, false)
    }

    /// Waits in IDLE until the client knows everything.
    pub async fn watch(&mut self, who: usize) -> Checked {
        loop {
            let session = &self.sessions[who];
            let Some(view) = &session.view else { return Ok(()) };
            let Some(mailbox) = self.truth.mailboxes.get(&view.mailbox) else { return Ok(()) };
            if view.knows(mailbox) {
                return Ok(());
            }
            let client = self.sessions[who].client.as_mut().ok_or("not connected")?;
            let read = timeout(SILENCE, client.read("-")).await;
            let response = read.map_err(|_| "IDLE does not tell what changed")??;
            self.listen(who, &[response.map_err(|end| format!("{end:?}"))?], false)?;
        }
    }

    pub async fn status(&mut self, who: usize, dice: &mut Dice) -> Checked {
        let name = *dice.of(&NAMES);
        let with_modseq = dice.one_in(3);
        let items = format!(
            "MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE{}",
            if with_modseq { " HIGHESTMODSEQ" } else { "" }
        );
        let command = format!("STATUS {} ({items})", self.quoted(who, name));
        let (responses, end) = self.exchange(who, command).await?;
        match self.truth.named(name) {
            None => check!(matches!(end, End::No(_)), "STATUS of nothing: {end:?}"),
            Some(id) => {
                self.sessions[who].enabled.condstore |= with_modseq;
                let m = &self.truth.mailboxes[&id];
                let (unseen, deleted) = (m.count(super::flags::SEEN, false), m.count(super::flags::DELETED, true));
                let mut expected =
                    vec![m.list.len() as u64, m.uidnext.into(), m.uidvalidity.into(), unseen, deleted, m.size()];
                expected.extend(with_modseq.then_some(m.modseq));
                let told = responses.iter().find_map(|response| match response {
                    Response::Status(list) => Some(values(list)),
                    _ => None,
                });
                check!(told.as_ref() == Some(&expected), "STATUS {name} ({items}) told {told:?}, not {expected:?}");
            }
        }
        self.hear(who, &responses, false, false)
    }

    pub async fn list(&mut self, who: usize) -> Checked {
        let (responses, _) = self.exchange(who, "LIST \"\" *").await?;
        let told: Vec<Vec<u8>> = responses
            .iter()
            .filter_map(|r| match r {
                Response::List(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        let mut written: Vec<Vec<u8>> =
            self.truth.names.keys().map(|name| self.quoted(who, name).trim_matches('"').as_bytes().to_vec()).collect();
        let mut sorted = told.clone();
        sorted.sort();
        written.sort();
        check!(sorted == written, "LIST told {told:?}");
        self.hear(who, &responses, false, false)
    }

    pub async fn create(&mut self, who: usize, dice: &mut Dice) -> Checked {
        let name = *dice.of(&MOVABLE);
        let command = format!("CREATE {}", self.quoted(who, name));
        let (responses, end) = self.exchange(who, command).await?;
        let taken = self.truth.named(name).is_some();
        check!(matches!(end, End::Ok(_)) != taken, "CREATE {name} ended with {end:?}");
        let mut names: Vec<String> = self.truth.names.keys().cloned().collect();
        names.extend(with_parents(name));
        self.tree(names).await?;
        self.hear(who, &responses, false, false)
    }

    pub async fn delete(&mut self, who: usize, dice: &mut Dice) -> Checked {
        let name = if dice.one_in(10) { "INBOX" } else { *dice.of(&MOVABLE) };
        let below = format!("{name}/");
        let parent = self.truth.names.keys().any(|other| other.starts_with(&below));
        let may = name != "INBOX" && self.truth.named(name).is_some() && !parent;
        let own = may && self.sessions[who].view.as_ref().map(|view| view.mailbox) == self.truth.named(name);
        let command = format!("DELETE {}", self.quoted(who, name));
        let (responses, end) = self.exchange(who, command).await?;
        check!(matches!(end, End::Ok(_)) == may, "DELETE {name} ended with {end:?}");
        if may {
            self.truth.delete(name);
            self.learn(&[]).await?;
        }
        if own {
            self.sessions[who].view = None;
            self.sessions[who].saved.clear();
        }
        let names = self.truth.names.keys().cloned().collect();
        self.tree(names).await?;
        self.hear(who, &responses, false, false)
    }

    pub async fn rename(&mut self, who: usize, dice: &mut Dice) -> Checked {
        let from = if dice.one_in(6) { "INBOX" } else { *dice.of(&MOVABLE) };
        let to = *dice.of(&MOVABLE);
        let command = format!("RENAME {} {}", self.quoted(who, from), self.quoted(who, to));
        let (responses, end) = self.exchange(who, command).await?;
        let source = self.truth.named(from);
        let below = format!("{from}/");
        let may = source.is_some() && self.truth.named(to).is_none() && !to.starts_with(&below);
        check!(matches!(end, End::Ok(_)) == may, "RENAME {from} {to} ended with {end:?}");
        let mut names: Vec<String> = self.truth.names.keys().cloned().collect();
        if may && from != "INBOX" {
            names = names
                .iter()
                .map(|name| match name.strip_prefix(&below) {
                    Some(rest) => format!("{to}/{rest}"),
                    None if name == from => to.to_owned(),
                    None => name.clone(),
                })
                .collect();
        }
        if may {
            names.extend(with_parents(to));
        }
        self.tree(names).await?;
        if let Some(inbox) = source.filter(|_| may && from == "INBOX") {
            let target = self.truth.named(to).ok_or("the target is there")?;
            let uids: Vec<u32> = self.truth.mailboxes[&inbox].list.keys().copied().collect();
            self.truth.move_to(inbox, &uids, target);
            self.learn(&[inbox, target]).await?;
        }
        self.hear(who, &responses, false, false)
    }

    /// Reads the tree, which must consist of these names.
    async fn tree(&mut self, mut names: Vec<String>) -> Checked {
        self.truth.read_tree(&self.node.store, self.account).await?;
        names.sort();
        names.dedup();
        check!(
            self.truth.names.keys().eq(names.iter()),
            "the mailboxes are {:?}, not {names:?}",
            self.truth.names.keys()
        );
        self.share().await
    }
}

fn with_parents(name: &str) -> Vec<String> {
    let ends = name.match_indices('/').map(|(at, _)| at).chain([name.len()]);
    ends.map(|end| name[..end].to_owned()).collect()
}

fn values(list: &[Token]) -> Vec<u64> {
    let texts = list.iter().skip(1).step_by(2);
    texts.filter_map(|token| std::str::from_utf8(&token.octets()).ok()?.parse().ok()).collect()
}

/// The QRESYNC parameter for a memory, and which UIDs the client says it knows.
fn written(memory: &Memory, dice: &mut Dice) -> (BTreeMap<u32, Option<u32>>, bool, String) {
    let head = format!("{} {}", memory.uidvalidity, memory.modseq);
    let (mut known, mut uids) = (memory.list.clone(), String::new());
    if !known.is_empty() && dice.one_in(2) {
        if dice.one_in(2) {
            let keep = dice.next();
            known.retain(|uid, _| known_bit(keep, *uid) || memory.list.len() == 1);
        }
        if known.is_empty() {
            known = memory.list.clone();
        }
        uids = format!(" {}", list_text(known.keys().copied()));
        if dice.one_in(2) {
            let (numbers, matching) = matched(memory, dice);
            uids.push_str(&format!(" ({numbers} {matching})"));
        }
    }
    (known, !uids.is_empty(), format!(" (QRESYNC ({head}{uids}))"))
}

fn known_bit(bits: u64, uid: u32) -> bool {
    bits & (1 << (uid % 64)) != 0
}

fn list_text(numbers: impl Iterator<Item = u32>) -> String {
    numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(",")
}

/// Message numbers with their UIDs as the client had them, some of them.
fn matched(memory: &Memory, dice: &mut Dice) -> (String, String) {
    let step = 1 + dice.below(9) as usize;
    let pairs = memory.numbers.iter().enumerate().step_by(step);
    let (numbers, uids): (Vec<u32>, Vec<u32>) = pairs.map(|(at, uid)| (at as u32 + 1, *uid)).unzip();
    (list_text(numbers.into_iter()), list_text(uids.into_iter()))
}
