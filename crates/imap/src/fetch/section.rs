//! Sections of BODY[…] (RFC 9051 §6.4.5.1): which bytes of the message they are.

use std::ops::Range;

use anser_base::{Result, TenantId};
use anser_mime::header::{self, Select};
use anser_mime::structure::{Part, Structure};
use anser_store::{Message, Store, are_kept, kept_of};
use anser_wire::imap::write::write_literal_header;
use anser_wire::imap::{FetchItem, Partial, Section, SectionText};

use super::{Pump, Source, Work, structure_of};

/// Header bytes that HEADER.FIELDS looks at.
const HEADER: u64 = 256 * 1024;

impl Work<'_> {
    /// Writes the value of an item of the body; what is large comes back as a pump to be streamed in its place.
    pub(super) fn body(&mut self, out: &mut Vec<u8>, item: &FetchItem) -> Result<Option<Pump>> {
        let whole = |text| Section { part: Vec::new(), text };
        match item {
            FetchItem::BodySection { section, partial, .. } => self.section(out, section, *partial),
            FetchItem::Rfc822 => self.section(out, &whole(None), None),
            FetchItem::Rfc822Header => self.section(out, &whole(Some(SectionText::Header)), None),
            FetchItem::Rfc822Text => self.section(out, &whole(Some(SectionText::Text)), None),
            FetchItem::Binary { part, partial, .. } => self.binary(out, part, *partial),
            FetchItem::BinarySize(part) => self.binary_size(out, part).map(|()| None),
            _ => {
                out.extend_from_slice(b"NIL");
                Ok(None)
            }
        }
    }

    fn section(&mut self, out: &mut Vec<u8>, section: &Section, partial: Option<Partial>) -> Result<Option<Pump>> {
        let message = self.message;
        if section.part.is_empty() {
            match &section.text {
                Some(SectionText::HeaderFields(names)) => return self.header_fields(out, names, Select::Only, partial),
                Some(SectionText::HeaderFieldsNot(names)) => {
                    return self.header_fields(out, names, Select::Not, partial);
                }
                _ => {}
            }
        }
        let range = match section {
            Section { part, text: None } if part.is_empty() => Some(0..message.size()),
            _ => range(message, self.structure()?, section),
        };
        let Some(range) = range else {
            out.extend_from_slice(b"NIL");
            return Ok(None);
        };
        match &section.text {
            Some(SectionText::HeaderFields(names)) => self.fields(out, range, names, Select::Only, partial),
            Some(SectionText::HeaderFieldsNot(names)) => self.fields(out, range, names, Select::Not, partial),
            _ => self.plain(out, cut(range, partial)),
        }
    }

    fn plain(&mut self, out: &mut Vec<u8>, range: Range<u64>) -> Result<Option<Pump>> {
        let (store, tenant, message) = (self.store, self.tenant, self.message);
        write_literal_header(out, range.end - range.start);
        let pump = Pump::plain(self.source()?.again(store, tenant, message)?, range);
        self.take_in(out, pump)
    }

    fn fields(
        &mut self,
        out: &mut Vec<u8>,
        range: Range<u64>,
        names: &[String],
        how: Select,
        partial: Option<Partial>,
    ) -> Result<Option<Pump>> {
        let block = self.source()?.range(range.start..range.end.min(range.start + HEADER))?;
        write_fields(out, &[&block], names, how, partial);
        Ok(None)
    }

    /// Fields of the message's own header.
    fn header_fields(
        &mut self,
        out: &mut Vec<u8>,
        names: &[String],
        how: Select,
        partial: Option<Partial>,
    ) -> Result<Option<Pump>> {
        let (start, length) = (self.message.prefix.len() as u64, self.structure()?.root().body_start);
        let block = self.source()?.range(start..start + length.min(HEADER))?;
        if length <= HEADER && self.plan.is_of_rows() {
            self.learned = kept_of(&block);
        }
        write_fields(out, &[&self.message.prefix, &block], names, how, partial);
        Ok(None)
    }
}

/// The names and the range of an item that shows header fields of which all are kept beside the row.
pub(super) fn kept_fields(item: &FetchItem) -> Option<(&[String], Option<Partial>)> {
    match item {
        FetchItem::BodySection { section, partial, .. } if section.part.is_empty() => match &section.text {
            Some(SectionText::HeaderFields(names)) if are_kept(names) => Some((names, *partial)),
            _ => None,
        },
        _ => None,
    }
}

/// Writes the chosen fields of header blocks that follow each other, as a literal.
pub(super) fn write_fields(
    out: &mut Vec<u8>,
    blocks: &[&[u8]],
    names: &[String],
    how: Select,
    partial: Option<Partial>,
) {
    let names: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
    let mut chosen: Vec<u8> = blocks.iter().flat_map(|block| header::select(block, &names, how)).collect();
    chosen.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = 0x80);
    let shown = cut(0..chosen.len() as u64, partial);
    write_literal_header(out, shown.end - shown.start);
    out.extend_from_slice(&chosen[shown.start as usize..shown.end as usize]);
}

/// Opens a section by itself, to be copied and not to be shown; `None` when the message has no such section. Blocks on the disk.
pub(crate) fn open_section(
    store: &Store,
    tenant: TenantId,
    message: &Message,
    section: &Section,
    partial: Option<Partial>,
) -> Result<Option<Pump>> {
    let mut source = Source::open(store, tenant, message)?;
    let range = match section {
        Section { part, text: None } if part.is_empty() => Some(0..message.size()),
        _ => range(message, &structure_of(store, tenant, message)?, section),
    };
    let Some(range) = range else { return Ok(None) };
    let (names, how) = match &section.text {
        Some(SectionText::HeaderFields(names)) => (names, Select::Only),
        Some(SectionText::HeaderFieldsNot(names)) => (names, Select::Not),
        _ => return Ok(Some(Pump::raw(source, cut(range, partial)))),
    };
    let block = source.range(range.start..range.end.min(range.start + HEADER))?;
    let names: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
    let chosen = header::select(&block, &names, how);
    let shown = cut(0..chosen.len() as u64, partial);
    Ok(Some(Pump::raw(Source::Whole(chosen.into()), shown)))
}

/// The bytes of a section, counted from the start of the prefix; `None` when the message has no such section.
fn range(message: &Message, structure: &Structure, section: &Section) -> Option<Range<u64>> {
    let shift = message.prefix.len() as u64;
    let moved = |range: Range<u64>| range.start + shift..range.end + shift;
    if section.part.is_empty() {
        let header_end = structure.root().body_start + shift;
        return match section.text.as_ref()? {
            SectionText::Mime => None,
            SectionText::Text => Some(header_end..message.size().max(header_end)),
            _ => Some(0..header_end),
        };
    }
    let part: Option<&Part> = match section.text {
        None | Some(SectionText::Mime) => structure.section(&section.part),
        Some(_) => structure.message(&section.part),
    };
    match section.text {
        None | Some(SectionText::Text) => part.map(|part| moved(part.body_range())),
        Some(_) => part.map(|part| moved(part.header_range())),
    }
}

/// The part of a range that `<start.length>` names; empty behind its end.
pub(super) fn cut(range: Range<u64>, partial: Option<Partial>) -> Range<u64> {
    let Some(Partial { start, length }) = partial else { return range };
    let from = range.start.saturating_add(start).min(range.end);
    from..from.saturating_add(length).min(range.end)
}
