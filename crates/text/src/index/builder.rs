//! A segment made of messages.

use std::collections::HashMap;

use anser_base::Result;
use foldhash::fast::RandomState;

use super::block::{Block, Directory, Writer};
use super::terms::{Class, each_term};
use crate::searchable::{Searchable, Zone};

/// Zones that there are.
const ZONES: usize = Zone::Bcc as usize + 1;

/// Collects the terms of messages.
#[derive(Default)]
pub struct Builder {
    /// Class and term, and the term's number. Who sends mail chooses the terms: the hash has a seed of its own.
    terms: HashMap<Box<[u8]>, u32, RandomState>,
    /// By a term's number how many messages there were when it was last seen in each zone.
    seen: Vec<[u32; ZONES]>,
    /// Which term stands where in which message, each once.
    held: Vec<Held>,
    messages: u32,
    key: Vec<u8>,
}

/// A term's number, then its place in the order of terms; the zone; the message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    term: u32,
    zone: u8,
    ordinal: u32,
}

impl Builder {
    /// Adds a message; its ordinal is the number of those added before.
    pub fn add(&mut self, text: &Searchable) {
        let ordinal = self.messages;
        self.messages += 1;
        text.each_zone(|zone, line| each_term(line, |class, term| self.hold(ordinal, zone, class, term)));
    }

    fn hold(&mut self, ordinal: u32, zone: Zone, class: Class, term: &str) {
        self.key.clear();
        self.key.push(class as u8);
        self.key.extend_from_slice(term.as_bytes());
        let term = match self.terms.get(self.key.as_slice()) {
            Some(term) => *term,
            None => {
                let term = self.seen.len() as u32;
                self.terms.insert(self.key.as_slice().into(), term);
                self.seen.push([0; ZONES]);
                term
            }
        };
        let seen = &mut self.seen[term as usize][zone as usize];
        if *seen <= ordinal {
            *seen = ordinal + 1;
            self.held.push(Held { term, zone: zone as u8, ordinal });
        }
    }

    /// How many messages were added.
    pub fn messages(&self) -> u32 {
        self.messages
    }

    /// Gives the blocks of the segment to `sink`, numbered from 0.
    pub fn finish(self, sink: &mut dyn FnMut(u32, Block) -> Result<()>) -> Result<Directory> {
        let mut terms: Vec<(Box<[u8]>, u32)> = self.terms.into_iter().collect();
        terms.sort_unstable();
        let mut places = vec![0; terms.len()];
        terms.iter().zip(0..).for_each(|((_, term), place)| places[*term as usize] = place);
        let mut held = self.held;
        held.iter_mut().for_each(|held| held.term = places[held.term as usize]);
        held.sort_unstable();
        let mut writer = Writer::new(self.messages, sink);
        let mut ordinals = Vec::new();
        let mut lists = held.chunk_by(|a, b| a.term == b.term);
        for (key, _) in &terms {
            let list = lists.next().unwrap_or_default();
            ordinals.clear();
            ordinals.extend(list.iter().map(|held| held.ordinal));
            let zones = list.chunk_by(|a, b| a.zone == b.zone).scan(0, |start, zone| {
                let range = *start..*start + zone.len();
                *start = range.end;
                Some((zone[0].zone, range))
            });
            if let Some((class, term)) = key.split_first()
                && let Some(class) = Class::from_number(*class)
            {
                writer.push(class, term, zones.map(|(zone, range)| (zone, &ordinals[range])))?;
            }
        }
        writer.finish()
    }
}
