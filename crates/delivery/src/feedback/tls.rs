//! How sessions with a domain's servers went, told to it (RFC 8460): by mail, or by POST where it names an address of the Web.

use std::time::Duration;

use anser_base::{Address, Error, Result};
use anser_net::http::client::{Options, exchange, post};
use anser_peers::counts::Due;
use anser_peers::tls::{FAILURES, Report};

use super::{Letter, Reporter, packed};
use crate::Delivery;
use crate::remote::{Outward, authorities, tls_destinations};

/// How long a web server may take for a report.
const POST: Duration = Duration::from_secs(60);
/// Bytes of its answer that are read.
const ANSWER: usize = 64 * 1024;

impl Delivery {
    /// Tells a domain. False when it wants no reports any more.
    pub(super) async fn send_tls(&self, due: &Due, reporter: &Reporter) -> Result<bool> {
        let destinations = tls_destinations(&self.deps.resolver, &due.domain).await.map_err(Error::unavailable)?;
        let meta = self.meta(due, reporter);
        let sessions = self.deps.peers.counted(due, FAILURES).await?;
        let packed = packed(&Report { meta: meta.clone(), sessions }.write())?;
        let mailto = |uri: &String| Address::parse(uri.strip_prefix("mailto:")?.split('?').next()?);
        let people: Vec<Address> = destinations.iter().filter_map(mailto).collect();
        let mut sent = false;
        if !people.is_empty() {
            let (media_type, extension) = ("application/tlsrpt+gzip", "json.gz");
            let letter = Letter { due, meta: &meta, packed: packed.clone(), media_type, extension, to: people };
            self.put_letter(letter, reporter).await?;
            sent = true;
        }
        let mut trouble = None;
        for uri in destinations.iter().filter(|uri| uri.starts_with("https://")) {
            match self.post(uri, &packed).await {
                Ok(()) => sent = true,
                Err(error) => trouble = Some(error),
            }
        }
        match trouble {
            Some(error) if !sent => Err(error),
            _ => Ok(sent),
        }
    }

    /// RFC 8460 §5.4. Web servers at addresses that are not public are not spoken to.
    async fn post(&self, uri: &str, packed: &[u8]) -> Result<()> {
        let Some(Outward { web_port, private, authorities: file, .. }) = &self.deps.outward else { return Ok(()) };
        let options = Options { port: *web_port, private: *private, ..Options::new(authorities(file)?, POST) };
        let request = post(uri, "application/tlsrpt+gzip", packed.to_vec())?;
        let answer = exchange(&self.deps.resolver, request, ANSWER, &options).await?;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(Error::unavailable(format!("{uri} answers {}", answer.status()))),
        }
    }
}
