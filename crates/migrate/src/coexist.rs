//! Two servers for one domain: while a move relays, what nobody here has in its domains goes to the old server, which is asked whether
//! it has the address, so that nothing is refused that somebody still gets there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anser_base::Result;
use anser_directory::{Check, Gate, HopTls, NextHop, Route, RouteWay};

use crate::Migrate;
use crate::model::{Move, MoveState, Passing};
use crate::{rows, turn};

/// How long such a route counts, unless it is set again: a move that everybody forgot does not relay for ever.
const COEXISTENCE: Duration = Duration::from_secs(30 * 24 * 3600);
/// It is set again when no more than this is left of it.
const RENEWAL: Duration = Duration::from_secs(15 * 24 * 3600);

impl Migrate {
    /// Sets the routes of the domains of a move that relays, and removes those that it set and wants no more: may be said again whenever
    /// it was stopped. Routes that it did not set stay as they are; one that another move wants too is removed by the last of them.
    pub(crate) async fn route_domains(&self, of: &Move) -> Result<()> {
        let (id, directory, now) = (of.id, &self.inner.deps.directory, self.inner.deps.clock.now());
        let gates = self.read(move |tx| rows::gates(tx, id)).await?;
        let relay = of.relay.as_deref().filter(|_| of.passing != Passing::Off && gates.closed.is_none());
        if relay.is_none() && gates.routes.is_empty() {
            return Ok(());
        }
        let mut wanted = BTreeMap::new();
        if let Some(relay) = relay {
            // Of a domain that nobody is left of, nothing moves.
            let left = self.read(move |tx| rows::domains_left(tx, id)).await?;
            wanted.extend(left.into_iter().map(|domain| (domain, relay.to_owned())));
        }
        let others = self.routes_of_others(id).await?;
        for (domain, relay) in gates.routes.iter().filter(|(domain, relay)| wanted.get(*domain) != Some(*relay)) {
            let known = directory.route_of(domain).await?;
            let is_shared = others.contains(&(domain.clone(), relay.clone()));
            if !is_shared && known.is_some_and(|route| is_made(&route, relay)) {
                turn::route_here(&self.inner, domain).await?;
            }
            let domain = domain.clone();
            self.change_routes(id, move |routes| drop(routes.remove(&domain))).await?;
        }
        for (domain, relay) in wanted {
            let known = directory.route_of(&domain).await?;
            let is_noted = gates.routes.get(&domain) == Some(&relay);
            let may_be_set = |route: &Route| {
                is_made(route, &relay) && (is_noted || others.contains(&(domain.clone(), relay.clone())))
            };
            if known.as_ref().is_some_and(|route| !may_be_set(route)) {
                continue;
            }
            if !is_noted {
                // Before it is set: what was stopped between the two is set again, and never left behind.
                let (domain, relay) = (domain.clone(), relay.clone());
                self.change_routes(id, move |routes| drop(routes.insert(domain.clone(), relay.clone()))).await?;
            }
            if known.is_none_or(|route| route.until.is_none_or(|until| until.since(now) <= RENEWAL)) {
                let (gate, way, until) = (Some(GATE), way(&relay)?, Some(now.after(COEXISTENCE)));
                directory.put_route(Route { pattern: domain, way, gate, hours: None, until }).await?;
            }
        }
        Ok(())
    }

    /// The domains and relays that other moves noted.
    async fn routes_of_others(&self, id: u64) -> Result<BTreeSet<(String, String)>> {
        self.read(move |tx| {
            let mut all = BTreeSet::new();
            for other in rows::moves(tx)?.iter().filter(|other| other.id != id) {
                all.extend(rows::gates(tx, other.id)?.routes);
            }
            Ok(all)
        })
        .await
    }

    async fn change_routes(
        &self,
        id: u64,
        change: impl Fn(&mut BTreeMap<String, String>) + Send + 'static,
    ) -> Result<()> {
        self.write(move |tx| rows::change_gates(tx, id, |gates| change(&mut gates.routes)).map(drop)).await
    }

    /// Moves that were not closed. The domains' routes of those that run are set again where they end soon.
    pub async fn open_moves(&self) -> Result<Vec<String>> {
        let mut open = Vec::new();
        for of in self.read(rows::moves).await? {
            let id = of.id;
            let is_closed = self.read(move |tx| rows::gates(tx, id)).await?.closed.is_some();
            if is_closed || of.state == MoveState::Running {
                self.route_domains(&of).await?;
            }
            if !is_closed {
                open.push(of.name);
            }
        }
        Ok(open)
    }

    /// The domains of a move of which unknown names go to the old server, and until when.
    pub(crate) async fn relayed_domains(&self, of: &Move) -> Result<Vec<(String, String)>> {
        let (id, now) = (of.id, self.inner.deps.clock.now());
        let mut found = Vec::new();
        for (domain, relay) in self.read(move |tx| rows::gates(tx, id)).await?.routes {
            let route = self.inner.deps.directory.route_of(&domain).await?.filter(|route| is_made(route, &relay));
            let until = route.and_then(|route| route.until).filter(|until| *until > now);
            found.extend(until.map(|until| (domain, until.to_string())));
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

/// Whether a route is still as a move made it.
fn is_made(route: &Route, relay: &str) -> bool {
    route.gate == Some(GATE) && route.until.is_some() && way(relay).is_ok_and(|way| way == route.way)
}
