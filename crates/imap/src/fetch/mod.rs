//! Data items of FETCH (RFC 9051 §7.5.2), rendered away from the reactor in batches.
//!
//! ```text
//! list entry ── Plan::light ──▶ UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ …     no database, no disk
//! message row ── envelope, structure ──▶ ENVELOPE BODYSTRUCTURE PREVIEW …       no disk
//! body ── section ──▶ Pump ──▶ small: into the batch; large: piece by piece to the connection
//! ```

mod binary;
mod envelope;
mod pump;
mod section;
mod structure;

use std::collections::HashSet;

use anser_base::{Error, MessageId, Result, TenantId};
use anser_mime::header::Select;
use anser_mime::structure::{Limits, Structure, StructureParser};
use anser_store::{Columns, Entry, MailTx, Message, MessageRow, MessageRows, Store};
use anser_wire::imap::write::{write_date_time, write_fetch_name, write_number, write_string};
use anser_wire::imap::{DateTime, FetchItem};

use bytes::Bytes;

use crate::name::{self, Scope};
use crate::view::{write_entry_flags, write_fetch_start};

pub(crate) use pump::{Pump, Source};
pub(crate) use section::open_section;

/// Sections up to this many bytes become part of a batch; larger ones are streamed.
const IN_BATCH: u64 = 256 * 1024;
/// Bytes of one message's sections that become part of a batch together.
const MESSAGE_IN_BATCH: u64 = 1024 * 1024;
/// Bytes that a response of list and row items takes about.
const RESPONSE: usize = 400;
/// Bytes of one piece of a section that is streamed.
pub(crate) const PIECE: usize = 256 * 1024;

/// What one FETCH command wants of each message.
#[derive(Debug)]
pub(crate) struct Plan {
    pub items: Vec<FetchItem>,
    /// Whose account the mailbox is in, when it is not the user's own.
    pub scope: Scope,
    /// Messages whose FLAGS are told although they were not asked for: `\Seen` has just been set.
    pub tell_flags: HashSet<u32>,
    /// UIDs from here on show `\Recent`.
    pub recent_from: u32,
    pub utf8: bool,
    pub condstore: bool,
    /// UIDONLY.
    pub uid_only: bool,
}

/// A piece of output.
pub(crate) enum Piece {
    Bytes(Vec<u8>),
    Large(Box<Pump>),
}

/// A batch of FETCH responses.
#[derive(Default)]
pub(crate) struct Rendered {
    pub pieces: Vec<Piece>,
    /// Messages that are gone.
    pub gone: bool,
    /// A part is in a transfer encoding that is unknown.
    pub unknown_cte: bool,
    /// The first failure; its message is left out.
    pub failed: Option<Error>,
    /// Header fields of bodies that were read although rows could have told them.
    pub learned: Vec<(MessageId, Bytes)>,
}

impl Plan {
    /// Whether some item sets `\Seen`.
    pub fn sets_seen(&self) -> bool {
        self.items.iter().any(|item| match item {
            FetchItem::Rfc822 | FetchItem::Rfc822Text => true,
            FetchItem::BodySection { peek, .. } | FetchItem::Binary { peek, .. } => !peek,
            _ => false,
        })
    }

    /// Whether every item is in the list.
    pub fn is_light(&self) -> bool {
        self.items.iter().all(is_light)
    }

    /// Whether every item is in the list or in the message's row.
    pub fn is_of_rows(&self) -> bool {
        self.items.iter().all(|item| !is_section(item) || section::kept_fields(item).is_some())
    }

    /// What of the messages' rows the items need.
    fn columns(&self) -> Columns {
        let has = |wanted: fn(&FetchItem) -> bool| self.items.iter().any(wanted);
        Columns {
            listing: has(|item| matches!(item, FetchItem::Envelope | FetchItem::Preview { .. })),
            structure: has(|item| matches!(item, FetchItem::Body | FetchItem::BodyStructure)),
            fields: self.has_kept_fields(),
        }
    }

    /// Whether some item is of header fields that are kept beside the row.
    fn has_kept_fields(&self) -> bool {
        self.items.iter().any(|item| section::kept_fields(item).is_some())
    }

    /// How many items are of the message itself, if only of its header.
    pub fn sections(&self) -> usize {
        self.items.iter().filter(|item| is_section(item)).count()
    }

    /// Writes the response of a message whose items are all in the list.
    pub fn write_light(&self, out: &mut Vec<u8>, seq: u32, entry: &Entry) {
        self.begin(out, seq, entry);
        for (at, item) in self.items.iter().enumerate() {
            separate(out, at);
            self.light(out, item, entry);
        }
        out.extend_from_slice(b")\r\n");
    }

    fn begin(&self, out: &mut Vec<u8>, seq: u32, entry: &Entry) {
        write_fetch_start(out, seq, entry, self.uid_only);
        if self.tell_flags.contains(&entry.uid) && !self.items.contains(&FetchItem::Flags) {
            self.light(out, &FetchItem::Flags, entry);
            // With UID and MODSEQ, as what is told unasked (RFC 7162 §3.2.4).
            for item in [FetchItem::Uid, FetchItem::ModSeq] {
                if self.condstore && !self.items.contains(&item) && !(self.uid_only && item == FetchItem::Uid) {
                    out.push(b' ');
                    self.light(out, &item, entry);
                }
            }
            out.push(b' ');
        }
    }

    /// Writes an item of the list with its name; `false` when it is none.
    fn light(&self, out: &mut Vec<u8>, item: &FetchItem, entry: &Entry) -> bool {
        if !is_light(item) {
            return false;
        }
        write_fetch_name(out, item);
        out.push(b' ');
        match item {
            FetchItem::Uid => write_number(out, u64::from(entry.uid)),
            FetchItem::Flags => write_entry_flags(out, entry, entry.uid >= self.recent_from),
            FetchItem::InternalDate => write_date(out, entry.received.secs(), entry.zone),
            FetchItem::SaveDate => write_date(out, entry.saved.secs(), 0),
            FetchItem::Rfc822Size => write_number(out, entry.size),
            FetchItem::ModSeq => {
                out.push(b'(');
                write_number(out, entry.modseq);
                out.push(b')');
            }
            _ => out.extend_from_slice(format!("({})", name::email_id(self.scope, entry.message)).as_bytes()),
        }
        true
    }

    /// Writes an item of the message's row, but its structure, with its name; `false` when it is none.
    fn row(&self, out: &mut Vec<u8>, item: &FetchItem, row: &MessageRow<'_>) -> bool {
        if let (Some((names, partial)), Some((own, kept))) = (section::kept_fields(item), row.fields()) {
            write_fetch_name(out, item);
            out.push(b' ');
            section::write_fields(out, &[own, kept], names, Select::Only, partial);
            return true;
        }
        if !matches!(item, FetchItem::Envelope | FetchItem::Preview { .. } | FetchItem::ThreadId) {
            return false;
        }
        write_fetch_name(out, item);
        out.push(b' ');
        match item {
            FetchItem::Envelope => envelope::write(out, row.envelope(), self.utf8),
            FetchItem::Preview { .. } => write_string(out, row.preview().as_bytes(), self.utf8),
            _ => out.extend_from_slice(format!("({})", name::thread_id(self.scope, row.thread)).as_bytes()),
        }
        true
    }

    /// Writes BODY or BODYSTRUCTURE with its name.
    fn structure(&self, out: &mut Vec<u8>, item: &FetchItem, structure: &Structure) {
        write_fetch_name(out, item);
        out.push(b' ');
        structure::write(out, structure, *item == FetchItem::BodyStructure, self.utf8);
    }
}

fn is_light(item: &FetchItem) -> bool {
    use FetchItem::{EmailId, Flags, InternalDate, ModSeq, Rfc822Size, SaveDate, Uid};
    matches!(item, EmailId | Flags | InternalDate | ModSeq | Rfc822Size | SaveDate | Uid)
}

fn is_section(item: &FetchItem) -> bool {
    use FetchItem::{Binary, BinarySize, BodySection, Rfc822, Rfc822Header, Rfc822Text};
    matches!(item, BodySection { .. } | Binary { .. } | BinarySize(_) | Rfc822 | Rfc822Header | Rfc822Text)
}

fn write_date(out: &mut Vec<u8>, unix_seconds: i64, offset_minutes: i16) {
    write_date_time(out, DateTime { unix_seconds, offset_minutes });
}

fn separate(out: &mut Vec<u8>, at: usize) {
    if at > 0 {
        out.push(b' ');
    }
}

/// Reads the rows of a batch whose items are of the list and of rows.
pub(crate) fn rows(plan: &Plan, tx: &mut MailTx<'_, '_>, batch: &[(u32, Entry)]) -> Result<MessageRows> {
    let ids: Vec<MessageId> = batch.iter().map(|(_, entry)| entry.message).collect();
    tx.message_rows(&ids, plan.columns())
}

/// Renders a batch of such items, without blocking. `None` when a row lacks something, so that bodies must be looked at.
pub(crate) fn render_rows(plan: &Plan, batch: &[(u32, Entry)], rows: &MessageRows) -> Option<Rendered> {
    let (mut out, mut gone) = (Vec::with_capacity(batch.len() * RESPONSE), false);
    for (seq, entry) in batch {
        let Some(row) = rows.get(entry.message) else {
            gone = true;
            continue;
        };
        plan.begin(&mut out, *seq, entry);
        let mut parsed = None;
        for (at, item) in plan.items.iter().enumerate() {
            separate(&mut out, at);
            if !plan.light(&mut out, item, entry) && !plan.row(&mut out, item, &row) {
                if is_section(item) {
                    return None;
                }
                if parsed.is_none() {
                    parsed = Some(row.structure()?);
                }
                plan.structure(&mut out, item, parsed.as_ref()?);
            }
        }
        out.extend_from_slice(b")\r\n");
    }
    Some(Rendered { pieces: vec![Piece::Bytes(out)], gone, ..Rendered::default() })
}

/// Renders a batch; what `rows` hold of header fields is not looked for in bodies. Blocks on the disk.
pub(crate) fn render(
    plan: &Plan,
    store: &Store,
    tenant: TenantId,
    batch: Vec<(u32, Entry, Option<Message>)>,
    rows: &MessageRows,
) -> Rendered {
    let mut rendered = Rendered::default();
    let mut out = Vec::new();
    for (seq, entry, message) in batch {
        let Some(message) = message else {
            rendered.gone = true;
            continue;
        };
        let (start, pieces) = (out.len(), rendered.pieces.len());
        let mut work = Work {
            plan,
            store,
            tenant,
            entry: &entry,
            message: &message,
            row: rows.get(message.id).unwrap_or_else(|| message.row()),
            learned: None,
            source: None,
            structure: None,
            held: 0,
            unknown_cte: false,
        };
        let written = work.write(&mut out, seq, &mut rendered.pieces);
        rendered.unknown_cte |= work.unknown_cte;
        rendered.learned.extend(work.learned.take().map(|fields| (message.id, fields)));
        if let Err(error) = written {
            // Pieces that were split off begin with what `out` held.
            if rendered.pieces.len() > pieces
                && let Piece::Bytes(mut bytes) = rendered.pieces.swap_remove(pieces)
            {
                bytes.truncate(start);
                out = bytes;
            }
            rendered.pieces.truncate(pieces);
            out.truncate(start);
            rendered.failed.get_or_insert(error);
        }
    }
    rendered.pieces.push(Piece::Bytes(out));
    rendered
}

/// One message on its way into a batch. Body and structure are opened when an item first needs them.
struct Work<'a> {
    plan: &'a Plan,
    store: &'a Store,
    tenant: TenantId,
    entry: &'a Entry,
    message: &'a Message,
    row: MessageRow<'a>,
    /// What could be kept beside the row.
    learned: Option<Bytes>,
    source: Option<Source>,
    structure: Option<Structure>,
    /// Bytes of sections that went into the batch.
    held: u64,
    unknown_cte: bool,
}

impl Work<'_> {
    fn write(&mut self, out: &mut Vec<u8>, seq: u32, pieces: &mut Vec<Piece>) -> Result<()> {
        self.plan.begin(out, seq, self.entry);
        let plan = self.plan;
        for (at, item) in plan.items.iter().enumerate() {
            separate(out, at);
            if plan.light(out, item, self.entry) || self.row(out, item)? {
                continue;
            }
            write_fetch_name(out, item);
            out.push(b' ');
            if let Some(pump) = self.body(out, item)? {
                pieces.push(Piece::Bytes(std::mem::take(out)));
                pieces.push(Piece::Large(Box::new(pump)));
            }
        }
        out.extend_from_slice(b")\r\n");
        Ok(())
    }

    /// Writes an item of the message's row with its name; `false` when it is none.
    fn row(&mut self, out: &mut Vec<u8>, item: &FetchItem) -> Result<bool> {
        if matches!(item, FetchItem::Body | FetchItem::BodyStructure) {
            let plan = self.plan;
            plan.structure(out, item, self.structure()?);
            return Ok(true);
        }
        Ok(self.plan.row(out, item, &self.row))
    }

    fn structure(&mut self) -> Result<&Structure> {
        if self.structure.is_none() {
            self.structure = Some(structure_of(self.store, self.tenant, self.message)?);
        }
        self.structure.as_ref().ok_or_else(|| Error::unavailable("no structure"))
    }

    /// Takes a pump's bytes into the batch, or gives it back to be streamed when they are many.
    fn take_in(&mut self, out: &mut Vec<u8>, pump: Pump) -> Result<Option<Pump>> {
        if pump.left() > IN_BATCH || self.held + pump.left() > MESSAGE_IN_BATCH {
            return Ok(Some(pump));
        }
        self.held += pump.left();
        pump.take_all(out)?;
        Ok(None)
    }

    fn source(&mut self) -> Result<&mut Source> {
        if self.source.is_none() {
            self.source = Some(Source::open(self.store, self.tenant, self.message)?);
        }
        self.source.as_mut().ok_or_else(|| Error::unavailable("no body"))
    }
}

/// The structure in the message's row; where its form is unknown, that of the body. Then it blocks on the disk.
pub(crate) fn structure_of(store: &Store, tenant: TenantId, message: &Message) -> Result<Structure> {
    if let Some(structure) = message.parsed_structure() {
        return Ok(structure);
    }
    let mut body = store.body(tenant, message)?;
    let (mut parser, mut at) = (StructureParser::new(Limits::default()), message.prefix.len() as u64);
    loop {
        let piece = body.read_at(at, PIECE)?;
        if piece.is_empty() {
            return Ok(parser.finish());
        }
        parser.feed(&piece);
        at += piece.len() as u64;
    }
}
