use std::net::TcpListener;

use anser_acme::Proof;
use anser_journal::{Query, What};
use anser_net::certificate::self_signed;
use anser_testkit::engines::each_engine;
use tokio::runtime::Runtime;

use crate::world::{HOST, House, SCHEMAS};

#[test]
fn an_authority_that_is_not_there_costs_nothing_but_a_letter() {
    each_engine(SCHEMAS, |world| {
        Runtime::new().unwrap().block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let trust = folder.path().join("ca.pem");
            std::fs::write(&trust, self_signed(&["127.0.0.1".to_owned()]).unwrap().0).unwrap();
            let nobody = {
                let taken = TcpListener::bind("127.0.0.1:0").unwrap();
                taken.local_addr().unwrap().port()
            };
            let url = format!("https://127.0.0.1:{nobody}/dir");
            let house = House::open(world, &url, [0, 0], &trust, Proof::Http).await;
            let before = house.served(HOST).await;
            let round = house.acme.round().await.unwrap();
            let failed: Vec<&str> = round.failed.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!((failed, round.got.len()), (vec![HOST, "mta-sts.example.org"], 0));
            assert_eq!(house.served(HOST).await, before);

            let letter = house.queue.next_due().await;
            let to: Vec<String> =
                letter.entry().envelope.recipients.iter().map(|recipient| recipient.address.to_string()).collect();
            assert_eq!(to, ["postmaster@example.org"]);
            house.journal.flush().await.unwrap();
            let events = house.journal.trace(Query::parse("acme"), 10).await.unwrap();
            let notes: Vec<String> = events
                .into_iter()
                .filter_map(|event| match event.what {
                    What::Administered { object, after, .. } => Some(format!("{object} {}", after.unwrap_or_default())),
                    _ => None,
                })
                .collect();
            assert!(notes.iter().any(|note| note.starts_with("mail.example.org failed: ")), "{notes:?}");
            drop(letter);
            house.stop().await;
        });
    });
}
