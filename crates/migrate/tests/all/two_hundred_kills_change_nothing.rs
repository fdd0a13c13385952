//! SAFE-1, case 18: a process that works on a move is killed at two hundred random moments. What is here in the end is what one run that
//! nothing disturbed brings.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use anser_base::AccountId;
use anser_blob::{Blobs, RealDisk};
use anser_db::{Db, Embedded, Engine};

use crate::fake::{Fake, Habits, Victim, folder, mail};
use crate::house::{each_house, held};
use crate::office::{MOVE, Office, SCHEMAS};

/// Tells a process that it is the one to be killed, and where its data lies.
const DATA: &str = "ANSER_TEST_KILLED_IN";
const KILLS: usize = 200;
/// Octets of the old server after which a process is killed, at most: all that it lists, and about a batch of bodies.
const OCTETS: usize = 400_000;

fn open(dir: &Path) -> Office {
    let engine = Engine::Embedded(Embedded::new(dir.join("data"), Arc::new(RealDisk)));
    Office::open(Db::open(engine, SCHEMAS).unwrap(), Blobs::new(Arc::new(RealDisk), dir.join("blobs")))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// The process: goes on with the move until nothing is due.
#[test]
fn worker() {
    let Some(dir) = std::env::var_os(DATA) else { return };
    runtime().block_on(async {
        let office = open(Path::new(&dir));
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        office.migrate.delta(MOVE, Vec::new()).await.unwrap();
        let (shutdown, running) = office.run();
        office.migrate.wait(MOVE).await.unwrap();
        shutdown.begin(std::time::Duration::from_secs(10));
        running.await.unwrap();
    });
}

/// Runs the process, and kills it when it has been sent so many octets. Whether it came to an end before.
fn work(dir: &Path, fake: &Fake, octets: Option<usize>) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["two_hundred_kills_change_nothing::worker", "--exact", "--nocapture"]).env(DATA, dir);
    // Nothing is sent to it before all is ready.
    let mut state = fake.state.lock().unwrap();
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    let child = Arc::new(Mutex::new(child));
    state.victim = octets.map(|left| Victim { left, child: child.clone() });
    drop(state);
    // It ends when the process does. Not waited for under the lock: whoever kills it needs that.
    let mut said = String::new();
    output.read_to_string(&mut said).unwrap();
    let status = child.lock().unwrap().wait().unwrap();
    fake.state.lock().unwrap().victim = None;
    assert!(status.success() || status.code().is_none(), "{said}");
    status.success()
}

#[test]
fn a_job_that_is_killed_two_hundred_times_comes_to_what_one_run_brings() {
    // Every second UID, so that few make a batch.
    let mails = |count: u32, text: &str| {
        let body = "x".repeat(2_000);
        (0..count).map(|n| mail(2 * n + 1, "\\Seen", &format!("{text} {n} {body}"))).collect()
    };
    let folders = vec![
        folder("INBOX", mails(1_500, "one")),
        folder("Work", mails(1_000, "two")),
        folder("Notes", mails(500, "three")),
    ];
    let habits = Habits { capabilities: "CONDSTORE", ..Habits::default() };
    let fake = Fake::start(folders, habits);
    let dir = tempfile::tempdir().unwrap();
    let account: AccountId = runtime().block_on(async { open(dir.path()).plan(&[(fake.source(), &["ann"])]).await[0] });
    let (mut kills, mut octets, mut number) = (0, OCTETS, 2026_u64);
    while kills < KILLS {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let wanted = (number >> 33) as usize % octets;
        match work(dir.path(), &fake, Some(wanted)) {
            // All is here: the passes that are killed from now on find nothing.
            true => octets = wanted.max(2),
            false => kills += 1,
        }
    }
    assert!(work(dir.path(), &fake, None));
    let came = runtime().block_on(async {
        let office = open(dir.path());
        let tenant = office.directory.account(account).await.unwrap().unwrap().tenant;
        held(&office.store, account, tenant).await
    });
    each_house(async |house| {
        house.settle(&fake, 1).await;
        assert!(house.held().await == came, "something is missing, doubled or changed");
    });
}
