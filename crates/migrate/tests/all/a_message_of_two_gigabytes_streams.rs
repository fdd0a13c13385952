//! Case 11: a message whose size no 31 bits can count comes byte for byte, by IMAP, as a file and out of an mbox, and is held nowhere.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use anser_base::BlobId;
use anser_migrate::Kind;
use anser_store::LedgerState;
use anser_testkit::memory::Peak;

use crate::endless::{Endless, Made, SHORT, open};
use crate::house::{ANN, House, TENANT, each_house, files_at, one_house};

/// Its octets.
const SIZE: u64 = (1 << 31) + 50_000_000;
/// Its number among three.
const HUGE: u32 = 2;
const HEADER: &[u8] = b"Subject: huge\r\n\r\n";
/// Octets of a piece of its text, which begins with its number.
const PIECE: usize = 64 * 1024;
/// Bytes by which the process may grow while it comes: whoever sends it is the same process.
const GROWTH: u64 = 48 * 1024 * 1024;
/// Bytes that are read at once.
const READ: usize = 1024 * 1024;

/// Makes the text of it, piece by piece, none of which is like another.
fn made(take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    take(HEADER)?;
    let mut piece = format!("{:062}\r\n", 0).into_bytes().repeat(PIECE / 64);
    let (mut left, mut number) = (SIZE - HEADER.len() as u64, 0_u64);
    while left > 0 {
        write!(&mut piece[..16], "{number:016}")?;
        let some = left.min(PIECE as u64);
        take(&piece[..some as usize])?;
        (left, number) = (left - some, number + 1);
    }
    Ok(())
}

fn write(at: u32, out: &mut dyn Write) -> io::Result<()> {
    if at == HUGE { made(&mut |piece| out.write_all(piece)) } else { (SHORT.write)(at, out) }
}

/// What is here, in the order of UIDs: size, the address of its body, and what its bytes hash to as they are read back.
async fn stored(house: &House) -> Vec<(u64, BlobId, BlobId)> {
    let rows = |tx: &mut anser_store::MailTx<'_, '_>| {
        let inbox = tx.inbox()?.id;
        let entries = tx.entries(inbox, 1, u32::MAX)?;
        entries.iter().map(|entry| Ok((entry.size, tx.message(entry.message)?.unwrap()))).collect()
    };
    let rows: Vec<(u64, anser_store::Message)> = house.store.read(ANN, rows).await.unwrap();
    let read_back = |(size, message): (u64, anser_store::Message)| {
        let (mut body, mut hash, mut offset) = (house.store.body(TENANT, &message).unwrap(), blake3::Hasher::new(), 0);
        loop {
            let piece = body.read_at(offset, READ).unwrap();
            if piece.is_empty() {
                break;
            }
            offset += piece.len() as u64;
            hash.update(&piece);
        }
        (size, message.blob, BlobId(*hash.finalize().as_bytes()))
    };
    rows.into_iter().map(read_back).collect()
}

/// What a run of a file hashes to.
fn hash_of(file: &File, mut range: std::ops::Range<u64>) -> BlobId {
    let (mut hash, mut piece) = (blake3::Hasher::new(), vec![0; READ]);
    while !range.is_empty() {
        let some = (range.end - range.start).min(READ as u64) as usize;
        file.read_exact_at(&mut piece[..some], range.start).unwrap();
        hash.update(&piece[..some]);
        range.start += some as u64;
    }
    BlobId(*hash.finalize().as_bytes())
}

#[test]
fn by_imap() {
    let mut hash = blake3::Hasher::new();
    made(&mut |piece| {
        hash.update(piece);
        Ok(())
    })
    .unwrap();
    let sent = BlobId(*hash.finalize().as_bytes());
    each_house(async |house| {
        let size = |at| if at == HUGE { SIZE } else { 16 };
        let (_, source) = Endless::start(3, 1, Made { size, write });
        let peak = Peak::begin();
        let done = house.pass_over(open(&source).await, false, false).await.map_err(|e| e.words()).unwrap();
        assert_eq!((done.copied, done.failed), (3, 0));
        assert!(peak.grown() < GROWTH, "{} bytes more", peak.grown());
        let all = stored(house).await;
        assert_eq!(all.iter().map(|one| one.0).collect::<Vec<_>>(), [16, SIZE, 16]);
        assert_eq!((all[1].1, all[1].2), (sent, sent));
        let rows = house.store.read(ANN, |tx| tx.ledger_rows_in(1, LedgerState::Copied, 10)).await.unwrap();
        // Its size was told in more than 31 bits, and believed.
        assert!(rows.iter().all(|(_, row)| row.note.is_none()), "{rows:?}");
        assert!(peak.grown() < GROWTH, "{} bytes more", peak.grown());
        let again = house.pass_over(open(&source).await, false, false).await.map_err(|e| e.words()).unwrap();
        assert_eq!(again.copied, 0);
    });
}

/// Writes a file of a header, a hole, and some octets where 31 bits end; `behind` comes after so many octets.
fn sparse(path: &Path, head: &[u8], behind: &[u8]) -> File {
    let file = File::options().read(true).write(true).create_new(true).open(path).unwrap();
    file.write_all_at(head, 0).unwrap();
    file.write_all_at(b"x\r\ny\r\n", (1 << 31) - 2).unwrap();
    file.write_all_at(b"z\r\n", SIZE - 3).unwrap();
    file.write_all_at(behind, SIZE).unwrap();
    file
}

async fn pass(house: &House, kind: Kind, path: &Path) -> u64 {
    let origin = files_at(kind, path).await;
    house.pass_over(origin, false, false).await.map_err(|trouble| trouble.words()).unwrap().copied
}

#[test]
fn as_a_file() {
    one_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("huge.eml");
        let file = sparse(&path, HEADER, b"");
        let peak = Peak::begin();
        assert_eq!(pass(house, Kind::Eml, dir.path()).await, 1);
        assert!(peak.grown() < GROWTH, "{} bytes more", peak.grown());
        let there = hash_of(&file, 0..SIZE);
        assert_eq!(stored(house).await, [(SIZE, there, there)]);
    });
}

#[test]
fn out_of_an_mbox_of_more_than_four_gigabytes() {
    const FROM: &[u8] = b"From a@b Thu Nov 19 08:00:00 2020\r\n";
    const SMALL: &[u8] = b"Subject: small\r\n\r\nx\r\n";
    one_house(async |house| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ann");
        let head = [FROM, HEADER].concat();
        let file = sparse(&path, &head, &[b"\r\n", FROM, b"Subject: other\r\n\r\n"].concat());
        let second = SIZE + 2 + FROM.len() as u64;
        let end = (1 << 32) + 100_000_000;
        file.write_all_at(b"\r\n", end - 2).unwrap();
        file.write_all_at(&[b"\r\n", FROM, SMALL].concat(), end).unwrap();
        let peak = Peak::begin();
        assert_eq!(pass(house, Kind::Mbox, &path).await, 3);
        assert!(peak.grown() < GROWTH, "{} bytes more", peak.grown());
        let there =
            [FROM.len() as u64..SIZE, second..end].map(|range| (range.end - range.start, hash_of(&file, range)));
        let [one, two] = there.map(|(size, hash)| (size, hash, hash));
        let small = (SMALL.len() as u64, BlobId::of(SMALL), BlobId::of(SMALL));
        assert_eq!(stored(house).await, [one, two, small]);
    });
}
