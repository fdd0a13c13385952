use anser_directory::{AliasTarget, NewDomain, Resolution};

use crate::house::{House, Report, address, envelope, message, on_each_engine};

async fn forward(house: &House, from: &str, to: &str) {
    house.directory.add_alias(&address(from), AliasTarget::Outside(address(to))).await.unwrap();
}

#[test]
fn a_forward_goes_on_with_a_sender_of_ours_and_what_was_asked_for() {
    on_each_engine(|house| async move {
        forward(&house, "sales@anser.test", "shop@far.test").await;
        let mut wanted = envelope("x@far.test", &["sales@anser.test"]);
        wanted.envid = Some("e1".into());
        wanted.recipients[0].orcpt = Some("rfc822;sales@anser.test".into());
        house.put(wanted.clone(), &message("hi")).await;
        house.run().await;
        let waiting = house.waiting().await;
        assert_eq!(waiting.len(), 1);
        let copy = &waiting[0].envelope;
        assert_eq!(copy.recipients[0].address, address("shop@far.test"));
        assert_eq!(copy.envid, wanted.envid);
        let sender = copy.sender.clone().unwrap();
        assert!(sender.local().starts_with("SRS0=") && sender.local().ends_with("=far.test=x"), "{sender}");
        assert_eq!(sender.domain(), "anser.test");
        // A bounce to it finds its way back, and one to a made-up one does not.
        let back = house.directory.resolve(&sender).await.unwrap();
        assert_eq!(back, Resolution::Forward(address("x@far.test")));
        let made_up = address(&sender.to_string().replace("=x@", "=y@"));
        assert_eq!(house.directory.resolve(&made_up).await.unwrap(), Resolution::NoSuchUser);
        assert_eq!(copy.recipients[0].orcpt, wanted.recipients[0].orcpt);
        let why = waiting[0].progress[0].why.as_deref();
        assert_eq!(why, Some("4.4.4 no route to other servers is configured"));
    });
}

#[test]
fn a_loop_of_forwards_ends_with_a_report() {
    on_each_engine(|house| async move {
        // The address was elsewhere when the alias was made, and then its domain became ours.
        forward(&house, "a@anser.test", "g@other.test").await;
        house.directory.add_domain(NewDomain::new("other.test")).await.unwrap();
        let group = house.directory.add_group(&address("g@other.test"), "G").await.unwrap();
        house.directory.add_members(group, vec![address("a@anser.test")]).await.unwrap();
        house.put(envelope("ann@anser.test", &["a@anser.test"]), &message("round")).await;
        house.run().await;
        let report = house.report("ann@anser.test").await;
        assert!(report.says("Status: 5.4.6") && report.says("Action: failed"), "{}", report.status);
        assert!(house.waiting().await.is_empty());
    });
}

#[test]
fn a_forward_that_comes_back_from_another_server_is_a_loop() {
    on_each_engine(|house| async move {
        forward(&house, "sales@anser.test", "shop@far.test").await;
        let raw = format!("Received: from x\r\nDelivered-To: Sales@anser.test\r\n{}", message("back"));
        house.put(envelope("ann@anser.test", &["sales@anser.test"]), &raw).await;
        house.run().await;
        assert!(house.report("ann@anser.test").await.says("Status: 5.4.6"));
        assert!(house.waiting().await.is_empty());
    });
}

#[test]
fn members_elsewhere_get_copies_once_those_here_have_theirs() {
    on_each_engine(|house| async move {
        let id = house.directory.add_group(&address("all@anser.test"), "All").await.unwrap();
        let members = ["bob@anser.test", "x@far.test", "y@far.test"].map(address).to_vec();
        house.directory.add_members(id, members).await.unwrap();
        house.directory.set_quota(house.account("bob@anser.test").await, 10).await.unwrap();
        house.put(envelope("ann@anser.test", &["all@anser.test"]), &message("one")).await;
        house.run().await;
        // Bob has no room: the group failed as a whole, and nobody elsewhere got it behind the sender's back.
        assert!(house.waiting().await.is_empty());
        assert!(Report::parse(&house.mail("ann@anser.test").await[0]).says("Status: 5.2.2"));

        house.directory.set_quota(house.account("bob@anser.test").await, 0).await.unwrap();
        house.put(envelope("ann@anser.test", &["all@anser.test"]), &message("two")).await;
        house.run().await;
        assert_eq!(house.mail("bob@anser.test").await.len(), 1);
        let waiting = house.waiting().await;
        assert_eq!(waiting.len(), 1);
        let recipients: Vec<_> = waiting[0].envelope.recipients.iter().map(|r| r.address.to_string()).collect();
        assert_eq!(recipients, ["x@far.test", "y@far.test"]);
    });
}
