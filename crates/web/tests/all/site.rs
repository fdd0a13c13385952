//! The door over a fresh world, and curl.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use anser_db::Schemas;
use anser_directory::looks::Look;
use anser_net::http::{Site as Pages, session};
use anser_net::{Shutdown, Stream};
use anser_testkit::door::{Door, HOST, House, Pair, certificate};
use anser_testkit::engines::{NO_SCHEMAS, each_engine};
use anser_web::offer::offers;
use anser_web::sts::Mode;

const SCHEMAS: Schemas = Schemas { server: anser_directory::SCHEMA, journal: anser_journal::SCHEMA, ..NO_SCHEMAS };
/// What is open.
const OPEN: [(&str, u16); 5] = [("smtp", 25), ("submission", 587), ("submissions", 465), ("imaps", 993), ("imap", 143)];

/// The door, and the certificate by which it is known.
pub struct Site {
    door: Door<Pages>,
    authority: PathBuf,
    _folder: tempfile::TempDir,
}

async fn serve(stream: Stream, pages: Arc<Pages>, shutdown: Shutdown) {
    session(stream, pages, shutdown).await;
}

/// Runs a test on every engine.
pub fn each_site(test: impl Fn(&Site)) {
    each_engine(SCHEMAS, |world| {
        let folder = tempfile::tempdir().unwrap();
        let authority = folder.path().join("ca.pem");
        std::fs::write(&authority, certificate().0).unwrap();
        let door = Door::open(world.open(), pages, serve);
        door.populate();
        let site = Site { door, authority, _folder: folder };
        test(&site);
        site.door.stop();
    });
}

fn pages(house: &House) -> Pair<Pages> {
    let deps = anser_web::Deps {
        directory: house.directory.clone(),
        hostname: HOST.into(),
        offers: offers(OPEN),
        mta_sts: Mode::Enforce,
    };
    let pages = Pages { error_page: Arc::new(anser_web::error_page), ..Pages::new(anser_web::routes(deps)) };
    Pair { plain: pages.clone(), strict: Pages { redirect: Some(443), ..pages } }
}

impl Site {
    /// Asks over TLS as if `host` led here; the certificate is not looked at for names that it has not.
    pub fn get(&self, host: &str, path: &str) -> (u16, String) {
        self.curl(host, path, &[])
    }

    /// Sets what the login page looks like.
    pub fn look(&self, look: Look) {
        self.door.runtime.block_on(self.door.directory.set_look(look)).unwrap();
    }

    /// Sends a body.
    pub fn post(&self, host: &str, path: &str, body: &str) -> (u16, String) {
        self.curl(host, path, &["--data-binary", body, "-H", "Content-Type: text/xml"])
    }

    /// Curl's own way, with arguments.
    pub fn curl(&self, host: &str, path: &str, args: &[&str]) -> (u16, String) {
        let port = self.door.tls.port();
        let mut command = Command::new("curl");
        command.args(["-sS", "-w", "\n%{http_code}", "--resolve", &format!("{host}:{port}:127.0.0.1"), "--cacert"]);
        command.arg(&self.authority).args(args);
        if host != HOST {
            command.arg("--insecure");
        }
        let output = command.arg(format!("https://{host}:{port}{path}")).output().expect("curl");
        assert!(output.stderr.is_empty(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).unwrap();
        let (body, status) = said.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }
}
