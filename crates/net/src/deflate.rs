//! Compression of a connection in both directions (RFC 4978, RFC 1951): what a [`crate::Stream`] does between itself and TLS.
//!
//! Memory of one connection: while it waits for its peer, what the peer's compression may refer back to (about 43 KB, from the first
//! byte that came); while it speaks, about 300 KB more, given back as soon as all is sent. So the compression of each answer begins
//! without the texts of the one before: a little is lost for short answers, and ten thousand idle clients are no burden.

use std::io;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// Compressed bytes that wait to be taken apart, at most; more is not read before these are used up.
pub(crate) const COMPRESSED: usize = 16 * 1024;
/// Room that is made in the output for each step of the compression.
const STEP: usize = 4 * 1024;

/// Both directions.
#[derive(Default)]
pub(crate) struct Deflate {
    inflate: Option<Decompress>,
    /// Compressed bytes from `used` on are still to be taken apart.
    waiting: Vec<u8>,
    used: usize,
    /// There while something was written that is not flushed.
    compress: Option<Compress>,
}

impl std::fmt::Debug for Deflate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deflate").field("waiting", &(self.waiting.len() - self.used)).finish_non_exhaustive()
    }
}

impl Deflate {
    /// Adds compressed bytes that came; only after [`Self::inflate`] gave nothing more.
    pub fn keep(&mut self, compressed: &[u8]) {
        self.waiting.extend_from_slice(compressed);
    }

    /// Takes apart what waits, as far as there is room. How much a few compressed bytes become is the peer's to say, so the caller's
    /// limits count what comes out here. 0 when more input is needed; an error when it is no compressed text, or says that it ends.
    pub fn inflate(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.waiting.is_empty() && self.inflate.is_none() {
            return Ok(0);
        }
        let inflate = self.inflate.get_or_insert_with(|| Decompress::new(false));
        let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
        let status = inflate
            .decompress(&self.waiting[self.used..], out, FlushDecompress::None)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.used += (inflate.total_in() - before_in) as usize;
        let count = (inflate.total_out() - before_out) as usize;
        if self.used == self.waiting.len() {
            (self.waiting, self.used) = (Vec::new(), 0);
        }
        if status == Status::StreamEnd && count == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the compressed stream ended"));
        }
        Ok(count)
    }

    /// Bytes that came and are not taken apart: what a peer sent behind the end of its compressed text.
    pub fn rest(&self) -> &[u8] {
        &self.waiting[self.used..]
    }

    /// Compresses bytes behind what `out` holds. Some may stay inside until [`Self::flush`].
    pub fn deflate(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let compress = self.compress.get_or_insert_with(|| Compress::new(Compression::fast(), false));
        while !bytes.is_empty() {
            let taken = step(compress, bytes, out, FlushCompress::None)?;
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    /// Brings out all that was compressed, to the end of a byte, so that the peer can read the last of it (RFC 4978 §4). What comes
    /// next refers back to nothing.
    pub fn flush(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let Some(mut compress) = self.compress.take() else { return Ok(()) };
        loop {
            out.reserve(STEP);
            let room = out.capacity() - out.len();
            let before = compress.total_out();
            step(&mut compress, &[], out, FlushCompress::Sync)?;
            // A step that leaves room has said all.
            if compress.total_out() - before < room as u64 {
                return Ok(());
            }
        }
    }
}

fn step(compress: &mut Compress, bytes: &[u8], out: &mut Vec<u8>, flush: FlushCompress) -> io::Result<usize> {
    out.reserve(STEP);
    let before = compress.total_in();
    compress.compress_vec(bytes, out, flush).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok((compress.total_in() - before) as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all_of(peer: &mut Deflate, compressed: &[u8], piece: usize, room: usize) -> Vec<u8> {
        let (mut all, mut out) = (Vec::new(), vec![0; room]);
        for piece in compressed.chunks(piece) {
            peer.keep(piece);
            loop {
                match peer.inflate(&mut out).unwrap() {
                    0 => break,
                    count => all.extend_from_slice(&out[..count]),
                }
            }
        }
        all
    }

    proptest! {
        #[test]
        fn what_is_flushed_can_be_read_at_once(
            texts in prop::collection::vec(prop::collection::vec(prop::sample::select(b"ab\r\n".to_vec()), 0..9000), 1..6),
            piece in 1usize..300,
            room in 1usize..300,
        ) {
            let (mut ours, mut peer) = (Deflate::default(), Deflate::default());
            for text in texts {
                let mut sent = Vec::new();
                for part in text.chunks(1000) {
                    ours.deflate(part, &mut sent).unwrap();
                }
                ours.flush(&mut sent).unwrap();
                prop_assert!(ours.compress.is_none(), "nothing is held while nothing is to be sent");
                prop_assert_eq!(all_of(&mut peer, &sent, piece, room), text);
            }
        }

        #[test]
        fn any_bytes_are_taken_apart_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let (mut peer, mut out) = (Deflate::default(), [0; 512]);
            peer.keep(&bytes);
            while peer.inflate(&mut out).is_ok_and(|count| count > 0) {}
        }
    }

    #[test]
    fn a_bomb_comes_out_no_faster_than_there_is_room() {
        let (mut ours, mut sent) = (Deflate::default(), Vec::new());
        for _ in 0..64 {
            ours.deflate(&vec![b' '; 1024 * 1024], &mut sent).unwrap();
        }
        ours.flush(&mut sent).unwrap();
        assert!(sent.len() < 1024 * 1024);
        let (mut peer, mut out, mut all) = (Deflate::default(), vec![0; 4096], 0);
        for piece in sent.chunks(COMPRESSED) {
            peer.keep(piece);
            while let Ok(count @ 1..) = peer.inflate(&mut out) {
                all += count;
                assert!(peer.waiting.len() <= COMPRESSED);
            }
        }
        assert_eq!(all, 64 * 1024 * 1024);
    }

    #[test]
    fn a_stream_that_says_that_it_ends_is_refused() {
        let mut compress = Compress::new(Compression::fast(), false);
        let mut sent = Vec::with_capacity(100);
        compress.compress_vec(b"NOOP", &mut sent, FlushCompress::Finish).unwrap();
        let (mut peer, mut out) = (Deflate::default(), [0; 100]);
        peer.keep(&sent);
        assert_eq!(peer.inflate(&mut out).unwrap(), 4);
        peer.keep(b"more");
        assert!(peer.inflate(&mut out).is_err());
    }
}
