//! Whatever the messages, and whatever state the index is in: a search finds what looking through every message's text would find.

use anser_base::{BlobId, Durability, MessageId, Timestamp};
use anser_db::Place;
use anser_store::{Content, NewMessage, Searching, Store};
use anser_testkit::engines::World;
use anser_text::{Field, Query, Searchable};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::fixture::{ANN, TENANT, content, inbox, on_each_engine, read, runtime, store, write};

/// A message in one of many charsets and encodings, plain or HTML, with an attachment.
fn message() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "[a-d ]{0,30}",
        "[中国科学院报告 ]{0,20}",
        "(foo|bar|Quarterly|REPORT|x1y2z3|joe@example\\.com|ＦＵＬＬ|[.,!-]| ){0,12}",
    ];
    (text.clone(), text.clone(), text, 0..5u8, any::<bool>()).prop_map(|(subject, body, file, coding, html)| {
        let body = if html { format!("<p class=secret>{body}</p><script>hidden</script>&amp;") } else { body };
        let kind = if html { "html" } else { "plain" };
        let (charset, coded, encoding) = match coding {
            0 => ("utf-8", body, "8bit"),
            1 => ("utf-8", anser_mime::encoding::encode_base64(body.as_bytes()), "base64"),
            2 => ("utf-8", body.bytes().map(|byte| format!("={byte:02X}")).collect(), "quoted-printable"),
            3 => ("utf-16be", utf16(&body), "base64"),
            _ => ("us-ascii", body.chars().filter(char::is_ascii).collect(), "7bit"),
        };
        let word = anser_mime::encoding::encode_base64(subject.as_bytes()).replace("\r\n", "");
        let name = anser_mime::encoding::encode_base64(file.as_bytes()).replace("\r\n", "");
        format!(
            "From: Joe Doe <joe@example.com>\r\nSubject: =?utf-8?B?{word}?=\r\nX-Note: n\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{coded}\r\n\
             --b\r\nContent-Type: image/png; name=\"=?utf-8?B?{name}?=\"\r\n\r\nPNG\r\n--b--\r\n"
        )
    })
}

fn utf16(text: &str) -> String {
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    anser_mime::encoding::encode_base64(&bytes)
}

pub async fn fill(store: &Store, messages: &[String]) -> Vec<MessageId> {
    let inbox = inbox(store).await;
    let mut ids = Vec::new();
    for raw in messages {
        let new = NewMessage::new(content(store, raw), inbox, Timestamp::from_secs(1_700_000_000));
        ids.push(write(store, move |tx| tx.append(&new)).await.unwrap().message);
    }
    ids
}

fn index_all(store: &Store) {
    while store.index_some(ANN, TENANT).unwrap().more {}
}

/// Compares answers with the plain search over every text; `ids` are those that exist.
pub async fn compare(store: &Store, ids: &[MessageId], needles: &[String]) {
    let texts: Vec<_> = {
        let (store, ids) = (store.clone(), ids.to_vec());
        let all = move || ids.iter().map(|id| store.searchable_text(ANN, TENANT, *id).unwrap()).collect();
        tokio::task::spawn_blocking(all).await.unwrap()
    };
    let queries: Vec<Query> = needles
        .iter()
        .flat_map(|needle| {
            let header = |name: &str| Query::header(name, needle);
            [Query::text(needle), Query::body(needle), header("Subject"), header("From"), header("X-Note")]
        })
        .collect();
    ask(store, ids, &texts, queries.clone()).await;
    // Questions for kept fields alone go another way.
    let is_kept = |query: &Query| matches!(&query.field, Field::Header(name) if name != "x-note");
    ask(store, ids, &texts, queries.into_iter().filter(is_kept).collect()).await;
}

async fn ask(store: &Store, ids: &[MessageId], texts: &[Searchable], queries: Vec<Query>) {
    let found = store.search(ANN, TENANT, queries.clone(), ids.to_vec(), &Searching::default()).await.unwrap();
    assert_eq!(found.partly, 0);
    for (query, found) in queries.iter().zip(&found.messages) {
        let plain = ids.iter().zip(texts).filter(|(_, text)| query.is_in(&text.head, &text.body)).map(|(id, _)| *id);
        assert_eq!(*found, plain.collect::<Vec<_>>(), "{query:?}");
    }
}

fn some_needles(texts: &[String]) -> Vec<String> {
    let mut needles: Vec<String> =
        ["", " ", "a", "中", "科学院", "报告", "foo", "r", "quarterly report", "@example.com", "full", "secret"]
            .map(str::to_owned)
            .to_vec();
    needles.extend(["hidden", "text/html", "n", "joe doe <joe", "不在", "zzz"].map(str::to_owned));
    needles.extend(texts.iter().map(|text| text.chars().skip(3).take(5).collect()));
    needles
}

#[test]
fn in_any_state_of_the_index() {
    let mut runner = TestRunner::new(Config { cases: 6, ..Config::default() });
    let cases = (prop::collection::vec(message(), 1..40), prop::collection::vec("[a-c中国科 ]{1,3}", 5), 0..40usize);
    runner
        .run(&cases, |(messages, strange, indexed)| {
            on_each_engine(|store| {
                let (messages, strange) = (messages.clone(), strange.clone());
                async move {
                    let (first, rest) = messages.split_at(indexed.min(messages.len()));
                    let mut ids = fill(&store, first).await;
                    let blocking = store.clone();
                    tokio::task::spawn_blocking(move || index_all(&blocking)).await.unwrap();
                    ids.extend(fill(&store, rest).await);
                    let needles = some_needles(&strange);
                    // The first are in the index, the others are read.
                    compare(&store, &ids, &needles).await;
                    let blocking = store.clone();
                    tokio::task::spawn_blocking(move || index_all(&blocking)).await.unwrap();
                    compare(&store, &ids, &needles).await;
                    // Destroyed ones are found no more, thrown away indexes are made again.
                    let inbox = inbox(&store).await;
                    write(&store, move |tx| tx.expunge(inbox, &[1], false)).await;
                    let left = &ids[1..];
                    compare(&store, left, &needles).await;
                    let blocking = store.clone();
                    tokio::task::spawn_blocking(move || {
                        index_all(&blocking);
                        blocking.discard_index(ANN).unwrap();
                    })
                    .await
                    .unwrap();
                    compare(&store, left, &needles).await;
                }
            });
            Ok(())
        })
        .unwrap();
}

#[test]
fn through_many_small_segments_and_their_merges() {
    on_each_engine(|store| async move {
        let mut ids = Vec::new();
        for n in 0..90 {
            let raw = format!("Subject: message {n}\r\n\r\nnumber{n} 第{n}封 common words\r\n");
            ids.extend(fill(&store, &[raw]).await);
            let blocking = store.clone();
            tokio::task::spawn_blocking(move || index_all(&blocking)).await.unwrap();
        }
        let segments = store.db().read(Place::Search(ANN), |tx| {
            tx.query("SELECT messages FROM search_segment WHERE status = 1", &[], |row| row.int(0))
        });
        let segments = segments.await.unwrap();
        assert!(segments.len() < 16 && segments.iter().sum::<i64>() == 90, "{segments:?}");
        let needles = ["number1", "第8", "封", "common words", "er77", "9"].map(str::to_owned);
        compare(&store, &ids, &needles).await;
    });
}

#[test]
fn after_the_index_was_damaged_or_came_from_another_time() {
    let world = World::embedded(crate::fixture::schemas());
    let ids = {
        let store = store(&world);
        let ids = runtime()
            .block_on(fill(&store, &["Subject: one\r\n\r\nalpha\r\n".into(), "Subject: two\r\n\r\nbeta\r\n".into()]));
        index_all(&store);
        ids
    };
    let file = Place::Search(ANN).file(&world.dir.path().join("data"));
    let whole = std::fs::read(&file).unwrap();
    let needles = ["alpha".to_owned(), "beta".to_owned(), "two".to_owned()];
    for damage in [vec![0xA5; whole.len()], Vec::new(), whole[..whole.len() / 2].to_vec(), {
        let mut torn = whole.clone();
        torn[4096..].fill(0x5A);
        torn
    }] {
        std::fs::write(&file, damage).unwrap();
        let store = store(&world);
        runtime().block_on(compare(&store, &ids, &needles));
        index_all(&store);
        runtime().block_on(compare(&store, &ids, &needles));
    }
    // An index that knows other messages under these numbers, as after a power cut.
    {
        let store = store(&world);
        let spoil = store.db().write(Place::Search(ANN), Durability::Sync, |tx| {
            let map = tx.query_one("SELECT map FROM search_segment", &[], |row| row.blob(0))?.unwrap();
            let mut map = map;
            *map.last_mut().unwrap() ^= 0xff;
            tx.execute("UPDATE search_segment SET map = ?1", anser_db::params![&map])?;
            tx.execute("UPDATE search_text SET body = head", &[])
        });
        spoil.wait().unwrap();
    }
    let store = store(&world);
    runtime().block_on(compare(&store, &ids, &needles));
    let ids_now = runtime().block_on(read(&store, |tx| Ok(tx.messages())));
    assert_eq!(ids_now, 2);
}

/// A body that is not there stands for one that takes long: right after a large import, header fields wait for no index.
#[test]
fn header_fields_of_mail_that_is_not_indexed_are_found_without_its_bodies() {
    on_each_engine(async |store| {
        let inbox = inbox(&store).await;
        let raw =
            b"From: =?utf-8?B?5byg5LiJ?= <zhang@example.com>\r\nSubject: =?utf-8?Q?Quarterly?= report\r\n\r\ntext\r\n";
        let mut ids = Vec::new();
        for _ in 0..200 {
            let content = Content::parse(BlobId::of(raw), raw);
            let new = NewMessage::new(content, inbox, Timestamp::from_secs(1_700_000_000));
            ids.push(write(&store, move |tx| tx.append(&new)).await.unwrap().message);
        }
        let queries = ["subject", "from", "to"]
            .map(|name| Query::header(name, if name == "from" { "张三 <" } else { "RLY rep" }));
        let found = store.search(ANN, TENANT, queries.to_vec(), ids.clone(), &Searching::default()).await.unwrap();
        assert_eq!(found.messages, [ids.clone(), ids, Vec::new()]);
        assert_eq!(found.partly, 0, "no body was wanted");
    });
}
