//! P11: what users complain of is kept with the move, and a move is not closed over it unless somebody says so.

use anser_base::{Class, Clock};
use anser_migrate::Said;
use anser_migrate::documents::Language;

use crate::fake::{Fake, Habits, folder};
use crate::office::{MOVE, Office, each_office};

async fn gate(office: &Office) -> (String, String) {
    let look = office.migrate.look_at_gates(MOVE, &[], Said::default()).await.unwrap();
    let gate = look.gates.into_iter().find(|gate| gate.gate == "tickets").unwrap();
    (gate.state, gate.en)
}

#[test]
fn a_move_with_an_open_ticket_is_not_closed_in_silence() {
    each_office(&[], &Clock::System, async |office| {
        let fake = Fake::start(vec![folder("INBOX", Vec::new())], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        assert_eq!(gate(office).await.0, "passed");
        let first = office.migrate.open_ticket(MOVE, "root", "ann: no signature").await.unwrap();
        let second = office.migrate.open_ticket(MOVE, "root", "bob: slow").await.unwrap();
        office.migrate.close_ticket(MOVE, first, "carl", "it was set").await.unwrap();
        let again = office.migrate.close_ticket(MOVE, first, "carl", "").await.unwrap_err();
        assert_eq!(again.class, Class::NotFound);
        for text in ["", &"x".repeat(5000)] {
            assert_eq!(office.migrate.open_ticket(MOVE, "root", text).await.unwrap_err().class, Class::Invalid);
        }
        let (state, words) = gate(office).await;
        assert!(state == "open" && words.ends_with(&format!(": {second}")), "{words}");
        assert_eq!(office.migrate.close_move(MOVE, &[]).await.unwrap_err().class, Class::Conflict);
        let facts = office.migrate.facts(MOVE, &[], Language::En).await.unwrap();
        let rows = &facts.tables["tickets"].rows;
        assert_eq!((rows.len(), rows[0][5].as_str(), rows[1][4].as_str()), (2, "it was set", ""));
        let figure = |name: &str| facts.tables["usage"].rows.iter().find(|row| row[0] == name).unwrap()[1].clone();
        assert_eq!([figure("Accounts"), figure("Never logged in to")], ["1", "1"]);
        office.migrate.close_ticket(MOVE, second, "carl", "").await.unwrap();
        assert_eq!(gate(office).await.0, "passed");
    });
}
