//! What was seen of mail in the name of a domain, told to it (RFC 9990).

use anser_base::{Address, Error, Result};
use anser_peers::aggregate::{Published, ROWS, Report};
use anser_peers::counts::Due;
use anser_senderauth::dmarc::destinations;
use anser_senderauth::dns::{Dns, Trouble};

use super::{Letter, Reporter, packed};
use crate::Delivery;

impl Delivery {
    /// Tells a domain. False when it wants no reports any more, or has them sent where nobody asked for them.
    pub(super) async fn send_aggregate(&self, due: &Due, reporter: &Reporter) -> Result<bool> {
        let dns = Dns::new(&self.deps.resolver);
        let found = destinations(&dns, &due.domain).await.map_err(|Trouble(why)| Error::unavailable(why))?;
        let Some((record, addresses)) = found else { return Ok(false) };
        let meta = self.meta(due, reporter);
        let rows = self.deps.peers.counted(due, ROWS).await?;
        let report = Report { meta: meta.clone(), policy: Published::of(&due.domain, &record), rows };
        let letter = Letter {
            due,
            meta: &meta,
            packed: packed(report.write().as_bytes())?,
            media_type: "application/gzip",
            extension: "xml.gz",
            to: addresses.iter().filter_map(|address| Address::parse(address)).collect(),
        };
        self.put_letter(letter, reporter).await?;
        Ok(true)
    }
}
