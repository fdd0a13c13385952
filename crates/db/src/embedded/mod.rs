//! SQLite: worker threads, each the only one to touch the files that hash to it. A worker takes all that waits, runs the reads of a
//! place first, then its writes as savepoints of one transaction, commits, and syncs the log once.
//!
//! Files are opened in WAL mode with `locking_mode=EXCLUSIVE` (one connection a file, no shared memory) and `synchronous=NORMAL`:
//! SQLite syncs around checkpoints, this module syncs the log after a commit that must be durable. SQLite's own checkpoints are off,
//! for it keeps quiet about their failures; a worker runs them once everyone has his answer.
//!
//! [`Pool::sync_all`] runs beside the workers' syncs of their logs. That is sound where a failed write-back is told once to every open file
//! description, as Linux does since 4.13: a worker's sync fails too when somebody else's took its pages along.
//!
//! | trouble | what happens |
//! |---|---|
//! | a closure returns an error | its savepoint is rolled back; the others of the batch go on |
//! | the disk is full | the transaction is rolled back; the connection stays |
//! | any other failure of the engine, a failed sync above all | the connection is dropped without a checkpoint, the place is *suspect*: its log is written anew, up to the last commit that was answered for, before it is used again and before [`Pool::sync_all`] says yes. If deferred commits are missing in it, that says no once |
//! | a log is found at opening | it is written anew: another process may have seen a sync of it fail |
//! | a file is found whose making was never finished | it is made anew |

mod batch;
mod copy;
mod file;
mod files;
mod inbox;
mod log;
mod salvage;

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};

use anser_base::{Disk, Error, Result};

use crate::Embedded;
use crate::job::{Job, Mode};
use crate::place::Place;
use crate::schema::Schemas;

use batch::{read_once, write_batch};
use files::{Files, Worries};
use inbox::{Inbox, Taken};

/// Workers before those of accounts: one each for the server, the queue and the journal.
const SHARED: usize = 3;
/// Files that each of those holds open.
const SHARED_FILES: usize = 4;
/// Rounds of [`Pool::sync_all`] before it gives up because files turn suspect all the time.
const SYNC_ROUNDS: usize = 4;

pub(crate) struct Pool {
    config: Embedded,
    schemas: Schemas,
    inboxes: Vec<Arc<Inbox>>,
    threads: Vec<JoinHandle<()>>,
    worries: Arc<Worries>,
}

impl Pool {
    pub fn start(config: Embedded, schemas: Schemas) -> Result<Self> {
        make_data_folder(&*config.disk, &config.dir)?;
        let workers = config.workers.max(1);
        let mut pool = Self { config, schemas, inboxes: Vec::new(), threads: Vec::new(), worries: Arc::default() };
        for index in 0..SHARED + workers {
            let inbox = Arc::new(Inbox::default());
            let capacity = if index < SHARED { SHARED_FILES } else { (pool.config.open_files / workers).max(2) };
            let files = Files::new(pool.config.clone(), schemas, capacity, pool.worries.clone());
            let mut worker = Worker { inbox: inbox.clone(), files };
            let thread = thread::Builder::new().name(format!("db-{index}")).spawn(move || worker.run());
            pool.threads.push(thread.map_err(Error::io)?);
            pool.inboxes.push(inbox);
        }
        Ok(pool)
    }

    pub fn submit(&self, job: Job) {
        self.inbox(job.place).push(job);
    }

    fn inbox(&self, place: Place) -> &Inbox {
        let index = match place {
            Place::Server | Place::Moves => 0,
            Place::Queue => 1,
            Place::Journal(_) => 2,
            Place::Account(_) | Place::Search(_) | Place::Peers => {
                let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(place) as usize;
                SHARED + hash % (self.inboxes.len() - SHARED)
            }
        };
        &self.inboxes[index]
    }

    /// Makes all that was answered for durable.
    pub fn sync_all(&self) -> Result<()> {
        for _ in 0..SYNC_ROUNDS {
            if self.worries.suspects.load(Ordering::SeqCst) != 0 {
                self.ask_all(Files::settle)?;
            }
            self.sync_disk()?;
            if self.worries.lost.swap(false, Ordering::SeqCst) {
                return Err(Error::unavailable("a failed sync took deferred writes with it"));
            }
            if self.worries.suspects.load(Ordering::SeqCst) == 0 {
                return Ok(());
            }
        }
        Err(Error::unavailable("logs fail to sync again and again"))
    }

    fn sync_disk(&self) -> Result<()> {
        let synced = {
            let _alone = self.worries.copying.write().unwrap_or_else(PoisonError::into_inner);
            let synced = self.config.disk.sync_all(&self.config.dir);
            self.worries.failures.fetch_add(u64::from(synced.is_err()), Ordering::SeqCst);
            synced
        };
        synced.map_err(|error| {
            self.distrust();
            Error::io(error)
        })
    }

    /// All open files turn suspect.
    pub fn sync_failed(&self) {
        self.worries.failures.fetch_add(1, Ordering::SeqCst);
        self.distrust();
    }

    fn distrust(&self) {
        // It cannot fail; a worker that ended holds no files.
        let _ = self.ask_all(|files| {
            files.distrust();
            Ok(())
        });
    }

    /// Has every worker do something with its files, and waits for all of them.
    fn ask_all(&self, work: impl Fn(&mut Files) -> Result<()> + Send + Copy + 'static) -> Result<()> {
        let (sender, receiver) = channel();
        for inbox in &self.inboxes {
            let sender = sender.clone();
            inbox.order(Box::new(move |files| {
                let _ = sender.send(work(files));
            }));
        }
        drop(sender);
        receiver.into_iter().fold(Ok(()), Result::and)
    }
}

/// Makes the data folder, and makes the names on the way to it durable where the folders above may be read.
fn make_data_folder(disk: &dyn Disk, dir: &Path) -> Result<()> {
    disk.create_dir_all(dir).map_err(Error::io)?;
    for above in dir.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()) {
        match disk.sync_dir(above) {
            Err(error) if error.kind() != io::ErrorKind::PermissionDenied => return Err(Error::io(error)),
            _ => {}
        }
    }
    Ok(())
}

impl Drop for Pool {
    fn drop(&mut self) {
        for inbox in &self.inboxes {
            inbox.close();
        }
        for thread in self.threads.drain(..) {
            // The last handle may be dropped by a worker's own closure; a thread cannot wait for itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

struct Worker {
    inbox: Arc<Inbox>,
    files: Files,
}

impl Worker {
    fn run(&mut self) {
        while let Some(taken) = self.inbox.take() {
            match taken {
                Taken::Order(order) => order(&mut self.files),
                Taken::Jobs(jobs) => self.run_jobs(jobs),
            }
        }
        self.files.close_all();
    }

    fn run_jobs(&mut self, jobs: Vec<Job>) {
        for (place, reads, writes) in by_place(jobs) {
            self.run_reads(place, reads);
            if !writes.is_empty() {
                self.run_writes(place, writes);
            }
        }
        self.files.trim();
        self.files.checkpoint(&|| self.inbox.is_empty());
    }

    fn run_reads(&mut self, place: Place, jobs: Vec<Job>) {
        for mut job in jobs {
            let outcome = match self.files.get(place) {
                Ok(file) => read_once(file, &mut job).map_err(|trouble| {
                    if trouble.fatal {
                        self.files.give_up(place);
                    }
                    trouble.error
                }),
                Err(error) => Err(error),
            };
            job.work.done(outcome);
        }
    }

    fn run_writes(&mut self, place: Place, mut jobs: Vec<Job>) {
        let trouble = match self.files.get(place) {
            Ok(file) => write_batch(file, &mut jobs).err(),
            Err(error) => return all_failed(jobs, error),
        };
        let Some(trouble) = trouble else {
            return jobs.into_iter().for_each(|job| job.work.done(Ok(())));
        };
        if trouble.fatal {
            self.files.give_up(place);
        }
        if trouble.by_a_job && jobs.len() > 1 {
            jobs.into_iter().for_each(|job| self.run_writes(place, vec![job]));
        } else {
            all_failed(jobs, trouble.error);
        }
    }
}

/// The same trouble for every job of a failed batch.
fn all_failed(jobs: Vec<Job>, error: Error) {
    for job in jobs {
        let chain = error.chain();
        job.work.done(Err(Error { class: error.class, text: error.text.clone(), source: Some(chain.into()) }));
    }
}

/// Jobs by place, places in the order of their first job; of each place the reads apart from the writes. A read may overtake a
/// write that nobody was told of yet.
fn by_place(jobs: Vec<Job>) -> Vec<(Place, Vec<Job>, Vec<Job>)> {
    let mut groups: Vec<(Place, Vec<Job>, Vec<Job>)> = Vec::new();
    let mut index: HashMap<Place, usize> = HashMap::new();
    for job in jobs {
        let at = *index.entry(job.place).or_insert_with(|| {
            groups.push((job.place, Vec::new(), Vec::new()));
            groups.len() - 1
        });
        let (_, reads, writes) = &mut groups[at];
        if job.mode == Mode::Read { reads.push(job) } else { writes.push(job) }
    }
    groups
}
