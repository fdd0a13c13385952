//! Base64 (RFC 2045 §6.8).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Marks bytes outside of the alphabet.
const NONE: u8 = 0xff;

const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut at = 0;
    while at < 64 {
        values[ALPHABET[at] as usize] = at as u8;
        at += 1;
    }
    values
};

/// The six bits that `byte` stands for.
pub(crate) fn value(byte: u8) -> Option<u8> {
    Some(VALUES[byte as usize]).filter(|value| *value != NONE)
}

/// Encodes `bytes` in one line, padded.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let symbol = ALPHABET[(bits >> (18 - 6 * at) & 63) as usize] as char;
            out.push(if at <= chunk.len() { symbol } else { '=' });
        }
    }
    out
}

/// Up to three symbols that wait for more.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    bits: u32,
    symbols: u8,
}

impl Decoder {
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        while let Some((&byte, tail)) = rest.split_first() {
            if self.symbols == 0 {
                rest = quads(rest, out);
                let Some((&byte, tail)) = rest.split_first() else { return };
                self.symbol(byte, out);
                rest = tail;
            } else {
                self.symbol(byte, out);
                rest = tail;
            }
        }
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        self.flush(out);
    }

    /// Takes one byte; padding ends a run, anything else that is no symbol is skipped.
    fn symbol(&mut self, byte: u8, out: &mut Vec<u8>) {
        if byte == b'=' {
            return self.flush(out);
        }
        if let Some(value) = value(byte) {
            self.bits = self.bits << 6 | u32::from(value);
            self.symbols += 1;
            if self.symbols == 4 {
                out.extend_from_slice(&self.bits.to_be_bytes()[1..]);
                (self.bits, self.symbols) = (0, 0);
            }
        }
    }

    /// Two symbols are one byte, three are two; one alone is nothing.
    fn flush(&mut self, out: &mut Vec<u8>) {
        let bytes = (self.bits << (6 * (4 - u32::from(self.symbols)))).to_be_bytes();
        out.extend_from_slice(&bytes[1..1 + usize::from(self.symbols.saturating_sub(1))]);
        (self.bits, self.symbols) = (0, 0);
    }
}

/// Decodes whole groups of four symbols as long as there are such; answers the rest.
fn quads<'a>(bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let mut rest = bytes;
    while let Some((quad, tail)) = rest.split_first_chunk::<4>() {
        let [a, b, c, d] = quad.map(|byte| VALUES[byte as usize]);
        if (a | b | c | d) > 63 {
            break;
        }
        let bits = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
        out.extend_from_slice(&bits.to_be_bytes()[1..]);
        rest = tail;
    }
    rest
}
