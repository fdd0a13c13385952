//! Both engines for a state crate's tests: `each_engine(schemas, |world| …)` runs a test on SQLite in a fresh folder and, when
//! `ANSER_TEST_PG` holds the URL of a PostgreSQL superuser, on a fresh database there. `./x test` always sets it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anser_blob::{Blobs, RealDisk};
use anser_db::{Db, Embedded, Engine, Schema, Schemas};
use postgres::{Client, NoTls};
use tempfile::TempDir;

/// The variable that holds the URL of a PostgreSQL superuser's database.
pub const POSTGRES: &str = "ANSER_TEST_PG";

const NO_TABLES: Schema = Schema(&[]);

/// No tables anywhere; a test names those that it wants and leaves the other places at this.
pub const NO_SCHEMAS: Schemas = Schemas {
    server: NO_TABLES,
    queue: NO_TABLES,
    moves: NO_TABLES,
    peers: NO_TABLES,
    journal: NO_TABLES,
    account: NO_TABLES,
    search: NO_TABLES,
};

/// An open engine over a folder of its own; both go with it.
pub struct World {
    /// The engine's name, for messages.
    pub name: &'static str,
    /// What to open the same data with again.
    pub engine: Engine,
    /// The tables.
    pub schemas: Schemas,
    /// The folder.
    pub dir: TempDir,
    database: Option<Database>,
}

impl World {
    /// A fresh folder with the embedded engine.
    pub fn embedded(schemas: Schemas) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let engine = Engine::Embedded(Embedded::new(dir.path().join("data"), Arc::new(RealDisk)));
        Self { name: "sqlite", engine, schemas, dir, database: None }
    }

    /// A fresh database, when there is a server to make it on.
    pub fn postgres(schemas: Schemas) -> Option<Self> {
        let database = Database::create()?;
        let dir = tempfile::tempdir().expect("a temporary folder");
        let engine = Engine::Postgres(database.url.clone());
        Some(Self { name: "postgres", engine, schemas, dir, database: Some(database) })
    }

    /// Opens the engine; again after a drop of what was opened before, to see what stayed.
    pub fn open(&self) -> Db {
        Db::open(self.engine.clone(), self.schemas).expect("the engine opens")
    }

    /// The bodies in the same folder.
    pub fn blobs(&self) -> Blobs {
        Blobs::new(Arc::new(RealDisk), self.dir.path().join("blobs"))
    }

    /// The URL of the database, with PostgreSQL.
    pub fn url(&self) -> Option<&str> {
        self.database.as_ref().map(|database| database.url.as_str())
    }
}

/// Runs a test on every engine there is. The closure is given the world by reference, so that it lives until the test ends.
pub fn each_engine(schemas: Schemas, test: impl Fn(&World)) {
    test(&World::embedded(schemas));
    match World::postgres(schemas) {
        Some(world) => test(&world),
        None => eprintln!("{POSTGRES} is not set: the PostgreSQL half of this test did not run"),
    }
}

/// A database that is dropped with this value.
struct Database {
    server: String,
    name: String,
    url: String,
}

static COUNTER: AtomicU64 = AtomicU64::new(0);

impl Database {
    fn create() -> Option<Self> {
        let server = std::env::var(POSTGRES).ok()?;
        let name = format!("anser_{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let mut client = Client::connect(&server, NoTls).expect("the PostgreSQL server answers");
        client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).expect("an old database goes");
        client.batch_execute(&format!("CREATE DATABASE {name}")).expect("a database is made");
        let (base, _) = server.rsplit_once('/').expect("the URL names a database");
        let url = format!("{base}/{name}");
        Some(Self { server, name, url })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Ok(mut client) = Client::connect(&self.server, NoTls) {
            // A database that stays behind harms nobody: the server is thrown away after the tests.
            let _ = client.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }
}
