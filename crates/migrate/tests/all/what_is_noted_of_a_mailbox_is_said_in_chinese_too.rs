//! Whatever the engine itself says of trouble has Chinese words.

use std::fs;
use std::path::Path;

use anser_migrate::in_chinese;

/// What stands before a sentence of the engine's own.
const BEFORE: [&str; 6] = ["lost(", "Question(", "Refused(", "why: ", "unsaid(", "later("];

/// The sentences of a source file that begin behind one of [`BEFORE`], with something in each gap.
fn sentences(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap_or(source);
    let begins = BEFORE.iter().flat_map(|before| source.match_indices(before).map(|(at, _)| at + before.len()));
    let literal = |at: usize| {
        let rest = source[at..].trim_start();
        let rest = rest.strip_prefix("format!(").unwrap_or(rest).trim_start().strip_prefix('"')?;
        Some(rest.split('"').next()?.to_owned())
    };
    begins.filter_map(literal).map(|one| filled(&one)).filter(|one| one.split(' ').count() > 3).collect()
}

/// `lost {count} of {}` with words in the gaps.
fn filled(literal: &str) -> String {
    let mut pieces = literal.split('{');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + "7" + piece.split_once('}').map_or("", |(_, rest)| rest))
}

fn read_all(folder: &Path, each: &mut dyn FnMut(&str)) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.path() {
            path if path.is_dir() => read_all(&path, each),
            path if path.extension().is_some_and(|end| end == "rs") => each(&fs::read_to_string(path).unwrap()),
            _ => {}
        }
    }
}

#[test]
fn every_sentence_of_the_engine_has_chinese_words() {
    let (mut found, mut without) = (0, Vec::new());
    read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |source| {
        for sentence in sentences(source) {
            found += 1;
            if in_chinese(&sentence).is_ascii() {
                without.push(sentence);
            }
        }
    });
    assert!(found > 50, "{found}");
    assert!(without.is_empty(), "{without:#?}");
}
