//! The door over a fresh world, and curl with a jar for cookies.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use anser_auth::Deps;
use anser_auth::outside::Web;
use anser_base::{Clock, Entropy};
use anser_db::Schemas;
use anser_net::http::{Site as Pages, session};
use anser_net::{Shutdown, Stream};
use anser_testkit::door::{Door, HOST, House, Pair, certificate};
use anser_testkit::engines::{NO_SCHEMAS, each_engine};
use serde_json::Value;

use crate::outside::{self, Outside};

const SCHEMAS: Schemas = Schemas { server: anser_directory::SCHEMA, journal: anser_journal::SCHEMA, ..NO_SCHEMAS };

/// The door, and the certificate by which it is known.
pub struct Site {
    pub door: Door<Pages>,
    /// A provider that nobody has registered yet.
    pub outside: Arc<Outside>,
    pub clock: Clock,
    folder: tempfile::TempDir,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}{}", self.head, self.body))
    }

    /// A header field's value.
    pub fn field(&self, name: &str) -> Option<&str> {
        anser_testkit::http::field(&self.head, name)
    }
}

async fn serve(stream: Stream, pages: Arc<Pages>, shutdown: Shutdown) {
    session(stream, pages, shutdown).await;
}

/// Runs a test on every engine.
pub fn each_site(test: impl Fn(&Site)) {
    each_engine(SCHEMAS, |world| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate().0).unwrap();
        let web = outside::web(folder.path());
        let mut clock = None;
        let pages = |house: &House| {
            clock = Some(house.clock.clone());
            pages(house, web)
        };
        let door = Door::open(world.open(), pages, serve);
        door.populate();
        let outside = outside::start(&door.runtime, folder.path());
        let site = Site { door, outside, clock: clock.unwrap(), folder };
        test(&site);
        site.door.stop();
    });
}

fn pages(house: &House, web: Web) -> Pair<Pages> {
    let deps = Deps {
        directory: house.directory.clone(),
        journal: house.journal.clone(),
        clock: house.clock.clone(),
        entropy: Entropy::system(),
        web,
        url: "https://mail.anser.test".into(),
    };
    let pages = Pages::new(anser_auth::routes(deps));
    Pair { plain: pages.clone(), strict: Pages { redirect: Some(443), ..pages } }
}

impl Site {
    /// Where pages of ours are from.
    pub fn origin(&self) -> String {
        format!("https://{HOST}:{}", self.door.tls.port())
    }

    fn jar(&self, who: &str) -> PathBuf {
        self.folder.path().join(format!("{who}.jar"))
    }

    /// Curl over TLS with somebody's jar, and with arguments.
    pub fn curl(&self, who: &str, path: &str, args: &[&str]) -> Answer {
        let mut command = Command::new("curl");
        command.args(["-sS", "-i", "--resolve", &format!("{HOST}:{}:127.0.0.1", self.door.tls.port()), "--cacert"]);
        command.arg(self.folder.path().join("ca.pem")).arg("-b").arg(self.jar(who)).arg("-c").arg(self.jar(who));
        let output = command.args(args).arg(format!("{}{path}", self.origin())).output().expect("curl");
        assert!(output.stderr.is_empty(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).unwrap();
        let (head, body) = said.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// A request of a page of ours.
    pub fn page(&self, who: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let mut args = vec!["-X", method, "-H", "Sec-Fetch-Site: same-origin"];
        if !body.is_empty() {
            args.extend(["-H", "Content-Type: application/json", "--data-binary", &body]);
        }
        self.curl(who, path, &args)
    }

    /// Signs somebody of the house in.
    pub fn sign_in(&self, who: &str, password: &str) -> Answer {
        let name = format!("{who}@anser.test");
        self.page(who, "POST", "/auth/login", Some(serde_json::json!({ "username": name, "password": password })))
    }
}
