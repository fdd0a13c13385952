//! Routes: where mail goes whose mailbox is not here.

use std::time::Duration;

use anser_base::{Error, Result};
use anser_directory::{Check, Gate, HopTls, Hours, Route, RouteWay};
use anser_wire::Secret;

use crate::answer::{Item, Out, Report, RouteView};
use crate::request::RouteSpec;
use crate::{Actor, Admin, parse};

impl Admin {
    /// Sets a route. `Class::Invalid` for words that mean nothing; else errors as for [`anser_directory::Directory::put_route`].
    pub async fn add_route(&self, actor: &Actor, spec: RouteSpec) -> Result<Report> {
        let until = spec.days.map(|days| self.deps.clock.now().after(Duration::from_secs(u64::from(days) * 86_400)));
        let hours = spec.hours.as_deref().map(|text| Hours::parse(text).ok_or_else(|| no_word(text))).transpose()?;
        let route = Route { pattern: spec.pattern.clone(), way: way(&spec)?, gate: gate(&spec)?, hours, until };
        let told = format!("{} {}", route.way, spec.accept.as_deref().unwrap_or_default());
        self.deps.directory.put_route(route).await?;
        self.note(actor, "route.set", &spec.pattern, None, Some(told.trim_end().to_owned())).await?;
        Ok(Report::Done)
    }

    /// Every route, by what it is for.
    pub async fn list_routes(&self, out: &Out) -> Result<Report> {
        let (mut after, now) = (None, self.deps.clock.now());
        loop {
            let page = self.deps.directory.routes(after).await?;
            let Some(last) = page.last().map(|route| route.pattern.clone()) else { return Ok(Report::Done) };
            for route in page {
                let over = route.until.is_some_and(|until| until <= now);
                out.item(Item::Route(view(route, over))).await?;
            }
            after = Some(last);
        }
    }

    /// Removes a route. Errors as for [`anser_directory::Directory::remove_route`].
    pub async fn remove_route(&self, actor: &Actor, pattern: &str) -> Result<Report> {
        self.deps.directory.remove_route(pattern).await?;
        self.note(actor, "route.remove", pattern, None, None).await?;
        Ok(Report::Done)
    }

    /// Puts addresses on the list of those whose mailboxes are elsewhere, or takes them off; counts what changed.
    pub async fn list_elsewhere(&self, actor: &Actor, addresses: &[String], remove: bool) -> Result<Report> {
        let all = addresses.iter().map(|address| parse(address)).collect::<Result<Vec<_>>>()?;
        let directory = &self.deps.directory;
        let count = if remove { directory.unlist_elsewhere(all).await? } else { directory.list_elsewhere(all).await? };
        let act = if remove { "route.unlist" } else { "route.list" };
        let object = addresses.first().map(String::as_str).unwrap_or_default();
        self.note(actor, act, object, None, Some(format!("{count} addresses"))).await?;
        Ok(Report::Counted { count })
    }

    /// The addresses of a domain on that list.
    pub async fn listed_elsewhere(&self, domain: &str, out: &Out) -> Result<Report> {
        let mut after = None;
        loop {
            let page = self.deps.directory.listed_elsewhere(domain, after).await?;
            let Some(last) = page.last().cloned() else { return Ok(Report::Done) };
            for address in page {
                out.item(Item::Address(address)).await?;
            }
            after = Some(last);
        }
    }
}

fn way(spec: &RouteSpec) -> Result<RouteWay> {
    let mut way = RouteWay::parse(&spec.way).ok_or_else(|| no_word(&spec.way))?;
    let tls = spec.tls.as_deref().map(|word| HopTls::by_word(word).ok_or_else(|| no_word(word))).transpose()?;
    match &mut way {
        RouteWay::Host(hop) => {
            hop.tls = tls.unwrap_or_default();
            hop.login = spec.user.clone().zip(spec.password.clone().map(|password| Secret::new(password.0)));
        }
        _ if tls.is_some() || spec.user.is_some() => {
            return Err(Error::invalid("only a server has TLS and a login", "只有通往服务器的路由才有 TLS 和登录"));
        }
        _ => {}
    }
    Ok(way)
}

fn gate(spec: &RouteSpec) -> Result<Option<Gate>> {
    let Some(word) = &spec.accept else { return Ok(None) };
    let check = Check::by_word(word).ok_or_else(|| no_word(word))?;
    Ok(Some(Gate { check, open_when_down: spec.open_when_down }))
}

fn no_word(word: &str) -> Error {
    Error::invalid(format!("{word} means nothing here"), format!("无法识别 {word}"))
}

fn view(route: Route, over: bool) -> RouteView {
    let hop = match &route.way {
        RouteWay::Host(hop) => Some(hop),
        _ => None,
    };
    RouteView {
        tls: hop.map(|hop| hop.tls.word().to_owned()),
        user: hop.and_then(|hop| hop.login.as_ref()).map(|(user, _)| user.clone()),
        way: route.way.to_string(),
        accept: route.gate.map(|gate| gate.check.word().to_owned()),
        open_when_down: route.gate.is_some_and(|gate| gate.open_when_down),
        hours: route.hours.map(|hours| hours.to_string()),
        until: route.until.map(|until| until.to_string()),
        over,
        pattern: route.pattern,
    }
}
