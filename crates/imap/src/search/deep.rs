//! Judging a message by its row and its text. Blocks on the disk.

use anser_base::{Result, TenantId};
use anser_mime::encoding::Decoder;
use anser_mime::structure::{Part, Structure};
use anser_mime::{charset, date};
use anser_store::{Listing, Message, Store};

use super::key::{Field, Key};
use super::text::{addresses_text, contains, field_contains, header_text};
use super::{DAY, Facts};
use crate::fetch::{PIECE, Source, structure_of};
use crate::name;

/// Header bytes that are searched.
const HEADER: u64 = 1024 * 1024;
/// Decoded bytes of a text that are held and searched at once.
const WINDOW: usize = 1024 * 1024;

/// A message that is open for judging; what it needs is read when it is first needed.
pub(crate) struct Deep<'a> {
    store: &'a Store,
    tenant: TenantId,
    message: &'a Message,
    listing: Listing,
    source: Option<Source>,
    structure: Option<Structure>,
    header: Option<Vec<u8>>,
}

impl<'a> Deep<'a> {
    pub fn new(store: &'a Store, tenant: TenantId, message: &'a Message) -> Self {
        let listing = Listing::of(message);
        Self { store, tenant, message, listing, source: None, structure: None, header: None }
    }

    /// Whether the message matches.
    pub fn judge(&mut self, key: &Key, facts: &Facts<'_>) -> Result<bool> {
        Ok(match key {
            Key::And(keys) => {
                for key in keys {
                    if !self.judge(key, facts)? {
                        return Ok(false);
                    }
                }
                true
            }
            Key::Or(keys) => {
                for key in keys {
                    if self.judge(key, facts)? {
                        return Ok(true);
                    }
                }
                false
            }
            Key::Not(key) => !self.judge(key, facts)?,
            Key::Envelope(field, needle) => self.envelope_contains(*field, needle),
            Key::Sent(days) => self.sent_day().is_some_and(|day| days.contains(&day)),
            Key::ThreadId(id) => name::thread_id(None, self.message.thread) == *id,
            Key::Header(field, needle) => self.header_contains(field, needle)?,
            Key::Body(needle) => self.body_contains(needle)?,
            Key::Text(needle) => contains(&header_text(self.header()?), needle) || self.body_contains(needle)?,
            light => light.light(facts).unwrap_or(false),
        })
    }

    fn envelope_contains(&self, field: Field, needle: &str) -> bool {
        let envelope = &self.listing.envelope;
        let list = match field {
            Field::Subject => return envelope.subject.is_some() && contains(&envelope.subject_text(), needle),
            Field::From => &envelope.from,
            Field::To => &envelope.to,
            Field::Cc => &envelope.cc,
            Field::Bcc => &envelope.bcc,
        };
        !list.is_empty() && contains(&addresses_text(list), needle)
    }

    /// The day of the Date field in its own zone.
    fn sent_day(&self) -> Option<i64> {
        let date = date::parse(self.listing.envelope.date.as_deref()?)?;
        Some((date.unix + i64::from(date.offset_minutes) * 60).div_euclid(DAY / 1000))
    }

    /// Message-ID is in the row, because clients look for a message of their own by it.
    fn header_contains(&mut self, field: &str, needle: &str) -> Result<bool> {
        if field.eq_ignore_ascii_case("message-id")
            && let Some(id) = &self.listing.envelope.message_id
        {
            return Ok(contains(&String::from_utf8_lossy(id), needle));
        }
        Ok(field_contains(self.header()?, field, needle))
    }

    /// Texts and the headers of parts, those of embedded messages among them.
    fn body_contains(&mut self, needle: &str) -> Result<bool> {
        if needle.is_empty() {
            return Ok(true);
        }
        let (store, tenant, message) = (self.store, self.tenant, self.message);
        if self.structure.is_none() {
            self.structure = Some(structure_of(store, tenant, message)?);
        }
        let Some(structure) = self.structure.take() else { return Ok(false) };
        let mut found = false;
        for (at, part) in structure.parts.iter().enumerate() {
            found = (at > 0 && self.part_header_contains(part, needle)?)
                || (part.is_text() && self.text_contains(part, needle)?);
            if found {
                break;
            }
        }
        self.structure = Some(structure);
        Ok(found)
    }

    fn part_header_contains(&mut self, part: &Part, needle: &str) -> Result<bool> {
        let shift = self.message.prefix.len() as u64;
        let (start, end) = (part.header_start + shift, part.body_start + shift);
        let block = self.source()?.range(start..end.min(start + HEADER))?;
        Ok(contains(&header_text(&block), needle))
    }

    /// Decodes a text and looks for the needle, a window of whole lines at a time.
    fn text_contains(&mut self, part: &Part, needle: &str) -> Result<bool> {
        let shift = self.message.prefix.len() as u64;
        let (mut at, end) = (part.body_start + shift, part.body_end + shift);
        let (mut decoder, mut window) = (Decoder::new(part.transfer_encoding()), Vec::new());
        while at < end {
            let piece = self.source()?.read_at(at, (end - at).min(PIECE as u64) as usize)?;
            if piece.is_empty() {
                break;
            }
            at += piece.len() as u64;
            decoder.push(&piece, &mut window);
            if window.len() < WINDOW {
                continue;
            }
            let cut = memchr::memrchr(b'\n', &window).map_or(window.len(), |at| at + 1);
            if contains(&charset::decode(part.charset(), &window[..cut]), needle) {
                return Ok(true);
            }
            window.drain(..cut);
        }
        decoder.finish(&mut window);
        Ok(contains(&charset::decode(part.charset(), &window), needle))
    }

    fn header(&mut self) -> Result<&[u8]> {
        if self.header.is_none() {
            let end = self.message.prefix.len() as u64 + self.header_end()?;
            self.header = Some(self.source()?.range(0..end.min(HEADER))?);
        }
        Ok(self.header.as_deref().unwrap_or_default())
    }

    fn header_end(&mut self) -> Result<u64> {
        if self.structure.is_none() {
            self.structure = Some(structure_of(self.store, self.tenant, self.message)?);
        }
        Ok(self.structure.as_ref().map_or(0, |structure| structure.root().body_start))
    }

    fn source(&mut self) -> Result<&mut Source> {
        if self.source.is_none() {
            self.source = Some(Source::open(self.store, self.tenant, self.message)?);
        }
        self.source.as_mut().ok_or_else(|| anser_base::Error::unavailable("no body"))
    }
}
