//! What survives a power cut. Independent coins alone would hardly ever show the tidy outcomes (all, nothing, names without
//! bytes), so each cut first draws which kind of cut it is.

use super::dice::Dice;

/// The kind of one power cut. It decides over every change that was not synced.
pub(super) enum Fate {
    /// Nothing un-synced had reached the platter.
    Nothing,
    /// All of it had.
    Everything,
    /// All changes before this step had, none after it; the one at this step is torn.
    UpTo(u64),
    /// The journal of names was written, the bytes were not: empty or zeroed files under their final names.
    NamesOnly,
    /// The bytes were written, the journal of names was not.
    BytesOnly,
    /// Each name, length and sector for itself, with this many chances in 16.
    Each(u64),
}

impl Fate {
    /// Draws a kind, for a cut after this many steps.
    pub(super) fn draw(dice: &mut Dice, steps: u64) -> Self {
        match dice.below(10) {
            0 => Self::Nothing,
            1 => Self::Everything,
            2..=4 => {
                let span = [4, 16, 64, 256][dice.below(4) as usize];
                Self::UpTo(steps.saturating_sub(dice.below(span)))
            }
            5 => Self::NamesOnly,
            6 => Self::BytesOnly,
            _ => Self::scattered(dice),
        }
    }

    /// The kind that a failed sync has: some sectors were written, others not.
    pub(super) fn scattered(dice: &mut Dice) -> Self {
        Self::Each([2, 8, 14][dice.below(3) as usize])
    }

    /// Whether a change of a name, made at this step, survived.
    pub(super) fn spares_name(&self, step: u64, dice: &mut Dice) -> bool {
        match self {
            Self::NamesOnly => true,
            Self::BytesOnly => false,
            _ => self.spares(step, dice),
        }
    }

    /// Whether a change of a file's length, made at this step, survived.
    pub(super) fn spares_length(&self, step: u64, dice: &mut Dice) -> bool {
        match self {
            Self::NamesOnly => dice.sixteenths(8),
            Self::BytesOnly => true,
            _ => self.spares(step, dice),
        }
    }

    /// Whether one sector of a write, made at this step, survived.
    pub(super) fn spares_sector(&self, step: u64, dice: &mut Dice) -> bool {
        match self {
            Self::NamesOnly => false,
            Self::BytesOnly => true,
            _ => self.spares(step, dice),
        }
    }

    fn spares(&self, step: u64, dice: &mut Dice) -> bool {
        match *self {
            Self::Nothing | Self::NamesOnly => false,
            Self::Everything | Self::BytesOnly => true,
            Self::UpTo(last) => step < last || step == last && dice.sixteenths(8),
            Self::Each(n) => dice.sixteenths(n),
        }
    }
}
