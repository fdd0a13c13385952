//! The report as PDF: its text is read back out of the file, as a reader of PDF finds it.

use std::collections::BTreeMap;

use anser_migrate::Proof;
use anser_migrate::paper::pdf;
use anser_migrate::report::paper;
use anser_migrate::verify::{Difference, FolderProof};
use encoding_rs::{UTF_16BE, WINDOWS_1252};
use proptest::prelude::*;

/// The octets of a string of PDF, from its first bracket on (ISO 32000-1 §7.3.4).
fn octets(string: &str) -> Vec<u8> {
    if let Some(hex) = string.strip_prefix('<') {
        let digits: Vec<u8> = hex.bytes().take_while(|byte| *byte != b'>').collect();
        let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
        return digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
    }
    // Brackets within it are its own where they come in pairs.
    let (mut out, mut rest, mut deep) = (Vec::new(), &string.as_bytes()[1..], 0);
    loop {
        match rest {
            [b')', ..] if deep == 0 => return out,
            [b'\\', code @ b'0'..=b'7', b, c, after @ ..] => {
                out.push(((u32::from(code - b'0') << 6) | u32::from((b - b'0') << 3 | (c - b'0'))) as u8);
                rest = after;
            }
            [b'\\', escaped, after @ ..] => {
                let meant = match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'f' => 12,
                    other => *other,
                };
                out.push(meant);
                rest = after;
            }
            [byte, after @ ..] => {
                deep += i32::from(*byte == b'(') - i32::from(*byte == b')');
                out.push(*byte);
                rest = after;
            }
            [] => panic!("a string has no end: {string}"),
        }
    }
}

/// All text of a file, without blanks.
fn text(file: &str) -> String {
    let (mut squares, mut all) = (false, String::new());
    for line in file.lines() {
        if let Some(font) = line.strip_suffix(" Tf") {
            squares = font.starts_with("/S ");
        }
        if let Some(string) = line.strip_suffix(" Tj") {
            let encoding = if squares { UTF_16BE } else { WINDOWS_1252 };
            all.push_str(&encoding.decode_without_bom_handling(&octets(string)).0);
        }
    }
    bare(&all)
}

fn bare(text: &str) -> String {
    text.chars().filter(|char| !char.is_whitespace()).collect()
}

/// Every object is where the file says (§7.5.4).
fn objects_are_in_their_places(file: &str) {
    let table = file.rsplit("xref\n").find(|part| part.starts_with("0 ")).unwrap();
    let places = table.lines().filter(|line| line.ends_with(" n ") || line.ends_with(" n"));
    let mut count = 0;
    for (at, line) in places.enumerate() {
        let place: usize = line.split(' ').next().unwrap().parse().unwrap();
        let object = format!("{} 0 obj", at + 1);
        assert!(file[place..].starts_with(&object), "{object}: {}", &file[place..place + 20]);
        count += 1;
    }
    assert!(count > 5);
}

fn proof(folder: &str, why: &str, rows: u32) -> Proof {
    let folders = (0..rows).map(|n| FolderProof {
        folder: format!("{folder}{n}"),
        here: "工作/Arbeit".to_owned(),
        messages: u64::from(n),
        bytes: 1 << 40,
        classes: BTreeMap::from([("equal".to_owned(), u64::from(n))]),
        extra: 3,
        uids_kept: n % 2 == 0,
        ..FolderProof::default()
    });
    let difference = Difference {
        folder: folder.to_owned(),
        uid: 7,
        class: "unexplained".to_owned(),
        why: why.to_owned(),
        zh: "原因".to_owned(),
    };
    Proof {
        login: "ann".to_owned(),
        address: "陈雁@例子.中国".to_owned(),
        folders: folders.collect(),
        differences: vec![difference],
        unexplained: 1,
        ..Proof::default()
    }
}

#[test]
fn every_row_is_on_some_page_and_every_object_in_its_place() {
    let file = pdf(
        &paper(&[proof("已发送", "mail (with) \\ brackets", 300), proof("Sent", "é", 2)], &[], None),
        "BLAKE3 0123",
    );
    let said = text(&file);
    for words in [
        "迁移核对",
        "Unexplaineddifferences",
        "陈雁@例子.中国:poor有无法解释的差异",
        "已发送299",
        "mail(with)\\brackets",
        "é",
    ] {
        assert!(said.contains(words), "{words}");
    }
    let pages = file.matches("/Type /Page\n").count();
    assert!(pages > 5 && said.matches("BLAKE30123").count() == pages, "{pages}");
    assert!(said.contains(&format!("{pages}/{pages}")));
    objects_are_in_their_places(&file);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_folders_are_called_stands_there(folder in "[ -~ -ÿ工作已发送ЖΩ😀\u{1}\n]{0,120}", why in "\\PC{0,300}") {
        let file = pdf(&paper(&[proof(&folder, &why, 2)], &[], None), &why);
        prop_assert!(file.is_ascii());
        objects_are_in_their_places(&file);
        let shown = |text: &str| bare(&text.replace(|char: char| char.is_control(), " "));
        let said = text(&file);
        // What a column breaks is whole again without its blanks; other cells of the row come behind it.
        prop_assert!(said.contains(&shown(&folder)), "{folder:?}");
        prop_assert!(said.contains(&shown(&why)), "{why:?}");
    }
}
