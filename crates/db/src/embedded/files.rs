//! The open files of one worker, the longest unused closed first.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use anser_base::{Error, Result};

use super::file::OpenFile;
use super::log::beside;
use crate::Embedded;
use crate::place::Place;
use crate::schema::Schemas;

pub(super) struct Files {
    config: Embedded,
    schemas: Schemas,
    capacity: usize,
    open: HashMap<Place, Used>,
    /// Places whose log is to be written anew, with the frames that were answered for.
    suspects: HashMap<Place, u32>,
    /// Places that a copy or a repair needs for itself.
    held: HashMap<Place, Hold>,
    worries: Arc<Worries>,
    clock: u64,
}

/// How a place is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// It works, but its file does not change: what is new stays in the log.
    Frozen,
    /// It does not work.
    Barred,
}

/// What keeps [`super::Pool::sync_all`] from saying yes, of all workers together.
#[derive(Default)]
pub(super) struct Worries {
    /// Suspect places.
    pub suspects: AtomicUsize,
    /// Whether a log lost commits that were answered for, but deferred, and nobody was told yet.
    pub lost: AtomicBool,
    /// Held by checkpoints, and alone by a sync of everything: a failure of that may take along what a checkpoint has written and not
    /// yet synced, after which the log must not be given up.
    pub copying: RwLock<()>,
    /// How many syncs of everything failed. A file that was opened before the last of them must not be read any more: its log may have
    /// lost what the connection believes to be there, and a checkpoint would copy that over the file.
    pub failures: AtomicU64,
}

impl Worries {
    fn failures(&self) -> u64 {
        self.failures.load(Ordering::SeqCst)
    }

    fn copy(&self) -> RwLockReadGuard<'_, ()> {
        self.copying.read().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Used {
    file: OpenFile,
    at: u64,
    /// Failed syncs of everything before it was opened.
    failures: u64,
}

impl Files {
    pub fn new(config: Embedded, schemas: Schemas, capacity: usize, worries: Arc<Worries>) -> Self {
        Self {
            config,
            schemas,
            capacity,
            open: HashMap::new(),
            suspects: HashMap::new(),
            held: HashMap::new(),
            worries,
            clock: 0,
        }
    }

    /// The open file of a place; opens, makes and migrates it as needed.
    pub fn get(&mut self, place: Place) -> Result<&mut OpenFile> {
        self.clock += 1;
        if self.held.get(&place) == Some(&Hold::Barred) {
            return Err(Error::unavailable("the file is being repaired or restored"));
        }
        if self.is_doubtful(place) {
            self.give_up(place);
        }
        if !self.open.contains_key(&place) {
            // Within a batch the number may double, so that nobody waits for the closing of somebody else's file.
            self.make_room(self.capacity * 2 - 1);
            let failures = self.worries.failures();
            let file = self.open(place)?;
            self.open.insert(place, Used { file, at: 0, failures });
        }
        let used = self.open.get_mut(&place).ok_or_else(|| Error::unavailable("the file is not open"))?;
        used.at = self.clock;
        Ok(&mut used.file)
    }

    fn open(&mut self, place: Place) -> Result<OpenFile> {
        let frames = self.suspects.get(&place).copied();
        let file = {
            let path = place.file(&self.config.dir);
            OpenFile::open(&self.config, &path, place.kind(), self.schemas.of(place.kind()), frames)?
        };
        if frames.is_some_and(|frames| file.answered() < frames) {
            tracing::error!(?place, "a failed sync took deferred writes with it");
            self.worries.lost.store(true, Ordering::SeqCst);
        }
        self.trust(place);
        Ok(file)
    }

    /// Whether a sync of everything failed since a place was opened.
    fn is_doubtful(&self, place: Place) -> bool {
        self.open.get(&place).is_some_and(|used| used.failures != self.worries.failures())
    }

    /// Drops a connection that cannot be trusted any more.
    pub fn give_up(&mut self, place: Place) {
        if let Some(used) = self.open.remove(&place) {
            let frames = used.file.answered();
            drop(used);
            self.suspect(place, frames);
        }
    }

    /// Gives up whatever was open when a sync of everything failed.
    pub fn distrust(&mut self) {
        let doubtful: Vec<Place> = self.open.keys().copied().filter(|place| self.is_doubtful(*place)).collect();
        doubtful.into_iter().for_each(|place| self.give_up(place));
    }

    /// Opens all suspects anew, and with that writes their logs anew.
    pub fn settle(&mut self) -> Result<()> {
        for place in self.suspects.keys().copied().collect::<Vec<_>>() {
            self.get(place)?;
        }
        self.trim();
        Ok(())
    }

    /// Brings everything into a place's file and lets it not change until [`Self::release`]. `Class::NotFound` when there is none.
    pub fn freeze(&mut self, place: Place) -> Result<()> {
        let path = place.file(&self.config.dir);
        if self.config.disk.stat(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Err(Error::not_found("nothing is stored there", "此处没有存储内容"));
        }
        let has_log = self.config.disk.stat(&beside(&path, "-wal")).is_ok();
        if has_log || self.open.contains_key(&place) {
            let worries = self.worries.clone();
            self.get(place)?;
            let _copying = worries.copy();
            let used = self.open.get_mut(&place).filter(|used| used.failures == worries.failures());
            let copied = used.ok_or_else(|| Error::unavailable("a sync failed meanwhile"))?.file.checkpoint();
            copied.map_err(|trouble| {
                if trouble.fatal {
                    self.give_up(place);
                }
                trouble.error
            })?;
        }
        self.held.insert(place, Hold::Frozen);
        Ok(())
    }

    /// Closes a place and lets nobody open it until [`Self::release`].
    pub fn bar(&mut self, place: Place) {
        if self.held.contains_key(&place) {
            return;
        }
        self.close(place);
        self.held.insert(place, Hold::Barred);
    }

    /// Ends a hold. A file that is open is closed: whoever read it beside SQLite has ended SQLite's locks on it with that.
    pub fn release(&mut self, place: Place) {
        self.held.remove(&place);
        self.close(place);
    }

    /// To be called when a place's file was replaced: nothing that was known of the old one counts.
    pub fn forget(&mut self, place: Place) {
        self.trust(place);
    }

    pub fn is_held(&self, place: Place) -> bool {
        self.held.contains_key(&place)
    }

    fn suspect(&mut self, place: Place, frames: u32) {
        if self.suspects.insert(place, frames).is_none() {
            self.worries.suspects.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn trust(&mut self, place: Place) {
        if self.suspects.remove(&place).is_some() {
            self.worries.suspects.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Closes what is too much.
    pub fn trim(&mut self) {
        self.make_room(self.capacity);
    }

    pub fn close_all(&mut self) {
        self.make_room(0);
    }

    fn make_room(&mut self, limit: usize) {
        while self.open.len() > limit {
            let closable = self.open.iter().filter(|(place, _)| !self.held.contains_key(place));
            let Some(oldest) = closable.min_by_key(|(_, used)| used.at).map(|(place, _)| *place) else { return };
            self.close(oldest);
        }
    }

    /// An idle place holds no log. A log that cannot be copied now stays for the next opening.
    fn close(&mut self, place: Place) {
        let worries = self.worries.clone();
        let copying = worries.copy();
        if self.is_doubtful(place) {
            return self.give_up(place);
        }
        let Some(used) = self.open.remove(&place) else { return };
        let frames = used.file.answered();
        let closed = used.file.close();
        drop(copying);
        if let Err(trouble) = closed {
            tracing::warn!(?place, error = trouble.error.chain(), "checkpoint at closing failed; the log stays");
            if trouble.fatal {
                self.suspect(place, frames);
            }
        }
    }

    /// Copies long logs into their files: a very long one now, others only while nobody waits.
    pub fn checkpoint(&mut self, is_idle: &dyn Fn() -> bool) {
        let worries = self.worries.clone();
        let due: Vec<Place> =
            self.open.iter().filter(|(_, used)| used.file.wants_checkpoint()).map(|(place, _)| *place).collect();
        for place in due {
            let copying = worries.copy();
            if self.is_doubtful(place) {
                self.give_up(place);
            }
            let Some(used) = self.open.get_mut(&place) else { continue };
            if self.held.contains_key(&place) || (!used.file.needs_checkpoint() && !is_idle()) {
                continue;
            }
            let copied = used.file.checkpoint();
            drop(copying);
            if let Err(trouble) = copied {
                tracing::warn!(?place, error = trouble.error.chain(), "checkpoint failed; the log stays");
                if trouble.fatal {
                    self.give_up(place);
                }
            }
        }
    }
}
