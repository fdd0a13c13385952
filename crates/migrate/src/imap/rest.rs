//! The rest of a large body, over another connection than the one that broke in the middle of it (RFC 9051 §6.4.5, partial fetch).

use anser_wire::imap::client::Response;

use super::connection::{Got, Imap, RESPONSES, well};
use crate::source::Partial;
use crate::trouble::Trouble;

impl Imap {
    /// Brings the rest of a body of the open folder. What came of it stays in `partial` when this connection breaks as well:
    /// [`Trouble::Later`]. [`Trouble::Refused`] when it is not the rest of what came before.
    pub async fn rest(&mut self, partial: &mut Partial) -> Result<(), Trouble> {
        let Partial { at, incoming, size } = partial;
        let Some((came, seam)) = incoming.seam() else { return Err(not_the_rest()) };
        let (from, mut seam) = (came - seam.len() as u64, seam.to_vec());
        let wanted = size.saturating_sub(from);
        let tag = self.send(&format!("UID FETCH {at} (UID BODY.PEEK[]<{from}.{wanted}>)")).await?;
        let mut begun = false;
        for _ in 0..RESPONSES {
            match self.next().await? {
                // One body, and that of this length.
                Got::Body(announced) if announced != wanted || std::mem::replace(&mut begun, true) => {
                    return Err(not_the_rest());
                }
                Got::Octets(count) => {
                    let octets = &self.octets()[..count];
                    // What came twice has to be the same.
                    let twice = seam.len().min(octets.len());
                    if octets[..twice] != seam[..twice] {
                        return Err(not_the_rest());
                    }
                    seam.drain(..twice);
                    incoming.take(&octets[twice..]).await?;
                    self.used(count);
                }
                Got::Response(Response::Fetch(fetched)) if fetched.streamed && fetched.uid != Some(*at) => {
                    return Err(not_the_rest());
                }
                Got::Response(Response::Condition(condition)) if condition.tag.as_ref() == Some(&tag) => {
                    well(condition, "UID FETCH")?;
                    let is_whole = incoming.seam().is_some_and(|(came, _)| came == *size);
                    return if is_whole { Ok(()) } else { Err(not_the_rest()) };
                }
                Got::Body(_) | Got::Response(_) => {}
            }
        }
        Err(Trouble::lost("the server answers without end"))
    }
}

fn not_the_rest() -> Trouble {
    Trouble::Refused("the server has no rest of a body that it began".to_owned())
}
