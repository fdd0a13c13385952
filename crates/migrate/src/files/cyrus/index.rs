//! `cyrus.index`: a header and records of fixed sizes, in network byte order. Where fields stand is told by the version.
//!
//! | version | of | besides |
//! |---|---|---|
//! | 9, 10 | 2.3 | no sums; whether a message was read is not in it |
//! | 12 to 17 | 2.4 to 3.6 | CRC-32 at the end of header and records; expunged messages stay until they are cleaned up |
//! | 18, 19 | 3.8 | the options stand elsewhere in 19 |
//! | 20 | 3.10 | dates have 64 bits, in nanoseconds |

use std::io::{self, Read};

use anser_store::Flags;
use flate2::Crc;

use crate::files::MESSAGES;

/// What a header may be long, in bytes.
const HEADER: usize = 4096;
/// What a record may be long, in bytes.
const RECORD: usize = 1024;
/// Octets that tell the version and the sizes.
const FIRST: usize = 24;
/// Bits of the system flags, and what they are here.
const FLAGS: [(u32, Flags); 5] =
    [(0, Flags::ANSWERED), (1, Flags::FLAGGED), (2, Flags::DELETED), (3, Flags::DRAFT), (4, Flags::SEEN)];
/// Messages that are expunged, and those whose file is gone as well.
const GONE: u32 = 1 << 31 | 1 << 30;
/// Whether unique ids of POP3 are made of UIDVALIDITY and UID.
const NEW_UIDL: u32 = 1;
const NANOS: i64 = 1_000_000_000;

/// What is known of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// UIDVALIDITY; never 0.
    pub uidvalidity: u32,
    /// The last UID that was given.
    pub last_uid: u32,
    /// Whether unique ids of POP3 are made of UIDVALIDITY and UID, and not of the UID alone.
    pub is_new_uidl: bool,
    /// Messages that are not expunged, by UID.
    pub records: Vec<Record>,
}

/// What is known of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its UID; never 0.
    pub uid: u32,
    /// INTERNALDATE, in seconds since 1970.
    pub date: i64,
    /// Its size in bytes.
    pub size: u64,
    /// System flags.
    pub flags: Flags,
    /// Bits of the keywords that `cyrus.header` names, the first the lowest.
    pub keywords: u128,
}

/// Where fields stand. What has 64 bits is said so.
struct Layout {
    last_uid: usize,
    uidvalidity: usize,
    options: usize,
    date: usize,
    size: usize,
    is_wide: bool,
    flags: usize,
    /// Bytes of a record that a sum is over, which stands behind them; 0 where there is none.
    summed: usize,
}

fn layout(version: u32) -> Option<Layout> {
    let narrow = |options, summed| {
        let (last_uid, uidvalidity, date, size, flags) = (28, 44, 4, 12, 32);
        Some(Layout { last_uid, uidvalidity, options, date, size, is_wide: false, flags, summed })
    };
    match version {
        9 | 10 => narrow(60, 0),
        12 => narrow(60, 92),
        13..=15 => narrow(60, 100),
        16..=18 => narrow(60, 108),
        19 => narrow(64, 108),
        20 => {
            let (last_uid, uidvalidity, options, date, size, flags) = (88, 92, 64, 8, 24, 36);
            Some(Layout { last_uid, uidvalidity, options, date, size, is_wide: true, flags, summed: 140 })
        }
        _ => None,
    }
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn four(from: &[u8], at: usize) -> io::Result<u32> {
    let octets = from.get(at..at + 4).ok_or_else(|| broken("its records are too short"))?;
    Ok(u32::from_be_bytes(octets.try_into().unwrap_or_default()))
}

fn eight(from: &[u8], at: usize) -> io::Result<u64> {
    Ok(u64::from(four(from, at)?) << 32 | u64::from(four(from, at + 4)?))
}

fn check(from: &[u8], summed: usize) -> io::Result<()> {
    let mut sum = Crc::new();
    sum.update(from.get(..summed).ok_or_else(|| broken("its records are too short"))?);
    if sum.sum() == four(from, summed)? { Ok(()) } else { Err(broken("a sum is wrong")) }
}

/// Reads one of so many bytes. [`io::ErrorKind::InvalidData`] when its version is not known, or it is not whole: then nothing of it is
/// believed.
pub fn read(from: &mut dyn Read, bytes: u64) -> io::Result<Index> {
    let mut header = vec![0; FIRST];
    from.read_exact(&mut header)?;
    let layout = layout(four(&header, 8)?).ok_or_else(|| broken("its version is not known"))?;
    let (start, record) = (four(&header, 12)? as usize, four(&header, 16)? as usize);
    let count = four(&header, 20)? as usize;
    if !(FIRST + 4..=HEADER).contains(&start) || !(FIRST..=RECORD).contains(&record) || count > MESSAGES {
        return Err(broken("its sizes cannot be"));
    }
    if (start as u64) + (count as u64) * (record as u64) > bytes {
        return Err(broken("it is cut"));
    }
    header.resize(start, 0);
    from.read_exact(&mut header[FIRST..])?;
    if layout.summed > 0 {
        check(&header, start - 4)?;
    }
    let mut index = Index {
        uidvalidity: four(&header, layout.uidvalidity)?,
        last_uid: four(&header, layout.last_uid)?,
        is_new_uidl: four(&header, layout.options)? & NEW_UIDL != 0,
        records: Vec::new(),
    };
    let (mut octets, mut last) = (vec![0; record], 0);
    for _ in 0..count {
        from.read_exact(&mut octets)?;
        if layout.summed > 0 {
            check(&octets, layout.summed)?;
        }
        let uid = four(&octets, 0)?;
        if uid <= last {
            return Err(broken("its UIDs do not ascend"));
        }
        last = uid;
        index.records.extend(layout.record(uid, &octets)?);
    }
    if index.uidvalidity == 0 || index.last_uid < last {
        return Err(broken("its numbers cannot be"));
    }
    Ok(index)
}

impl Layout {
    /// A message that is not expunged.
    fn record(&self, uid: u32, octets: &[u8]) -> io::Result<Option<Record>> {
        let bits = four(octets, self.flags)?;
        if bits & GONE != 0 {
            return Ok(None);
        }
        let (date, size) = match self.is_wide {
            true => (eight(octets, self.date)?.cast_signed().div_euclid(NANOS), eight(octets, self.size)?),
            false => (i64::from(four(octets, self.date)?), u64::from(four(octets, self.size)?)),
        };
        let flags = FLAGS.iter().filter(|(bit, _)| bits >> bit & 1 == 1);
        let flags = flags.fold(Flags::default(), |flags, (_, flag)| flags.with(*flag));
        let mut keywords = 0;
        for word in 0..4 {
            keywords |= u128::from(four(octets, self.flags + 4 + word * 4)?) << (word * 32);
        }
        Ok(Some(Record { uid, date, size, flags, keywords }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An index as the version has it: header, record, sums.
    fn written(version: u32, start: usize, record: usize, records: &[Record]) -> Vec<u8> {
        let at = layout(version).unwrap();
        let put = |to: &mut [u8], at: usize, value: u32| to[at..at + 4].copy_from_slice(&value.to_be_bytes());
        let sum = |of: &mut [u8], summed: usize| {
            let mut crc = Crc::new();
            crc.update(&of[..summed]);
            put(of, summed, crc.sum());
        };
        let mut all = vec![0; start];
        let last = records.last().map_or(0, |one| one.uid) + 3;
        let first = [(8, version), (12, start as u32), (16, record as u32), (20, records.len() as u32)];
        let fields = [(at.uidvalidity, 77), (at.last_uid, last), (at.options, NEW_UIDL)];
        first.iter().chain(&fields).for_each(|(at, value)| put(&mut all, *at, *value));
        if at.summed > 0 {
            sum(&mut all, start - 4);
        }
        for one in records {
            let mut octets = vec![0; record];
            put(&mut octets, 0, one.uid);
            match at.is_wide {
                true => {
                    octets[at.date..at.date + 8].copy_from_slice(&(one.date * NANOS + 7).to_be_bytes());
                    octets[at.size..at.size + 8].copy_from_slice(&one.size.to_be_bytes());
                }
                false => [(at.date, one.date as u32), (at.size, one.size as u32)]
                    .iter()
                    .for_each(|(at, value)| put(&mut octets, *at, *value)),
            }
            let flags = FLAGS.iter().filter(|(_, flag)| one.flags.has(*flag)).fold(0, |bits, (bit, _)| bits | 1 << bit);
            put(&mut octets, at.flags, flags);
            (0..4).for_each(|word| put(&mut octets, at.flags + 4 + word * 4, (one.keywords >> (word * 32)) as u32));
            if at.summed > 0 {
                sum(&mut octets, at.summed);
            }
            all.extend(octets);
        }
        all
    }

    fn read_all(bytes: &[u8]) -> io::Result<Index> {
        read(&mut &bytes[..], bytes.len() as u64)
    }

    /// Sizes of headers and records, as each version of the program writes them.
    const SIZES: [(u32, usize, usize); 11] = [
        (9, 96, 80),
        (10, 96, 88),
        (12, 128, 96),
        (13, 128, 104),
        (14, 160, 104),
        (15, 160, 104),
        (16, 160, 112),
        (17, 160, 112),
        (18, 160, 112),
        (19, 160, 112),
        (20, 192, 144),
    ];

    proptest! {
        #[test]
        fn every_version_gives_what_was_written(
            which in 0..SIZES.len(),
            records in proptest::collection::vec(
                (1_u32..99, 0_i64..4_000_000_000, 0_u64..4_000_000_000, 0_u32..32, any::<u128>()), 0..20),
        ) {
            let (version, start, record) = SIZES[which];
            let mut uid = 0;
            let records: Vec<Record> = records
                .into_iter()
                .map(|(step, date, size, flags, keywords)| {
                    uid += step;
                    let set = FLAGS.iter().filter(|(bit, _)| flags >> bit & 1 == 1);
                    let flags = set.fold(Flags::default(), |flags, (_, flag)| flags.with(*flag));
                    Record { uid, date, size, flags, keywords }
                })
                .collect();
            let bytes = written(version, start, record, &records);
            let wanted = Index { uidvalidity: 77, last_uid: uid + 3, is_new_uidl: true, records };
            prop_assert_eq!(read_all(&bytes).unwrap(), wanted);
            for cut in [0, 1, bytes.len() / 2, bytes.len() - 1] {
                prop_assert!(read_all(&bytes[..cut]).is_err());
            }
        }

        #[test]
        fn whatever_it_is_it_is_read_to_an_end(bytes: Vec<u8>, version in 0_u32..30, count in 0_u32..5) {
            let mut bytes = [&[0; FIRST][..], &bytes].concat();
            for (at, value) in [(8, version), (12, 40), (16, 60), (20, count)] {
                bytes[at..at + 4].copy_from_slice(&u32::to_be_bytes(value));
            }
            let _ = read_all(&bytes);
        }

        #[test]
        fn a_changed_byte_is_noticed_where_there_are_sums(at in 24_usize..272, to in 1_u8..) {
            let one = Record { uid: 5, date: 9, size: 7, flags: Flags::SEEN, keywords: 3 };
            let mut bytes = written(17, 160, 112, &[one]);
            bytes[at] ^= to;
            prop_assert!(read_all(&bytes).is_err());
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let one = |uid| Record { uid, date: 9, size: 7, flags: Flags::SEEN, keywords: 3 };
        let expunged = |bits: u32| {
            let mut bytes = written(10, 96, 88, &[one(5)]);
            bytes[96 + 32..96 + 36].copy_from_slice(&bits.to_be_bytes());
            read_all(&bytes).unwrap().records.len()
        };
        assert_eq!((expunged(0), expunged(1 << 31), expunged(1 << 30)), (1, 0, 0));
        assert!(read_all(&written(10, 96, 88, &[one(5), one(5)])).is_err());
        let mut later = written(10, 96, 88, &[one(5)]);
        later[11] = 21;
        assert_eq!(read_all(&later).unwrap_err().to_string(), "its version is not known");
    }
}
