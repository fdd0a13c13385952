//! BINARY[…] and BINARY.SIZE[…] (RFC 3516): parts with their transfer encoding undone. The size is counted in a first pass, so that
//! a part of any size passes in little memory.

use std::ops::Range;

use anser_base::Result;
use anser_mime::encoding::{Decoder, Encoding};
use anser_wire::imap::Partial;
use anser_wire::imap::write::{write_literal8_header, write_number};

use super::section::cut;
use super::{PIECE, Pump, Work};

impl Work<'_> {
    pub(super) fn binary(&mut self, out: &mut Vec<u8>, part: &[u32], partial: Option<Partial>) -> Result<Option<Pump>> {
        let Some((range, encoding)) = self.encoded(part)? else {
            out.extend_from_slice(b"NIL");
            return Ok(None);
        };
        let size = self.decoded_size(range.clone(), encoding)?;
        let shown = cut(0..size, partial);
        let (store, tenant, message) = (self.store, self.tenant, self.message);
        let source = self.source()?.again(store, tenant, message)?;
        let pump = Pump::decoded(source, range, encoding, shown.start, shown.end - shown.start);
        write_literal8_header(out, shown.end - shown.start);
        self.take_in(out, pump)
    }

    pub(super) fn binary_size(&mut self, out: &mut Vec<u8>, part: &[u32]) -> Result<()> {
        let size = match self.encoded(part)? {
            Some((range, encoding)) => self.decoded_size(range, encoding)?,
            None => 0,
        };
        write_number(out, size);
        Ok(())
    }

    /// Where a part stands, and in which encoding; the whole message and multiparts are as they are. `None` where there is no such
    /// part, or where its encoding is unknown, with which the command fails (RFC 3516 §4.3).
    fn encoded(&mut self, part: &[u32]) -> Result<Option<(Range<u64>, Encoding)>> {
        let (size, shift) = (self.message.size(), self.message.prefix.len() as u64);
        if part.is_empty() {
            return Ok(Some((0..size, Encoding::Identity)));
        }
        let Some(part) = self.structure()?.section(part) else { return Ok(None) };
        let range = part.body_start + shift..part.body_end + shift;
        let known = match part.is_multipart() {
            true => Some(Encoding::Identity),
            false => Encoding::known(part.encoding.as_deref()),
        };
        self.unknown_cte |= known.is_none();
        Ok(known.map(|encoding| (range, encoding)))
    }

    fn decoded_size(&mut self, range: Range<u64>, encoding: Encoding) -> Result<u64> {
        if encoding == Encoding::Identity {
            return Ok(range.end - range.start);
        }
        let source = self.source()?;
        let (mut decoder, mut at, mut size) = (Decoder::new(encoding), range.start, 0);
        let mut decoded = Vec::new();
        while at < range.end {
            let piece = source.read_at(at, (range.end - at).min(PIECE as u64) as usize)?;
            if piece.is_empty() {
                break;
            }
            at += piece.len() as u64;
            decoder.push(&piece, &mut decoded);
            size += decoded.len() as u64;
            decoded.clear();
        }
        decoder.finish(&mut decoded);
        Ok(size + decoded.len() as u64)
    }
}
