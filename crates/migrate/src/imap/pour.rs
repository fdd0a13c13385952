//! One message, as its octets come; and the fields by which its owner knows it.

use std::collections::HashMap;

use anser_wire::imap::client::{Response, sets};

use super::connection::{Got, Imap, RESPONSES, well};
use crate::source::Pour;
use crate::trouble::Trouble;

/// Fields by which a person knows a message.
const FIELDS: &str = "BODY.PEEK[HEADER.FIELDS (SUBJECT FROM DATE)]";
/// Messages beside those that were asked for, whose flags a server may tell of meanwhile.
const BESIDE: usize = 1_000;

impl Imap {
    /// Those fields of messages of the open folder, by UID; of those that the server tells.
    pub async fn heads(&mut self, uids: &[u32]) -> Result<HashMap<u32, Vec<u8>>, Trouble> {
        let mut heads = HashMap::new();
        let command = format!("UID FETCH {} (UID {FIELDS})", sets(uids).join(","));
        let each = |uid: Option<u32>, block: &[u8]| {
            if let Some(uid) = uid.filter(|uid| uids.contains(uid) && !block.is_empty()) {
                heads.insert(uid, block.to_vec());
            }
        };
        match self.blocks(&command, uids.len() + BESIDE, each).await {
            // Of some that came before it refused one.
            Ok(()) | Err(Trouble::Refused(_)) => Ok(heads),
            Err(other) => Err(other),
        }
    }

    /// Hands on a message of the open folder, in the first way in which the server gives it.
    pub async fn pour(&mut self, uid: u32, into: &mut Pour) -> Result<(), Trouble> {
        let mut refused = "the server did not hand it out".to_owned();
        for item in self.ways() {
            match self.pour_by(item, uid, into).await {
                Ok(()) if into.has_any() => return Ok(()),
                Ok(()) => {}
                Err(Trouble::Refused(why)) if !into.has_any() => refused = why,
                Err(other) => return Err(other),
            }
        }
        Err(Trouble::Refused(refused))
    }

    async fn pour_by(&mut self, item: &str, uid: u32, into: &mut Pour) -> Result<(), Trouble> {
        let tag = self.send(&format!("UID FETCH {uid} (UID {item})")).await?;
        for _ in 0..RESPONSES {
            match self.next().await? {
                // Octets of two are none of either.
                Got::Body(_) if into.has_any() => {
                    return Err(Trouble::lost("the server hands out more than one message"));
                }
                Got::Body(_) => {}
                Got::Octets(count) => {
                    into.put(&self.octets()[..count]).await?;
                    self.used(count);
                }
                Got::Response(Response::Fetch(fetched)) => {
                    let is_other = fetched.uid.is_some_and(|other| other != uid);
                    if is_other && (fetched.streamed || fetched.body.is_some()) {
                        return Err(Trouble::lost("the server hands out another message"));
                    }
                    if let Some(body) = fetched.body.filter(|_| !into.has_any()) {
                        into.put(&body).await?;
                    }
                }
                Got::Response(Response::Condition(condition)) if condition.tag.as_ref() == Some(&tag) => {
                    return well(condition, "UID FETCH").map(drop);
                }
                Got::Response(_) => {}
            }
        }
        Err(Trouble::lost("the server answers without end"))
    }
}
