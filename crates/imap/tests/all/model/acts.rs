//! Random commands on messages, each with what must come of it.

use std::collections::BTreeSet;

use anser_base::MailboxId;

use super::dice::Dice;
use super::flags;
use super::told::Seen;
use super::truth::{Act, CONTENTS, content};
use super::wire::{Checked, End, Items, Response, check, number_ranges};
use super::world::{NAMES, World};

/// A mailbox is let grow to about this many messages.
const FULL: usize = 70;

/// Messages that a command names.
struct Target {
    text: String,
    /// Those of them that the session sees.
    uids: Vec<u32>,
    /// The set itself, of UIDs, where it was written as one.
    ranges: Vec<(u32, u32)>,
}

impl World<'_> {
    fn target(&self, who: usize, uid: bool, dice: &mut Dice) -> Checked<Target> {
        let view = self.view(who)?;
        let uids = view.uids();
        let saved = &self.sessions[who].saved;
        if dice.one_in(12) {
            let uids = uids.into_iter().filter(|uid| saved.contains(uid)).collect();
            let ranges = saved.iter().map(|uid| (*uid, *uid)).collect();
            return Ok(Target { text: "$".to_owned(), uids, ranges });
        }
        let top = if uid { uids.last().copied().unwrap_or(0) } else { uids.len() as u32 };
        let (text, ranges) = set(top, uid, dice);
        let within = |number: u32| ranges.iter().any(|(first, last)| (*first..=*last).contains(&number));
        let numbered = uids.iter().enumerate().filter(|(at, own)| within(if uid { **own } else { *at as u32 + 1 }));
        let uids = numbered.map(|(_, uid)| *uid).collect();
        Ok(Target { text, uids, ranges })
    }

    /// By UID or by number; by UID where there are no numbers.
    fn by_uid(&self, who: usize, dice: &mut Dice) -> Checked<bool> {
        Ok(self.view(who)?.seen.is_empty() || dice.one_in(2))
    }

    pub async fn fetch(&mut self, who: usize, dice: &mut Dice) -> Checked {
        let uid = self.by_uid(who, dice)?;
        let count = self.view(who)?.seen.len();
        if !uid && dice.one_in(40) {
            let (responses, end) = self.exchange(who, format!("FETCH 1,{} FLAGS", count + 1)).await?;
            check!(end == End::Bad, "a number that does not exist: {end:?}");
            return self.hear(who, &responses, true, true);
        }
        let qresync = self.sessions[who].enabled.qresync;
        let since = dice.one_in(4).then(|| self.some_modseq(who, dice));
        let vanished = uid && qresync && since.is_some() && dice.one_in(2);
        let target = match vanished && dice.one_in(2) {
            true => Target { text: "1:*".to_owned(), uids: self.view(who)?.uids(), ranges: vec![(1, u32::MAX)] },
            false => self.target(who, uid, dice)?,
        };
        let asked = *dice.of(&[
            "FLAGS",
            "(UID FLAGS)",
            "(UID FLAGS)",
            "(UID FLAGS MODSEQ)",
            "(FLAGS RFC822.SIZE)",
            "(RFC822.SIZE ENVELOPE BODYSTRUCTURE)",
            "BODY.PEEK[]",
            "(UID BODY[])",
            "MODSEQ",
        ]);
        let vanished = vanished && (!target.text.contains('*') || target.ranges == [(1, u32::MAX)]);
        let modifier = match since {
            Some(since) => format!(" (CHANGEDSINCE {since}{})", if vanished { " VANISHED" } else { "" }),
            None => String::new(),
        };
        let word = if uid { "UID FETCH" } else { "FETCH" };
        let (responses, end) = self.exchange(who, format!("{word} {} {asked}{modifier}", target.text)).await?;
        let condstore = asked.contains("MODSEQ") || since.is_some();
        self.sessions[who].enabled.condstore |= condstore;
        let (id, read_only, before) = {
            let view = self.view(who)?;
            (view.mailbox, view.read_only, view.seen.clone())
        };
        let wants_body = asked.contains("BODY") || asked.contains("ENVELOPE");
        if asked.contains("BODY[]") && !read_only {
            self.truth.store(id, &target.uids, Act::Add, flags::SEEN, None);
            self.learn(&[id]).await?;
        }
        if vanished {
            self.check_vanished(id, &target, since.unwrap_or(0), before.last(), &responses)?;
        }
        let needed = |uid: u32| {
            let modseq = before.iter().find(|seen| seen.uid == uid).map_or(0, |seen| seen.modseq);
            let there = self.truth.mailboxes[&id].list.contains_key(&uid);
            (there || !wants_body) && since.is_none_or(|since| modseq > since)
        };
        for wanted in target.uids.iter().copied().filter(|uid| needed(*uid)) {
            let told = told(&responses, wanted, uid, &before);
            check!(!told.is_empty(), "UID {wanted} was not told of");
            let has = |have: fn(&Items) -> bool| told.iter().any(|items| have(items));
            check!(!asked.contains("FLAGS") || has(|items| items.flags.is_some()), "no FLAGS of UID {wanted}");
            check!(!condstore || has(|items| items.modseq.is_some()), "no MODSEQ of UID {wanted}");
            check!(!asked.contains("SIZE") || has(|items| items.size.is_some()), "no size of UID {wanted}");
            check!(!asked.contains("[]") || has(|items| items.body.is_some()), "no body of UID {wanted}");
        }
        let lost = target.uids.iter().any(|uid| !self.truth.mailboxes[&id].list.contains_key(uid));
        match end {
            End::Ok(_) => {}
            End::No(code) if code == "EXPUNGEISSUED" && lost && wants_body && !uid => {}
            other => return Err(format!("FETCH ended with {other:?}")),
        }
        self.hear(who, &responses, !uid, !uid)
    }

    /// What VANISHED (EARLIER) tells is what went since and was asked for (RFC 7162 §3.2.6).
    fn check_vanished(
        &self,
        id: MailboxId,
        target: &Target,
        since: u64,
        known: Option<&Seen>,
        responses: &[Response],
    ) -> Checked {
        let within = |uid: &u32| target.ranges.iter().any(|(first, last)| (*first..=*last).contains(uid));
        let gone = self.truth.mailboxes[&id].vanished.iter().filter(|(modseq, _)| *modseq > since);
        let expected: BTreeSet<u32> = gone.map(|(_, uid)| *uid).filter(within).collect();
        let told = earlier(responses);
        check!(told.is_subset(&expected), "VANISHED told {told:?}, not {expected:?}");
        // What came and went after the client was last told may be left out.
        let missing = expected.difference(&told).find(|uid| known.is_some_and(|known| **uid <= known.uid));
        check!(missing.is_none(), "VANISHED told {told:?}, not {expected:?}");
        Ok(())
    }

    /// A modification sequence that somebody may know of the selected mailbox.
    fn some_modseq(&self, who: usize, dice: &mut Dice) -> u64 {
        let Some(view) = &self.sessions[who].view else { return 1 };
        let known: Vec<u64> =
            self.memories.iter().filter(|m| m.uidvalidity == view.uidvalidity).map(|m| m.modseq).collect();
        let seen = view.seen.iter().map(|seen| seen.modseq);
        let all: Vec<u64> = known.into_iter().chain(seen).chain([1]).collect();
        *dice.of(&all)
    }

    pub async fn store(&mut self, who: usize, dice: &mut Dice) -> Checked {
        let uid = self.by_uid(who, dice)?;
        let target = self.target(who, uid, dice)?;
        let mut mask = flags::some(dice);
        if dice.one_in(5) {
            mask |= flags::DELETED;
        }
        let act = *dice.of(&[Act::Add, Act::Add, Act::Remove, Act::Set]);
        let silent = dice.one_in(2);
        let since = dice.one_in(4).then(|| self.some_modseq(who, dice));
        let sign = match act {
            Act::Add => "+",
            Act::Remove => "-",
            Act::Set => "",
        };
        let unchanged = since.map_or_else(String::new, |since| format!(" (UNCHANGEDSINCE {since})"));
        let (word, dot) = (if uid { "UID STORE" } else { "STORE" }, if silent { ".SILENT" } else { "" });
        let names = flags::text(mask, dice);
        let command = format!("{word} {}{unchanged} {sign}FLAGS{dot} ({names})", target.text);
        let (responses, end) = self.exchange(who, command).await?;
        self.sessions[who].enabled.condstore |= since.is_some();
        let view = self.view(who)?;
        let (id, before) = (view.mailbox, view.seen.clone());
        if view.read_only {
            check!(matches!(end, End::No(_)), "STORE in a mailbox open for reading: {end:?}");
            return self.hear(who, &responses, !uid, !uid);
        }
        let End::Ok(code) = end else { return Err(format!("STORE ended with {end:?}")) };
        let (touched, modified) = self.truth.store(id, &target.uids, act, mask, since);
        self.learn(&[id]).await?;
        let number = |wanted: &u32| match uid {
            true => *wanted,
            false => before.iter().position(|seen| seen.uid == *wanted).map_or(0, |at| at as u32 + 1),
        };
        let expected: Vec<u32> = modified.iter().map(number).collect();
        let told_modified = code.strip_prefix("MODIFIED ").and_then(number_ranges).unwrap_or_default();
        check!(expand(&told_modified) == expected, "MODIFIED told {told_modified:?}, not {expected:?}");
        let condstore = self.sessions[who].enabled.condstore;
        for wanted in &touched {
            let told = told(&responses, *wanted, uid, &before);
            check!(silent || told.iter().any(|items| items.flags.is_some()), "no FLAGS of UID {wanted}");
            let old = before.iter().find(|seen| seen.uid == *wanted).map_or(0, |seen| seen.modseq);
            let moved = self.truth.mailboxes[&id].list[wanted].modseq > old;
            let has = told.iter().any(|items| items.modseq.is_some());
            check!(!condstore || !moved || has, "no MODSEQ of UID {wanted}");
        }
        self.listen(who, &responses, !uid)?;
        self.assume(who, &target.uids, &touched, act, mask);
        self.hear(who, &[], !uid, !uid)
    }

    /// After a silent STORE the client believes what it did, unless it was told otherwise.
    fn assume(&mut self, who: usize, meant: &[u32], touched: &[u32], act: Act, mask: u32) {
        let Some(view) = &mut self.sessions[who].view else { return };
        for slot in view.slots.iter_mut().filter(|slot| !slot.fresh) {
            match slot.uid {
                Some(uid) if touched.contains(&uid) => slot.flags = slot.flags.map(|flags| act.on(flags, mask)),
                // A message that went meanwhile: nothing is certain.
                Some(uid) if meant.contains(&uid) && !self.truth.mailboxes[&view.mailbox].list.contains_key(&uid) => {
                    slot.flags = None
                }
                _ => {}
            }
        }
    }

    pub async fn transfer(&mut self, who: usize, moving: bool, dice: &mut Dice) -> Checked {
        let uid = self.by_uid(who, dice)?;
        let target = self.target(who, uid, dice)?;
        let name = *dice.of(&NAMES);
        let to = self.truth.named(name);
        if !moving && to.is_some_and(|to| self.truth.mailboxes[&to].list.len() > FULL) {
            return self.expunge(who, dice).await;
        }
        let word = match (uid, moving) {
            (true, true) => "UID MOVE",
            (true, false) => "UID COPY",
            (false, true) => "MOVE",
            (false, false) => "COPY",
        };
        let command = format!("{word} {} {}", target.text, self.quoted(who, name));
        let (responses, end) = self.exchange(who, command).await?;
        let view = self.view(who)?;
        let (from, held) = (view.mailbox, !moving && !uid);
        let Some(to) = to else {
            check!(self.is_nowhere(who, &end), "{word} to nowhere: {end:?}");
            return self.hear(who, &responses, false, held);
        };
        if moving && view.read_only {
            check!(matches!(end, End::No(_)), "MOVE in a mailbox open for reading: {end:?}");
            return self.hear(who, &responses, false, held);
        }
        let End::Ok(code) = end else { return Err(format!("{word} ended with {end:?}")) };
        let pairs = match moving {
            true => self.truth.move_to(from, &target.uids, to),
            false => self.truth.copy(from, &target.uids, to),
        };
        self.learn(&[from, to]).await?;
        let untagged = responses.iter().find_map(|response| match response {
            Response::Told(code) if code.starts_with("COPYUID") => Some(code.clone()),
            _ => None,
        });
        let told = if moving { untagged.unwrap_or_default() } else { code };
        self.check_copyuid(&told, to, &pairs)?;
        self.hear(who, &responses, false, held)
    }

    /// Whether a command was refused because there is no such mailbox: with TRYCREATE, but for who might not create it.
    fn is_nowhere(&self, who: usize, end: &End) -> bool {
        matches!(end, End::No(code) if code == "TRYCREATE" || self.sessions[who].is_guest)
    }

    fn check_copyuid(&self, told: &str, to: MailboxId, pairs: &[(u32, u32)]) -> Checked {
        let words: Vec<&str> = told.split(' ').collect();
        let told = match words.as_slice() {
            ["COPYUID", uidvalidity, old, new] => {
                check!(*uidvalidity == self.truth.mailboxes[&to].uidvalidity.to_string(), "COPYUID of another mailbox");
                let set = |text| number_ranges(text).map(|ranges| expand(&ranges)).unwrap_or_default();
                set(old).into_iter().zip(set(new)).collect()
            }
            _ => Vec::new(),
        };
        check!(told == pairs, "COPYUID told {told:?}, not {pairs:?}");
        Ok(())
    }

    pub async fn append(&mut self, who: usize, dice: &mut Dice) -> Checked {
        let name = *dice.of(&NAMES);
        let into = self.truth.named(name);
        if into.is_some_and(|into| self.truth.mailboxes[&into].list.len() > FULL) {
            return match self.sessions[who].view.is_some() {
                true => self.expunge(who, dice).await,
                false => Ok(()),
            };
        }
        let mut command = format!("APPEND {}", self.quoted(who, name)).into_bytes();
        let mut messages = Vec::new();
        for _ in 0..1 + if dice.one_in(4) { dice.below(3) } else { 0 } {
            let (mask, number) = (flags::some(dice), dice.below(CONTENTS as u64) as usize);
            messages.push((mask, number));
            let date = if dice.one_in(3) { " \"17-Jul-1996 02:44:25 -0700\"" } else { "" };
            let body = content(number);
            let head = format!(" ({}){date} {{{}+}}\r\n", flags::text(mask, dice), body.len());
            command.extend_from_slice(head.as_bytes());
            command.extend_from_slice(&body);
        }
        let (responses, end) = self.exchange(who, command).await?;
        let Some(into) = into else {
            check!(self.is_nowhere(who, &end), "APPEND to nowhere: {end:?}");
            return self.hear(who, &responses, false, false);
        };
        let End::Ok(code) = end else { return Err(format!("APPEND ended with {end:?}")) };
        let each = messages.iter().map(|(mask, number)| self.truth.append(&[into], *mask, *number)[0]);
        let uids: Vec<u32> = each.collect();
        self.learn(&[into]).await?;
        let head = format!("APPENDUID {} ", self.truth.mailboxes[&into].uidvalidity);
        let told = code.strip_prefix(&head).and_then(number_ranges).unwrap_or_default();
        check!(expand(&told) == uids, "APPEND told {code}, not {uids:?}");
        self.hear(who, &responses, false, false)
    }

    pub async fn replace(&mut self, who: usize, dice: &mut Dice) -> Checked {
        let (uids, name) = (self.view(who)?.uids(), *dice.of(&NAMES));
        let into = self.truth.named(name);
        if uids.is_empty() || into.is_some_and(|into| self.truth.mailboxes[&into].list.len() > FULL) {
            return self.expunge(who, dice).await;
        }
        let at = dice.below(uids.len() as u64) as usize;
        let (mask, number) = (flags::some(dice), dice.below(CONTENTS as u64) as usize);
        let which = if dice.one_in(2) { format!("UID REPLACE {}", uids[at]) } else { format!("REPLACE {}", at + 1) };
        let body = content(number);
        let name = self.quoted(who, name);
        let head = format!("{which} {name} ({}) {{{}+}}\r\n", flags::text(mask, dice), body.len());
        let (responses, end) = self.exchange(who, [head.into_bytes(), body].concat()).await?;
        let view = self.view(who)?;
        let from = view.mailbox;
        let is_there = self.truth.mailboxes[&from].list.contains_key(&uids[at]);
        let Some(into) = into.filter(|_| is_there && !view.read_only) else {
            check!(matches!(end, End::No(_)), "REPLACE that cannot be: {end:?}");
            return self.hear(who, &responses, false, false);
        };
        check!(matches!(end, End::Ok(_)), "REPLACE ended with {end:?}");
        let new = self.truth.append(&[into], mask, number)[0];
        self.truth.expunge(from, &uids[at..=at]);
        self.learn(&[from, into]).await?;
        let expected = format!("APPENDUID {} {new}", self.truth.mailboxes[&into].uidvalidity);
        let told = responses.iter().any(|response| matches!(response, Response::Told(code) if *code == expected));
        check!(told, "REPLACE did not tell {expected}");
        self.hear(who, &responses, false, false)
    }

    pub async fn expunge(&mut self, who: usize, dice: &mut Dice) -> Checked {
        let by_uid = dice.one_in(2);
        let target = if by_uid { Some(self.target(who, true, dice)?) } else { None };
        let command = target.as_ref().map_or("EXPUNGE".to_owned(), |target| format!("UID EXPUNGE {}", target.text));
        let (responses, end) = self.exchange(who, command).await?;
        let view = self.view(who)?;
        let id = view.mailbox;
        if view.read_only {
            check!(matches!(end, End::No(_)), "EXPUNGE in a mailbox open for reading: {end:?}");
            return self.hear(who, &responses, false, false);
        }
        let mut gone = self.truth.deleted(id);
        if let Some(target) = &target {
            gone.retain(|uid| target.uids.contains(uid));
        }
        self.truth.expunge(id, &gone);
        self.learn(&[id]).await?;
        let End::Ok(code) = end else { return Err(format!("EXPUNGE ended with {end:?}")) };
        if self.sessions[who].enabled.condstore {
            let expected = format!("HIGHESTMODSEQ {}", self.truth.mailboxes[&id].modseq);
            check!(code == expected, "EXPUNGE told {code}, not {expected}");
        }
        self.hear(who, &responses, false, false)
    }
}

/// What the responses tell of a UID.
fn told<'a>(responses: &'a [Response], wanted: u32, uid: bool, before: &[Seen]) -> Vec<&'a Items> {
    let matches = |number: u32, items: &Items| match (uid, items.uid) {
        (_, Some(own)) => own == wanted,
        (true, None) => false,
        (false, None) => before.get(number as usize - 1).is_some_and(|seen| seen.uid == wanted),
    };
    let fetched = responses.iter().filter_map(|response| match response {
        Response::Fetch(number, items) if *number > 0 && matches(*number, items) => Some(items),
        _ => None,
    });
    fetched.collect()
}

/// UIDs of VANISHED (EARLIER).
pub fn earlier(responses: &[Response]) -> BTreeSet<u32> {
    let told = responses.iter().filter_map(|response| match response {
        Response::Vanished { earlier: true, uids } => Some(expand(uids)),
        _ => None,
    });
    told.flatten().collect()
}

pub fn expand(ranges: &[(u32, u32)]) -> Vec<u32> {
    ranges.iter().flat_map(|(first, last)| *first..=*last).collect()
}

/// A set of numbers up to `top`, as a client may write it, and the ranges that it means.
pub fn set(top: u32, uid: bool, dice: &mut Dice) -> (String, Vec<(u32, u32)>) {
    let (mut text, mut ranges) = (Vec::new(), Vec::new());
    let any =
        |dice: &mut Dice| 1 + dice.below(u64::from(top.max(1))) as u32 + if uid { dice.below(3) as u32 } else { 0 };
    for _ in 0..1 + dice.below(3) {
        let first = any(dice);
        let (written, range) = match dice.below(8) {
            0 => ("1:*".to_owned(), (1, top.max(1))),
            1 => ("*".to_owned(), (top, top)),
            2 => (format!("{first}:*"), (first.min(top), first.max(top))),
            3 | 4 => {
                let (a, b) = (first, any(dice).clamp(first.saturating_sub(4).max(1), first + 4));
                let (a, b) = if uid { (a, b) } else { (a.min(top.max(1)), b.min(top.max(1))) };
                (format!("{a}:{b}"), (a.min(b), a.max(b)))
            }
            _ => (first.to_string(), (first, first)),
        };
        text.push(written);
        ranges.push(range);
    }
    (text.join(","), ranges)
}
