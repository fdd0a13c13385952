use std::time::Duration;

use anser_peers::aggregate::Row;
use anser_peers::counts::{Due, KEPT};
use anser_peers::tls::Session;
use anser_peers::{DAY, Kind};

use crate::{START, on_each_engine};

fn row(source: &str) -> Row {
    Row { source: source.parse().ok(), disposition: "pass".into(), dkim: true, ..Row::default() }
}

#[test]
fn alike_things_are_one_line_and_days_are_apart() {
    on_each_engine(|peers, clock| async move {
        let (one, other) = (row("192.0.2.1"), row("2001:db8::1"));
        for row in [&one, &other, &one] {
            peers.count(Kind::Dmarc, "a.test", row).await.unwrap();
        }
        peers.count(Kind::Dmarc, "b.test", &one).await.unwrap();
        peers.count(Kind::Tls, "a.test", &Session::default()).await.unwrap();
        assert_eq!(peers.due().await.unwrap(), [], "the day is not over");

        clock.advance(Duration::from_secs(DAY as u64));
        peers.count(Kind::Dmarc, "a.test", &other).await.unwrap();
        let day = START.secs().div_euclid(DAY);
        let due = |kind, domain: &str| Due { kind, domain: domain.into(), day };
        let all = [due(Kind::Dmarc, "a.test"), due(Kind::Dmarc, "b.test"), due(Kind::Tls, "a.test")];
        assert_eq!(peers.due().await.unwrap(), all);
        assert_eq!(peers.counted::<Row>(&all[0], 10).await.unwrap(), [(one.clone(), 2), (other.clone(), 1)]);
        assert_eq!(peers.counted::<Row>(&all[0], 1).await.unwrap(), [(one, 2)]);
        assert_eq!(peers.counted::<Session>(&all[2], 10).await.unwrap(), [(Session::default(), 1)]);

        peers.told(&all[0]).await.unwrap();
        assert_eq!(peers.due().await.unwrap(), all[1..]);
        clock.advance(Duration::from_secs(DAY as u64));
        let next = Due { day: day + 1, ..all[0].clone() };
        assert_eq!(peers.counted::<Row>(&next, 10).await.unwrap(), [(other, 1)], "another day stays");
    });
}

#[test]
fn what_cannot_be_told_is_forgotten() {
    on_each_engine(|peers, clock| async move {
        peers.count(Kind::Dmarc, "a.test", &row("192.0.2.1")).await.unwrap();
        for _ in 0..KEPT {
            clock.advance(Duration::from_secs(DAY as u64));
            peers.forget_untold().await.unwrap();
            assert_eq!(peers.due().await.unwrap().len(), 1);
        }
        clock.advance(Duration::from_secs(DAY as u64));
        peers.forget_untold().await.unwrap();
        assert_eq!(peers.due().await.unwrap(), []);
    });
}
