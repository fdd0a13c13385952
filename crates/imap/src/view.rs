//! What the client was told of the selected mailbox, and how it is brought up to date.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use anser_base::{AccountId, MailboxId};
use anser_directory::Account;
use anser_store::{Diff, Entry, Flags, Keywords, Rights, Snapshot};
use anser_wire::imap::write::{write_number, write_number_set};
use anser_wire::imap::{NumberSet, SequenceSet};

use crate::access::Place;
use crate::reply::Reply;
use crate::session::Enabled;

/// Keywords that clients know and that are told before anybody used them.
const COMMON_KEYWORDS: [&str; 5] = ["$Forwarded", "$MDNSent", "$Junk", "$NotJunk", "$Phishing"];
/// Keywords of a mailbox that its FLAGS response names at most.
const KEYWORDS_TOLD: usize = 200;

/// The selected mailbox as the client knows it.
pub(crate) struct View {
    pub mailbox: MailboxId,
    /// Whose it is.
    pub owner: Arc<Account>,
    /// The owner, when it is not the user's own.
    pub scope: Option<AccountId>,
    /// What the user may do with it.
    pub rights: Rights,
    /// Its name, for the journal.
    pub name: String,
    pub read_only: bool,
    /// Every message that the client was told of and not told to forget.
    pub list: Arc<Snapshot>,
    /// UIDs from here on are `\Recent` in this session (RFC 3501 §2.3.2).
    pub recent_from: u32,
    /// UIDs below this are announced as recent for good.
    pub recent_claimed: u32,
    /// While expunges are held back: the modification sequence up to which everything was told.
    held: Option<Held>,
    keywords: BTreeSet<String>,
}

/// See [`View::tell_held`].
struct Held {
    modseq: u64,
    told: bool,
}

/// How changes are told.
#[derive(Default)]
pub(crate) struct Telling<'a> {
    /// Whether EXPUNGE may be told (RFC 9051 §7.5.1).
    pub expunge: bool,
    /// Whether FETCH responses show UID.
    pub uid: bool,
    /// Messages whose flags need not be told if they are these: the client set them with .SILENT.
    pub silent: Option<&'a HashMap<u32, (Flags, Keywords)>>,
    /// Messages whose flags are told even if they did not change.
    pub also: &'a [u32],
    /// Messages whose flags are told in another way.
    pub elsewhere: Option<&'a HashSet<u32>>,
}

impl Telling<'_> {
    /// Everything, at a point where everything may be told.
    pub const ALL: Telling<'static> = Telling { expunge: true, uid: false, silent: None, also: &[], elsewhere: None };
}

impl View {
    /// Nothing is `\Recent` yet.
    pub fn new(list: Arc<Snapshot>, user: AccountId, place: &Place, name: String, read_only: bool) -> Self {
        let (owner, rights) = (place.owner.clone(), place.rights);
        let scope = (owner.id != user).then_some(owner.id);
        let (mailbox, recent_from, recent_claimed, keywords) = (list.mailbox, u32::MAX, u32::MAX, BTreeSet::new());
        let held = None;
        let mut view =
            Self { mailbox, owner, scope, rights, name, read_only, list, recent_from, recent_claimed, held, keywords };
        for entry in view.list.clone().iter().filter(|entry| !entry.keywords.is_empty()) {
            entry.keywords.iter().for_each(|word| view.learn(word));
        }
        view
    }

    /// Notes a keyword that FLAGS is to name, each once whatever its case.
    fn learn(&mut self, word: &str) {
        if self.keywords.len() < KEYWORDS_TOLD && !self.knows(word) {
            self.keywords.insert(word.to_owned());
        }
    }

    /// Writes the FLAGS response, and with `permanent` PERMANENTFLAGS (RFC 9051 §7.1) in its stead.
    pub fn write_flags(&self, out: &mut Vec<u8>, permanent: bool) {
        out.extend_from_slice(if permanent { b"* OK [PERMANENTFLAGS (" } else { b"* FLAGS (" });
        let may = if permanent { self.rights } else { Rights::ALL };
        let system = Flags::NAMES.iter().filter(|(_, flag)| may.flags().has(*flag));
        let mut words: Vec<&str> = system.map(|(name, _)| *name).collect();
        let common = COMMON_KEYWORDS.iter().copied();
        let own = self.keywords.iter().map(String::as_str);
        if may.has(Rights::WRITE) {
            words.extend(common.filter(|word| !self.knows(word)).chain(own));
        }
        if permanent && self.read_only {
            words.clear();
        } else if permanent && may.has(Rights::WRITE) {
            words.push("\\*");
        }
        out.extend_from_slice(words.join(" ").as_bytes());
        out.extend_from_slice(if permanent { b")] Flags that are kept\r\n" } else { b")\r\n" });
    }

    fn knows(&self, keyword: &str) -> bool {
        self.keywords.iter().any(|known| known.eq_ignore_ascii_case(keyword))
    }

    /// How many messages are `\Recent`.
    pub fn recent(&self) -> usize {
        self.list.len() - self.list.count_below(self.recent_from)
    }

    /// Brings the client up to date with the newest list.
    pub fn tell(&mut self, out: &mut Vec<u8>, newest: Arc<Snapshot>, enabled: Enabled, telling: &Telling<'_>) {
        if Arc::ptr_eq(&self.list, &newest) && telling.also.is_empty() {
            return;
        }
        let diff = self.list.diff(&newest);
        if telling.expunge {
            self.write_expunged(out, &diff, enabled);
        }
        let was_held = match telling.expunge || diff.expunged.is_empty() {
            true => {
                self.list = newest;
                self.held.take()
            }
            false => {
                self.held.get_or_insert(Held { modseq: self.list.modseq, told: false });
                self.list = Arc::new(self.list.advance_holding(&newest, &diff));
                None
            }
        };
        self.learn_keywords(out, &diff);
        if !diff.added.is_empty() {
            write_count(out, self.list.len() as u64, "EXISTS");
            if !enabled.rev2 {
                write_count(out, self.recent() as u64, "RECENT");
            }
        }
        self.write_changed(out, &diff, enabled, telling);
        if was_held.is_some_and(|held| held.told) {
            self.write_highest(out);
        }
    }

    /// The modification sequence up to which the client was told everything.
    pub fn highest(&self) -> u64 {
        self.held.as_ref().map_or(self.list.modseq, |held| held.modseq).max(1)
    }

    /// Writes HIGHESTMODSEQ, by which a client may resynchronize (RFC 7162 §3.1.2.1).
    pub fn write_highest(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("* OK [HIGHESTMODSEQ {}] Highest\r\n", self.highest()).as_bytes());
    }

    /// While expunges are held back, says at the end of a command which modification sequence is safe: a client that was told of later
    /// changes and lost the connection would otherwise never learn what vanished (RFC 7162 §3.2).
    pub fn tell_held(&mut self, out: &mut Vec<u8>) {
        if let Some(held) = &mut self.held {
            held.told = true;
            self.write_highest(out);
        }
    }

    fn write_expunged(&self, out: &mut Vec<u8>, diff: &Diff, enabled: Enabled) {
        if diff.expunged.is_empty() {
            return;
        }
        if enabled.qresync || enabled.uid_only {
            out.extend_from_slice(b"* VANISHED ");
            write_number_set(out, diff.expunged.iter().copied());
            return out.extend_from_slice(b"\r\n");
        }
        // From the last to the first, so that no number moves before it is told.
        for seq in diff.expunged.iter().rev().filter_map(|uid| self.list.seq_of(*uid)) {
            write_count(out, u64::from(seq), "EXPUNGE");
        }
    }

    fn learn_keywords(&mut self, out: &mut Vec<u8>, diff: &Diff) {
        let before = self.keywords.len();
        for entry in diff.changed.iter().chain(&diff.added).filter(|entry| !entry.keywords.is_empty()) {
            entry.keywords.iter().for_each(|word| self.learn(word));
        }
        if self.keywords.len() > before {
            self.write_flags(out, false);
        }
    }

    fn write_changed(&self, out: &mut Vec<u8>, diff: &Diff, enabled: Enabled, telling: &Telling<'_>) {
        let also = telling.also.iter().filter_map(|uid| self.list.by_uid(*uid));
        let mut entries: Vec<&Entry> = diff.changed.iter().chain(also).collect();
        entries.sort_by_key(|entry| entry.uid);
        entries.dedup_by_key(|entry| entry.uid);
        for entry in entries {
            if telling.elsewhere.is_some_and(|told| told.contains(&entry.uid)) {
                continue;
            }
            let silent = telling.silent.and_then(|silent| silent.get(&entry.uid));
            let flags = silent.is_none_or(|expected| *expected != (entry.flags, entry.keywords.clone()));
            if flags || enabled.condstore {
                self.write_fetch(out, entry, flags, telling.uid, enabled);
            }
        }
    }

    fn write_fetch(&self, out: &mut Vec<u8>, entry: &Entry, flags: bool, uid: bool, enabled: Enabled) {
        let Some(seq) = self.list.seq_of(entry.uid) else { return };
        write_fetch_start(out, seq, entry, enabled.uid_only);
        // With CONDSTORE as well (RFC 7162 §3.2.4).
        if !enabled.uid_only && (uid || enabled.condstore || enabled.rev2) {
            out.extend_from_slice(format!("UID {} ", entry.uid).as_bytes());
        }
        if enabled.condstore {
            out.extend_from_slice(format!("MODSEQ ({}) ", entry.modseq).as_bytes());
        }
        if flags {
            out.extend_from_slice(b"FLAGS ");
            write_entry_flags(out, entry, self.is_recent(entry, enabled));
        } else {
            out.pop();
        }
        out.extend_from_slice(b")\r\n");
    }

    /// Whether a message shows `\Recent`, which IMAP4rev2 does not know.
    pub fn is_recent(&self, entry: &Entry, enabled: Enabled) -> bool {
        entry.uid >= self.recent_from && !enabled.rev2
    }

    /// The messages that a set names, as message numbers. Numbers that do not exist are refused, UIDs that do not are left out.
    pub fn numbers(&self, set: &SequenceSet, uid: bool, saved: &NumberSet) -> Result<NumberSet, Reply> {
        let list = &self.list;
        if let SequenceSet::Saved = set {
            return Ok(self.numbers_of(saved));
        }
        if uid {
            return Ok(self.numbers_of(&set.resolve(list.last_uid().unwrap_or(0), saved)));
        }
        let count = list.len() as u32;
        match set.exceeds(count) {
            true => Err(Reply::bad("There is no message of this number")),
            false => Ok(set.resolve(count, saved)),
        }
    }

    fn numbers_of(&self, uids: &NumberSet) -> NumberSet {
        let below = |uid: u32| self.list.count_below(uid) as u32;
        let ranges = uids.ranges().iter().map(|(first, last)| {
            let end = last.checked_add(1).map_or(self.list.len() as u32, below);
            (below(*first) + 1, end)
        });
        NumberSet::from_ranges(ranges.collect())
    }

    /// The UIDs of message numbers, ascending.
    pub fn uids(&self, numbers: &NumberSet) -> Vec<u32> {
        self.entries(numbers).map(|(_, entry)| entry.uid).collect()
    }

    /// The messages of these numbers, ascending.
    pub fn entries<'a>(&'a self, numbers: &'a NumberSet) -> impl Iterator<Item = (u32, &'a Entry)> {
        numbers.ranges().iter().flat_map(|(first, last)| self.list.range(*first, *last))
    }
}

/// Writes `* number FETCH (`, or what stands for it under UIDONLY (RFC 9586 §3.3): `* uid UIDFETCH (`.
pub(crate) fn write_fetch_start(out: &mut Vec<u8>, seq: u32, entry: &Entry, uid_only: bool) {
    out.extend_from_slice(b"* ");
    write_number(out, u64::from(if uid_only { entry.uid } else { seq }));
    out.extend_from_slice(if uid_only { b" UIDFETCH (" } else { b" FETCH (" });
}

/// Writes a message's flags in parentheses.
pub(crate) fn write_entry_flags(out: &mut Vec<u8>, entry: &Entry, recent: bool) {
    out.push(b'(');
    let start = out.len();
    let system = Flags::NAMES.iter().filter(|(_, flag)| entry.flags.has(*flag)).map(|(name, _)| *name);
    let recent = recent.then_some("\\Recent");
    for word in system.chain(recent).chain(entry.keywords.iter()) {
        if out.len() > start {
            out.push(b' ');
        }
        out.extend_from_slice(word.as_bytes());
    }
    out.push(b')');
}

/// Writes `* number WORD`.
pub(crate) fn write_count(out: &mut Vec<u8>, number: u64, word: &str) {
    out.extend_from_slice(b"* ");
    write_number(out, number);
    out.push(b' ');
    out.extend_from_slice(word.as_bytes());
    out.extend_from_slice(b"\r\n");
}
