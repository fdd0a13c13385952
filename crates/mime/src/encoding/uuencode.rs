//! Uuencode: what is between a `begin` line and its `end` line.

/// Bytes kept of a line; data lines have at most 61.
const MAX_LINE: usize = 128;

/// The current line, and whether it is data.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    line: Vec<u8>,
    is_data: bool,
}

impl Decoder {
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = MAX_LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                self.end_line(out);
            }
        }
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        self.end_line(out);
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        let line = std::mem::take(&mut self.line);
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if !self.is_data {
            self.is_data = text.starts_with(b"begin ");
        } else if text.trim_ascii() == b"end" {
            self.is_data = false;
        } else {
            decode_line(text, out);
        }
        self.line = line;
        self.line.clear();
    }
}

/// Decodes one line: its length, then groups of four symbols; missing symbols at the end were spaces.
fn decode_line(line: &[u8], out: &mut Vec<u8>) {
    let Some((&first, symbols)) = line.split_first() else { return };
    let value = |symbol: &u8| u32::from(symbol.wrapping_sub(b' ') & 63);
    let length = value(&first) as usize;
    let mut bytes = Vec::with_capacity(length + 3);
    for group in symbols.chunks(4) {
        let bits = (0..4).fold(0, |bits, at| bits << 6 | group.get(at).map_or(0, value));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    bytes.truncate(length);
    out.extend_from_slice(&bytes);
}
