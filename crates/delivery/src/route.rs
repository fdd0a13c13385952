//! What each recipient of an entry is: an account here, an address to send on to, somebody on another server, or nobody.

use std::net::IpAddr;
use std::sync::Arc;

use anser_base::{Address, Error};
use anser_directory::{Account, Resolution, Route, RouteWay};
use anser_journal::What;
use anser_queue::{Entry, Outcome, Protocol};

use crate::Delivery;
use crate::remote::Way;

/// The recipients that are due, sorted by what is to be done.
#[derive(Default)]
pub(crate) struct Routed {
    /// Accounts here, by recipient.
    pub local: Vec<(usize, Local)>,
    /// Addresses to send on to, by recipient.
    pub forward: Vec<(usize, Vec<Address>)>,
    /// Recipients on other servers, and the way there.
    pub remote: Vec<(usize, Way)>,
    /// Recipients that a route takes out of the world, and its pattern.
    pub discarded: Vec<(usize, String)>,
    /// Recipients whose outcome is known already.
    pub decided: Vec<(usize, Outcome)>,
}

/// The accounts here that a recipient stands for.
pub(crate) struct Local {
    pub accounts: Vec<Arc<Account>>,
    /// It is a group, whatever the number of its members.
    pub is_group: bool,
}

impl Delivery {
    pub(crate) async fn route(&self, entry: &Entry) -> Routed {
        let mut routed = Routed::default();
        let chosen = entry.envelope.via.as_deref().and_then(chosen);
        for (index, recipient) in entry.due(self.deps.clock.now()) {
            match self.deps.directory.resolve(&recipient.address).await {
                Ok(Resolution::Elsewhere(_) | Resolution::NotLocal) if chosen.is_some() => {
                    self.on_its_way(&mut routed, index, &recipient.address, chosen.as_ref(), None);
                }
                Ok(Resolution::Elsewhere(route)) => {
                    // Mail that comes from the very server that it would go to has no home on either side.
                    let origin = &entry.envelope.origin;
                    let from = origin.client.filter(|_| origin.protocol == Protocol::Smtp);
                    self.on_its_way(&mut routed, index, &recipient.address, Some(&route), from);
                }
                Ok(Resolution::NotLocal) => match self.deps.directory.route(&recipient.address).await {
                    Ok(route) => self.on_its_way(&mut routed, index, &recipient.address, route.as_deref(), None),
                    Err(error) => routed.decided.push((index, retry_after_error(&error))),
                },
                Ok(resolution) => routed.sort_in(index, resolution),
                Err(error) => routed.decided.push((index, retry_after_error(&error))),
            }
        }
        if let Some(outcome) = self.guard(entry, &routed.remote).await {
            routed.decided.extend(routed.remote.drain(..).map(|(index, _)| (index, outcome.clone())));
        }
        for (index, pattern) in &routed.discarded {
            let recipient = entry.envelope.recipients[*index].address.to_string();
            self.journal(by_route(entry, recipient, "discard", pattern)).await;
        }
        routed
    }

    /// A recipient on another server, by its route or the way of all others.
    fn on_its_way(
        &self,
        routed: &mut Routed,
        index: usize,
        recipient: &Address,
        route: Option<&Route>,
        from: Option<IpAddr>,
    ) {
        let closed = route.and_then(|route| route.hours?.closed_for(self.deps.clock.now()));
        let decided = match route.map(|route| &route.way) {
            Some(RouteWay::Discard) => {
                routed.discarded.push((index, route.map(|route| route.pattern.clone()).unwrap_or_default()));
                return;
            }
            Some(RouteWay::Hold) => Outcome::Hold { why: "4.3.2 held by a route".into() },
            _ if closed.is_some() => Outcome::Wait {
                after: closed.unwrap_or_default(),
                why: "4.3.2 the route is not open at this hour".into(),
            },
            way => match Way::of(way, recipient, from).or_else(|| self.relay.usual_way(recipient)) {
                Some(way) => return routed.remote.push((index, way)),
                None => retry("4.4.4 no route to other servers is configured"),
            },
        };
        routed.decided.push((index, decided));
    }
}

/// The way that an operator chose.
fn chosen(via: &str) -> Option<Route> {
    let way = RouteWay::parse(via)?;
    Some(Route { pattern: String::new(), way, gate: None, hours: None, until: None })
}

/// What a route did instead of sending.
pub(crate) fn by_route(entry: &Entry, recipient: String, act: &str, pattern: &str) -> What {
    let (act, script) = (act.to_owned(), format!("route {pattern}").trim_end().to_owned());
    What::Filtered { entry: Some(entry.id), recipient, act, script, line: 0, rule: None }
}

impl Routed {
    fn sort_in(&mut self, index: usize, resolution: Resolution) {
        match resolution {
            Resolution::Account(account) => {
                self.local.push((index, Local { accounts: vec![account], is_group: false }));
            }
            Resolution::Group(group) => {
                self.local.push((index, Local { accounts: group.accounts.clone(), is_group: true }));
                if !group.outside.is_empty() {
                    self.forward.push((index, group.outside.clone()));
                }
            }
            Resolution::Forward(address) => self.forward.push((index, vec![address])),
            // These have ways of their own.
            Resolution::NotLocal | Resolution::Elsewhere(_) => {}
            Resolution::Suspended(_) => self.decided.push((index, retry("4.2.1 the mailbox is suspended"))),
            Resolution::Disabled => self.decided.push((index, retry("4.3.2 the domain is switched off"))),
            Resolution::NoSuchUser => {
                self.decided.push((index, Outcome::Fail { why: "5.1.1 no such mailbox here".into() }));
            }
        }
    }
}

fn retry(why: &str) -> Outcome {
    Outcome::Retry { after: None, why: why.into() }
}

/// Trouble of our own: logged whole, and tried again.
pub(crate) fn retry_after_error(error: &Error) -> Outcome {
    tracing::warn!(error = error.chain(), "a delivery is put off");
    let code = if error.class == anser_base::Class::Full { "4.3.1" } else { "4.3.0" };
    Outcome::Retry { after: None, why: format!("{code} {}", error.text.en) }
}
