use anser_base::EntryId;
use anser_journal::{Entry, Event, Origin, Query, What};

use crate::fixture::{START, accepted, on_each_engine, peer};

#[test]
fn an_event_is_one_line_in_both_languages() {
    let event = |what| Event { at: START, node: 0, seq: 1, origin: peer(), what };
    let what = accepted(7, "m@far.test", "ann@anser.test").what;
    assert_eq!(
        event(what).line().en,
        "2026-11-21T00:00:00.000Z smtp 192.0.2.7 accepted as 7: <m@far.test>, 20000 bytes, from <bob@far.test> to ann@anser.test"
    );
    let why = "550 no\r\n2026-11-21T00:00:00.000Z forged\u{202e}\0".to_owned();
    let failed = What::Failed { entry: EntryId(7), recipient: "a@b".into(), host: Some("h".into()), why, report: None };
    let line = event(failed).line();
    for text in [&line.en, &line.zh] {
        assert!(!text.contains(|c: char| c.is_control() || c == '\u{202e}'), "{text:?}");
        assert!(text.contains("550 no"));
    }
    assert!(line.zh.contains("无法投递"));
}

#[test]
fn what_a_peer_said_is_kept_whole_or_cut_but_never_harmful() {
    on_each_engine(|data| async move {
        let journal = data.journal().await;
        let user = "nul\0 quote\" 例 \u{1f4e7}".to_owned();
        let why = "x".repeat(1 << 20);
        let what = What::LoginFailed { user: user.clone(), why, reason: None };
        journal.append(Entry { origin: Origin::internal(), what }).await.unwrap();
        journal.flush().await.unwrap();
        let found = journal.trace(Query::Address(user.clone()), 10).await.unwrap();
        let What::LoginFailed { user: kept, why, .. } = &found[0].what else { panic!("{found:?}") };
        assert_eq!((kept, why.len()), (&user, 1000));
    });
}
