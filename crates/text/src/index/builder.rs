//! A segment made of messages.

use std::collections::HashMap;

use anser_base::Result;

use super::block::{Block, Directory, Writer};
use super::terms::{Class, each_term};
use crate::searchable::Searchable;

/// Collects the terms of messages.
#[derive(Default)]
pub struct Builder {
    /// Class and term, and the ordinals that hold it in each zone.
    terms: HashMap<Box<[u8]>, Vec<(u8, Vec<u32>)>>,
    messages: u32,
    key: Vec<u8>,
}

impl Builder {
    /// Adds a message; its ordinal is the number of those added before.
    pub fn add(&mut self, text: &Searchable) {
        let ordinal = self.messages;
        self.messages += 1;
        let (terms, key) = (&mut self.terms, &mut self.key);
        text.each_zone(|zone, line| {
            each_term(line, |class, term| {
                key.clear();
                key.push(class as u8);
                key.extend_from_slice(term.as_bytes());
                let zones = match terms.get_mut(key.as_slice()) {
                    Some(zones) => zones,
                    None => terms.entry(key.as_slice().into()).or_default(),
                };
                match zones.iter_mut().find(|(known, _)| *known == zone as u8) {
                    Some((_, ordinals)) if ordinals.last() == Some(&ordinal) => {}
                    Some((_, ordinals)) => ordinals.push(ordinal),
                    None => zones.push((zone as u8, vec![ordinal])),
                }
            });
        });
    }

    /// How many messages were added.
    pub fn messages(&self) -> u32 {
        self.messages
    }

    /// Gives the blocks of the segment to `sink`, numbered from 0.
    pub fn finish(self, sink: &mut dyn FnMut(u32, Block) -> Result<()>) -> Result<Directory> {
        let mut terms: Vec<_> = self.terms.into_iter().collect();
        terms.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let mut writer = Writer::new(self.messages, sink);
        for (key, mut zones) in terms {
            zones.sort_unstable_by_key(|(zone, _)| *zone);
            if let Some((class, term)) =
                key.split_first().and_then(|(class, term)| Some((Class::from_number(*class)?, term)))
            {
                writer.push(class, term, zones.iter().map(|(zone, ordinals)| (*zone, ordinals.as_slice())))?;
            }
        }
        writer.finish()
    }
}
