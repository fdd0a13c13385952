//! What of the index a query needs.

use std::ops::Range;

use super::block::{Directory, How, find};
use super::terms::{Class, STEP, WHOLE, each_run, pairs};
use crate::query::{Field, Query};
use crate::searchable::Zone;

/// Pieces of a query that are looked up; more would hardly leave fewer candidates.
const PIECES: usize = 12;

/// A query cut into pieces, each of which a message must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pieces: Vec<Piece>,
    is_exact: bool,
}

/// One piece.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Piece {
    class: Class,
    how: How,
    text: String,
    zones: u8,
}

impl Plan {
    /// Of a query.
    pub fn of(query: &Query) -> Plan {
        let mut plan = Plan { pieces: Vec::new(), is_exact: false };
        let zones = query.zones();
        plan.add(&query.needle, zones, false);
        let is_named = matches!(&query.field, Field::Header(name) if Zone::of_field(name) == Zone::Other);
        plan.is_exact = !is_named && plan.is_one_run(&query.needle);
        if let Field::Header(name) = &query.field
            && (is_named || query.needle.is_empty())
        {
            plan.add(name, 1 << Zone::Other as u8, true);
        } else if query.needle.is_empty() {
            plan.is_exact = true;
        }
        plan.simplify();
        plan
    }

    /// Whether the messages that hold all pieces are those that match; otherwise their texts decide.
    pub fn is_exact(&self) -> bool {
        self.is_exact
    }

    /// How many pieces there are; without any every message is a candidate.
    pub fn pieces(&self) -> usize {
        self.pieces.len()
    }

    /// Zones of a piece, as a bit set.
    pub fn zones(&self, piece: usize) -> u8 {
        self.pieces[piece].zones
    }

    /// The blocks whose terms must be looked at for a piece.
    pub fn blocks(&self, piece: usize, directory: &Directory) -> Range<u32> {
        let Piece { class, how, text, .. } = &self.pieces[piece];
        directory.candidates(*class, *how, text.as_bytes())
    }

    /// The terms of a block that meet a piece, by number.
    pub fn find(&self, piece: usize, terms: &[u8]) -> Vec<u32> {
        let Piece { how, text, .. } = &self.pieces[piece];
        find(terms, *how, text.as_bytes())
    }

    /// Adds the runs of a text; `whole` when nothing may stand beside it.
    fn add(&mut self, text: &str, zones: u8, whole: bool) {
        each_run(text, |class, start, end| {
            let how = match (whole || start > 0, whole || end < text.len()) {
                (true, true) => How::Whole,
                (true, false) => How::Prefix,
                (false, true) => How::Suffix,
                (false, false) => How::Within,
            };
            self.add_run(class, how, &text[start..end], zones);
        });
    }

    fn add_run(&mut self, class: Class, how: How, run: &str, zones: u8) {
        let chars = run.chars().count();
        let mut push = |how, text: &str| self.pieces.push(Piece { class, how, text: text.to_owned(), zones });
        match class {
            Class::Marks => run.char_indices().for_each(|(at, c)| push(How::Whole, &run[at..at + c.len_utf8()])),
            Class::Pairs if chars > 1 => pairs(run, |pair| push(How::Whole, pair)),
            Class::Word | Class::Digits if chars > WHOLE && how == How::Whole => push(How::Prefix, first(run, STEP)),
            Class::Word | Class::Digits if chars > STEP && how == How::Suffix => push(how, last(run, STEP)),
            Class::Word | Class::Digits if chars > STEP && how != How::Whole => push(how, first(run, STEP)),
            _ => push(how, run),
        }
    }

    /// Whether the needle is one run that one piece answers.
    fn is_one_run(&self, needle: &str) -> bool {
        matches!(&self.pieces[..], [piece] if piece.text == needle)
    }

    /// Marks are in nearly every message; they count only when there is nothing else. Looking into terms takes longest; it is not
    /// needed when whole terms are there to choose by.
    fn simplify(&mut self) {
        if self.pieces.iter().any(|piece| piece.class != Class::Marks) {
            self.pieces.retain(|piece| piece.class != Class::Marks);
        }
        if self.pieces.iter().any(|piece| piece.how == How::Whole && piece.text.chars().count() > 1) {
            self.pieces.retain(|piece| !matches!(piece.how, How::Suffix | How::Within));
        }
        let mut seen = std::collections::HashSet::new();
        self.pieces.retain(|piece| seen.insert(piece.clone()));
        self.pieces.truncate(PIECES);
    }
}

fn first(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(at, _)| &text[..at])
}

fn last(text: &str, chars: usize) -> &str {
    text.char_indices().nth_back(chars - 1).map_or(text, |(at, _)| &text[at..])
}
