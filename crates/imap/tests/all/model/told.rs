//! What a client knows of its mailbox, from untagged responses alone, and the rules that these must keep.

use anser_base::MailboxId;

use super::flags;
use super::truth::Mailbox;
use super::wire::{Checked, Items, Response, check};

/// A message as the client knows it.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    pub uid: Option<u32>,
    pub flags: Option<u32>,
    pub modseq: Option<u64>,
    /// No older version than this may be told again.
    pub floor: u64,
    /// Whether the command under way told its flags.
    pub fresh: bool,
}

/// A message as the server must see it in this session: what the client was told or could ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub uid: u32,
    pub flags: u32,
    pub modseq: u64,
    pub content: usize,
}

/// The selected mailbox of a session.
pub struct View {
    pub mailbox: MailboxId,
    pub uidvalidity: u32,
    pub read_only: bool,
    pub slots: Vec<Slot>,
    pub seen: Vec<Seen>,
    pub flags: Vec<String>,
    /// The modification sequence with which the client would resynchronize (RFC 7162 §6).
    pub highest: u64,
    /// The highest MODSEQ since the last tagged reply, and HIGHESTMODSEQ where it was told.
    hinted: (u64, Option<u64>),
}

/// What a session enabled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Enabled {
    pub condstore: bool,
    pub qresync: bool,
    pub rev2: bool,
}

impl View {
    pub fn new(mailbox: MailboxId, uidvalidity: u32, read_only: bool, highest: u64) -> Self {
        let (slots, seen, flags, hinted) = (Vec::new(), Vec::new(), Vec::new(), (0, None));
        Self { mailbox, uidvalidity, read_only, slots, seen, flags, highest, hinted }
    }

    /// Takes in a response. `numbers`: a command by message number is under way, so that no number may change its meaning.
    pub fn hear(&mut self, response: &Response, mailbox: Option<&Mailbox>, enabled: Enabled, numbers: bool) -> Checked {
        match response {
            Response::Exists(count) => {
                check!(*count as usize >= self.slots.len(), "EXISTS shrank from {} to {count}", self.slots.len());
                self.slots.resize(*count as usize, Slot::default());
            }
            Response::Expunge(number) => {
                check!(!numbers, "EXPUNGE during a command by number");
                check!(!enabled.qresync, "EXPUNGE although QRESYNC is enabled");
                let at = self.at(*number)?;
                self.slots.remove(at);
            }
            Response::Vanished { earlier: false, uids } => {
                check!(!numbers, "VANISHED during a command by number");
                check!(enabled.qresync, "VANISHED although QRESYNC is not enabled");
                for uid in uids.iter().flat_map(|(first, last)| *first..=*last) {
                    self.vanish(uid)?;
                }
            }
            Response::Fetch(number, items) => self.fetched(*number, items, mailbox, enabled)?,
            Response::Flags(names) => self.flags = names.clone(),
            Response::Told(code) => self.hinted.1 = highest_of(code).or(self.hinted.1),
            _ => {}
        }
        Ok(())
    }

    fn at(&self, number: u32) -> Checked<usize> {
        check!(number >= 1 && number as usize <= self.slots.len(), "there is no number {number}");
        Ok(number as usize - 1)
    }

    fn vanish(&mut self, uid: u32) -> Checked {
        let known = self.slots.iter().position(|slot| slot.uid == Some(uid));
        // A message of which only EXISTS was told: any of those between the known neighbours of the UID.
        let start =
            self.slots.iter().rposition(|slot| slot.uid.is_some_and(|known| known < uid)).map_or(0, |at| at + 1);
        let unknown = || self.slots[start..].iter().position(|slot| slot.uid.is_none_or(|known| known > uid));
        let at = known.or_else(|| unknown().map(|at| start + at).filter(|at| self.slots[*at].uid.is_none()));
        let at = at.ok_or_else(|| format!("UID {uid} vanished, which the client did not know"))?;
        self.slots.remove(at);
        Ok(())
    }

    fn fetched(&mut self, number: u32, items: &Items, mailbox: Option<&Mailbox>, enabled: Enabled) -> Checked {
        let at = self.at(number)?;
        check!(items.modseq.is_none() || enabled.condstore, "MODSEQ although CONDSTORE is not enabled");
        let below = self.slots[..at].iter().rev().find_map(|slot| slot.uid);
        let above = self.slots[at + 1..].iter().find_map(|slot| slot.uid);
        let slot = &mut self.slots[at];
        if let Some(uid) = items.uid {
            check!(slot.uid.is_none_or(|known| known == uid), "number {number} was UID {:?}, now {uid}", slot.uid);
            check!(
                below.is_none_or(|below| below < uid) && above.is_none_or(|above| uid < above),
                "UID {uid} is out of order"
            );
            slot.uid = Some(uid);
        }
        if let Some(mask) = items.flags {
            check!(
                flags::told(&self.flags, mask),
                "FLAGS did not tell of {:?}",
                flags::names(mask).collect::<Vec<_>>()
            );
        }
        if let (Some(uid), Some(mailbox)) = (slot.uid, mailbox) {
            slot.check(uid, items, mailbox)?;
        }
        slot.modseq = items.modseq.or(slot.modseq);
        self.hinted.0 = self.hinted.0.max(items.modseq.unwrap_or(0));
        if items.flags.is_some() {
            (slot.flags, slot.fresh) = (items.flags, true);
        }
        Ok(())
    }

    /// The server must see the mailbox as it is now; with `held`, what was expunged stays in its place.
    pub fn settle(&mut self, mailbox: &Mailbox, held: bool) -> Checked {
        let now = mailbox.list.iter();
        let mut seen: Vec<Seen> =
            now.map(|(uid, e)| Seen { uid: *uid, flags: e.flags, modseq: e.modseq, content: e.content }).collect();
        if held {
            seen.extend(self.seen.iter().filter(|seen| !mailbox.list.contains_key(&seen.uid)));
            seen.sort_unstable_by_key(|seen| seen.uid);
        }
        self.seen = seen;
        check!(
            self.slots.len() == self.seen.len(),
            "the client counts {} messages, there are {}",
            self.slots.len(),
            self.seen.len()
        );
        for (at, (slot, seen)) in self.slots.iter_mut().zip(&self.seen).enumerate() {
            let number = at + 1;
            check!(
                slot.uid.is_none_or(|uid| uid == seen.uid),
                "number {number} is UID {:?} to the client, but {}",
                slot.uid,
                seen.uid
            );
            slot.uid = Some(seen.uid);
            check!(
                slot.flags.is_none_or(|flags| flags == seen.flags),
                "UID {} has flags {:?} to the client, but {:?}",
                seen.uid,
                slot.flags,
                seen.flags
            );
            check!(
                slot.modseq.is_none_or(|modseq| modseq == seen.modseq),
                "UID {} has MODSEQ {:?} to the client, but {}",
                seen.uid,
                slot.modseq,
                seen.modseq
            );
            slot.floor = slot.floor.max(if slot.flags.is_some() { seen.modseq } else { 0 });
        }
        Ok(())
    }

    /// What the client makes of a tagged reply with this code: which modification sequence it may resynchronize with. It must know all
    /// expunges up to there, for it will not be told of them again.
    pub fn tagged(&mut self, code: &str, mailbox: &Mailbox, enabled: Enabled, held: bool) -> Checked {
        let (seen, told) = std::mem::take(&mut self.hinted);
        if !enabled.qresync {
            // Such a client takes what it knows to another session, when nothing is outstanding.
            self.highest = if held { self.highest } else { mailbox.modseq };
            return Ok(());
        }
        self.highest = highest_of(code).or(told).unwrap_or(self.highest.max(seen));
        let mut missed = mailbox.vanished.iter().filter(|(modseq, _)| *modseq <= self.highest).map(|(_, uid)| *uid);
        let known = |uid: &u32| self.slots.iter().any(|slot| slot.uid == Some(*uid));
        let lost = missed.find(known);
        check!(lost.is_none(), "from {} on the client would never learn that UID {lost:?} went", self.highest);
        Ok(())
    }

    /// Whether the client knows everything, as far as it ever asked.
    pub fn knows(&self, mailbox: &Mailbox) -> bool {
        let mut pairs = self.slots.iter().zip(&mailbox.list);
        let fits = |slot: &Slot, uid: &u32, flags: u32| {
            slot.uid.is_none_or(|known| known == *uid) && slot.flags.is_none_or(|known| known == flags)
        };
        self.slots.len() == mailbox.list.len() && pairs.all(|(slot, (uid, entry))| fits(slot, uid, entry.flags))
    }

    pub fn uids(&self) -> Vec<u32> {
        self.seen.iter().map(|seen| seen.uid).collect()
    }

    pub fn begin(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.fresh = false);
    }
}

/// The number of HIGHESTMODSEQ.
fn highest_of(code: &str) -> Option<u64> {
    code.strip_prefix("HIGHESTMODSEQ ")?.parse().ok()
}

impl Slot {
    /// What was told must have been true once, and no earlier than what was told before.
    fn check(&mut self, uid: u32, items: &Items, mailbox: &Mailbox) -> Checked {
        let past = mailbox.past.get(&uid).ok_or_else(|| format!("UID {uid} never was"))?;
        let whole = || super::truth::content(past.content);
        check!(items.size.is_none_or(|size| size == whole().len() as u64), "UID {uid} has the size {:?}", items.size);
        check!(items.body.as_ref().is_none_or(|body| *body == whole()), "UID {uid} has another body");
        if items.flags.is_none() && items.modseq.is_none() {
            return Ok(());
        }
        let fits = |(modseq, flags): &&(u64, u32)| {
            *modseq >= self.floor
                && items.modseq.is_none_or(|told| told == *modseq)
                && items.flags.is_none_or(|told| told == *flags)
        };
        let version = past.versions.iter().find(fits);
        let (floor, _) = version.ok_or_else(|| {
            format!("UID {uid} never was {items:?} after {}, but {:?}", self.floor, past.versions.last())
        })?;
        self.floor = *floor;
        Ok(())
    }
}
