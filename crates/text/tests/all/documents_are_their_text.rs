//! What a reader of a document sees can be searched; what is broken, nested or swollen costs little.

use anser_mime::summary::parse_message;
use anser_testkit::documents::{docx, objects, odt, pdf, pptx, xlsx, zip};
use anser_text::document::{Failed, Kind, OUTPUT, text};
use anser_text::{InProcess, Query, Searchable, fold};

fn shown(document: &[u8]) -> String {
    let kind = Kind::of(document).expect("a document of a known kind");
    fold(&text(kind, document).expect("a document that can be read").0)
}

#[test]
fn of_each_family() {
    assert_eq!(shown(&docx("Überblick & <中国科学院>")).trim(), "überblick & <中国科学院>");
    let sheet = shown(&xlsx("Umsatz 一月", "inline &amp; more"));
    assert!(sheet.contains("umsatz 一月") && sheet.contains("inline & more") && sheet.contains("4711"), "{sheet}");
    assert!(!sheet.contains("sum"), "{sheet}");
    assert_eq!(shown(&pptx("第一页", "notes here")).trim(), "第一页 notes here");
    assert_eq!(shown(&odt("开放文档")).trim(), "开放文档 end");
    let page = shown(&pdf("Hello pdf", "中国科学院"));
    assert!(page.contains("hello pdf") && page.contains("中国科学院"), "{page}");
}

#[test]
fn within_a_message_under_any_label() {
    let attach = |name: &str, label: &str, bytes: &[u8]| {
        let coded = anser_mime::encoding::encode_base64(bytes);
        format!("--b\r\nContent-Type: {label}; name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{coded}\r\n")
    };
    let raw = format!(
        "Subject: files\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{}{}{}{}{}--b--\r\n",
        attach("report.docx", "application/octet-stream", &docx("quarterly figures")),
        attach("slides.pdf", "application/pdf", &pdf("second quarter", "季度")),
        attach("notes.txt", "application/octet-stream", "纯文本".as_bytes()),
        attach("photo.jpg", "image/jpeg", b"PK\x03\x04 not a zip"),
        attach("broken.pdf", "application/pdf", b"%PDF-1.5 nothing else"),
    );
    let structure = parse_message(raw.as_bytes()).structure;
    let found = Searchable::of(raw.as_bytes(), 0, &structure, &mut InProcess);
    for needle in ["quarterly figures", "second quarter", "季度", "纯文本", "report.docx", "photo.jpg"] {
        assert!(Query::body(needle).is_in(&found.head, &found.body), "{needle}: {found:?}");
    }
    assert!(!found.body.contains("<w:t>") && !found.body.contains("pk"), "{found:?}");
    assert_eq!((found.unreadable, found.is_cut), (1, false));
}

#[test]
fn a_bomb_is_cut() {
    let mut document = b"<w:document><w:t>".to_vec();
    document.resize(300 << 20, b'a');
    let bomb = zip(&[("word/document.xml", &document)]);
    assert!(bomb.len() < 1 << 20);
    drop(document);
    let (text, is_cut) = text(Kind::Zip, &bomb).unwrap_or_default();
    assert!(text.len() <= OUTPUT && (is_cut || text.is_empty()));
}

#[test]
fn nesting_and_nonsense_end() {
    let deep = format!("<a>{}", "<b>".repeat(100_000));
    assert_eq!(text(Kind::Zip, &zip(&[("content.xml", deep.as_bytes())])), Err(Failed));
    let entities = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><x>&b;&b;</x>";
    let (lol, _) = text(Kind::Zip, &zip(&[("content.xml", entities.as_bytes())])).unwrap();
    assert!(!lol.contains("aaaa"), "{lol}");
    for broken in [
        &b"PK\x03\x04"[..],
        b"PK\x03\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"%PDF-",
        b"%PDF-1.7\nxref\n0 99999999\ntrailer <</Size 9>>",
    ] {
        let _ = text(Kind::of(broken).unwrap(), broken);
    }
    let whole = docx("some text");
    for cut in (0..whole.len()).step_by(7) {
        let _ = text(Kind::Zip, &whole[..cut]);
    }
    let whole = pdf("some text", "字");
    for cut in (0..whole.len()).step_by(97) {
        let _ = text(Kind::Pdf, &whole[..cut]);
    }
    // Pages that are their own children.
    let circle =
        ["<< /Type /Catalog /Pages 2 0 R >>".to_owned(), "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>".to_owned()];
    let _ = text(Kind::Pdf, &objects(&circle));
}
