//! Two servers for one domain: while a move relays, what nobody here has in its domains goes to the old server, which is asked whether
//! it has the address, so that nothing is refused that somebody still gets there.

use std::time::Duration;

use anser_base::Result;
use anser_directory::{Check, Gate, HopTls, NextHop, Route, RouteWay};

use crate::Migrate;
use crate::model::{Move, Passing};
use crate::{rows, turn};

/// How long such a route counts, unless it is set again: a move that everybody forgot does not relay for ever.
const COEXISTENCE: Duration = Duration::from_secs(30 * 24 * 3600);
/// It is set again when no more than this is left of it.
const RENEWAL: Duration = Duration::from_secs(15 * 24 * 3600);

impl Migrate {
    /// Sets the routes of the domains of a move that relays; those that somebody else set stay as they are.
    pub(crate) async fn route_domains(&self, of: &Move) -> Result<()> {
        let Some(relay) = of.relay.as_deref().filter(|_| of.passing != Passing::Off) else { return Ok(()) };
        let (id, directory, now) = (of.id, &self.inner.deps.directory, self.inner.deps.clock.now());
        if self.read(move |tx| rows::gates(tx, id)).await?.closed.is_some() {
            return Ok(());
        }
        let way = way(relay)?;
        for domain in self.domains(&of.name).await? {
            let known = directory.route_of(&domain).await?;
            let is_fresh =
                |route: &Route| route.way == way && route.until.is_some_and(|until| until.since(now) > RENEWAL);
            if known.as_ref().is_some_and(|route| !is_ours(route) || is_fresh(route)) {
                continue;
            }
            let until = Some(now.after(COEXISTENCE));
            let (gate, way) = (Some(GATE), way.clone());
            directory.put_route(Route { pattern: domain, way, gate, hours: None, until }).await?;
        }
        Ok(())
    }

    /// Moves that were not closed, whose routes are set again where they end soon.
    pub async fn open_moves(&self) -> Result<Vec<String>> {
        let mut open = Vec::new();
        for of in self.read(rows::moves).await? {
            let id = of.id;
            if self.read(move |tx| rows::gates(tx, id)).await?.closed.is_none() {
                self.route_domains(&of).await?;
                open.push(of.name);
            }
        }
        Ok(open)
    }

    /// Removes the routes of a move's domains that lead to this server.
    pub(crate) async fn unroute_domains(&self, name: &str, relay: &str) -> Result<()> {
        let (directory, way) = (&self.inner.deps.directory, way(relay)?);
        for domain in self.domains(name).await? {
            let known = directory.route_of(&domain).await?;
            if known.is_some_and(|route| is_ours(&route) && route.way == way) {
                turn::route_here(&self.inner, &domain).await?;
            }
        }
        Ok(())
    }

    /// The domains of a move of which unknown names go to the old server, and until when.
    pub(crate) async fn relayed_domains(&self, of: &Move) -> Result<Vec<(String, String)>> {
        let mut found = Vec::new();
        if of.relay.is_none() {
            return Ok(found);
        }
        for domain in self.domains(&of.name).await? {
            let route = self.inner.deps.directory.route_of(&domain).await?.filter(is_ours);
            found.extend(route.and_then(|route| Some((domain, route.until?.to_string()))));
        }
        Ok(found)
    }
}

/// What the old server cannot be asked about is taken, and waits for it.
const GATE: Gate = Gate { check: Check::Callout, open_when_down: true };

fn way(relay: &str) -> Result<RouteWay> {
    let (host, port) = turn::split(relay)?;
    Ok(RouteWay::Host(NextHop { host, port, tls: HopTls::Opportunistic, login: None }))
}

/// Whether a move made it: others set no end, or no gate like this one.
fn is_ours(route: &Route) -> bool {
    route.gate == Some(GATE)
        && route.until.is_some()
        && matches!(&route.way, RouteWay::Host(hop) if hop.login.is_none())
}
