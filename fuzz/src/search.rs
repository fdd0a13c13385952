//! What is searched: documents of strangers, and the tables of the index, which may be damaged.

use anser_text::document::{Kind, text};
use anser_text::index::{Bits, Block, Builder, Directory, Input, Plan, merge, union};
use anser_text::{Query, Searchable, fold};

/// Texts of one run at most.
const TEXTS: usize = 20;

/// A document as rich text and as what it says it is, but for PDF: what reads that is not ours and has a process of its own.
pub fn document(data: &[u8]) {
    let told = Kind::of(data).filter(|kind| *kind != Kind::Pdf);
    for kind in [Some(Kind::Rtf), told].into_iter().flatten() {
        let _ = text(kind, data);
    }
}

/// Texts between bytes of 255, the first of them looked for in the others: the index misses none, also after a merge. Then the bytes
/// themselves as tables.
pub fn index(data: &[u8]) {
    let mut texts = data.split(|byte| *byte == 0xFF).take(TEXTS).map(|text| fold(&String::from_utf8_lossy(text)));
    let query = Query::text(&texts.next().unwrap_or_default());
    let texts: Vec<Searchable> =
        texts.map(|text| Searchable { body: format!("{text}\n"), ..Searchable::default() }).collect();
    let mut builder = Builder::default();
    texts.iter().for_each(|text| builder.add(text));
    let messages = builder.messages();
    let mut blocks = Vec::new();
    let Ok(directory) = builder.finish(&mut |_, block| keep(&mut blocks, block)) else { return };
    agree(&directory, &blocks, &texts, &query);
    let input = [Input { blocks: directory.blocks(), map: (0..messages).map(Some).collect() }];
    let mut again = Vec::new();
    let merged =
        merge(&input, messages, &mut |_, at| Ok(blocks[at as usize].clone()), &mut |_, block| keep(&mut again, block));
    let merged = merged.expect("what was built can be merged");
    let read = Directory::from_bytes(&merged.to_bytes()).expect("what was written can be read");
    agree(&read, &again, &texts, &query);
    damaged(data);
}

fn keep(blocks: &mut Vec<Block>, block: Block) -> anser_base::Result<()> {
    blocks.push(block);
    Ok(())
}

fn agree(directory: &Directory, blocks: &[Block], texts: &[Searchable], query: &Query) {
    let plan = Plan::of(query);
    let mut found = Bits::all(texts.len() as u32);
    for piece in 0..plan.pieces() {
        let mut holds = Bits::none(texts.len() as u32);
        for at in plan.blocks(piece, directory) {
            let block = &blocks[at as usize];
            let terms = plan.find(piece, &block.terms);
            union(&block.postings, &terms, plan.zones(piece), &mut holds).expect("what was built can be read");
        }
        found.keep(&holds);
    }
    for (at, text) in texts.iter().enumerate() {
        let (plain, indexed) = (query.is_in(&text.head, &text.body), found.has(at as u32));
        assert!(indexed || !plain, "{query:?} is missed in {text:?}");
        assert!(!plan.is_exact() || plain == indexed, "{query:?} is no match in {text:?}");
    }
}

/// Any bytes as the tables of an index are refused or read, and no more.
fn damaged(data: &[u8]) {
    let _ = Directory::from_bytes(data);
    let (terms, postings) = data.split_at(data.len() / 2);
    let block = Block { terms: terms.to_vec(), postings: postings.to_vec() };
    let _ = union(postings, &[0, 1, 5], u8::MAX, &mut Bits::none(64));
    let input = [Input { blocks: 1, map: (0..64).map(Some).collect() }];
    let _ = merge(&input, 64, &mut |_, _| Ok(block.clone()), &mut |_, _| Ok(()));
}
