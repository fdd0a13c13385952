//! The disk's state behind its lock: the step counter, the plan, names, contents and locks. Both faces, files and SQLite, end here.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use anser_base::Clock;
use anser_base::disk::{DirEntry, Stat};

use super::content::{Content, SECTOR};
use super::dice::Dice;
use super::fate::Fate;
use super::names::{Change, Names, Node};
use super::plan::{Fault, Plan};

/// EIO of Linux; `std` has no name for it.
const EIO: i32 = 5;
/// EBADF of Linux.
const EBADF: i32 = 9;

/// Whether the machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Running,
    Killed,
    PowerLost,
}

/// An open file: which content, since which start of the machine, and its own number for locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handle {
    content: u64,
    start: u64,
    number: u64,
    writable: bool,
}

/// What a step asks for; decides which faults can hit it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Write { grows: bool },
    Name { grows: bool },
    Sync,
}

/// How a step goes on. `Pass` and `Torn` carry its number.
enum Verdict {
    Pass(u64),
    /// It happens, but the machine dies and the caller hears of an error.
    Torn(u64),
    /// A write happens in part; the caller hears of this error.
    Short(u64, io::Error),
    /// A sync fails and may drop what it covered.
    Dropped(io::Error),
    Refused(io::Error),
}

/// Everything that the lock guards.
pub(super) struct State {
    dice: Dice,
    plan: Plan,
    clock: Clock,
    life: Life,
    steps: u64,
    start: u64,
    full_until: u64,
    numbers: u64,
    names: Names,
    contents: HashMap<u64, Content>,
    /// Per content: who holds which of SQLite's lock levels.
    locks: HashMap<u64, Vec<(u64, i32)>>,
}

impl State {
    pub(super) fn new(seed: u64, clock: Clock) -> Self {
        Self {
            dice: Dice::new(seed),
            plan: Plan::new(),
            clock,
            life: Life::Running,
            steps: 0,
            start: 0,
            full_until: 0,
            numbers: 0,
            names: Names::default(),
            contents: HashMap::new(),
            locks: HashMap::new(),
        }
    }

    pub(super) fn set_plan(&mut self, plan: Plan) {
        self.plan = plan;
    }

    pub(super) fn set_full(&mut self, full: bool) {
        self.full_until = if full { u64::MAX } else { 0 };
    }

    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    pub(super) fn is_dead(&self) -> bool {
        self.life != Life::Running
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn random(&mut self) -> u64 {
        self.dice.next()
    }

    pub(super) fn power_cut(&mut self) {
        self.life = Life::PowerLost;
    }

    /// Brings the machine back, with what survived.
    pub(super) fn power_on(&mut self) {
        if self.life == Life::PowerLost {
            let fate = Fate::draw(&mut self.dice, self.steps);
            self.names.lose_power(&fate, &mut self.dice);
            let named = self.names.contents();
            self.contents.retain(|number, _| named.contains(number));
            let mut numbers: Vec<u64> = named.into_iter().collect();
            numbers.sort_unstable();
            for number in numbers {
                if let Some(content) = self.contents.get_mut(&number) {
                    content.lose_power(&fate, &mut self.dice);
                }
            }
        }
        self.kill();
        self.life = Life::Running;
        self.full_until = 0;
    }

    /// Ends all handles and locks.
    pub(super) fn kill(&mut self) {
        self.start += 1;
        self.locks.clear();
    }

    /// Counts a step and asks the plan about it.
    fn step(&mut self, kind: Kind) -> Verdict {
        if self.is_dead() {
            return Verdict::Refused(eio());
        }
        let step = self.steps;
        self.steps += 1;
        while let Some(fault) = self.plan.take(step, |fault| hits(fault, kind)) {
            match fault {
                Fault::DiskFull { for_steps } => self.full_until = step.saturating_add(for_steps),
                Fault::PowerCut => {
                    self.life = Life::PowerLost;
                    return Verdict::Refused(eio());
                }
                Fault::TornWrite => {
                    self.life = Life::PowerLost;
                    return if kind == Kind::Sync { Verdict::Refused(eio()) } else { Verdict::Torn(step) };
                }
                Fault::Kill => {
                    self.life = Life::Killed;
                    return match (kind, self.dice.below(3)) {
                        (Kind::Sync, _) | (_, 0) => Verdict::Refused(eio()),
                        (Kind::Write { .. }, 1) => Verdict::Short(step, eio()),
                        _ => Verdict::Torn(step),
                    };
                }
                Fault::SyncFails => return Verdict::Dropped(eio()),
                Fault::WriteFails => return Verdict::Short(step, eio()),
            }
        }
        let full = step < self.full_until;
        match kind {
            Kind::Write { grows: true } if full => Verdict::Short(step, io::ErrorKind::StorageFull.into()),
            Kind::Name { grows: true } if full => Verdict::Refused(io::ErrorKind::StorageFull.into()),
            _ => Verdict::Pass(step),
        }
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().0
    }

    fn alive(&self) -> io::Result<()> {
        if self.is_dead() { Err(eio()) } else { Ok(()) }
    }

    fn handle(&mut self, content: u64, writable: bool) -> Handle {
        self.numbers += 1;
        Handle { content, start: self.start, number: self.numbers, writable }
    }

    fn content(&self, handle: Handle) -> io::Result<&Content> {
        self.alive()?;
        if handle.start != self.start {
            return Err(eio());
        }
        self.contents.get(&handle.content).ok_or_else(eio)
    }

    // Names.

    /// Makes a file; it must not exist.
    pub(super) fn create(&mut self, path: &Path) -> io::Result<Handle> {
        self.alive()?;
        if self.names.get(path).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.numbers += 1;
        let number = self.numbers;
        self.contents.insert(number, Content::new(self.now_ms(), false));
        self.add_name(path, Node::File(number))?;
        Ok(self.handle(number, true))
    }

    /// A file without a name, for SQLite's own use.
    pub(super) fn create_temporary(&mut self) -> io::Result<Handle> {
        self.alive()?;
        self.numbers += 1;
        let number = self.numbers;
        self.contents.insert(number, Content::new(self.now_ms(), true));
        Ok(self.handle(number, true))
    }

    /// Forgets a temporary file.
    pub(super) fn close(&mut self, handle: Handle) {
        self.unlock(handle, 0);
        if self.contents.get(&handle.content).is_some_and(|content| content.temporary) {
            self.contents.remove(&handle.content);
        }
    }

    /// Opens a file that exists.
    pub(super) fn open(&mut self, path: &Path, writable: bool) -> io::Result<Handle> {
        let number = self.file(path)?;
        Ok(self.handle(number, writable))
    }

    /// The content under a name; an error for a folder and for nothing.
    fn file(&self, path: &Path) -> io::Result<u64> {
        self.alive()?;
        match self.names.get(path) {
            Some(Node::File(number)) => Ok(number),
            Some(Node::Dir) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn add_name(&mut self, path: &Path, node: Node) -> io::Result<()> {
        if !self.names.has_parent(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.change_name(Change::Add(path.to_owned(), node), true)
    }

    fn change_name(&mut self, change: Change, grows: bool) -> io::Result<()> {
        match self.step(Kind::Name { grows }) {
            Verdict::Pass(step) => {
                self.names.change(step, change);
                Ok(())
            }
            Verdict::Torn(step) => {
                self.names.change(step, change);
                Err(eio())
            }
            Verdict::Short(_, error) | Verdict::Dropped(error) | Verdict::Refused(error) => Err(error),
        }
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.file(from)?;
        if self.names.get(to) == Some(Node::Dir) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !self.names.has_parent(to) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.change_name(Change::Rename(from.to_owned(), to.to_owned()), false)
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.file(path)?;
        self.change_name(Change::Remove(path.to_owned()), false)
    }

    pub(super) fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        self.alive()?;
        match self.names.get(path) {
            Some(Node::Dir) => return Ok(()),
            Some(Node::File(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
            None => {}
        }
        if let Some(parent) = path.parent() {
            self.create_dir_all(parent)?;
        }
        self.add_name(path, Node::Dir)
    }

    pub(super) fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.dir(path)?;
        let children = self.names.below(path).filter(|(name, _)| name.parent() == Some(path));
        Ok(children.map(|(name, node)| self.entry(name, node)).collect())
    }

    pub(super) fn stat(&self, path: &Path) -> io::Result<Stat> {
        let number = self.file(path)?;
        let content = self.contents.get(&number).ok_or_else(eio)?;
        Ok(Stat { len: content.len() as u64, modified_ms: content.modified_ms() })
    }

    fn entry(&self, name: &Path, node: Node) -> DirEntry {
        let content = match node {
            Node::File(number) => self.contents.get(&number),
            Node::Dir => None,
        };
        DirEntry {
            name: name.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            is_dir: node == Node::Dir,
            modified_ms: content.map_or(0, Content::modified_ms),
        }
    }

    /// The bytes that are under a name now; `None` when there is no such file. No step.
    pub(super) fn peek(&self, path: &Path) -> Option<&[u8]> {
        match self.names.get(path) {
            Some(Node::File(number)) => self.contents.get(&number).map(Content::bytes),
            _ => None,
        }
    }

    /// All files, with their names. No step.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let all = self.names.below(Path::new("")).chain(self.names.below(Path::new("/")));
        let mut files: Vec<_> = all.filter(|(_, node)| *node != Node::Dir).map(|(name, _)| name.clone()).collect();
        files.sort();
        files.dedup();
        files
    }

    /// Turns one byte over, everywhere. No step.
    pub(super) fn damage(&mut self, path: &Path, offset: usize) {
        if let Some(Node::File(number)) = self.names.get(path)
            && let Some(content) = self.contents.get_mut(&number)
        {
            content.damage(offset);
        }
    }

    fn dir(&self, path: &Path) -> io::Result<()> {
        self.alive()?;
        match self.names.get(path) {
            Some(Node::Dir) => Ok(()),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    // Contents.

    pub(super) fn len(&self, handle: Handle) -> io::Result<usize> {
        Ok(self.content(handle)?.len())
    }

    pub(super) fn read(&self, handle: Handle, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let offset = usize::try_from(offset).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.content(handle)?.read(buffer, offset))
    }

    pub(super) fn append(&mut self, handle: Handle, bytes: &[u8]) -> io::Result<()> {
        let len = self.len(handle)?;
        self.write(handle, len, bytes)
    }

    pub(super) fn write(&mut self, handle: Handle, offset: usize, bytes: &[u8]) -> io::Result<()> {
        let content = self.content(handle)?;
        if !handle.writable {
            return Err(io::Error::from_raw_os_error(EBADF));
        }
        let grows = offset + bytes.len() > content.len();
        let verdict = if content.temporary { Verdict::Pass(self.steps) } else { self.step(Kind::Write { grows }) };
        let (step, n, result) = match verdict {
            Verdict::Pass(step) => (step, bytes.len(), Ok(())),
            Verdict::Torn(step) => (step, bytes.len(), Err(eio())),
            Verdict::Short(step, error) => (step, self.part_of(bytes.len()), Err(error)),
            Verdict::Dropped(error) | Verdict::Refused(error) => return Err(error),
        };
        let now = self.now_ms();
        if let Some(content) = self.contents.get_mut(&handle.content).filter(|_| n > 0) {
            content.write(step, offset, &bytes[..n], now);
        }
        result
    }

    /// How much of a write happens that fails on the way: whole sectors, never all.
    fn part_of(&mut self, len: usize) -> usize {
        let sectors = len.saturating_sub(1) / SECTOR;
        self.dice.below(sectors as u64 + 1) as usize * SECTOR
    }

    pub(super) fn set_len(&mut self, handle: Handle, len: usize) -> io::Result<()> {
        let content = self.content(handle)?;
        let grows = len > content.len();
        let verdict = if content.temporary { Verdict::Pass(self.steps) } else { self.step(Kind::Write { grows }) };
        let (step, result) = match verdict {
            Verdict::Pass(step) => (step, Ok(())),
            Verdict::Torn(step) => (step, Err(eio())),
            Verdict::Short(_, error) | Verdict::Dropped(error) | Verdict::Refused(error) => return Err(error),
        };
        let now = self.now_ms();
        if let Some(content) = self.contents.get_mut(&handle.content) {
            content.set_len(step, len, now);
        }
        result
    }

    pub(super) fn touch(&mut self, path: &Path) -> io::Result<()> {
        let number = self.file(path)?;
        match self.step(Kind::Name { grows: false }) {
            Verdict::Pass(_) | Verdict::Torn(_) => {}
            Verdict::Short(_, error) | Verdict::Dropped(error) | Verdict::Refused(error) => return Err(error),
        }
        let now = self.now_ms();
        if let Some(content) = self.contents.get_mut(&number) {
            content.touch(now);
        }
        self.alive()
    }

    // Syncs.

    pub(super) fn sync(&mut self, handle: Handle) -> io::Result<()> {
        if self.content(handle)?.temporary {
            return Ok(());
        }
        self.sync_contents(&[handle.content])
    }

    /// One step that makes these contents durable, or fails and may drop any of them.
    fn sync_contents(&mut self, numbers: &[u64]) -> io::Result<()> {
        let dropped = match self.step(Kind::Sync) {
            Verdict::Pass(_) | Verdict::Torn(_) => None,
            Verdict::Dropped(error) => Some(error),
            Verdict::Short(_, error) | Verdict::Refused(error) => return Err(error),
        };
        for number in numbers {
            match self.contents.get_mut(number) {
                Some(content) if dropped.is_none() => content.sync(),
                Some(content) => content.fail_sync(&mut self.dice),
                None => {}
            }
        }
        dropped.map_or(Ok(()), Err)
    }

    pub(super) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        self.dir(path)?;
        self.sync_contents(&[])?;
        self.names.sync(|name| name.parent() == Some(path));
        Ok(())
    }

    pub(super) fn sync_all(&mut self, path: &Path) -> io::Result<()> {
        self.alive()?;
        self.names.get(path).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let numbers: Vec<u64> = self
            .names
            .below(path)
            .filter_map(|(_, node)| if let Node::File(number) = node { Some(number) } else { None })
            .collect();
        self.sync_contents(&numbers)?;
        // What is below is durable only when the way to it is.
        self.names.sync(|name| name.starts_with(path) || path.starts_with(name));
        Ok(())
    }

    // SQLite's locks, level for level as in its "File Locking And Concurrency In SQLite Version 3".

    /// Raises a handle's lock; false when others are in the way.
    pub(super) fn lock(&mut self, handle: Handle, level: i32) -> io::Result<bool> {
        self.content(handle)?;
        let (shared, reserved, pending, exclusive) = (1, 2, 3, 4);
        let locks = self.locks.entry(handle.content).or_default();
        let others = locks.iter().filter(|(who, _)| *who != handle.number).map(|(_, level)| *level).max().unwrap_or(0);
        let free = match level {
            l if l == shared => others < pending,
            l if l == reserved => others < reserved,
            _ => others == 0,
        };
        let held = if free {
            level
        } else if level == exclusive && others == shared {
            pending
        } else {
            return Ok(false);
        };
        locks.retain(|(who, _)| *who != handle.number);
        locks.push((handle.number, held));
        Ok(free)
    }

    /// Lowers a handle's lock.
    pub(super) fn unlock(&mut self, handle: Handle, level: i32) {
        if let Some(locks) = self.locks.get_mut(&handle.content) {
            locks.retain(|(who, _)| *who != handle.number);
            if level > 0 {
                locks.push((handle.number, level));
            }
        }
    }

    /// Whether anybody means to write.
    pub(super) fn is_reserved(&self, handle: Handle) -> io::Result<bool> {
        self.content(handle)?;
        Ok(self.locks.get(&handle.content).is_some_and(|locks| locks.iter().any(|(_, level)| *level >= 2)))
    }
}

fn hits(fault: Fault, kind: Kind) -> bool {
    match fault {
        Fault::SyncFails => kind == Kind::Sync,
        Fault::WriteFails => matches!(kind, Kind::Write { .. }),
        Fault::PowerCut | Fault::TornWrite | Fault::Kill | Fault::DiskFull { .. } => true,
    }
}

/// What the caller of a dead disk gets.
fn eio() -> io::Error {
    io::Error::from_raw_os_error(EIO)
}
