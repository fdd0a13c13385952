//! A sound file is read in both widths and every encoding; a broken one neither panics nor goes on for ever.

use anser_pst::{Encoding, Node, Pst, Value, id, kind, kind_of};
use anser_testkit::outlook::{Item, Of, Outlook};
use proptest::prelude::*;

fn sample(is_wide: bool, encoding: Encoding) -> Vec<u8> {
    let mut file = Outlook::new(is_wide, encoding);
    let inner = Item { properties: vec![(0x0037, Of::Text("inner"))], ..Item::default() };
    let attached = Item {
        properties: vec![(0x3701, Of::Octets(vec![7; 20_000])), (0x3707, Of::Text("a.bin"))],
        ..Item::default()
    };
    let within =
        Item { properties: vec![(0x3701, Of::Message(Box::new(inner))), (0x3705, Of::Number(5))], ..Item::default() };
    let message = Item {
        properties: vec![
            (0x0037, Of::Text("subject 甲")),
            (0x0039, Of::Time(1_600_000_000)),
            (0x0e07, Of::Number(-1)),
            (0x1000, Of::Coded(b"text".to_vec())),
        ],
        recipients: vec![(1, "Ann", "ann@old.test"), (2, "Bob", "")],
        attachments: vec![attached, within],
    };
    file.add(0x8042, 0x8022, &Item { properties: vec![(0x3001, Of::Text("Inbox"))], ..Item::default() });
    for number in 0..20 {
        file.add(0x20_0024 + number * 0x20, 0x8042, &message);
    }
    file.file()
}

/// Reads all that there is; how many nodes and octets.
fn read(octets: Vec<u8>) -> (usize, usize) {
    let (mut nodes, mut size) = (Vec::new(), 0);
    let Ok(pst) = Pst::open(octets) else { return (0, 0) };
    let _ = pst.reader().each_node(&mut |node| nodes.push(node.id));
    for node in nodes.iter().take(1_000) {
        let reader = pst.reader();
        if let Ok(node) = reader.node(*node) {
            size += read_node(&node, 0);
        }
    }
    (nodes.len(), size)
}

fn read_node(node: &Node<'_, Vec<u8>>, depth: usize) -> usize {
    let mut size = 0;
    if let Ok(properties) = node.properties() {
        for id in [0x0037, 0x0039, 0x0e07, 0x1000, 0x3001, 0x35e0, 0x3705, 0x3707] {
            size += usize::from(properties.get(id).is_some());
        }
        let _ = properties.stream(0x3701, &mut |octets| {
            size += octets.len();
            Ok(())
        });
        if let Some(inside) = properties.inside(0x3701).filter(|_| depth < 5) {
            size += read_node(&inside, depth + 1);
        }
    }
    if let Ok(Some(table)) = node.table(id::RECIPIENTS) {
        size += table.rows().take(1_000).filter(|row| row.as_ref().is_ok_and(|row| row.get(0x3001).is_some())).count();
    }
    for (_, attachment) in
        node.all(kind::ATTACHMENT).unwrap_or_default().into_iter().take(if depth < 5 { 100 } else { 0 })
    {
        size += read_node(&attachment, depth + 1);
    }
    size
}

#[test]
fn both_widths_and_every_encoding_are_read() {
    for is_wide in [true, false] {
        for encoding in [Encoding::Plain, Encoding::Permuted, Encoding::Cyclic] {
            let octets = sample(is_wide, encoding);
            assert_eq!(read(octets.clone()), (24, 20 * (4 + 2 + 20_000 + 1 + 1 + 1) + 3), "{is_wide} {encoding:?}");
            let pst = Pst::open(octets).unwrap();
            let reader = pst.reader();
            let message = reader.node(0x20_0024).unwrap();
            let of = message.properties().unwrap();
            assert_eq!(of.get(0x0037), Some(Value::Text("subject 甲".to_owned())));
            assert_eq!((of.time(0x0039), of.number(0x0e07), of.get(0x9999)), (Some(1_600_000_000), Some(-1), None));
            let table = message.table(id::RECIPIENTS).unwrap().unwrap();
            let rows: Vec<_> = table.rows().map(|row| row.unwrap()).collect();
            let text = |row: usize, id| match rows[row].get(id) {
                Some(Value::Text(text)) => text,
                _ => "none".to_owned(),
            };
            assert_eq!(
                (text(0, 0x39fe), text(1, 0x3001), text(1, 0x39fe)),
                ("ann@old.test".into(), "Bob".into(), "none".into())
            );
            assert_eq!((rows[0].number(0x0c15), rows[1].number(0x0c15)), (Some(1), Some(2)));
        }
    }
    assert_eq!(kind_of(0x8042), kind::FOLDER);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_broken_file_ends(
        is_wide in any::<bool>(),
        cut in 0_usize..400_000,
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..60),
        words in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u32>()), 0..20),
    ) {
        let mut octets = sample(is_wide, Encoding::Plain);
        octets.truncate(octets.len().saturating_sub(cut / 4 * usize::from(cut % 2 == 0)).max(600));
        for (at, octet) in flips {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        for (at, word) in words {
            let at = at.index(octets.len() - 4);
            octets[at..at + 4].copy_from_slice(&(word % 500_000).to_le_bytes());
        }
        read(octets);
    }

    #[test]
    fn whatever_is_no_rtf_is_read(octets in proptest::collection::vec(any::<u8>(), 0..400), text in "[a-z\\\\{}*'0-9 -]{0,200}") {
        let _ = anser_pst::rtf::decompressed(&octets);
        let _ = anser_pst::rtf::decompressed(&[&b"\0\0\0\0\0\x10\0\0LZFu\0\0\0\0"[..], &octets].concat());
        let _ = anser_pst::rtf::html_in(format!("{{\\fromhtml1 {text}").as_bytes());
    }
}
