//! Header fields of messages that the index does not have yet: those that are kept beside the rows ([`crate::are_kept`]) are looked
//! through there. It opens no body, so that SUBJECT, FROM, TO and CC are answered in seconds however much mail was just imported.

use std::borrow::Cow;

use anser_base::{MessageId, Result};
use anser_text::{Field, Searchable};

use super::ask::{Matches, Search};
use crate::fields::are_kept;
use crate::rows::Columns;

/// Messages whose rows are read in one transaction.
const ROWS: usize = 512;
const FIELDS: Columns = Columns { listing: false, structure: false, fields: true };

impl Search<'_> {
    /// Answers for messages behind the index by their rows, when all queries ask for kept fields. The messages that are still to be
    /// asked for: those that the index has, and those whose fields are not kept.
    pub(super) fn ask_heads<'m>(&self, among: &'m [MessageId], matches: &mut Matches) -> Result<Cow<'m, [MessageId]>> {
        let Some(names) = self.header_names() else { return Ok(Cow::Borrowed(among)) };
        if !are_kept(&names) {
            return Ok(Cow::Borrowed(among));
        }
        // An index that cannot be read is seen to when it is asked.
        let through = self.store.trusted_state(self.account).ok().flatten().map_or(MessageId(0), |state| state.through);
        let (covered, tail) = among.split_at(among.partition_point(|id| *id <= through));
        if tail.is_empty() {
            return Ok(Cow::Borrowed(among));
        }
        self.store.shared.search.want(self.account);
        let mut left = covered.to_vec();
        let wanted = |field: &[u8]| names.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(field));
        for ids in tail.chunks(ROWS) {
            self.give_up_if_gone()?;
            let asked = ids.to_vec();
            let rows = self.store.look(self.account, move |tx| tx.message_rows(&asked, FIELDS))?;
            for id in ids {
                // A message without a row was destroyed.
                let Some(row) = rows.get(*id) else { continue };
                let Some((own, kept)) = row.fields() else {
                    left.push(*id);
                    continue;
                };
                let head = Searchable::lines_of(&[own, kept], wanted);
                self.did(1);
                self.judge(*id, &head, "", matches);
            }
        }
        Ok(Cow::Owned(left))
    }

    /// The names of the header fields that are asked for; `None` when something else is, too.
    fn header_names(&self) -> Option<Vec<String>> {
        let name = |field: &Field| match field {
            Field::Header(name) => Some(name.clone()),
            Field::Text | Field::Body => None,
        };
        self.queries.iter().map(|query| name(&query.field)).collect()
    }
}
