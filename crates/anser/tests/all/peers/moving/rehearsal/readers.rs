//! Users whose programs read all the while. Whenever they read: what was fetched stays, nothing is fetched under another name, and nothing
//! is there that nobody sent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::super::programs::{Fetched, Programs};
use super::old::{OldServers, subjects};
use crate::world::Dev;

/// One of them.
struct Reader {
    user: usize,
    programs: Programs,
    /// What mbsync fetched, and what getmail fetched.
    has: [Fetched; 2],
    /// Subjects that mbsync, and that getmail, is to find.
    sent: [Vec<String>; 2],
    is_of_courier: bool,
    /// Whether getmail runs.
    gets: bool,
}

impl Reader {
    fn new(dev: &Dev, old: &OldServers, user: usize) -> Self {
        let login = format!("u{user}");
        let programs = Programs::new(dev, &format!("{login}@anser.test"));
        let inbox = subjects(&login, "INBOX", old.messages);
        let is_of_courier = old.at[user % 3].name == "courier";
        let (programs, all) = match is_of_courier {
            // Its other folders are `INBOX.Work` there and `Work` here: programs take them for others.
            true => (programs.of_the_inbox(), inbox.clone()),
            false => (programs, [inbox.clone(), subjects(&login, "Work", old.messages)].concat()),
        };
        Self { user, programs, has: Default::default(), sent: [all, inbox], is_of_courier, gets: true }
    }

    fn read(&mut self) {
        let mbsync = self.programs.sync();
        let getmail = if self.gets { self.programs.get() } else { self.has[1].clone() };
        for ((program, now), (before, sent)) in
            [("mbsync", mbsync), ("getmail", getmail)].into_iter().zip(self.has.iter_mut().zip(&self.sent))
        {
            let whose = format!("{program} of u{}", self.user);
            let gone: Vec<_> = before.iter().filter(|(name, _)| !now.contains_key(*name)).collect();
            assert!(gone.is_empty(), "{whose} has lost {gone:?}");
            let mut found: Vec<&String> = now.values().collect();
            found.sort();
            let twice: Vec<_> = found.windows(2).filter(|two| two[0] == two[1]).map(|two| two[0]).collect();
            assert!(twice.is_empty(), "{whose} fetched {twice:?} twice");
            let strange: Vec<_> = found.into_iter().filter(|subject| !sent.contains(subject)).collect();
            assert!(strange.is_empty(), "nobody sent {whose} {strange:?}");
            *before = now;
        }
    }
}

/// All of them: one of each old server.
pub struct Readers(Vec<Reader>);

impl Readers {
    /// Who has fetched nothing yet.
    pub fn new(dev: &Dev, old: &OldServers) -> Self {
        Self((0..3).map(|user| Reader::new(dev, old, user)).collect())
    }

    /// Their users.
    pub fn users(&self) -> Vec<usize> {
        self.0.iter().map(|reader| reader.user).collect()
    }

    /// From now on somebody may have sent this to each of them.
    pub fn are_sent(&mut self, subject: &str) {
        for reader in &mut self.0 {
            let programs = if reader.gets { 2 } else { 1 };
            reader.sent.iter_mut().take(programs).for_each(|list| list.push(subject.to_owned()));
        }
    }

    /// The getmail of Courier's user takes a rest from the way back on: Courier numbers its maildrop by itself, so that what came since the
    /// cut-over has another unique id there.
    pub fn leave_the_maildrop_of_courier(&mut self) {
        for reader in self.0.iter_mut().filter(|reader| reader.is_of_courier) {
            (reader.gets, reader.sent[1]) = (false, reader.has[1].values().cloned().collect());
        }
    }

    /// All read, and have each message that was ever sent, once.
    pub fn have_all(&mut self) {
        for reader in &mut self.0 {
            reader.read();
            for (program, (has, sent)) in ["mbsync", "getmail"].iter().zip(reader.has.iter().zip(&reader.sent)) {
                let missed: Vec<_> = sent.iter().filter(|subject| !has.values().any(|one| one == *subject)).collect();
                assert!(missed.is_empty(), "{program} of u{} misses {missed:?}", reader.user);
            }
        }
    }

    /// They read, over and over, while something is done.
    pub fn read_while<T: Send>(&mut self, done: impl FnOnce() -> T + Send) -> T {
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            for reader in &mut self.0 {
                let is_done = &is_done;
                scope.spawn(move || {
                    loop {
                        reader.read();
                        if is_done.load(Ordering::Relaxed) {
                            break;
                        }
                    }
                });
            }
            let outcome = scope.spawn(done).join();
            is_done.store(true, Ordering::Relaxed);
            outcome.expect("what was done meanwhile")
        })
    }
}
