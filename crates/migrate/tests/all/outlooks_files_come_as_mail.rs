//! Case 43: a PST file as mail, beside what `readpst` makes of it; both widths, every encoding, texts of every kind; files that are broken.

use std::path::{Path, PathBuf};
use std::process::Command;

use anser_migrate::Kind;
use anser_migrate::files::Files;
use anser_migrate::source::Origin;
use anser_mime::header;
use anser_pst::Encoding;
use anser_testkit::outlook::{Item, Of, Outlook};

use crate::house::{each_house, source_of_files};

/// Tells of every message below a folder: its folder, subject, text, and the bytes of its attachments. `readpst` cuts names of files at
/// quotes.
const TELL: &str = r#"
import email, email.policy, hashlib, os, sys
def plain(text):
    return " ".join("".join(c if ord(c) < 128 else "?" for c in text).split())
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        mail = email.message_from_binary_file(open(os.path.join(folder, name), "rb"), policy=email.policy.default)
        texts, files = [], []
        for part in mail.walk():
            if part.is_multipart():
                continue
            body = part.get_payload(decode=True)
            # A program that attaches the RTF of a body, and one that does not, differ in nothing else.
            if part.get_filename() and not part.get_filename().startswith("rtf-body"):
                files.append((len(body), hashlib.sha256(body).hexdigest()[:16]))
            elif part.get_content_type() == "text/plain":
                texts.append(plain(body.decode("utf-8" if part.get_content_charset() == "utf-8" else "latin-1")))
        text = (texts + [""])[0]
        print((os.path.basename(folder), plain(str(mail["subject"] or "")), len(text), hashlib.sha256(text.encode()).hexdigest()[:8], sorted(files)))
"#;

fn told(folder: &Path) -> Vec<String> {
    let output = Command::new("python3").args(["-c", TELL]).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

async fn open(path: &Path) -> Result<Origin, anser_migrate::trouble::Trouble> {
    Files::open(&source_of_files(Kind::Pst, path.to_str().unwrap()), "ann").await.map(Origin::Files)
}

fn sample() -> Option<PathBuf> {
    std::env::var_os("ANSER_TEST_PST").map(PathBuf::from)
}

#[test]
fn everything_that_readpst_finds_is_here_once() {
    let Some(sample) = sample() else { return };
    let (theirs, ours) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // By one process: several of it read each other's places.
    let mut readpst = Command::new("readpst");
    readpst.args(["-q", "-j", "0", "-r", "-t", "e", "-e", "-o"]).arg(theirs.path()).arg(&sample);
    assert!(readpst.status().unwrap().success());
    each_house(async |house| {
        house.pass_over(open(&sample).await.unwrap(), false, false).await.unwrap();
        let held = house.held().await;
        for (path, mails) in &held {
            let folder = ours.path().join(path.replace('\u{2215}', "_"));
            std::fs::create_dir_all(&folder).unwrap();
            for (number, mail) in mails.iter().enumerate() {
                std::fs::write(folder.join(format!("{number}.eml")), &mail.4).unwrap();
                assert!(header::value(&mail.4, "MIME-Version").is_some() && mail.3 > 0, "a date");
            }
        }
        let (ours, theirs) = (told(ours.path()), told(theirs.path()));
        assert_eq!(ours.len(), 71);
        let only = |these: &[String], those: &[String]| -> Vec<String> {
            these.iter().filter(|one| !those.contains(one)).cloned().collect()
        };
        assert_eq!(only(&ours, &theirs), only(&theirs, &ours));
        assert_eq!(ours, theirs);
        assert!(held.values().flatten().any(|mail| mail.1 & 1 != 0), "flags");
        // The same nodes are the same mail.
        let again = house.pass_over(open(&sample).await.unwrap(), false, false).await.unwrap();
        assert_eq!((again.copied, again.failed), (0, 0));
        assert_eq!(house.held().await, held);
    });
}

/// Compressed RTF that is not compressed.
fn rtf(text: &str) -> Of {
    let size = (text.len() as u32).to_le_bytes();
    Of::Octets([&[0; 4][..], &size, b"MELA", &[0; 4], text.as_bytes()].concat())
}

fn folder(name: &'static str) -> Item {
    Item { properties: vec![(0x3001, Of::Text(name))], ..Item::default() }
}

fn file(is_wide: bool, encoding: Encoding) -> Vec<u8> {
    let mut file = Outlook::new(is_wide, encoding);
    file.add(0x8042, 0x8022, &folder("收件箱"));
    file.add(0x8062, 0x8042, &folder("a/b"));
    file.add(0x8082, 0x8022, &folder("Contacts"));
    let large: Vec<u8> = (0..150_000_u32).map(|n| (n / 7) as u8).collect();
    let attached = vec![
        (0x3701, Of::Octets(large)),
        (0x3705, Of::Number(1)),
        (0x3707, Of::Text("表 1.bin")),
        (0x370e, Of::Text("image/png")),
        (0x3712, Of::Text("<one@x>")),
    ];
    let inner = Item {
        properties: vec![(0x0037, Of::Text("inner")), (0x1000, Of::Text("inner text"))],
        attachments: vec![Item { properties: vec![(0x3701, Of::Octets(b"deep".to_vec()))], ..Item::default() }],
        ..Item::default()
    };
    let made = Item {
        properties: vec![
            (0x001a, Of::Text("IPM.Note")),
            (0x0037, Of::Text("\u{1}\u{4}Re: 你好")),
            (0x0039, Of::Time(1_600_000_000)),
            (0x0c1a, Of::Text("Ann Ä")),
            (0x0c1f, Of::Text("/o=old/cn=ann")),
            (0x0e06, Of::Time(1_600_000_060)),
            (0x0e07, Of::Number(1)),
            (0x1000, Of::Coded(b"\xc4\xe3\xba\xc3".to_vec())),
            (0x1013, Of::Octets(b"<p>\xc4\xe3\xba\xc3</p>".to_vec())),
            (0x1035, Of::Text("<m1@old.test>")),
            (0x1081, Of::Number(102)),
            (0x1090, Of::Number(2)),
            (0x3fde, Of::Number(936)),
            (0x5d01, Of::Text("ann@old.test")),
        ],
        recipients: vec![(1, "Bob", "bob@old.test"), (2, "Whole Team", ""), (1, "cy@old.test", "cy@old.test")],
        attachments: vec![
            Item { properties: attached, ..Item::default() },
            Item {
                properties: vec![(0x3705, Of::Number(5)), (0x3701, Of::Message(Box::new(inner)))],
                ..Item::default()
            },
            // One without its octets.
            Item { properties: vec![(0x3707, Of::Text("lost.doc"))], ..Item::default() },
        ],
    };
    file.add(0x20_0024, 0x8042, &made);
    let came = "Received: from x by y; Sat, 12 Sep 2020 00:00:00 +0000\r\nContent-Type: text/plain\r\nSubject: came\r\nFrom: a@b\r\n";
    let html = "{\\rtf1\\ansi\\ansicpg936\\fromhtml1 {\\*\\htmltag64 <p>}\\'c4\\'e3\\u22909 ?{\\*\\htmltag72 </p>}}";
    for (at, more) in [(0_u32, rtf(html)), (1, rtf("{\\rtf1 no html}")), (2, Of::Text("never"))] {
        let id = if at == 2 { 0x0042 } else { 0x1009 };
        let properties = vec![(0x007d, Of::Text(came)), (id, more), (0x0e06, Of::Time(1_600_000_000 + i64::from(at)))];
        file.add(0x20_0044 + at * 0x20, 0x8062, &Item { properties, ..Item::default() });
    }
    file.add(0x20_0104, 0x8082, &Item { properties: vec![(0x001a, Of::Text("IPM.Contact"))], ..Item::default() });
    file.file()
}

#[test]
fn messages_of_every_kind_are_mail_again() {
    let folder = tempfile::tempdir().unwrap();
    for is_wide in [true, false] {
        for encoding in [Encoding::Plain, Encoding::Permuted, Encoding::Cyclic] {
            let path = folder.path().join("ann.pst");
            std::fs::write(&path, file(is_wide, encoding)).unwrap();
            each_house(async |house| {
                let outcome = house.pass_over(open(&path).await.unwrap(), false, false).await.unwrap();
                assert_eq!((outcome.copied, outcome.failed), (4, 0));
                let held = house.held().await;
                assert_eq!(held.keys().collect::<Vec<_>>(), ["INBOX", "INBOX/a\u{2215}b"]);
                let (_, flags, _, date, mail) = &held["INBOX"][0];
                assert_eq!((*flags & 7, *date), (7, 1_600_000_060), "seen, answered, flagged");
                let text = String::from_utf8(mail.clone()).unwrap();
                for line in [
                    "Subject: =?utf-8?",
                    "To: Bob <bob@old.test>, cy@old.test\r\n",
                    "Cc: Whole Team:;\r\n",
                    "Message-ID: <m1@old.test>\r\n",
                    "Content-Type: text/html; charset=gb18030\r\n",
                    "Content-ID: <one@x>\r\n",
                    "Content-Type: message/rfc822\r\n",
                    "Subject: inner\r\n",
                ] {
                    assert!(text.contains(line), "{line}: {text}");
                }
                let (out, told_of) = (folder.path().join("out"), TELL_PARTS);
                std::fs::write(&out, mail).unwrap();
                let parts = Command::new("python3").args(["-c", told_of]).arg(&out).output().unwrap();
                let parts = String::from_utf8_lossy(&parts.stdout).into_owned();
                assert_eq!(parts.trim_end(), PARTS, "{text}");
                let rich: Vec<String> =
                    held["INBOX/a\u{2215}b"].iter().map(|mail| String::from_utf8(mail.4.clone()).unwrap()).collect();
                assert!(rich.iter().all(|mail| mail.starts_with("Received: from x by y; Sat, 12 Sep 2020 00:00:00 +0000\r\nSubject: came\r\nFrom: a@b\r\nMIME-Version: 1.0\r\n")));
                assert!(
                    rich[0].contains("text/html; charset=gb18030")
                        && rich[1].contains("text/rtf")
                        && rich[2].contains("text/plain")
                );
                house.pass_over(open(&path).await.unwrap(), false, false).await.unwrap();
                assert_eq!(house.held().await, held, "another look has the same bytes");
            });
        }
    }
}

const TELL_PARTS: &str = r#"
import email, email.policy, sys
mail = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
print(mail["subject"], "|", mail["from"], "|", mail["date"], mail.defects)
for part in mail.walk():
    if not part.is_multipart():
        body = part.get_payload(decode=True)
        print(part.get_content_type(), part.get_filename(), len(body) if len(body) > 50 else body)
"#;
const PARTS: &str = "Re: 你好 | Ann Ä <ann@old.test> | Sun, 13 Sep 2020 12:26:40 +0000 []
text/plain None b'\\xe4\\xbd\\xa0\\xe5\\xa5\\xbd'
text/html None b'<p>\\xc4\\xe3\\xba\\xc3</p>'
image/png 表 1.bin 150000
text/plain None b'inner text'
application/octet-stream attachment b'deep'
application/octet-stream lost.doc b''
text/plain None 67";

#[test]
fn a_broken_file_is_an_error_and_not_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.pst");
    let mut files = vec![file(true, Encoding::Permuted)];
    files.extend(sample().map(|sample| std::fs::read(sample).unwrap()));
    each_house(async |house| {
        for whole in &files {
            for bytes in [Vec::new(), b"!BDN".to_vec(), whole[..4_000].to_vec(), whole[..whole.len() / 2].to_vec()] {
                std::fs::write(&path, bytes).unwrap();
                if let Ok(origin) = open(&path).await {
                    let _ = house.pass_over(origin, false, true).await;
                }
            }
            let mut seed = 7_u64;
            for _ in 0..4 {
                let mut bytes = whole.clone();
                for _ in 0..2_000 {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let at = (seed >> 20) as usize % bytes.len();
                    bytes[at] ^= (seed >> 8) as u8;
                }
                std::fs::write(&path, bytes).unwrap();
                if let Ok(origin) = open(&path).await {
                    let _ = house.pass_over(origin, false, true).await;
                }
            }
        }
    });
}
