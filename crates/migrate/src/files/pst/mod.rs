//! Outlook's data files (.pst): folders and messages by their nodes, each message as mail again.
//!
//! What a node holds is properties, no mail: `message` builds it, the same bytes for the same node at every look. Contacts, appointments,
//! tasks and notes are not mail, and stay. Which folder a message is in is told by the file's tree of nodes, which is there even where
//! tables of folders are broken. What cannot be read of a file is an error of one message.

mod message;
mod properties;

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anser_pst::{NodeEntry, Octets, Pst, Reader, id as node, kind, kind_of};
use anser_store::{Flags, Keywords};
use anser_wire::imap::encode_mutf7;

use self::properties::{Known, id};
use super::{DEPTH, FOLDERS, Found, MESSAGES, Mail, Place, written};
use crate::source::Seen;

pub use message::read;

/// Characters of a name or an address at most.
const NAME: usize = 255;
/// Stands between levels: no name holds it.
const DELIMITER: u8 = 0x1f;
/// Names of the inbox in the languages that Outlook makes it in.
const INBOXES: [&str; 8] = [
    "inbox",
    "收件箱",
    "收件匣",
    "posteingang",
    "boîte de réception",
    "bandeja de entrada",
    "受信トレイ",
    "받은 편지함",
];
/// Classes that are no mail ([MS-OXOCNTC] and others).
const NO_MAIL: [&str; 8] = [
    "ipm.contact",
    "ipm.distlist",
    "ipm.appointment",
    "ipm.task",
    "ipm.stickynote",
    "ipm.activity",
    "ipm.configuration",
    "ipm.microsoft",
];
/// Folders that the file itself tells the use of ([MS-PST] §2.4.3.2).
const USES: [(u16, &str); 2] = [(id::TRASH, "\\trash"), (id::SENT, "\\sent")];

/// A file, open to be read and nothing else.
#[derive(Debug)]
pub struct Disk {
    file: File,
    size: u64,
}

impl Octets for Disk {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(into, offset)
    }
}

/// A message in a file.
#[derive(Clone, Debug)]
pub struct Node {
    pst: Arc<Pst<Disk>>,
    id: u32,
}

/// The folders of a file with their messages.
pub fn folders(path: &Path) -> io::Result<Vec<(Found, Vec<Mail>)>> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let pst = Arc::new(Pst::open(Disk { file, size })?);
    let mut walk = Walk {
        pst: &pst,
        path: path.to_owned(),
        below: BTreeMap::new(),
        taken: 0,
        uses: Vec::new(),
        met: HashSet::new(),
        names: HashSet::new(),
        found: Vec::new(),
    };
    let reader = pst.reader();
    reader.each_node(&mut |entry| walk.take(entry))?;
    // A broken tree may lead to one node by more than one way.
    for ids in walk.below.values_mut() {
        ids.sort_unstable();
        ids.dedup();
    }
    let top = walk.top(&reader);
    walk.met.insert(top);
    if walk.below.get(&top).is_some_and(|below| below.iter().any(|id| kind_of(*id) == kind::MESSAGE)) {
        walk.folder(top, &[]);
    } else {
        walk.below(top, &[]);
    }
    Ok(walk.found)
}

struct Walk<'a> {
    pst: &'a Arc<Pst<Disk>>,
    path: PathBuf,
    /// Folders and messages by the folder that they are in.
    below: BTreeMap<u32, Vec<u32>>,
    /// How many these are.
    taken: usize,
    /// Folders whose use the file tells.
    uses: Vec<(u32, &'static str)>,
    /// Folders that were looked into: a broken file may lead round in circles.
    met: HashSet<u32>,
    /// What the folders that were found are called, level by level.
    names: HashSet<Vec<Vec<u8>>>,
    found: Vec<(Found, Vec<Mail>)>,
}

impl Walk<'_> {
    fn take(&mut self, entry: NodeEntry) {
        let is_shown = matches!(kind_of(entry.id), kind::FOLDER | kind::MESSAGE) && entry.id != entry.parent;
        if is_shown && self.taken < MESSAGES {
            self.taken += 1;
            self.below.entry(entry.parent).or_default().push(entry.id);
        }
    }

    /// The folder that mail is below, as the file tells it; else the one above all.
    fn top(&mut self, reader: &Reader<'_, Disk>) -> u32 {
        let Ok(store) = reader.node(node::STORE).and_then(|store| store.properties()) else { return node::ROOT };
        let known = Known::new(&store);
        let uses = USES.into_iter().filter_map(|(id, word)| Some((known.entry(id)?, word)));
        self.uses.extend(uses);
        known.entry(id::TOP).filter(|top| self.below.contains_key(top)).unwrap_or(node::ROOT)
    }

    fn below(&mut self, folder: u32, above: &[Vec<u8>]) {
        let ids = self.below.get(&folder).cloned().unwrap_or_default();
        for id in ids.into_iter().filter(|id| kind_of(*id) == kind::FOLDER) {
            if self.found.len() < FOLDERS && above.len() < DEPTH && self.met.insert(id) {
                self.folder(id, above);
            }
        }
    }

    fn folder(&mut self, folder: u32, above: &[Vec<u8>]) {
        let reader = self.pst.reader();
        let properties = reader.node(folder).and_then(|node| node.properties());
        let name = properties.ok().and_then(|properties| Known::new(&properties).text(id::NAME));
        // A folder whose name cannot be read still has its messages.
        let plain = name.map(|name| name.chars().filter(|c| !c.is_control()).take(NAME).collect::<String>());
        let name = plain.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("{folder}"));
        let is_inbox = above.is_empty() && INBOXES.contains(&&*name.to_lowercase());
        let level = if is_inbox { b"INBOX".to_vec() } else { encode_mutf7(&name).into_bytes() };
        let of = |level: Vec<u8>| above.iter().cloned().chain([level]).collect::<Vec<Vec<u8>>>();
        let mut levels = of(level);
        if !self.names.insert(levels.clone()) {
            // A file has more than one inbox where Outlook spoke more than one language: no two folders become one.
            levels = of(encode_mutf7(&format!("{name} ({folder})")).into_bytes());
            self.names.insert(levels.clone());
        }
        let names: Vec<&[u8]> = levels.iter().map(Vec::as_slice).collect();
        let mut found = Found::new(&names, DELIMITER, self.path.clone());
        let uses = self.uses.iter().filter(|(id, _)| *id == folder).map(|(_, word)| (*word).to_owned());
        found.folder.attributes.extend(uses);
        let mails = self.mails(folder);
        self.found.push((found, mails));
        self.below(folder, &levels);
    }

    fn mails(&self, folder: u32) -> Vec<Mail> {
        let ids = self.below.get(&folder).map(Vec::as_slice).unwrap_or_default();
        let messages = ids.iter().copied().filter(|id| kind_of(*id) == kind::MESSAGE);
        let mail = |id| {
            let reader = self.pst.reader();
            // One that cannot be read now fails by itself when it is wanted, and is told.
            let seen = match reader.node(id).and_then(|node| node.properties()) {
                Ok(properties) => seen(id, &Known::new(&properties))?,
                Err(_) => plain(id),
            };
            Some(Mail::new(&seen, Place::Pst(Node { pst: self.pst.clone(), id }), &[]))
        };
        messages.filter_map(mail).collect()
    }
}

fn plain(node: u32) -> Seen {
    let (flags, keywords, received) = Default::default();
    let key = node.to_be_bytes().to_vec();
    Seen { at: 0, key, uid: 0, uidl: None, identity: None, flags, keywords, received, written: None, size: 0 }
}

/// Flags and dates ([MS-OXCMSG] §2.2.1.6, [MS-OXOMSG] §2.2.1.38, [MS-OXOFLAG] §2.2.1.1); nothing of what is no mail.
fn seen(node: u32, known: &Known<'_, Disk>) -> Option<Seen> {
    let class = known.text(id::CLASS).unwrap_or_default().to_lowercase();
    if NO_MAIL.iter().any(|other| class.starts_with(other)) {
        return None;
    }
    let (noted, verb) = (known.number(id::FLAGS).unwrap_or(0), known.number(id::VERB).unwrap_or(0));
    let mut flags = Flags::default();
    for (is_set, flag) in [
        (noted & 1 != 0, Flags::SEEN),
        (noted & 8 != 0, Flags::DRAFT),
        (matches!(verb, 102 | 103), Flags::ANSWERED),
        (known.number(id::FLAG_STATUS) == Some(2), Flags::FLAGGED),
    ] {
        flags = if is_set { flags.with(flag) } else { flags };
    }
    let keywords = Keywords::new(if verb == 104 { vec!["$Forwarded"] } else { Vec::new() });
    let date = [id::DELIVERED, id::SUBMITTED, id::CREATED].into_iter().find_map(|id| known.time(id));
    let received = date.map(|unix| written(unix, 0)).unwrap_or_default();
    Some(Seen { flags, keywords, received, ..plain(node) })
}
