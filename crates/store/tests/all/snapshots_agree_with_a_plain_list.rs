use anser_base::{MailboxId, MessageId, Timestamp};
use anser_store::{Entry, Flags, Keywords, Snapshot};
use proptest::prelude::*;

fn entry(uid: u32, flags: u32) -> Entry {
    Entry {
        uid,
        flags: Flags(flags),
        size: 1,
        message: MessageId(u64::from(uid)),
        modseq: 1,
        received: Timestamp(0),
        zone: 0,
        saved: Timestamp(0),
        keywords: Keywords::default(),
    }
}

fn snapshot(list: &[(u32, u32)]) -> Snapshot {
    let mut snapshot = Snapshot::empty(MailboxId(1), 1, 1, 1);
    list.iter().for_each(|(uid, flags)| snapshot.push(entry(*uid, *flags)));
    snapshot
}

fn lists() -> impl Strategy<Value = Vec<(u32, u32)>> {
    proptest::collection::btree_map(1u32..2000, 0u32..4, 0..900).prop_map(|map| map.into_iter().collect())
}

proptest! {
    #[test]
    fn look_ups_and_ranges(list in lists(), first in 0u32..1000, last in 0u32..1000, uid in 0u32..2100) {
        let snapshot = snapshot(&list);
        prop_assert_eq!(snapshot.len(), list.len());
        let seq = list.iter().position(|(known, _)| *known == uid).map(|index| index as u32 + 1);
        prop_assert_eq!(snapshot.seq_of(uid), seq);
        prop_assert_eq!(snapshot.by_uid(uid).map(|entry| entry.uid), seq.map(|_| uid));
        prop_assert_eq!(snapshot.count_below(uid), list.iter().filter(|(known, _)| *known < uid).count());
        prop_assert_eq!(snapshot.by_seq(first).map(|e| e.uid), (first as usize).checked_sub(1).and_then(|i| list.get(i)).map(|(uid, _)| *uid));
        let range: Vec<(u32, u32)> = snapshot.range(first, last).map(|(seq, entry)| (seq, entry.uid)).collect();
        let wanted: Vec<(u32, u32)> = list.iter().enumerate().map(|(i, (uid, _))| (i as u32 + 1, *uid)).filter(|(seq, _)| (first..=last).contains(seq)).collect();
        prop_assert_eq!(range, wanted);
    }

    #[test]
    fn a_diff_leads_from_one_to_the_other(old in lists(), new in lists()) {
        let (old, new) = (snapshot(&old), snapshot(&new));
        let diff = old.diff(&new);
        let held = old.advance_holding(&new, &diff);
        let mut merged: Vec<u32> = old.iter().chain(new.iter()).map(|entry| entry.uid).collect();
        merged.sort_unstable();
        merged.dedup();
        prop_assert_eq!(held.iter().map(|entry| entry.uid).collect::<Vec<_>>(), merged);
        let mut rebuilt: std::collections::BTreeMap<u32, Entry> = old.iter().map(|entry| (entry.uid, entry.clone())).collect();
        diff.expunged.iter().for_each(|uid| { rebuilt.remove(uid); });
        diff.changed.iter().chain(&diff.added).for_each(|entry| { rebuilt.insert(entry.uid, entry.clone()); });
        prop_assert!(rebuilt.values().eq(new.iter()));
    }
}
