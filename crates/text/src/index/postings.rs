//! Which messages of a segment hold a term, zone by zone, as bytes.
//!
//! A list begins with a byte: the zone, and [`BITS`] or [`ONE`] or neither. With ONE an ordinal follows; otherwise a length in bytes and
//! then a bit for every message of the segment, or the differences between ordinals. Numbers are LEB128.

use anser_base::pack::{put_number, take_number};

use super::bits::Bits;

/// The list is a bit for every message.
const BITS: u8 = 8;
/// The list is one ordinal.
const ONE: u8 = 16;
/// The bits of the zone.
const ZONE: u8 = 7;

/// Appends the ordinals, ascending, of one zone, in a segment of `len` messages.
pub(crate) fn put(out: &mut Vec<u8>, zone: u8, ordinals: &[u32], len: u32) {
    if let [one] = ordinals {
        out.push(zone | ONE);
        return put_number(out, u64::from(*one));
    }
    let as_bits = len.div_ceil(8) as usize;
    let mut list = Vec::with_capacity(ordinals.len() * 2);
    let mut last = 0;
    for ordinal in ordinals {
        put_number(&mut list, u64::from(ordinal - last));
        last = *ordinal;
        if list.len() > as_bits {
            break;
        }
    }
    let is_dense = list.len() > as_bits;
    if is_dense {
        list = vec![0; as_bits];
        ordinals.iter().for_each(|ordinal| list[*ordinal as usize / 8] |= 1 << (ordinal % 8));
    }
    out.push(zone | if is_dense { BITS } else { 0 });
    put_number(out, list.len() as u64);
    out.extend_from_slice(&list);
}

/// Adds to a set those that hold the term in one of the zones (a bit set). `None` for bytes that [`put`] did not write.
pub(crate) fn union(mut bytes: &[u8], zones: u8, into: &mut Bits) -> Option<()> {
    each_list(&mut bytes, |head, list| {
        if zones >> (head & ZONE) & 1 == 0 {
            return Some(());
        }
        match head & BITS {
            0 => each_ordinal(list, |ordinal| into.insert(ordinal)),
            _ => into.insert_bytes(list),
        }
    })
}

/// Visits zone and ordinal of all lists.
pub(crate) fn each(mut bytes: &[u8], len: u32, mut visit: impl FnMut(u8, u32)) -> Option<()> {
    each_list(&mut bytes, |head, list| {
        if head & BITS != 0 {
            let mut bits = Bits::none(len);
            bits.insert_bytes(list)?;
            bits.iter().for_each(|ordinal| visit(head & ZONE, ordinal));
            return Some(());
        }
        each_ordinal(list, |ordinal| (ordinal < len).then(|| visit(head & ZONE, ordinal)))
    })
}

fn each_list(bytes: &mut &[u8], mut visit: impl FnMut(u8, &[u8]) -> Option<()>) -> Option<()> {
    while let Some((head, rest)) = bytes.split_first() {
        *bytes = rest;
        let before = *bytes;
        let number = take_number(bytes)?;
        let list = match head & ONE {
            0 => {
                let (list, rest) = bytes.split_at_checked(usize::try_from(number).ok()?)?;
                *bytes = rest;
                list
            }
            _ => &before[..before.len() - bytes.len()],
        };
        visit(*head, list)?;
    }
    Some(())
}

fn each_ordinal(mut list: &[u8], mut visit: impl FnMut(u32) -> Option<()>) -> Option<()> {
    let mut ordinal = 0u64;
    while !list.is_empty() {
        ordinal = ordinal.checked_add(take_number(&mut list)?)?;
        visit(u32::try_from(ordinal).ok()?)?;
    }
    Some(())
}
