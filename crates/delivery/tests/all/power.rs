//! A house over a disk that loses power.

use std::time::{Duration, Instant};

use anser_base::{AccountId, Clock};
use anser_db::{Db, Durability, Place};
use anser_net::Shutdown;
use anser_testkit::sim::{Plan, SimDisk};
use tokio::task::JoinHandle;

use crate::house::{House, START, Site, runtime};

/// Steps of the disk among which the crash falls.
pub const STEPS: u64 = 400;
/// How long the power is off: everything is due then.
pub const LATER: Duration = Duration::from_secs(7200);
/// Files that are locked for longer are locked for good.
const LOCKED: Duration = Duration::from_secs(10);
/// Couriers that have not stopped by then never will: the disk is dead, or they wait before they try it again.
const PATIENCE: Duration = Duration::from_millis(200);
/// Who gets mail.
pub const PEOPLE: [&str; 3] = ["ann@anser.test", "bob@anser.test", "cho@anser.test"];

pub fn founded(disk: &SimDisk) -> (Clock, People) {
    let clock = Clock::manual(START);
    let people = runtime().block_on(found(disk, &clock));
    (clock, people)
}

/// The power goes, unless it is gone, and comes back.
pub fn crash(disk: &SimDisk, db: Option<Db>, people: &People) {
    disk.set_plan(Plan::new());
    if !disk.is_dead() {
        disk.power_cut();
    }
    db.into_iter().for_each(|db| runtime().block_on(rest(&db, people)));
    disk.power_on();
}

/// One person and their account.
pub type People = Vec<(&'static str, AccountId)>;

/// The server is set up on a good day.
async fn found(disk: &SimDisk, clock: &Clock) -> People {
    let house = Site::on(disk).open(clock, None).await.unwrap();
    house.furnish().await;
    house.add("cho@anser.test").await;
    let mut people = Vec::new();
    for who in PEOPLE {
        let account = house.account(who).await;
        // An account that is lost as a whole comes back with another UIDVALIDITY, which excuses everything.
        house.store.ensure(account).await.unwrap();
        people.push((who, account));
    }
    people
}

/// The last worker of the dead server may still be closing its files, which looks like another server at work.
pub async fn start(disk: &SimDisk, clock: &Clock) -> House {
    let since = Instant::now();
    loop {
        match Site::on(disk).open(clock, None).await {
            Ok(house) => return house,
            Err(error) if since.elapsed() > LOCKED || !error.chain().contains("locked") => {
                panic!("the server starts after a crash: {}", error.chain())
            }
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

/// Ends the couriers, so that what they delivered is settled at once. False when a sync failed, which stops the server, or when they
/// do not stop.
pub async fn stops_well(disk: &SimDisk, shutdown: &Shutdown, running: JoinHandle<anser_base::Result<()>>) -> bool {
    shutdown.begin(Duration::ZERO);
    let since = Instant::now();
    while !running.is_finished() {
        if disk.is_dead() || since.elapsed() > PATIENCE {
            return false;
        }
        tokio::task::yield_now().await;
    }
    running.await.unwrap().is_ok()
}

/// Waits for the engine's workers, so that none of a dead server touches the disk of the next one.
async fn rest(db: &Db, people: &People) {
    let places = [Place::Server, Place::Queue, Place::Journal(anser_journal::month_of(START))];
    for place in places.into_iter().chain(people.iter().map(|(_, account)| Place::Account(*account))) {
        // The power is gone; that it fails is known.
        let _ = db.write(place, Durability::Deferred, |_| Ok(())).await;
    }
}
