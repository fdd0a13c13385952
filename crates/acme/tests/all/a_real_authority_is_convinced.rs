use anser_acme::Proof;
use anser_base::Timestamp;
use anser_net::certificate::{der_of_pem, server_end_point};
use anser_testkit::engines::{World, each_engine};
use tokio::runtime::Runtime;

use crate::world::{Authority, HOST, House, SCHEMAS, has_peers};

const SERVICE: &str = "mta-sts.example.org";

async fn house(world: &World, authority: &Authority, proof: Proof) -> House {
    House::open(world, &authority.url, [authority.http, authority.https], &authority.trust, proof).await
}

/// The chain and the key that are kept for a name, and the hash of the certificate.
async fn kept(house: &House, name: &str) -> (String, String, Vec<u8>) {
    let all = house.directory.certificates().await.unwrap();
    let found = all.into_iter().find(|one| one.name == name).unwrap();
    let hash = server_end_point(&der_of_pem(found.chain.as_bytes()).unwrap()).unwrap();
    (found.chain, found.key, hash)
}

/// All names of the house get certificates, which new handshakes are given by name, and are kept.
async fn is_convinced(world: &World, proof: impl Fn(&Authority) -> Proof) {
    let authority = Authority::start().await;
    let proof = proof(&authority);
    let first = house(world, &authority, proof.clone()).await;
    let before = first.served(HOST).await;
    let round = first.acme.round().await.unwrap();
    assert_eq!((round.failed, round.got), (vec![], vec![HOST.to_owned(), SERVICE.to_owned()]), "{proof:?}");
    let (.., hash) = kept(&first, HOST).await;
    assert_ne!(first.served(HOST).await, before);
    assert_eq!(first.served(HOST).await, hash);
    assert_eq!(first.served("unknown.example").await, hash, "the server's own name serves strangers");
    assert_eq!(first.served(SERVICE).await, kept(&first, SERVICE).await.2);
    assert_eq!(first.acme.round().await.unwrap(), Default::default(), "nothing is due again");
    first.stop().await;

    let second = house(world, &authority, proof).await;
    assert_ne!(second.served(HOST).await, hash);
    second.acme.install().await.unwrap();
    assert_eq!(second.served(HOST).await, hash, "what is kept serves after a restart");
    second.stop().await;
}

#[test]
fn by_a_file_a_certificate_or_a_record() {
    if !has_peers() {
        return;
    }
    let proofs: [fn(&Authority) -> Proof; 3] =
        [|_| Proof::Http, |_| Proof::TlsAlpn, |authority| Proof::Dns(authority.hook())];
    for proof in proofs {
        each_engine(SCHEMAS, |world| Runtime::new().unwrap().block_on(is_convinced(world, proof)));
    }
}

#[test]
fn a_renewed_certificate_keeps_its_key() {
    if !has_peers() {
        return;
    }
    let world = World::embedded(SCHEMAS);
    Runtime::new().unwrap().block_on(async {
        let authority = Authority::start().await;
        let house = house(&world, &authority, Proof::Http).await;
        house.acme.round().await.unwrap();
        let (chain, key, _) = kept(&house, HOST).await;
        // As if two thirds of its life had gone by.
        let mut old = house.directory.certificates().await.unwrap().into_iter().find(|one| one.name == HOST).unwrap();
        (old.begins, old.ends) = (Timestamp(house.clock.now().0 - 61_000), Timestamp(house.clock.now().0 + 29_000));
        house.directory.keep_certificate(old).await.unwrap();
        assert_eq!(house.acme.round().await.unwrap().got, [HOST]);
        let (new_chain, new_key, hash) = kept(&house, HOST).await;
        assert!(new_chain != chain && new_key == key);
        assert_eq!(house.served(HOST).await, hash);
        house.stop().await;
    });
}
