//! Small documents of each family, for tests of what can be searched in them.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A zip of these members.
pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        zip.start_file(*name, SimpleFileOptions::default()).expect("a member begins");
        zip.write_all(content).expect("a member is written");
    }
    zip.finish().expect("a zip ends").into_inner()
}

/// A docx whose one paragraph is cut into a run for every character.
pub fn docx(text: &str) -> Vec<u8> {
    let runs: String = text.chars().map(|c| format!("<w:r><w:rPr><w:b/></w:rPr><w:t>{}</w:t></w:r>", xml(c))).collect();
    let document = format!("<?xml version=\"1.0\"?><w:document><w:body><w:p>{runs}</w:p><w:p/></w:body></w:document>");
    zip(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", document.as_bytes())])
}

/// An xlsx with this shared string, this inline string and the number 4711.
pub fn xlsx(shared: &str, inline: &str) -> Vec<u8> {
    let strings = format!("<sst><si><t>{shared}</t></si></sst>");
    let sheet = format!(
        "<worksheet><sheetData><row><c t=\"s\"><v>0</v></c><c t=\"inlineStr\"><is><t>{inline}</t></is></c>\
         <c><f>SUM(A1)</f><v>4711</v></c></row></sheetData></worksheet>"
    );
    zip(&[("xl/sharedStrings.xml", strings.as_bytes()), ("xl/worksheets/sheet1.xml", sheet.as_bytes())])
}

/// A pptx with a slide and its notes.
pub fn pptx(slide: &str, notes: &str) -> Vec<u8> {
    let of = |text: &str| format!("<p:sld><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sld>");
    zip(&[("ppt/slides/slide1.xml", of(slide).as_bytes()), ("ppt/notesSlides/notesSlide1.xml", of(notes).as_bytes())])
}

/// An odt with a paragraph.
pub fn odt(text: &str) -> Vec<u8> {
    let content =
        format!("<office:document-content><text:p>{text}<text:line-break/>end</text:p></office:document-content>");
    zip(&[("mimetype", b"application/vnd.oasis.opendocument.text"), ("content.xml", content.as_bytes())])
}

/// A pdf of one page that shows an ASCII text in Helvetica, and a text of any characters in a font with a ToUnicode map.
pub fn pdf(ascii: &str, any: &str) -> Vec<u8> {
    let glyphs: Vec<char> = any.chars().collect();
    let codes: String = (1..=glyphs.len()).map(|code| format!("{code:04x}")).collect();
    let chars: String =
        glyphs.iter().enumerate().map(|(at, c)| format!("<{:04x}> <{:04x}>\n", at + 1, *c as u32)).collect();
    let map = format!(
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def\n\
         1 begincodespacerange <0000> <ffff> endcodespacerange\n{} beginbfchar\n{chars}endbfchar endcmap end end",
        glyphs.len()
    );
    let page = format!("BT /F1 12 Tf 72 700 Td ({ascii}) Tj ET\nBT /F2 12 Tf 72 600 Td <{codes}> Tj ET");
    let stream = |data: &str| format!("<< /Length {} >>\nstream\n{data}\nendstream", data.len());
    objects(&[
        "<< /Type /Catalog /Pages 2 0 R >>".into(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".into(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>"
            .into(),
        stream(&page),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".into(),
        "<< /Type /Font /Subtype /Type0 /BaseFont /Song /Encoding /Identity-H /DescendantFonts [7 0 R] /ToUnicode 8 0 R >>".into(),
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Song /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) \
         /Supplement 0 >> /DW 1000 /FontDescriptor 9 0 R >>"
            .into(),
        stream(&map),
        "<< /Type /FontDescriptor /FontName /Song /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 800 /Descent -200 \
         /CapHeight 700 /StemV 80 >>"
            .into(),
    ])
}

/// A pdf of these objects, the first of which is its catalog.
pub fn objects(objects: &[String]) -> Vec<u8> {
    let (mut out, mut at) = (b"%PDF-1.5\n".to_vec(), Vec::new());
    for (number, object) in objects.iter().enumerate() {
        at.push(out.len());
        out.extend_from_slice(format!("{} 0 obj\n{object}\nendobj\n", number + 1).as_bytes());
    }
    let start = out.len();
    out.extend_from_slice(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).as_bytes());
    at.iter().for_each(|at| out.extend_from_slice(format!("{at:010} 00000 n \n").as_bytes()));
    let size = objects.len() + 1;
    out.extend_from_slice(format!("trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").as_bytes());
    out
}

fn xml(c: char) -> String {
    match c {
        '&' => "&amp;".to_owned(),
        '<' => "&#60;".to_owned(),
        c => c.to_string(),
    }
}
