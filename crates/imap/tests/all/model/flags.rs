//! Flags as bits: five of the system, the others keywords. `\Recent` is left out, since it may differ between sessions.

use super::dice::Dice;
use super::wire::Token;

const NAMES: [&str; 9] =
    ["\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft", "$Forwarded", "$Label1", "work", "x-y_z.1"];
pub const DELETED: u32 = 4;
pub const SEEN: u32 = 8;

/// The bits of a list; `None` for a flag that nobody set.
pub fn mask(list: &[Token]) -> Option<u32> {
    let mut mask = 0;
    for token in list {
        let Token::Atom(name) = token else { return None };
        if name != "\\Recent" {
            mask |= bit(name)?;
        }
    }
    Some(mask)
}

fn bit(name: &str) -> Option<u32> {
    NAMES.iter().position(|known| known.eq_ignore_ascii_case(name)).map(|at| 1 << at)
}

/// The bits of names that the store knows.
pub fn of_names<'a>(names: impl Iterator<Item = &'a str>) -> Option<u32> {
    names.map(bit).try_fold(0, |mask, bit| bit.map(|bit| mask | bit))
}

/// Some flags, up to three.
pub fn some(dice: &mut Dice) -> u32 {
    (0..dice.below(4)).fold(0, |mask, _| mask | 1 << dice.below(NAMES.len() as u64))
}

/// Flags as a client writes them, keywords in any case.
pub fn text(mask: u32, dice: &mut Dice) -> String {
    names(mask)
        .map(|name| if dice.one_in(4) { name.to_uppercase() } else { name.to_owned() })
        .collect::<Vec<_>>()
        .join(" ")
}

/// The names of these bits.
pub fn names(mask: u32) -> impl Iterator<Item = &'static str> {
    NAMES.into_iter().enumerate().filter(move |(at, _)| mask & (1 << at) != 0).map(|(_, name)| name)
}

/// Whether these names, told by FLAGS, hold every flag of the mask.
pub fn told(names_told: &[String], mask: u32) -> bool {
    names(mask).all(|name| names_told.iter().any(|told| told.eq_ignore_ascii_case(name)))
}
