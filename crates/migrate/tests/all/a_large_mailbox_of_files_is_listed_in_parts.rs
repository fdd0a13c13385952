//! Case 47 for mail that lies in files: what holds more than is listed at once is gone over part by part, and still what is new and what is
//! gone is known, and nothing comes twice.

use std::fmt::Write;
use std::path::Path;

use anser_migrate::Kind;
use anser_migrate::source::{Listed, Origin};
use anser_migrate::trouble::Trouble;

use crate::house::{House, each_house, files_at};

fn mbox(path: &Path, numbers: impl Iterator<Item = usize>) {
    let mut text = String::new();
    for number in numbers {
        write!(text, "From a Sat Nov 21 08:00:00 2026\n\n{number}\n\n").unwrap();
    }
    std::fs::write(path, text).unwrap();
}

async fn open(path: &Path) -> Origin {
    files_at(Kind::Mbox, path).await
}

async fn pass(house: &House, path: &Path) -> Result<u64, Trouble> {
    house.pass_as("generic", open(path).await, false, false).await.map(|outcome| outcome.copied)
}

#[test]
fn what_is_new_and_what_is_gone_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mail");
    let most = 6_600;
    each_house(async |house| {
        mbox(&path, 0..most);
        let mut origin = open(&path).await;
        let standing = origin.examine(b"INBOX").await.unwrap();
        let mut listed = 0;
        for window in origin.windows(&standing) {
            let Listed::All(seen) = origin.list(window).await.unwrap() else { panic!("a part is listed as a whole") };
            assert!(seen.len() <= 5_000);
            listed += seen.len();
        }
        assert_eq!(listed, most);
        assert_eq!(pass(house, &path).await.unwrap(), most as u64);
        let before = house.held().await;
        let order: Vec<String> =
            before["INBOX"].iter().map(|mail| String::from_utf8(mail.4.clone()).unwrap()).collect();
        let odd = order.iter().enumerate().find(|(number, body)| body.trim() != number.to_string());
        assert_eq!(odd, None, "in the order of the file");
        // Some left, some came.
        mbox(&path, 5..most + 3);
        assert_eq!(pass(house, &path).await.unwrap(), 3);
        assert_eq!(house.held().await["INBOX"].len(), most + 3, "what left there stays here");
        mbox(&path, 5..most + 3);
        assert_eq!(pass(house, &path).await.unwrap(), 0);
        mbox(&path, 5..most - 1_500);
        match pass(house, &path).await {
            Err(Trouble::Question(words)) => assert!(words.contains("lost 1503"), "{words}"),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn what_is_read_to_find_the_folders_is_read_once_a_pass() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mail");
    mbox(&path, 0..3);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut origin = open(&path).await;
        // Nothing is looked for again, or it would be missed.
        std::fs::remove_file(&path).unwrap();
        assert_eq!(origin.folders().await.map_err(|trouble| trouble.words()).unwrap().len(), 1);
        assert!(origin.folders().await.is_err(), "but by the next pass over the same source");
    });
}
