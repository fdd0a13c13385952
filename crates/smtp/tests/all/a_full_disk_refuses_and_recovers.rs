use anser_smtp::Service;
use anser_testkit::sim::SimDisk;

use crate::house::{House, Peer, sim_blobs, sim_db};

#[test]
fn nothing_is_lost_and_service_goes_on_when_there_is_room() {
    let disk = SimDisk::new(1);
    let house = House::over(sim_db(&disk), sim_blobs(&disk), |_| {});
    let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
    for size in [1_000, 1_000_000] {
        let message = format!("Message-ID: <{size}@elsewhere.net>\r\n\r\n{}", "x".repeat(size));
        let mut mail = || peer.mail("eve@elsewhere.net", "ann@example.org", message.as_bytes());
        disk.set_full(true);
        let reply = mail();
        assert!(reply.starts_with("452 4.3.1"), "{size}: {reply}");
        disk.set_full(false);
        let reply = mail();
        assert!(reply.starts_with("250 2.0.0"), "{size}: {reply}");
        let mail = house.mail();
        assert_eq!(mail.len(), 1, "{size}");
        assert!(mail[0].body.starts_with(message.as_bytes()), "{size}");
    }
}
