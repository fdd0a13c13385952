//! Two sides that a program keeps equal: both are edited at random, then synchronised, then compared byte for byte, with flags.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::corpus::{for_the_wire, raw, some, without_cr, without_field};
use super::tools::{Home, Numbers, Talk, files};
use super::wire::Imap;

/// Edits between two synchronisations, half of them on each side.
const EDITS: usize = 20;
/// Synchronisations; with [`EDITS`], 200 edits.
const ROUNDS: usize = 10;
/// Messages that are there before the first.
const FIRST: usize = 30;
/// 项目, 公文, 会议纪要 and 归档 as mailbox names (RFC 3501 §5.1.3).
const FOLDERS: [&str; 5] = ["INBOX", "&mHl27g-", "&UWxlhw-", "&TxqLrn6qiYE-", "&X1JoYw-"];
/// Flags of the wire and their letters in a Maildir, in the order of the letters.
const FLAGS: [(&str, char); 4] = [("\\Draft", 'D'), ("\\Flagged", 'F'), ("\\Answered", 'R'), ("\\Seen", 'S')];

/// For each folder, its messages with the letters of their flags, sorted.
type Side = BTreeMap<String, Vec<(Vec<u8>, String)>>;

/// Messages that people really sent, enough for every edit.
pub fn real_messages() -> impl Iterator<Item = Vec<u8>> {
    some(&raw(), FIRST + ROUNDS * EDITS).into_iter().map(|message| for_the_wire(&message))
}

/// Messages that a program which parses and rebuilds what it carries leaves as they are.
pub fn plain_messages() -> impl Iterator<Item = Vec<u8>> {
    (0..FIRST + ROUNDS * EDITS).map(|n| {
        let head = format!("From: ann@anser.test\r\nSubject: message {n}\r\nMessage-ID: <{n}@plain.test>\r\n");
        format!("{head}Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\u{4f60}\u{597d} {n}\r\n").into_bytes()
    })
}

/// An account and a folder of Maildirs.
pub fn account_and_maildirs(far: &mut Imap, mail: &Path, mut fresh: impl Iterator<Item = Vec<u8>>, sync: impl Fn()) {
    let mut numbers = Numbers(0x0005_EED0_FA11);
    fill(far, &mut fresh);
    sync();
    for round in 0..ROUNDS {
        if round == 2 {
            far.run(&format!("CREATE \"{}\"", FOLDERS[3])).expect("CREATE");
            new_folder(&mail.join(FOLDERS[4]));
        }
        for edit in 0..EDITS {
            let message = fresh.next().expect("there are enough messages");
            match edit % 2 {
                0 => edit_far(far, &message, &mut numbers),
                _ => edit_near(mail, &message, &mut numbers, edit),
            }
        }
        sync();
        sync();
        assert_equal(round, &near_side(mail, plain), &far_side(far, plain));
    }
}

/// Writes the messages that a program of [`account_and_mirror`] may append; returns their folder.
pub fn edits_of_the_client(home: &Home) -> PathBuf {
    for (n, message) in some(&raw(), ROUNDS * EDITS).iter().enumerate() {
        home.write(&format!("fresh/{n:03}"), for_the_wire(message));
    }
    home.path("fresh")
}

/// An account and the mirror that a program keeps of it, as Maildirs with every byte of the wire. `client` starts the program, which
/// edits at the same time as the other side.
pub fn account_and_mirror(far: &mut Imap, mirror: &Path, client: impl FnOnce() -> Talk) {
    let (mut numbers, mut fresh) = (Numbers(0x0005_EED0_FA11), real_messages());
    fill(far, &mut fresh);
    let mut client = client();
    client.say("sync");
    client.done();
    for round in 0..ROUNDS {
        client.say(&format!("edit {}", EDITS / 2));
        for _ in 0..EDITS / 2 {
            edit_far(far, &fresh.next().expect("there are enough messages"), &mut numbers);
        }
        edit_mailboxes(far, round, &fresh.next().expect("there are enough messages"));
        client.done();
        client.say("sync");
        client.done();
        assert_equal(round, &near_side(mirror, <[u8]>::to_vec), &far_side(far, <[u8]>::to_vec));
    }
}

/// A mailbox is made, gets another name, goes, and is made again.
fn edit_mailboxes(far: &mut Imap, round: usize, message: &[u8]) {
    let (one, other) = (FOLDERS[3], FOLDERS[4]);
    match round % 3 {
        0 => {
            far.run(&format!("CREATE \"{one}\"")).expect("CREATE");
            far.append(one, "\\Seen", message).expect("APPEND");
        }
        1 => drop(far.run(&format!("RENAME \"{one}\" \"{other}\"")).expect("RENAME")),
        _ => drop(far.run(&format!("DELETE \"{other}\"")).expect("DELETE")),
    }
}

/// Two accounts.
pub fn two_accounts(sides: &mut [Imap; 2], mut fresh: impl Iterator<Item = Vec<u8>>, sync: impl Fn()) {
    let mut numbers = Numbers(0x0005_EED0_FA11);
    fill(&mut sides[0], &mut fresh);
    sync();
    for round in 0..ROUNDS {
        if round == 2 {
            sides[0].run(&format!("CREATE \"{}\"", FOLDERS[3])).expect("CREATE");
            sides[1].run(&format!("CREATE \"{}\"", FOLDERS[4])).expect("CREATE");
        }
        for edit in 0..EDITS {
            let message = fresh.next().expect("there are enough messages");
            edit_far(&mut sides[edit % 2], &message, &mut numbers);
        }
        sync();
        sync();
        let [one, other] = sides;
        assert_equal(round, &far_side(one, plain), &far_side(other, plain));
    }
}

fn fill(far: &mut Imap, fresh: &mut impl Iterator<Item = Vec<u8>>) {
    for message in fresh.take(FIRST) {
        far.append("INBOX", "", &message).expect("APPEND");
    }
    for folder in &FOLDERS[1..3] {
        far.run(&format!("CREATE \"{folder}\"")).expect("CREATE");
    }
}

fn edit_far(far: &mut Imap, message: &[u8], numbers: &mut Numbers) {
    let folder = numbers.of(&FOLDERS[..3]);
    far.select(folder).expect("SELECT");
    let held = far.fetch_all().expect("FETCH");
    if held.is_empty() || numbers.below(4) == 0 {
        far.append(folder, numbers.of(&FLAGS).0, message).expect("APPEND");
        return;
    }
    let uid = numbers.of(&held).uid;
    let command = match numbers.below(4) {
        0 => format!("UID STORE {uid} +FLAGS ({})", numbers.of(&FLAGS).0),
        1 => format!("UID STORE {uid} -FLAGS ({})", numbers.of(&FLAGS).0),
        2 => format!("UID MOVE {uid} \"{}\"", numbers.of(&FOLDERS[..3])),
        _ => format!("UID STORE {uid} +FLAGS (\\Deleted)"),
    };
    far.run(&command).expect("an edit over IMAP");
    far.run("EXPUNGE").expect("EXPUNGE");
}

fn edit_near(mail: &Path, message: &[u8], numbers: &mut Numbers, edit: usize) {
    let folder = numbers.of(&FOLDERS[..3]);
    let held = messages(&mail.join(folder));
    let name = format!("{}.E{edit}.near", 1_100_000_000 + numbers.below(100_000_000));
    if held.is_empty() || numbers.below(4) == 0 {
        fs::write(mail.join(folder).join("cur").join(format!("{name}:2,")), without_cr(message))
            .expect("a new message");
        return;
    }
    let path = numbers.of(&held);
    let (stem, letters) = parts(&path);
    match numbers.below(3) {
        0 => {
            let letter = numbers.of(&FLAGS).1;
            let mut letters: Vec<char> = match letters.contains(letter) {
                true => letters.chars().filter(|other| *other != letter).collect(),
                false => letters.chars().chain([letter]).collect(),
            };
            letters.sort_unstable();
            let letters: String = letters.into_iter().collect();
            fs::rename(&path, mail.join(folder).join("cur").join(format!("{stem}:2,{letters}"))).expect("other flags");
        }
        1 => {
            // A new name, so that the UID that mbsync wrote into the old one does not come along.
            let target = mail.join(numbers.of(&FOLDERS[..3])).join("cur").join(format!("{name}:2,{letters}"));
            fs::rename(&path, target).expect("a move");
        }
        _ => fs::remove_file(&path).expect("a deletion"),
    }
}

fn new_folder(folder: &Path) {
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(folder.join(part)).expect("a folder");
    }
}

/// The files of messages in a folder of the near side.
fn messages(folder: &Path) -> Vec<PathBuf> {
    ["cur", "new"].iter().flat_map(|part| files(&folder.join(part))).collect()
}

/// A file's name without flags, and the letters of its flags.
fn parts(path: &Path) -> (String, String) {
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    match name.split_once(":2,") {
        Some((stem, letters)) => (stem.to_owned(), letters.to_owned()),
        None => (name, String::new()),
    }
}

fn near_side(mail: &Path, plain: fn(&[u8]) -> Vec<u8>) -> Side {
    let mut side = Side::new();
    for entry in fs::read_dir(mail).expect("the near side").flatten().filter(|entry| entry.path().is_dir()) {
        let read = |path: &PathBuf| (plain(&fs::read(path).expect("a message")), parts(path).1);
        let mut held: Vec<_> = messages(&entry.path()).iter().map(read).collect();
        held.sort();
        side.insert(entry.file_name().to_string_lossy().into_owned(), held);
    }
    side
}

fn far_side(far: &mut Imap, plain: fn(&[u8]) -> Vec<u8>) -> Side {
    let mut side = Side::new();
    let listed = far.run("LIST \"\" \"*\"").expect("LIST");
    let names =
        listed.iter().filter_map(|response| Some(response.text.strip_prefix("* LIST ")?.split_once(" \"/\" ")?.1));
    for name in names.map(|name| name.trim_matches('"').to_owned()).collect::<Vec<_>>() {
        far.select(&name).expect("SELECT");
        let letters = |flags: &[String]| {
            FLAGS.iter().filter(|(flag, _)| flags.iter().any(|has| has == flag)).map(|(_, letter)| letter).collect()
        };
        let messages = far.fetch_all().expect("FETCH");
        let mut held: Vec<_> = messages.iter().map(|message| (plain(&message.body), letters(&message.flags))).collect();
        held.sort();
        side.insert(name, held);
    }
    side
}

/// Without what mbsync adds to know its own copies again, and without CR.
fn plain(message: &[u8]) -> Vec<u8> {
    without_cr(&without_field(message, "X-TUID"))
}

fn assert_equal(round: usize, near: &Side, far: &Side) {
    let names = |side: &Side| side.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(near), names(far), "folders after round {round}");
    for (folder, held) in near {
        let other = &far[folder];
        assert_eq!(held.len(), other.len(), "messages in {folder} after round {round}");
        for (mine, theirs) in held.iter().zip(other) {
            assert_eq!(mine.1, theirs.1, "flags in {folder} after round {round}");
            assert!(mine.0 == theirs.0, "bytes in {folder} after round {round}");
        }
    }
}
