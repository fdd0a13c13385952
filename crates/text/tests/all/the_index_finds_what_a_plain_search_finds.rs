//! Whatever the texts and the queries, and however segments were merged: the index finds every message that a plain search finds, and
//! where it says that it is exact no other.

use anser_text::index::{Bits, Block, Builder, Directory, Input, Plan, merge, union};
use anser_text::{Query, Searchable, fold};
use proptest::prelude::*;

struct Segment {
    directory: Directory,
    blocks: Vec<Block>,
    len: u32,
}

fn build(texts: &[Searchable]) -> Segment {
    let mut builder = Builder::default();
    texts.iter().for_each(|text| builder.add(text));
    let (len, mut blocks) = (builder.messages(), Vec::new());
    let directory = builder.finish(&mut |_, block| keep(&mut blocks, block)).unwrap();
    Segment { directory, blocks, len }
}

fn keep(blocks: &mut Vec<Block>, block: Block) -> anser_base::Result<()> {
    blocks.push(block);
    Ok(())
}

/// Merges, leaving out the messages that are gone.
fn merged(segments: &[Segment], gone: &[usize]) -> Segment {
    let (mut inputs, mut old, mut len) = (Vec::new(), 0, 0);
    for segment in segments {
        let map = (0..segment.len).map(|_| {
            let stays = !gone.contains(&old);
            old += 1;
            len += u32::from(stays);
            stays.then(|| len - 1)
        });
        inputs.push(Input { blocks: segment.directory.blocks(), map: map.collect() });
    }
    let mut blocks = Vec::new();
    let directory =
        merge(&inputs, len, &mut |input, block| Ok(segments[input].blocks[block as usize].clone()), &mut |_, block| {
            keep(&mut blocks, block)
        })
        .unwrap();
    Segment { directory: Directory::from_bytes(&directory.to_bytes()).unwrap(), blocks, len }
}

fn ask(segment: &Segment, plan: &Plan) -> Bits {
    let mut found = Bits::all(segment.len);
    for piece in 0..plan.pieces() {
        let mut holds = Bits::none(segment.len);
        for at in plan.blocks(piece, &segment.directory) {
            let block = &segment.blocks[at as usize];
            union(&block.postings, &plan.find(piece, &block.terms), plan.zones(piece), &mut holds).unwrap();
        }
        found.keep(&holds);
    }
    found
}

fn compare(segment: &Segment, texts: &[&Searchable], query: &Query) {
    let plan = Plan::of(query);
    let found = ask(segment, &plan);
    for (at, text) in texts.iter().enumerate() {
        let (plain, indexed) = (query.is_in(&text.head, &text.body), found.has(at as u32));
        assert!(indexed || !plain, "{query:?} is missed in {text:?}");
        assert!(!plan.is_exact() || plain == indexed, "{query:?} is no match in {text:?}");
    }
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{1,4}",
        "[a-b]{30,90}",
        "[0-9]{1,3}",
        "[中国科学院]{1,5}",
        "[ ,.@!-]{1,2}",
        Just(" ".to_owned()),
        "[àéßЖ한ﬁＡ]{1,2}",
        Just("ไทย".to_owned()),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..12).prop_map(|pieces| pieces.concat())
}

fn message() -> impl Strategy<Value = Searchable> {
    (text(), text(), text(), text()).prop_map(|(subject, from, other, body)| {
        let line = |name: &str, value: &str| format!("{name}: {}\n", fold(value).trim());
        let head =
            [line("subject", &subject), line("from", &from), line("x-b", &other), "\n".into(), line("a", &other)]
                .concat();
        Searchable { head, body: format!("{}\n", fold(&body).trim()), ..Searchable::default() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn for_any_text(
        texts in prop::collection::vec(message(), 1..20),
        cuts in prop::collection::vec(0usize..20, 0..4),
        gone in prop::collection::vec(0usize..20, 0..5),
        queries in prop::collection::vec((0usize..20, 0usize..200, 1usize..60), 1..30),
        strange in prop::collection::vec(text(), 3),
    ) {
        let whole = build(&texts);
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (texts.len() + 1)).chain([0, texts.len()]).collect();
        ends.sort_unstable();
        let parts: Vec<Segment> = ends.windows(2).filter(|ends| ends[0] < ends[1]).map(|ends| build(&texts[ends[0]..ends[1]])).collect();
        let small = merged(&parts, &gone);
        let all: Vec<&Searchable> = texts.iter().collect();
        let left: Vec<&Searchable> = texts.iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, text)| text).collect();
        let from_texts = queries.iter().map(|(at, start, len)| {
            let text = &texts[at % texts.len()];
            let all: Vec<char> = text.head.chars().chain(text.body.chars()).collect();
            all.iter().skip(start % all.len()).take(*len).collect::<String>()
        });
        for needle in from_texts.chain(strange.clone()).chain(["".into(), "a".into(), "中".into(), ",".into()]) {
            for query in [Query::text(&needle), Query::body(&needle), Query::header("Subject", &needle), Query::header("from", &needle), Query::header("X-B", &needle), Query::header("cc", &needle)] {
                compare(&whole, &all, &query);
                compare(&small, &left, &query);
            }
        }
    }
}

#[test]
fn damaged_blocks_are_told_and_harm_nobody() {
    let text =
        Searchable { head: "subject: a b c\n".into(), body: "some words 中国\n".into(), ..Searchable::default() };
    let segment = build(&[text.clone(), text]);
    for block in &segment.blocks {
        for at in 0..block.postings.len() {
            for byte in [0, 1, 0x7f, 0x80, 0xff] {
                let mut postings = block.postings.clone();
                postings[at] = byte;
                let mut bits = Bits::none(segment.len);
                let _ = union(&postings, &[0, 1], 255, &mut bits);
                assert!(bits.iter().all(|ordinal| ordinal < segment.len));
                let inputs = [Input { blocks: 1, map: vec![Some(0), Some(1)] }];
                let _ = merge(
                    &inputs,
                    2,
                    &mut |_, _| Ok(Block { terms: block.terms.clone(), postings: postings.clone() }),
                    &mut |_, _| Ok(()),
                );
            }
        }
    }
}
