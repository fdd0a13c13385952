//! A node on a temporary folder with `ann`, `bob` and `chen`, and a plain HTTP client for it.

use std::sync::Arc;

use anser_base::{AccountId, Durability, Entropy};
use anser_blob::{Blobs, RealDisk};
use anser_db::{Db, Embedded, Engine, Schemas};
use anser_directory::model::DEFAULT_TENANT;
use anser_jmap::{Deps, Limits, Web, routes};
use anser_migrate::Migrate;
use anser_migrate::own::Client;
use anser_net::http::{Site, session};
use anser_queue::Queue;
use anser_store::{
    Appended, Grant, LedgerKey, LedgerRow, LedgerState, MailTx, NewMessage, Rights, RightsAct, Store, Who,
};
use anser_testkit::door::{Door, House, NOW, PASSWORD, Pair};
use anser_testkit::engines::{NO_SCHEMAS, each_engine};
pub use anser_testkit::http::Answer;
use anser_testkit::http::ask;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::submit;

const SCHEMAS: Schemas = Schemas {
    server: anser_directory::SCHEMA,
    journal: anser_journal::SCHEMA,
    queue: anser_queue::SCHEMA,
    moves: anser_migrate::SCHEMA,
    account: anser_store::SCHEMA,
    search: anser_store::SEARCH_SCHEMA,
    ..NO_SCHEMAS
};
/// What all requests use.
pub const USING: &[&str] = &[
    "urn:ietf:params:jmap:core",
    "urn:ietf:params:jmap:mail",
    "urn:ietf:params:jmap:submission",
    "urn:ietf:params:jmap:vacationresponse",
    "urn:ietf:params:jmap:blob",
    "urn:ietf:params:jmap:quota",
    "urn:ietf:params:jmap:principals",
    "urn:ietf:params:jmap:contacts",
    "urn:ietf:params:jmap:sieve",
    "urn:ietf:params:jmap:mdn",
    "urn:anser:mail",
];

/// Bytes of a message that goes out at most, and recipients of one account in an hour.
pub const SENT_SIZE: u64 = 4_000_000;
pub const SENT_AN_HOUR: u32 = 150;

pub struct Node {
    pub door: Door<Site>,
    pub store: Store,
    pub queue: Queue,
    pub moves: Migrate,
    _folder: Option<TempDir>,
}

impl Node {
    pub fn start() -> Self {
        Self::with(Limits::default())
    }

    pub fn with(limits: Limits) -> Self {
        Self::reaching(limits, None)
    }

    /// A node that fetches pictures.
    pub fn reaching(limits: Limits, web: Option<Web>) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let engine = Engine::Embedded(Embedded::new(folder.path(), Arc::new(RealDisk)));
        let blobs = Blobs::new(Arc::new(RealDisk), folder.path().join("blobs"));
        Self { _folder: Some(folder), ..Self::over(Db::open(engine, SCHEMAS).unwrap(), blobs, limits, web, &[]) }
    }

    /// Runs a scenario on each engine.
    pub fn on_each_engine(scenario: impl Fn(&Node)) {
        Self::known_on_each_engine(&[], scenario);
    }

    /// Likewise on nodes that providers know.
    pub fn known_on_each_engine(clients: &[Client], scenario: impl Fn(&Node)) {
        each_engine(SCHEMAS, |world| {
            scenario(&Self::over(world.open(), world.blobs(), Limits::default(), None, clients));
        });
    }

    fn over(db: Db, blobs: Blobs, limits: Limits, web: Option<Web>, clients: &[Client]) -> Self {
        let mut kept = None;
        let deps = |house: &House| {
            let clock = house.clock.clone();
            let store = Store::new(anser_store::Deps { db: house.db.clone(), blobs, clock: clock.clone() });
            let queue = anser_queue::Deps { db: house.db.clone(), clock: clock.clone(), name: None };
            let queue = Handle::current().block_on(Queue::open(queue)).unwrap();

            let moves = anser_migrate::Deps {
                db: house.db.clone(),
                store: store.clone(),
                directory: house.directory.clone(),
                clock: clock.clone(),
                entropy: Entropy::system(),
                key: [7; 32],
                allowed: anser_net::Network::loopback().into(),
                clients: clients.into(),
            };
            let moves = Migrate::new(moves).unwrap();
            kept = Some((store.clone(), queue.clone(), moves.clone()));
            let smtp = Arc::new(submission_service(house, &store, &queue));
            let deps = Deps {
                store,
                directory: house.directory.clone(),
                journal: house.journal.clone(),
                clock,
                entropy: Entropy::system(),
                queue,
                submit: submit::through(&smtp),
                url: "https://mail.anser.test".into(),
                limits,
                web,
                moves: Some(moves),
            };
            let site = Site::new(routes(deps));
            Pair { plain: site.clone(), strict: Site { redirect: Some(443), ..site } }
        };
        let door = Door::open(db, deps, session);
        door.populate();
        let (store, queue, moves) = kept.unwrap();
        Self { door, store, queue, moves, _folder: None }
    }

    /// One request as it stands.
    pub fn http(&self, method: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Answer {
        ask(self.door.plain, method, path, fields, body)
    }

    /// A request of somebody.
    pub fn as_user(&self, who: &str, method: &str, path: &str, kind: &str, body: &[u8]) -> Answer {
        let authorization = basic(&format!("{who}@anser.test"), PASSWORD);
        self.http(method, path, &[("Authorization", &authorization), ("Content-Type", kind)], body)
    }

    /// The whole response to a request.
    pub fn request(&self, who: &str, request: &Value) -> Answer {
        self.as_user(who, "POST", "/jmap/api", "application/json", request.to_string().as_bytes())
    }

    /// The responses to calls, each `[name, arguments, id]`.
    pub fn calls(&self, who: &str, calls: Value) -> Vec<Value> {
        let answer = self.request(who, &json!({ "using": USING, "methodCalls": calls }));
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let Value::Array(all) = answer.json()["methodResponses"].take() else { panic!("no responses") };
        all
    }

    /// The arguments of the response to one call in the own account; the type of the error where it is one.
    pub fn call(&self, who: &str, method: &str, mut arguments: Value) -> Value {
        if arguments.get("accountId").is_none() {
            arguments["accountId"] = self.id(who).into();
        }
        let mut response = self.calls(who, json!([[method, arguments, "c"]])).remove(0);
        if response[0] == "error" {
            return response[1]["type"].take();
        }
        assert_eq!(response[0], method);
        response[1].take()
    }

    /// What an upload to the own account is answered (RFC 8620 §6.1).
    pub fn upload(&self, who: &str, kind: &str, body: &[u8]) -> Value {
        let answer = self.as_user(who, "POST", &format!("/jmap/upload/{}", self.id(who)), kind, body);
        assert_eq!(answer.status, 201, "{}", answer.head);
        answer.json()
    }

    /// The account id of somebody.
    pub fn id(&self, who: &str) -> String {
        format!("A{}", self.account(who))
    }

    pub fn account(&self, who: &str) -> AccountId {
        self.door.account(who)
    }

    /// The id of the mailbox with this role.
    pub fn role(&self, who: &str, role: &str) -> String {
        let found = self.call(who, "Mailbox/query", json!({ "filter": { "role": role } }));
        found["ids"][0].as_str().unwrap().to_owned()
    }

    /// Writes to somebody's account.
    pub fn write<R: Send + 'static>(
        &self,
        who: &str,
        work: impl FnMut(&mut MailTx<'_, '_>) -> anser_base::Result<R> + Send + 'static,
    ) -> R {
        let account = self.account(who);
        self.door.runtime.block_on(async {
            self.store.ensure(account).await.unwrap();
            self.store.write(account, Durability::Deferred, work).await.unwrap()
        })
    }

    /// Gives a guest rights on somebody's inbox, as the letters of RFC 4314.
    pub fn share(&self, owner: &str, guest: &str, rights: &str) {
        let who = Who::Account(self.account(guest));
        let grant = Grant { who, negative: false, rights: Rights::parse(rights).unwrap() };
        self.write(owner, move |tx| {
            let inbox = tx.inbox()?.id;
            tx.set_acl(inbox, grant, RightsAct::Set)
        });
        let noted = self.door.directory.note_share(self.account(owner), who.to_sql());
        self.door.runtime.block_on(noted).unwrap();
    }

    /// Brings a message from an old server, where it had this UID and came so many days before the clock's time.
    pub fn move_in(&self, who: &str, raw: &str, uid: u32, days: i64) -> Appended {
        let raw = raw.replace('\n', "\r\n");
        let content = self.store.put_body(DEFAULT_TENANT, raw.as_bytes(), Durability::Deferred).unwrap();
        self.write(who, move |tx| {
            let received = anser_base::Timestamp(NOW.0 - days * 86_400_000);
            let new = NewMessage::new(content.clone(), tx.inbox()?.id, received);
            let row = LedgerRow::new(uid.to_be_bytes().to_vec(), LedgerState::Copied);
            Ok(tx.append_moved(LedgerKey { source: 1, folder: 1 }, &row, &new)?.unwrap())
        })
    }

    /// Delivers a message to somebody's inbox, so many seconds after the clock's time.
    pub fn deliver(&self, who: &str, raw: &str, after: i64) -> Appended {
        let raw = raw.replace('\n', "\r\n");
        let content = self.store.put_body(DEFAULT_TENANT, raw.as_bytes(), Durability::Deferred).unwrap();
        let received = anser_base::Timestamp(NOW.0 + after * 1000);
        self.write(who, move |tx| {
            let inbox = tx.inbox()?.id;
            Ok(tx.append(&NewMessage::new(content.clone(), inbox, received))?.unwrap())
        })
    }
}

/// What mail goes out by, with the rules of the real one.
fn submission_service(house: &House, store: &Store, queue: &Queue) -> anser_smtp::Deps {
    let limits = anser_smtp::Limits {
        recipients: 5,
        message_size: SENT_SIZE,
        account_rate: Some(anser_net::Rate { count: SENT_AN_HOUR, per: std::time::Duration::from_secs(3600) }),
        ..anser_smtp::Limits::default()
    };
    anser_smtp::Deps {
        queue: queue.clone(),
        directory: house.directory.clone(),
        journal: house.journal.clone(),
        blobs: store.blobs().clone(),
        tls: None,
        entropy: Entropy::system(),
        clock: house.clock.clone(),
        hostname: anser_testkit::door::HOST.into(),
        rates: anser_smtp::Rates::new(&limits, &house.clock),
        limits,
        allow_plaintext_auth: true,
        local_only: false,
        senders: None,
        callout: None,
        over_quota: None,
    }
}

/// The field of RFC 7617.
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
