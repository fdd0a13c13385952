//! Where mail goes whose mailbox is not here: routes, and the domains that this server takes mail for in front of another one.
//!
//! A route is for one address, for a domain, for all domains below one (`*.example.org`) or for everybody (`*`); of those that fit, the
//! most particular counts. What no route is for goes the way that the boot file names.
//!
//! | route of | without a gate | with a gate |
//! |---|---|---|
//! | an address of ours | its mail lives elsewhere, even if an account has the address | – |
//! | an address elsewhere | how mail of ours gets there | – |
//! | a domain of ours | nothing | addresses that nobody here has live elsewhere |
//! | a domain elsewhere | how mail of ours gets there | its mail is taken from everybody and passed on |
//!
//! A gate says who decides whether an address exists: a list that is kept here, or the next server, which is asked while the sender
//! waits. Without either, mail to made-up addresses would be taken and returned to made-up senders.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anser_base::{Address, Class, Error, Result, Timestamp};
use anser_db::{Row, Tx, params};
use anser_wire::Secret;

use crate::{Directory, names};

/// Routes of one installation.
pub const ROUTES: usize = 200_000;
/// Levels of a domain at which `*.` is looked for.
const LEVELS: usize = 10;
/// The port of the MX door (RFC 5321 §4.5.4.2).
const SMTP: u16 = 25;
/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// Where mail goes, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Whom it is for: `ann@example.org`, `example.org`, `*.example.org`, `*`, in the directory's normal form.
    pub pattern: String,
    /// The way.
    pub way: RouteWay,
    /// Whose addresses are taken; see the table of the module.
    pub gate: Option<Gate>,
    /// When mail goes this way; at any time without.
    pub hours: Option<Hours>,
    /// Until when the route counts; for ever without.
    pub until: Option<Timestamp>,
}

/// A way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteWay {
    /// To one server.
    Host(NextHop),
    /// To the mail exchanges of this domain, or of the recipient's own.
    Exchanges(Option<String>),
    /// Nowhere until an operator releases it.
    Hold,
    /// Nowhere at all; the sender is told nothing.
    Discard,
}

/// A server that takes mail, and how to speak to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHop {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: HopTls,
    /// User name and password; never listed.
    pub login: Option<(String, Secret)>,
}

/// How the connection to a next hop is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HopTls {
    /// STARTTLS when it is offered, with whatever certificate.
    #[default]
    Opportunistic,
    /// STARTTLS with a verified certificate.
    Required,
    /// TLS from the first byte with a verified certificate.
    Implicit,
    /// None.
    Never,
}

/// Who decides whether an address exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Who.
    pub check: Check,
    /// What an unknown address gets while the next server cannot be asked: taken, rather than put off with 451.
    pub open_when_down: bool,
}

/// Who knows the addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Every address is taken: the next server returns what it does not want.
    All,
    /// [`Directory::is_listed_elsewhere`].
    List,
    /// The next server is asked with RCPT.
    Callout,
}

/// A part of each day, in minutes since midnight UTC, the end not included. It may reach over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// From when.
    pub from: u16,
    /// Until when.
    pub to: u16,
}

/// What is known of an address whose mailbox is on another server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its mail is taken.
    Known,
    /// There is no such address, as the server that has the domain says.
    Unknown(String),
    /// Nobody can say now.
    Unsure(String),
}

/// A word in the table for each of some values.
trait Worded: Copy + PartialEq + 'static {
    const WORDS: &'static [(Self, &'static str)];

    fn as_word(self) -> &'static str {
        Self::WORDS.iter().find(|(one, _)| *one == self).map_or("", |(_, word)| word)
    }

    fn of_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(one, _)| *one)
    }
}

impl Worded for HopTls {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Opportunistic, "opportunistic"),
        (Self::Required, "required"),
        (Self::Implicit, "implicit"),
        (Self::Never, "never"),
    ];
}

impl Worded for Check {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::All, "all"), (Self::List, "list"), (Self::Callout, "callout")];
}

impl HopTls {
    /// `opportunistic`, `required`, `implicit`, `never`.
    pub fn word(self) -> &'static str {
        self.as_word()
    }

    /// By its word.
    pub fn by_word(word: &str) -> Option<Self> {
        Self::of_word(word)
    }
}

impl Check {
    /// `all`, `list`, `callout`.
    pub fn word(self) -> &'static str {
        self.as_word()
    }

    /// By its word.
    pub fn by_word(word: &str) -> Option<Self> {
        Self::of_word(word)
    }
}

impl RouteWay {
    /// `hold`, `discard`, `mx`, `mx=example.org`, or a server as [`NextHop::parse`] has it.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "hold" => Some(Self::Hold),
            "discard" => Some(Self::Discard),
            "mx" => Some(Self::Exchanges(None)),
            _ => match text.strip_prefix("mx=") {
                Some(domain) => Some(Self::Exchanges(Some(domain.to_owned()))),
                None => NextHop::parse(text).map(Self::Host),
            },
        }
    }
}

impl std::fmt::Display for RouteWay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Host(hop) if hop.host.contains(':') => write!(f, "[{}]:{}", hop.host, hop.port),
            Self::Host(hop) => write!(f, "{}:{}", hop.host, hop.port),
            Self::Exchanges(Some(domain)) => write!(f, "mx={domain}"),
            Self::Exchanges(None) => f.write_str("mx"),
            Self::Hold => f.write_str("hold"),
            Self::Discard => f.write_str("discard"),
        }
    }
}

impl NextHop {
    /// `HOST:PORT`, `[v6]:PORT` included; TLS when it is offered, no login.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let good = !host.is_empty() && !host.chars().any(|c| c.is_whitespace() || c.is_control());
        let port = port.parse().ok().filter(|port| *port > 0 && good)?;
        Some(Self { host, port, tls: HopTls::Opportunistic, login: None })
    }
}

impl Hours {
    /// `22:00-06:30`, in UTC, or with the zone's distance from it behind: `22:00-06:30+08:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let (span, shift) =
            match text.rfind('+').map(|at| (at, 1)).or_else(|| Some((text.match_indices('-').nth(1)?.0, -1))) {
                Some((at, sign)) => (&text[..at], sign * i32::from(minutes(&text[at + 1..])?)),
                None => (text, 0),
            };
        let (from, to) = span.split_once('-')?;
        let in_utc = |text: &str| Some((i32::from(minutes(text)?) - shift).rem_euclid(i32::from(DAY)) as u16);
        let (from, to) = (in_utc(from)?, in_utc(to)?);
        (from != to).then_some(Self { from, to })
    }

    /// How long it is until they begin; `None` within them.
    pub fn closed_for(self, now: Timestamp) -> Option<Duration> {
        let second = now.secs().rem_euclid(i64::from(DAY) * 60);
        let minute = (second / 60) as u16;
        let is_open = match self.from < self.to {
            true => (self.from..self.to).contains(&minute),
            false => minute >= self.from || minute < self.to,
        };
        let wait = (i64::from(self.from) * 60 - second).rem_euclid(i64::from(DAY) * 60);
        (!is_open).then(|| Duration::from_secs(wait as u64))
    }
}

impl std::fmt::Display for Hours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

impl Route {
    /// Whether it counts no more.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    fn checked(mut self) -> Result<Self> {
        self.pattern = pattern(&self.pattern)?;
        if self.gate.is_some() && (self.pattern == "*" || self.pattern.contains('@')) {
            return Err(Error::invalid(
                "only the route of a domain can take mail from everybody",
                "只有域名的路由才能接收外来邮件",
            ));
        }
        if let RouteWay::Exchanges(Some(domain)) = &mut self.way {
            *domain = names::new_domain(domain)?;
        }
        if self.gate.is_some_and(|gate| gate.check == Check::Callout) && !matches!(self.way, RouteWay::Host(_)) {
            return Err(Error::invalid(
                "only a route to one server can ask it for addresses",
                "只有通往单一服务器的路由才能向其查询地址",
            ));
        }
        Ok(self)
    }
}

/// The normal form of what a route is for.
fn pattern(text: &str) -> Result<String> {
    let text = text.trim();
    if text == "*" {
        return Ok(text.to_owned());
    }
    if text.contains('@') {
        let bad = || Error::invalid(format!("{text} is not an address"), format!("{text} 不是邮箱地址"));
        return Ok(names::key(&Address::parse(text).ok_or_else(bad)?));
    }
    match text.strip_prefix("*.") {
        Some(domain) => Ok(format!("*.{}", names::new_domain(domain)?)),
        None if is_literal(text) => Ok(text.to_lowercase()),
        None => names::new_domain(text),
    }
}

fn is_literal(text: &str) -> bool {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    inner.is_some_and(|text| text.trim_start_matches("IPv6:").parse::<IpAddr>().is_ok())
}

/// The changes.
impl Directory {
    /// Sets the route of what it is for, in place of one that is there. `Class::Invalid` when it makes no sense, `Class::Limit` beyond
    /// [`ROUTES`].
    pub async fn put_route(&self, route: Route) -> Result<()> {
        let route = route.checked()?;
        if matches!(&route.way, RouteWay::Host(hop) if names::domain_key(&hop.host) == self.inner.hostname && hop.port == SMTP)
        {
            return Err(Error::invalid("that server is this one", "该服务器就是本机"));
        }
        let now = self.inner.deps.clock.now().0;
        self.change(move |tx| {
            let count = tx.query_one("SELECT count(*) FROM dir_routes", &[], |row| row.int(0))?.unwrap_or(0);
            if count >= ROUTES as i64 {
                return Err(Error::new(Class::Limit, "there are too many routes", "路由过多"));
            }
            write(tx, &route, now)
        })
        .await
    }

    /// Removes a route. `Class::NotFound` when there is none.
    pub async fn remove_route(&self, of: &str) -> Result<()> {
        let of = pattern(of)?;
        self.change(move |tx| match tx.execute("DELETE FROM dir_routes WHERE pattern = ?1", params![&of])? {
            0 => Err(Error::not_found(format!("there is no route for {of}"), format!("没有 {of} 的路由"))),
            _ => Ok(()),
        })
        .await
    }

    /// Routes after one, in order of what they are for, at most [`crate::admin::PAGE`]; those that are over too.
    pub async fn routes(&self, after: Option<String>) -> Result<Vec<Route>> {
        let sql = format!("{COLUMNS} WHERE pattern > ?1 ORDER BY pattern LIMIT ?2");
        let after = after.unwrap_or_default();
        self.read(move |tx| tx.query(&sql, params![&after, crate::admin::PAGE as i64], route)).await
    }

    /// The route that was set for exactly this, be it over or not. `Class::Invalid` for what no route can be for.
    pub async fn route_of(&self, of: &str) -> Result<Option<Route>> {
        let (sql, of) = (format!("{COLUMNS} WHERE pattern = ?1"), pattern(of)?);
        self.read(move |tx| tx.query_one(&sql, params![&of], route)).await
    }

    /// Puts addresses on the list of those that live elsewhere; returns how many are new.
    pub async fn list_elsewhere(&self, addresses: Vec<Address>) -> Result<u64> {
        self.change(move |tx| {
            let mut added = 0;
            for address in &addresses {
                let key = names::key(address);
                let domain = names::domain_key(address.domain());
                let sql = "INSERT INTO dir_elsewhere (address, domain) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
                added += tx.execute(sql, params![&key, &domain])?;
            }
            Ok(added)
        })
        .await
    }

    /// Takes addresses off that list; returns how many were on it.
    pub async fn unlist_elsewhere(&self, addresses: Vec<Address>) -> Result<u64> {
        self.change(move |tx| {
            let mut removed = 0;
            for address in &addresses {
                removed += tx.execute("DELETE FROM dir_elsewhere WHERE address = ?1", params![&names::key(address)])?;
            }
            Ok(removed)
        })
        .await
    }

    /// The addresses of a domain on that list after one, at most [`crate::admin::PAGE`].
    pub async fn listed_elsewhere(&self, domain: &str, after: Option<String>) -> Result<Vec<String>> {
        let (domain, after) = (names::domain_key(domain), after.unwrap_or_default());
        let sql = "SELECT address FROM dir_elsewhere WHERE domain = ?1 AND address > ?2 ORDER BY address LIMIT ?3";
        self.read(move |tx| tx.query(sql, params![&domain, &after, crate::admin::PAGE as i64], |row| row.text(0))).await
    }
}

/// The look-ups.
impl Directory {
    /// The route of a recipient whose mailbox is not here; `None` leaves it to the boot file. Answered from memory.
    pub async fn route(&self, recipient: &Address) -> Result<Option<Arc<Route>>> {
        let (stamp, now) = (self.stamp().await?, self.inner.deps.clock.now());
        let key = names::key(recipient);
        let fits = |known: &Option<Arc<Route>>| known.as_ref().is_none_or(|route| !route.is_over(now));
        if let Some(known) = self.inner.routes.get(stamp, &key).filter(fits) {
            return Ok(known);
        }
        let sought = key.clone();
        let found = self.read(move |tx| best(tx, &sought, now)).await?.map(Arc::new);
        self.inner.routes.put(stamp, key, found.clone());
        Ok(found)
    }

    /// Whether an address is on the list of those that live elsewhere, whole or without its subaddress.
    pub async fn is_listed_elsewhere(&self, address: &Address) -> Result<bool> {
        let key = names::key(address);
        self.read(move |tx| {
            for one in with_and_without_detail(&key) {
                let found =
                    tx.query_one("SELECT 1 FROM dir_elsewhere WHERE address = ?1", params![&one], |_| Ok(()))?;
                if found.is_some() {
                    return Ok(true);
                }
            }
            Ok(false)
        })
        .await
    }
}

/// The most particular route of an address in normal form.
fn best(tx: &mut Tx<'_>, key: &str, now: Timestamp) -> Result<Option<Route>> {
    if let Some(route) = of_address(tx, key, now)? {
        return Ok(Some(route));
    }
    let domain = key.rsplit_once('@').map_or("", |(_, domain)| domain);
    match of_domain(tx, domain, now)? {
        Some(route) => Ok(Some(route)),
        None => by_pattern(tx, "*", now),
    }
}

/// The route of this very address.
pub(crate) fn of_address(tx: &mut Tx<'_>, key: &str, now: Timestamp) -> Result<Option<Route>> {
    for one in with_and_without_detail(key) {
        if let Some(route) = by_pattern(tx, &one, now)? {
            return Ok(Some(route));
        }
    }
    Ok(None)
}

/// The route of a domain, or of those below one that it is below.
fn of_domain(tx: &mut Tx<'_>, domain: &str, now: Timestamp) -> Result<Option<Route>> {
    if let Some(route) = by_pattern(tx, domain, now)? {
        return Ok(Some(route));
    }
    let above = domain.match_indices('.').map(|(at, _)| &domain[at + 1..]);
    for parent in above.take(LEVELS) {
        if let Some(route) = by_pattern(tx, &format!("*.{parent}"), now)? {
            return Ok(Some(route));
        }
    }
    Ok(None)
}

/// The route of an address that nobody here has, if its domain's mail is taken for another server. An address with a route of its own
/// needs no check.
pub(crate) fn gated(tx: &mut Tx<'_>, key: &str, now: Timestamp) -> Result<Option<Route>> {
    let domain = key.rsplit_once('@').map_or("", |(_, domain)| domain);
    match of_domain(tx, domain, now)?.filter(|route| route.gate.is_some()) {
        Some(route) => Ok(Some(of_address(tx, key, now)?.unwrap_or(route))),
        None => Ok(None),
    }
}

fn with_and_without_detail(key: &str) -> Vec<String> {
    let mut all = vec![key.to_owned()];
    if let Some((local, domain)) = key.rsplit_once('@')
        && let Some((user, _)) = local.split_once('+').filter(|(user, _)| !user.is_empty())
    {
        all.push(format!("{user}@{domain}"));
    }
    all
}

const COLUMNS: &str =
    "SELECT pattern, way, host, port, tls, username, secret, gate, open_when_down, opens, closes, until_ms
                       FROM dir_routes";

fn by_pattern(tx: &mut Tx<'_>, pattern: &str, now: Timestamp) -> Result<Option<Route>> {
    let found = tx.query_one(&format!("{COLUMNS} WHERE pattern = ?1"), params![pattern], route)?;
    Ok(found.filter(|route| !route.is_over(now)))
}

fn route(row: &Row<'_>) -> Result<Route> {
    let damaged = || Error::damaged("a route");
    let host = row.opt_text(2)?;
    let way = match &*row.text(1)? {
        "host" => RouteWay::Host(NextHop {
            host: host.ok_or_else(damaged)?,
            port: row.opt_int(3)?.and_then(|port| u16::try_from(port).ok()).ok_or_else(damaged)?,
            tls: row.opt_text(4)?.and_then(|word| HopTls::of_word(&word)).ok_or_else(damaged)?,
            login: row.opt_text(5)?.zip(row.opt_blob(6)?.map(Secret::new)),
        }),
        "exchanges" => RouteWay::Exchanges(host),
        "hold" => RouteWay::Hold,
        "discard" => RouteWay::Discard,
        _ => return Err(damaged()),
    };
    let check = row.opt_text(7)?.map(|word| Check::of_word(&word).ok_or_else(damaged)).transpose()?;
    let open_when_down = row.bool(8)?;
    let minute = |at| Ok::<_, Error>(row.opt_int(at)?.map(|minute| minute as u16));
    Ok(Route {
        pattern: row.text(0)?,
        way,
        gate: check.map(|check| Gate { check, open_when_down }),
        hours: minute(9)?.zip(minute(10)?).map(|(from, to)| Hours { from, to }),
        until: row.opt_int(11)?.map(Timestamp),
    })
}

fn write(tx: &mut Tx<'_>, route: &Route, now: i64) -> Result<()> {
    let (way, host, hop) = match &route.way {
        RouteWay::Host(hop) => ("host", Some(hop.host.as_str()), Some(hop)),
        RouteWay::Exchanges(domain) => ("exchanges", domain.as_deref(), None),
        RouteWay::Hold => ("hold", None, None),
        RouteWay::Discard => ("discard", None, None),
    };
    let login = hop.and_then(|hop| hop.login.as_ref());
    let (port, tls) = (hop.map(|hop| i64::from(hop.port)), hop.map(|hop| hop.tls.as_word()));
    let (user, secret) = (login.map(|(user, _)| user.as_str()), login.map(|(_, secret)| secret.as_bytes()));
    let gate = route.gate.map(|gate| gate.check.as_word());
    let open = route.gate.is_some_and(|gate| gate.open_when_down);
    let (opens, closes) = (route.hours.map(|h| i64::from(h.from)), route.hours.map(|h| i64::from(h.to)));
    let until = route.until.map(|until| until.0);
    tx.execute("DELETE FROM dir_routes WHERE pattern = ?1", params![&route.pattern])?;
    let sql = "INSERT INTO dir_routes (pattern, way, host, port, tls, username, secret, gate, open_when_down, opens, closes, until_ms,
               created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    tx.execute(sql, params![&route.pattern, way, host, port, tls, user, secret, gate, open, opens, closes, until, now])
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64, minute: i64) -> Timestamp {
        Timestamp::from_secs(20_000 * 86_400 + hour * 3600 + minute * 60)
    }

    #[test]
    fn hours_open_and_close_over_midnight_and_in_every_zone() {
        let night = Hours::parse("22:00-06:30").unwrap();
        assert_eq!(night.to_string(), "22:00-06:30");
        assert_eq!(night.closed_for(at(23, 0)), None);
        assert_eq!(night.closed_for(at(6, 29)), None);
        assert_eq!(night.closed_for(at(6, 30)), Some(Duration::from_secs(15 * 3600 + 1800)));
        assert_eq!(Hours::parse("22:00-06:00+08:00").unwrap().to_string(), "14:00-22:00");
        assert_eq!(Hours::parse("22:00-06:00-08:00").unwrap().to_string(), "06:00-14:00");
        for bad in ["", "22:00", "24:00-01:00", "1:60-2:00", "08:00-08:00", "a-b", "1:00-2:00+", "1:00-2:00+x"] {
            assert_eq!(Hours::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_a_route_is_for_has_one_form() {
        for (given, kept) in [
            ("Ann@Example.ORG", "ann@example.org"),
            ("*.XN--FIQS8S", "*.中国"),
            ("*", "*"),
            ("[192.0.2.1]", "[192.0.2.1]"),
        ] {
            assert_eq!(pattern(given).unwrap(), kept);
        }
        for bad in ["", "*.", "*.*", "a b", "@x", "*x.org"] {
            assert!(pattern(bad).is_err(), "{bad}");
        }
    }
}
