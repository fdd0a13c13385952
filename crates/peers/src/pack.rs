//! Reports as they travel: packed by gzip, or by zip as some send them, or not at all.

use std::io::{Cursor, Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use zip::ZipArchive;

/// Largest packed report that is opened, in bytes.
pub const PACKED: usize = 4 * 1024 * 1024;
/// Largest report behind it, in bytes: whatever is packed to become more is none.
pub const UNPACKED: usize = 16 * 1024 * 1024;
/// Members of a zip; a report is alone in it.
const MEMBERS: usize = 10;

/// Packs a report (RFC 1952).
pub fn gzip(report: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(report.len() / 4), Compression::default());
    // A vector takes everything.
    let _ = encoder.write_all(report);
    encoder.finish().unwrap_or_default()
}

/// Unpacks a report by what it begins with; `None` when it is broken or too large.
pub fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() > PACKED {
        return None;
    }
    match bytes {
        [0x1f, 0x8b, ..] => bounded(MultiGzDecoder::new(bytes)),
        [b'P', b'K', 3, 4, ..] => {
            let mut archive = ZipArchive::new(Cursor::new(bytes)).ok().filter(|archive| archive.len() <= MEMBERS)?;
            bounded(archive.by_index(0).ok()?)
        }
        _ => Some(bytes.to_vec()),
    }
}

fn bounded(source: impl Read) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    source.take(UNPACKED as u64 + 1).read_to_end(&mut out).ok()?;
    (out.len() <= UNPACKED).then_some(out)
}

#[cfg(test)]
mod tests {
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn zip(content: &[u8]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("report.xml", SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn what_is_packed_comes_back() {
        for content in [&b""[..], b"<feedback/>", &[b'a'; 100_000]] {
            assert_eq!(unpack(&gzip(content)).as_deref(), Some(content));
            assert_eq!(unpack(&zip(content)).as_deref(), Some(content));
        }
        assert_eq!(unpack(b"<feedback/>").as_deref(), Some(&b"<feedback/>"[..]));
    }

    #[test]
    fn bombs_and_ruins_are_nothing() {
        let zeros = vec![0; UNPACKED + 1];
        let (gzipped, zipped) = (gzip(&zeros), zip(&zeros));
        assert!(gzipped.len() < 100_000 && zipped.len() < 100_000);
        assert!(unpack(&gzipped).is_none() && unpack(&zipped).is_none());
        let many: Vec<u8> = gzip(&zeros[..UNPACKED / 2]).repeat(3);
        assert!(unpack(&many).is_none(), "several members are one text");
        assert!(unpack(&vec![b'<'; PACKED + 1]).is_none());
        let good = gzip(b"some report");
        for cut in 2..good.len() {
            assert!(unpack(&good[..cut]).is_none(), "{cut}");
        }
        let good = zip(b"some report");
        for cut in 4..good.len() - 1 {
            let _ = unpack(&good[..cut]);
        }
    }
}
