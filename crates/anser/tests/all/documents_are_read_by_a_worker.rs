//! Documents are read in processes of their own; one that ends them, or takes too much, is given up and harms no other.

use std::path::PathBuf;

use anser_store::documents_in;
use anser_testkit::documents::{docx, objects, pdf, zip};
use anser_text::document::{Failed, Kind};

#[test]
fn good_ones_after_bad_ones() {
    let readers = documents_in(PathBuf::from(env!("CARGO_BIN_EXE_anser")));
    let mut reader = readers();
    let mut good = |word: &str| {
        let (text, is_cut) = reader.text(Kind::Zip, &docx(word)).expect("a document is read");
        assert!(text.contains(word) && !is_cut);
        let (text, _) = reader.text(Kind::Pdf, &pdf(word, "中国")).expect("a document is read");
        assert!(text.contains(word) && text.contains("中国"), "{text}");
    };
    good("before");
    let mut other = readers();
    // A stack without end, memory without end: whatever becomes of the worker.
    let deep = format!("<< /Type /Catalog /Pages 2 0 R /A {} >>", "[".repeat(2_000_000));
    let _ = other.text(Kind::Pdf, &objects(&[deep]));
    let mut swollen = b"<w:document><w:t>".to_vec();
    swollen.resize(200 << 20, b' ');
    let _ = other.text(Kind::Zip, &zip(&[("word/document.xml", &swollen)]));
    assert_eq!(other.text(Kind::Zip, b"PK\x03\x04 nonsense"), Err(Failed));
    good("after");
}

#[test]
fn without_a_program_nothing_is_read_and_nothing_hangs() {
    let mut reader = documents_in(PathBuf::from("/nonexistent/anser"))();
    assert_eq!(reader.text(Kind::Zip, &docx("word")), Err(Failed));
    // A program that ends at once ends two workers.
    let mut reader = documents_in(PathBuf::from("/bin/true"))();
    assert_eq!(reader.text(Kind::Zip, &docx("word")), Err(Failed));
}
