//! Quoted-printable (RFC 2045 §6.7).

/// Bytes after a `=` that wait for more; longer runs are no escape and no soft line break.
const MAX_PENDING: usize = 80;

/// The bytes from a `=` on whose meaning the next byte decides.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    pending: Vec<u8>,
}

impl Decoder {
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.pending.is_empty() {
                let plain = memchr::memchr(b'=', rest).unwrap_or(rest.len());
                out.extend_from_slice(&rest[..plain]);
                rest = &rest[plain..];
                if let Some((&byte, tail)) = rest.split_first() {
                    self.pending.push(byte);
                    rest = tail;
                }
            } else {
                self.pending.push(rest[0]);
                rest = &rest[1..];
                self.settle(out);
            }
        }
    }

    pub(super) fn finish(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.pending);
    }

    /// Decides about the pending bytes when it can.
    fn settle(&mut self, out: &mut Vec<u8>) {
        let after = &self.pending[1..];
        match after {
            [high, low] if hex(*high).is_some() && hex(*low).is_some() => {
                out.push(hex(*high).unwrap_or(0) << 4 | hex(*low).unwrap_or(0));
                self.pending.clear();
            }
            [high] if hex(*high).is_some() => {}
            [.., b'\n'] if after.trim_ascii().is_empty() => self.pending.clear(),
            _ if after.trim_ascii().is_empty() && after.len() < MAX_PENDING => {}
            _ => self.give_up(out),
        }
    }

    /// It was no escape: the bytes mean themselves, but a `=` among them may begin one.
    fn give_up(&mut self, out: &mut Vec<u8>) {
        let last = self.pending.pop();
        out.append(&mut self.pending);
        match last {
            Some(b'=') => self.pending.push(b'='),
            last => out.extend(last),
        }
    }
}

fn hex(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|digit| digit as u8)
}
