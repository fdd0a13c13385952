use anser_queue::Envelope;

use crate::house::{envelope, message, on_each_engine};

const ANN: &str = "ann@anser.test";

fn judged(results: &str) -> Envelope {
    let trace = format!("Authentication-Results: mail.anser.test;\r\n\t{results}\r\nReceived: from far.test\r\n");
    Envelope { trace: trace.into_bytes(), ..envelope("x@far.test", &[ANN]) }
}

const APART: &str = "spf=fail;\r\n\tdmarc=fail (p=quarantine) header.from=far.test policy.dmarc=quarantine";

#[test]
fn with_rules_and_without_it_goes_to_the_junk_mailbox_unless_a_rule_says_more() {
    on_each_engine(|house| async move {
        house.put(judged(APART), &message("one")).await;
        house.run().await;
        house.script(ANN, "if header :is \"subject\" \"three\" { keep; }\n").await;
        house.put(judged(APART), &message("two")).await;
        house.run().await;
        let junk = house.folder(ANN, "Junk").await.unwrap();
        assert!(junk.len() == 2 && junk[0].contains("Subject: one") && junk[1].contains("Subject: two"), "{junk:?}");
        assert!(house.mail(ANN).await.is_empty());

        house.put(judged(APART), &message("three")).await;
        house.put(judged(&APART.replace(" policy.dmarc=quarantine", "")), &message("four")).await;
        let commented = "dmarc=fail (policy.dmarc=quarantine) header.from=far.test";
        house.put(judged(commented), &message("five")).await;
        house.run().await;
        assert_eq!(house.mail(ANN).await.len(), 3);
    });
}
