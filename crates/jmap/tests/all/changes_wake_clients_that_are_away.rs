//! Web Push (RFC 8620 §7.2, RFC 8030, RFC 8291, RFC 8292, RFC 9749), to a push service of the test's own.

use std::io::Read;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anser_directory::Password;
use anser_jmap::{Limits, Web};
use anser_net::certificate::self_signed;
use anser_net::dns::{Data, Zone};
use anser_net::http::client::Options;
use anser_net::http::{Request, Response, Route, Routes, Site, session, with};
use anser_net::{CertificateSource, Resolver, ServeOptions, Shutdown, TlsAcceptor, bind, serve};
use anser_testkit::door::PASSWORD;
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::signature::{self, ECDSA_P256_SHA256_FIXED};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::node::Node;

const HOST: &str = "push.example";
/// How long is waited for what has to come.
const SOON: Duration = Duration::from_secs(120);

/// What came in at the push service.
pub struct Pushed {
    pub path: String,
    authorization: String,
    ttl: String,
    encoding: String,
    pub body: Vec<u8>,
}

pub struct Service {
    /// What it answers.
    status: AtomicU16,
    heard: Mutex<Sender<Pushed>>,
}

async fn take(service: Arc<Service>, mut request: Request) -> Response {
    let field = |name: &str| request.header(name).to_owned();
    let (authorization, ttl, encoding) = (field("authorization"), field("ttl"), field("content-encoding"));
    let path = request.parameter("path").to_owned();
    let body = request.body().await.unwrap().to_vec();
    let status = service.status.load(Ordering::SeqCst);
    service.heard.lock().unwrap().send(Pushed { path, authorization, ttl, encoding, body }).unwrap();
    Response::empty(status)
}

/// A node, and a push service that it reaches.
pub struct World {
    pub node: Node,
    service: Arc<Service>,
    heard: Receiver<Pushed>,
    pub base: String,
    /// The browser's own.
    key: PrivateKey,
    secret: [u8; 16],
    _folder: TempDir,
}

impl World {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = self_signed(&[HOST.to_owned()]).unwrap();
        let authorities = folder.path().join("push.pem");
        std::fs::write(&authorities, &certificate).unwrap();
        let zone = Zone::new();
        zone.add(HOST, Data::A([127, 0, 0, 1].into()));
        let options = Options { private: true, ..Options::new(authorities, Duration::from_secs(60)) };
        let node = Node::reaching(Limits::default(), Some(Web { resolver: Resolver::zone(zone), options }));
        let (sender, heard) = channel();
        let service = Arc::new(Service { status: AtomicU16::new(201), heard: Mutex::new(sender) });
        let routes = Routes::of([Route::post("/{path}", with(&service, take)).any_origin()]);
        let _inside = node.door.runtime.enter();
        let listeners = bind(&[([127, 0, 0, 1], 0).into()]).unwrap();
        let base = format!("https://{HOST}:{}", listeners[0].address().port());
        let tls = TlsAcceptor::new(vec![CertificateSource::Pem(certificate, key)]).unwrap();
        let options = ServeOptions { tls: Some(tls), ..ServeOptions::new("push") };
        let site = Arc::new(Site::new(routes));
        let handler = move |stream, shutdown| session(stream, site.clone(), shutdown);
        node.door.runtime.spawn(serve(listeners, options, Shutdown::new(), handler));
        drop(_inside);
        let key = PrivateKey::generate(&ECDH_P256).unwrap();
        Self { node, service, heard, base, key, secret: *b"0123456789abcdef", _folder: folder }
    }

    /// A subscription with the browser's keys.
    fn subscription(&self, path: &str, more: Value) -> Value {
        let public = self.key.compute_public_key().unwrap();
        let [public, secret] = [public.as_ref(), &self.secret[..]].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        let mut object = json!({ "deviceClientId": "a889-ffea-910", "url": format!("{}/{path}", self.base),
            "keys": { "p256dh": public, "auth": secret } });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    }

    /// Methods that know no account.
    pub fn call(&self, who: &str, method: &str, arguments: Value) -> Value {
        let mut response = self.node.calls(who, json!([[method, arguments, "c"]])).remove(0);
        if response[0] == "error" { response[1]["type"].take() } else { response[1].take() }
    }

    pub fn set(&self, arguments: Value) -> Value {
        self.call("ann", "PushSubscription/set", arguments)
    }

    pub fn next(&self) -> Pushed {
        self.heard.recv_timeout(SOON).expect("something is pushed")
    }

    /// What is pushed next, as the browser reads it.
    fn next_read(&self) -> Value {
        serde_json::from_slice(&self.open(&self.next())).unwrap()
    }

    /// RFC 8291 §3, from the other side.
    fn open(&self, pushed: &Pushed) -> Vec<u8> {
        assert_eq!(pushed.encoding, "aes128gcm");
        let (salt, rest) = pushed.body.split_at(16);
        assert_eq!(&rest[..5], [0, 0, 16, 0, 65], "a record of 4096, and a key");
        let (theirs, sealed) = rest[5..].split_at(65);
        let public = self.key.compute_public_key().unwrap();
        let info = [b"WebPush: info\0", public.as_ref(), theirs].concat();
        let ikm = agree(&self.key, UnparsedPublicKey::new(&ECDH_P256, theirs), (), |shared| {
            Ok(derived(&self.secret, shared, &info, 32))
        });
        let ikm = ikm.unwrap();
        let key = derived(salt, &ikm, b"Content-Encoding: aes128gcm\0", 16);
        let nonce = derived(salt, &ikm, b"Content-Encoding: nonce\0", 12);
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
        let mut text = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(&nonce).unwrap();
        let text = key.open_in_place(nonce, Aad::empty(), &mut text).unwrap();
        assert_eq!(text.last(), Some(&2), "the last record");
        text[..text.len() - 1].to_vec()
    }

    /// A subscription that is verified; its id.
    fn verified(&self, path: &str, more: Value) -> String {
        let made = self.set(json!({ "create": { "4f29": self.subscription(path, more) } }));
        let id = made["created"]["4f29"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        let told = self.next_read();
        assert_eq!((&told["@type"], &told["pushSubscriptionId"]), (&json!("PushVerification"), &json!(id)));
        let code = &told["verificationCode"];
        let done = self.set(json!({ "update": { id.clone(): { "verificationCode": code } } }));
        assert!(done["updated"].as_object().is_some_and(|all| all.contains_key(&id)), "{done}");
        id
    }

    /// Waits until no subscription of ann's is left.
    fn until_none_is_left(&self) {
        let begun = std::time::Instant::now();
        let (directory, account) = (&self.node.door.directory, self.node.account("ann"));
        while !self.node.door.runtime.block_on(directory.push_subscriptions(account)).unwrap().is_empty() {
            assert!(begun.elapsed() < SOON, "it stays");
            std::thread::yield_now();
        }
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derived(salt: &[u8], secret: &[u8], info: &[u8], length: usize) -> Vec<u8> {
    let (mut bytes, info) = (vec![0; length], [info]);
    let key = Salt::new(HKDF_SHA256, salt).extract(secret);
    key.expand(&info, Length(length)).unwrap().fill(&mut bytes).unwrap();
    bytes
}

const LETTER: &str = "From: x@y.example\nSubject: hi\n\nhi\n";

/// RFC 8620 §7.2.3: created, verified, and told of what it wants to hear of.
#[test]
fn who_shows_the_code_is_told_of_changes() {
    let world = World::start();
    let made = world.set(json!({ "create": { "4f29": world.subscription("a", json!({ "types": ["Mailbox"] })) } }));
    let told = made["created"]["4f29"].clone();
    let id = told["id"].as_str().unwrap();
    assert_eq!(told["expires"], "2027-02-14T08:00:00Z", "30 days: {made}");
    let pushed = world.next();
    assert_eq!((pushed.path.as_str(), pushed.ttl.as_str()), ("a", "86400"));
    // RFC 8292 §3, and the key that RFC 9749 tells.
    let session = world.node.as_user("ann", "GET", "/jmap/session", "", b"").json();
    let public = session["capabilities"]["urn:ietf:params:jmap:webpush-vapid"]["applicationServerKey"].clone();
    let (token, key) = pushed.authorization.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
    assert_eq!(key, public);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let [key, signature] = [key, signature].map(|text| URL_SAFE_NO_PAD.decode(text).unwrap());
    signature::UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(signed.as_bytes(), &signature).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.').unwrap().1).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!(world.base), &json!("https://mail.anser.test")));
    let code = serde_json::from_slice::<Value>(&world.open(&pushed)).unwrap()["verificationCode"].take();
    let wrong = world.set(json!({ "update": { id: { "verificationCode": "guess" } } }));
    assert_eq!(wrong["notUpdated"][id]["properties"], json!(["verificationCode"]));
    let right = world.set(json!({ "update": { id: { "verificationCode": code } } }));
    assert_eq!(right["updated"], json!({ id: null }));
    let listed = world.call("ann", "PushSubscription/get", json!({ "ids": [id, "P999"] }));
    assert_eq!(
        listed["list"],
        json!([{ "id": id, "deviceClientId": "a889-ffea-910", "verificationCode": code,
        "expires": told["expires"], "types": ["Mailbox"] }])
    );
    assert_eq!((&listed["notFound"], listed.get("state")), (&json!(["P999"]), None));
    let change: Value = serde_json::from_slice(&world.open(&stirred(&world))).unwrap();
    let account = world.node.id("ann");
    let types: Vec<&String> = change["changed"][&account].as_object().unwrap().keys().collect();
    assert!(change["@type"] == "StateChange" && types == ["Mailbox"], "{change}");
}

/// Deliveries until something is pushed: it begins a moment after the code was shown.
fn stirred(world: &World) -> Pushed {
    loop {
        world.node.deliver("ann", LETTER, 0);
        if let Ok(pushed) = world.heard.recv_timeout(Duration::from_millis(500)) {
            return pushed;
        }
    }
}

#[test]
fn what_the_service_has_forgotten_is_forgotten_here() {
    let world = World::start();
    let none = json!({ "keys": null });
    let id = world.set(json!({ "create": { "k": world.subscription("b", none) } }))["created"]["k"]["id"].take();
    let plain = world.next();
    assert_eq!(plain.encoding, "", "who gives no keys reads it as it is");
    let told: Value = serde_json::from_slice(&plain.body).unwrap();
    let id = id.as_str().unwrap();
    world.set(json!({ "update": { id: { "verificationCode": told["verificationCode"] } } }));
    let told: Value = serde_json::from_slice(&stirred(&world).body).unwrap();
    assert_eq!(told["@type"], "StateChange");
    world.service.status.store(410, Ordering::SeqCst);
    stirred(&world);
    world.until_none_is_left();
}

/// One that does not answer is waited for, and meanwhile the others hear.
#[test]
fn a_service_that_does_not_answer_keeps_no_other_waiting() {
    let world = World::start();
    world.verified("a", json!({}));
    let slow = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{HOST}:{}/x", slow.local_addr().unwrap().port());
    let made = world.set(json!({ "create": { "k": { "deviceClientId": "slow", "url": url } } }));
    assert!(made["created"].is_object(), "{made}");
    let (mut connection, _) = slow.accept().unwrap();
    let told: Value = serde_json::from_slice(&world.open(&stirred(&world))).unwrap();
    assert_eq!(told["@type"], "StateChange");
    connection.set_nonblocking(true).unwrap();
    let mut bytes = [0; 4096];
    let end = loop {
        match connection.read(&mut bytes) {
            Ok(0) => break "given up",
            Ok(_) => {}
            Err(_) => break "waited for",
        }
    };
    assert_eq!(end, "waited for");
}

#[test]
fn a_subscription_is_of_what_it_was_asked_for_with() {
    let world = World::start();
    let id = world.verified("c", json!({}));
    assert_eq!(world.call("bob", "PushSubscription/get", json!({ "ids": [id] }))["notFound"], json!([id]));
    assert_eq!(
        world.call("bob", "PushSubscription/set", json!({ "destroy": [id] }))["notDestroyed"][&id]["type"],
        "notFound"
    );
    let told = stirred(&world);
    assert_eq!(serde_json::from_slice::<Value>(&world.open(&told)).unwrap()["@type"], "StateChange");
    // Whoever had the old password is told no more.
    let (directory, account) = (&world.node.door.directory, world.node.account("ann"));
    let password = Password::Plain(PASSWORD.as_bytes().into());
    world.node.door.runtime.block_on(directory.set_password(account, &password, false)).unwrap();
    let before = world.node.write("ann", |tx| Ok(tx.state()));
    world.node.deliver("ann", LETTER, 0);
    world.until_none_is_left();
    // What was on its way may come yet.
    for pushed in world.heard.try_iter() {
        let told: Value = serde_json::from_slice(&world.open(&pushed)).unwrap();
        let states = told["changed"][world.node.id("ann")].as_object().unwrap().values();
        let states = states.map(|state| state.as_str().unwrap().parse::<u64>().unwrap());
        assert!(states.max().unwrap() <= before, "what came after that was pushed: {told}");
    }
}

#[test]
fn what_is_no_subscription_is_refused() {
    let world = World::start();
    let refused = |more: Value| {
        let made = world.set(json!({ "create": { "k": world.subscription("d", more) } }));
        made["notCreated"]["k"].clone()
    };
    for (name, value) in [
        ("url", json!("http://push.example/x")),
        ("url", json!("https://user@push.example/x")),
        ("url", json!(7)),
        ("keys", json!({ "p256dh": "AAAA", "auth": "AAAA" })),
        ("keys", json!("x")),
        ("deviceClientId", json!("")),
        ("verificationCode", json!("x")),
        ("expires", json!("2020-01-01T00:00:00Z")),
        ("expires", json!("soon")),
        ("types", json!("Email")),
        ("id", json!("P1")),
        ("colour", json!("red")),
    ] {
        assert_eq!(refused(json!({ name: value.clone() }))["properties"], json!([name]), "{value}");
    }
    assert_eq!(world.call("ann", "PushSubscription/get", json!({ "properties": ["url"] })), "forbidden");
    assert_eq!(world.call("ann", "PushSubscription/get", json!({ "properties": ["colour"] })), "invalidArguments");
    assert_eq!(world.call("ann", "PushSubscription/get", json!({ "accountId": "A1" })), "invalidArguments");
    assert_eq!(world.set(json!({ "ifInState": "x" })), "invalidArguments");
    let made: Vec<Value> =
        (0..21).map(|_| world.set(json!({ "create": { "k": world.subscription("d", json!({})) } }))).collect();
    assert!(made[..20].iter().all(|made| made["created"].is_object()), "{made:?}");
    assert_eq!(made[20]["notCreated"]["k"]["type"], "overQuota");
    let id = made[0]["created"]["k"]["id"].as_str().unwrap();
    let changed = |patch: Value| world.set(json!({ "update": { id: patch } }));
    assert_eq!(changed(json!({ "url": "https://push.example/" }))["notUpdated"][id]["properties"], json!(["url"]));
    let until = changed(json!({ "expires": "2099-01-01T00:00:00Z", "types": ["Email"] }));
    assert_eq!(until["updated"][id]["expires"], "2027-02-14T08:00:00Z", "no longer than that");
    assert_eq!(world.set(json!({ "destroy": [id, "P999"] }))["destroyed"], json!([id]));
}
