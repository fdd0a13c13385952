//! What goes wrong, and when.

use super::dice::Dice;

/// Something that goes wrong at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power goes before the step takes effect. It and everything later fails with EIO until `power_on`.
    PowerCut,
    /// The power goes in the middle of the step: what it wrote counts as written but not synced, so it may be there wholly,
    /// partly or not at all. A sync that is hit so is like [`Fault::PowerCut`].
    TornWrite,
    /// The process is killed in the middle of the step; the operating system lives on, so everything written so far is
    /// there after `power_on`, though still not durable.
    Kill,
    /// From this step on and for so many steps, what needs room (a write behind the end of a file, a new name) fails with
    /// ENOSPC. A part of the write may have happened.
    DiskFull {
        /// How many steps it lasts; `u64::MAX` for good.
        for_steps: u64,
    },
    /// The first sync at or after this step fails with EIO, once. As on Linux the dirty data that it covered may be dropped: it
    /// is not on the platter, and no later sync of the file brings it there unless it is written again.
    SyncFails,
    /// The first write at or after this step fails with EIO, once. A part of it may have happened.
    WriteFails,
}

/// Which faults happen at which steps. Steps are counted from 0 over the whole life of a disk; a plan may name any number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    faults: Vec<(u64, Fault)>,
}

impl Plan {
    /// Nothing goes wrong.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fault at a step.
    pub fn at(mut self, step: u64, fault: Fault) -> Self {
        self.faults.push((step, fault));
        self.faults.sort_by_key(|(step, _)| *step);
        self
    }

    /// A plan out of a seed: one crash (power cut, torn write or kill) somewhere in `from..from + steps`, and in one of three
    /// plans a full disk, a failed sync or a failed write before it.
    pub fn seeded(seed: u64, from: u64, steps: u64) -> Self {
        let dice = &mut Dice::new(seed ^ 0xF417);
        let crash = from + dice.below(steps);
        let kind = [Fault::PowerCut, Fault::TornWrite, Fault::TornWrite, Fault::Kill][dice.below(4) as usize];
        let plan = Self::new().at(crash, kind);
        let before = from + dice.below(crash - from + 1);
        match dice.below(9) {
            0 => plan.at(before, Fault::DiskFull { for_steps: 1 + dice.below(40) }),
            1 => plan.at(before, Fault::SyncFails),
            2 => plan.at(before, Fault::WriteFails),
            _ => plan,
        }
    }

    /// Takes the first fault that is due at this step and that `fits`.
    pub(super) fn take(&mut self, step: u64, fits: impl Fn(Fault) -> bool) -> Option<Fault> {
        let at = self.faults.iter().position(|(due, fault)| *due <= step && fits(*fault))?;
        Some(self.faults.remove(at).1)
    }
}
