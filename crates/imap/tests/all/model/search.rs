//! Random searches, judged by the plainest reading of their keys.

use std::collections::BTreeSet;

use super::acts::{expand, set};
use super::dice::Dice;
use super::flags;
use super::told::Seen;
use super::truth::content;
use super::wire::{Checked, End, Response, Token, check, number_ranges};
use super::world::World;

enum Key {
    All,
    Flag(u32),
    Numbers(Vec<(u32, u32)>),
    Uids(Vec<(u32, u32)>),
    Saved,
    Larger(u64),
    Smaller(u64),
    ModSeq(u64),
    Not(Box<Key>),
    Or(Box<Key>, Box<Key>),
    And(Vec<Key>),
}

impl Key {
    fn holds(&self, number: u32, seen: &Seen, saved: &BTreeSet<u32>) -> bool {
        let within = |ranges: &[(u32, u32)], number: u32| ranges.iter().any(|(a, b)| (*a..=*b).contains(&number));
        let size = || content(seen.content).len() as u64;
        match self {
            Key::All => true,
            Key::Flag(mask) => seen.flags & mask != 0,
            Key::Numbers(ranges) => within(ranges, number),
            Key::Uids(ranges) => within(ranges, seen.uid),
            Key::Saved => saved.contains(&seen.uid),
            Key::Larger(than) => size() > *than,
            Key::Smaller(than) => size() < *than,
            Key::ModSeq(modseq) => seen.modseq >= *modseq,
            Key::Not(key) => !key.holds(number, seen, saved),
            Key::Or(a, b) => a.holds(number, seen, saved) || b.holds(number, seen, saved),
            Key::And(keys) => keys.iter().all(|key| key.holds(number, seen, saved)),
        }
    }

    fn asks_modseq(&self) -> bool {
        match self {
            Key::ModSeq(_) => true,
            Key::Not(key) => key.asks_modseq(),
            Key::Or(a, b) => a.asks_modseq() || b.asks_modseq(),
            Key::And(keys) => keys.iter().any(Key::asks_modseq),
            _ => false,
        }
    }
}

/// What a SEARCH returned.
#[derive(Default, Debug, PartialEq)]
struct Found {
    all: Option<Vec<u32>>,
    min: Option<u32>,
    max: Option<u32>,
    count: Option<u32>,
    modseq: Option<u64>,
}

impl World<'_> {
    pub async fn search(&mut self, who: usize, dice: &mut Dice) -> Checked {
        let uid = dice.one_in(2);
        let before = self.view(who)?.seen.clone();
        let saved = self.sessions[who].saved.clone();
        let (text, key) = some_key(&before, 3, dice);
        let options = *dice.of(&[
            "",
            "",
            "ALL",
            "MIN",
            "MIN MAX",
            "COUNT",
            "SAVE",
            "SAVE MIN",
            "SAVE COUNT",
            "SAVE ALL",
            "MAX SAVE",
        ]);
        let returns = if options.is_empty() { String::new() } else { format!("RETURN ({options}) ") };
        let word = if uid { "UID SEARCH" } else { "SEARCH" };
        let (responses, end) = self.exchange(who, format!("{word} {returns}{text}")).await?;
        check!(matches!(end, End::Ok(_)), "{word} {returns}{text} ended with {end:?}");
        let asks_modseq = key.asks_modseq();
        self.sessions[who].enabled.condstore |= asks_modseq;
        let hits: Vec<(u32, &Seen)> =
            (1..).zip(&before).filter(|(number, seen)| key.holds(*number, seen, &saved)).collect();
        let numbers: Vec<u32> = hits.iter().map(|(number, seen)| if uid { seen.uid } else { *number }).collect();
        let has = |word: &str| options.split(' ').any(|option| option == word);
        // MIN and MAX alone tell the modification sequence of theirs (RFC 4731 §3.2).
        let ends_only = (has("MIN") || has("MAX")) && !has("ALL") && !has("COUNT");
        let ends = [hits.first().filter(|_| has("MIN")), hits.last().filter(|_| has("MAX"))];
        let counted = if ends_only { ends.into_iter().flatten().collect() } else { hits.iter().collect::<Vec<_>>() };
        let modseq = counted.iter().map(|(_, seen)| seen.modseq).max().filter(|_| asks_modseq);
        let esearch = !options.is_empty() || self.sessions[who].enabled.rev2;
        let quiet = options == "SAVE";
        let all = !esearch || has("ALL") || options.is_empty();
        let expected = Found {
            all: (all && (!esearch || !numbers.is_empty())).then(|| numbers.clone()),
            min: numbers.first().copied().filter(|_| has("MIN")),
            max: numbers.last().copied().filter(|_| has("MAX")),
            count: has("COUNT").then_some(numbers.len() as u32),
            modseq,
        };
        let found = responses.iter().find_map(found);
        match (quiet, found) {
            (true, None) => {}
            (false, Some(found)) => check!(found == expected, "{word} {text} told {found:?}, not {expected:?}"),
            (_, found) => return Err(format!("{word} {returns}{text} told {found:?}")),
        }
        if has("SAVE") {
            let uids: Vec<u32> = hits.iter().map(|(_, seen)| seen.uid).collect();
            let ends = [uids.first().filter(|_| has("MIN")), uids.last().filter(|_| has("MAX"))];
            self.sessions[who].saved = match has("MIN") || has("MAX") {
                true => ends.into_iter().flatten().copied().collect(),
                false => uids.into_iter().collect(),
            };
        }
        self.hear(who, &responses, !uid, !uid)
    }
}

fn found(response: &Response) -> Option<Found> {
    match response {
        Response::Search { numbers, modseq } => {
            Some(Found { all: Some(numbers.clone()), modseq: *modseq, ..Found::default() })
        }
        Response::Esearch(tokens) => {
            let words: Vec<String> = tokens
                .iter()
                .filter_map(|token| match token {
                    Token::Atom(word) => Some(word.clone()),
                    _ => None,
                })
                .collect();
            let after = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
            let number = |name: &str| after(name).and_then(|text| text.parse().ok());
            let all = after("ALL").and_then(|text| number_ranges(text)).map(|ranges| expand(&ranges));
            let modseq = after("MODSEQ").and_then(|text| text.parse().ok());
            Some(Found { all, min: number("MIN"), max: number("MAX"), count: number("COUNT"), modseq })
        }
        _ => None,
    }
}

fn some_key(before: &[Seen], depth: u32, dice: &mut Dice) -> (String, Key) {
    let top = before.last().map_or(0, |seen| seen.uid);
    match dice.below(if depth == 0 { 8 } else { 12 }) {
        0 => ("ALL".to_owned(), Key::All),
        1 => ("DELETED".to_owned(), Key::Flag(flags::DELETED)),
        2 => ("UNSEEN".to_owned(), Key::Not(Box::new(Key::Flag(flags::SEEN)))),
        3 => {
            let mask = 1 << (5 + dice.below(4));
            (format!("KEYWORD {}", flags::text(mask, dice)), Key::Flag(mask))
        }
        4 if !before.is_empty() => {
            let (text, ranges) = set(before.len() as u32, false, dice);
            (text, Key::Numbers(ranges))
        }
        4 | 5 => {
            let (text, ranges) = set(top, true, dice);
            (format!("UID {text}"), Key::Uids(ranges))
        }
        6 => {
            let size = 60 + dice.below(70);
            match dice.one_in(2) {
                true => (format!("LARGER {size}"), Key::Larger(size)),
                false => (format!("SMALLER {size}"), Key::Smaller(size)),
            }
        }
        7 if dice.one_in(3) => ("$".to_owned(), Key::Saved),
        7 => {
            let modseq = before.get(dice.below(before.len() as u64) as usize).map_or(1, |seen| seen.modseq);
            (format!("MODSEQ {modseq}"), Key::ModSeq(modseq))
        }
        8 => {
            let (text, key) = some_key(before, depth - 1, dice);
            (format!("NOT {text}"), Key::Not(Box::new(key)))
        }
        9 => {
            let ((a, left), (b, right)) = (some_key(before, depth - 1, dice), some_key(before, depth - 1, dice));
            (format!("OR {a} {b}"), Key::Or(Box::new(left), Box::new(right)))
        }
        _ => {
            let keys: Vec<(String, Key)> = (0..2 + dice.below(2)).map(|_| some_key(before, depth - 1, dice)).collect();
            let text = keys.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(" ");
            (format!("({text})"), Key::And(keys.into_iter().map(|(_, key)| key).collect()))
        }
    }
}
