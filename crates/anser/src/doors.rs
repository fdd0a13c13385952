//! Which service is which door, and how each is served.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anser_acme::Acme;
use anser_admin::Admin;
use anser_base::Result;
use anser_net::http::{self, Site, client};
use anser_net::{BoundListener, Counters, Network, Refusal, ServeOptions, Shutdown, TlsAcceptor, bind, serve};
use tokio::task::JoinSet;

use crate::config::{AUTHORITIES, Config};
use crate::house::House;
use crate::submit;

/// A door of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Smtp(anser_smtp::Service),
    Imap,
    Pop3,
    ManageSieve,
    Web,
}

/// A service: its name in the boot file, its door, whether TLS comes first, its standard port.
struct Service {
    name: &'static str,
    door: Door,
    tls_first: bool,
    port: u16,
}

const SERVICES: [Service; 11] = [
    Service { name: "smtp", door: Door::Smtp(anser_smtp::Service::Mx), tls_first: false, port: 25 },
    Service { name: "submission", door: Door::Smtp(anser_smtp::Service::Submission), tls_first: false, port: 587 },
    Service { name: "submissions", door: Door::Smtp(anser_smtp::Service::Submission), tls_first: true, port: 465 },
    Service { name: "lmtp", door: Door::Smtp(anser_smtp::Service::Lmtp), tls_first: false, port: 24 },
    Service { name: "imap", door: Door::Imap, tls_first: false, port: 143 },
    Service { name: "imaps", door: Door::Imap, tls_first: true, port: 993 },
    Service { name: "pop3", door: Door::Pop3, tls_first: false, port: 110 },
    Service { name: "pop3s", door: Door::Pop3, tls_first: true, port: 995 },
    Service { name: "managesieve", door: Door::ManageSieve, tls_first: false, port: 4190 },
    Service { name: "http", door: Door::Web, tls_first: false, port: 80 },
    Service { name: "https", door: Door::Web, tls_first: true, port: 443 },
];

/// Names and standard ports of all services, in the order in which they are shown.
pub fn standard_ports() -> impl Iterator<Item = (&'static str, u16)> {
    SERVICES.iter().map(|service| (service.name, service.port))
}

/// A service with its bound listeners.
pub struct Bound {
    service: &'static Service,
    listeners: Vec<BoundListener>,
    counters: Arc<Counters>,
}

impl Bound {
    /// Name, addresses and counters.
    pub fn shown(&self) -> (&'static str, Vec<SocketAddr>, Arc<Counters>) {
        let addresses = self.listeners.iter().map(BoundListener::address).collect();
        (self.service.name, addresses, self.counters.clone())
    }
}

/// Binds every service of the boot file, or none.
pub fn bind_all(config: &Config) -> Result<Vec<Bound>> {
    let wanted = SERVICES.iter().filter_map(|service| Some((service, config.listen.get(service.name)?)));
    wanted
        .map(|(service, addresses)| Ok(Bound { service, listeners: bind(addresses)?, counters: Arc::default() }))
        .collect()
}

/// What sessions work with.
struct Sessions {
    smtp: Arc<anser_smtp::Deps>,
    imap: Arc<anser_imap::Deps>,
    pop3: Arc<anser_pop3::Deps>,
    managesieve: Arc<anser_managesieve::Deps>,
    web: Arc<Site>,
}

/// How much the doors allow.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// Passwords without TLS: on loopback, for trials.
    pub plaintext_auth: bool,
    /// Mail for other domains only when there is a way out.
    pub local_only: bool,
}

/// Connections of one source at once. The people of a whole house may stand behind one address, and each page that is open keeps one.
const SESSIONS_PER_SOURCE: usize = 1_000;
const PAGES_PER_SOURCE: usize = 5_000;

/// Opens the doors; each task ends some time after the shutdown begins.
pub fn open_all(
    bound: Vec<Bound>,
    house: &House,
    admin: &Admin,
    config: &Config,
    tls: Option<&TlsAcceptor>,
    acme: Option<&Acme>,
    allowed: Allowed,
    shutdown: &Shutdown,
) -> JoinSet<Result<()>> {
    let sessions = Sessions::new(house, admin, config, tls, acme, allowed);
    let mut tasks = JoinSet::new();
    for Bound { service, listeners, counters } in bound {
        let tls = tls.filter(|_| service.tls_first);
        let options = ServeOptions {
            tls: if service.door == Door::Web { tls.map(TlsAcceptor::for_http) } else { tls.cloned() },
            exempt: Network::loopback(),
            proxies: config.proxy_from.clone(),
            refusal: refusal_words(service.door, &config.hostname),
            counters,
            clock: house.clock.clone(),
            connections_per_source: if service.door == Door::Web { PAGES_PER_SOURCE } else { SESSIONS_PER_SOURCE },
            ..ServeOptions::new(service.name)
        };
        let shutdown = shutdown.clone();
        match service.door {
            Door::Smtp(kind) => {
                let deps = sessions.smtp.clone();
                let handler = move |stream, shutdown| anser_smtp::session(stream, kind, deps.clone(), shutdown);
                tasks.spawn(serve(listeners, options, shutdown, handler));
            }
            Door::Imap => {
                let deps = sessions.imap.clone();
                let handler = move |stream, shutdown| anser_imap::session(stream, deps.clone(), shutdown);
                tasks.spawn(serve(listeners, options, shutdown, handler));
            }
            Door::Pop3 => {
                let deps = sessions.pop3.clone();
                let handler = move |stream, shutdown| anser_pop3::session(stream, deps.clone(), shutdown);
                tasks.spawn(serve(listeners, options, shutdown, handler));
            }
            Door::ManageSieve => {
                let deps = sessions.managesieve.clone();
                let handler = move |stream, shutdown| anser_managesieve::session(stream, deps.clone(), shutdown);
                tasks.spawn(serve(listeners, options, shutdown, handler));
            }
            Door::Web => {
                let site = sessions.web.clone();
                let handler = move |stream, shutdown| http::session(stream, site.clone(), shutdown);
                tasks.spawn(serve(listeners, options, shutdown, handler));
            }
        }
    }
    tasks
}

impl Sessions {
    fn new(
        house: &House,
        admin: &Admin,
        config: &Config,
        tls: Option<&TlsAcceptor>,
        acme: Option<&Acme>,
        allowed: Allowed,
    ) -> Self {
        let judging = &config.senders;
        let limits = anser_smtp::Limits { exempt: judging.own.clone(), ..anser_smtp::Limits::default() };
        let senders = anser_smtp::Senders {
            trusted: judging.trusted.clone(),
            follow_reject: judging.follow_reject,
            follow_quarantine: judging.follow_quarantine,
            peers: judging.reports.then(|| house.peers.clone()),
            ..anser_smtp::Senders::new(house.resolver.clone())
        };
        let smtp = anser_smtp::Deps {
            queue: house.queue.clone(),
            directory: house.directory.clone(),
            journal: house.journal.clone(),
            blobs: house.blobs.clone(),
            tls: tls.cloned(),
            entropy: house.entropy.clone(),
            clock: house.clock.clone(),
            hostname: config.hostname.clone(),
            rates: anser_smtp::Rates::new(&limits, &house.clock),
            limits,
            allow_plaintext_auth: allowed.plaintext_auth,
            local_only: allowed.local_only,
            senders: Some(senders),
            callout: Some(callout(house)),
            over_quota: None,
        };
        let imap = anser_imap::Deps {
            store: house.store.clone(),
            directory: house.directory.clone(),
            journal: house.journal.clone(),
            tls: tls.cloned(),
            clock: house.clock.clone(),
            hostname: config.hostname.clone(),
            jmap_url: web_url(config).map(|url| format!("{url}/.well-known/jmap")),
            limits: anser_imap::Limits::default(),
            allow_plaintext_auth: allowed.plaintext_auth,
        };
        let pop3 = anser_pop3::Deps {
            store: house.store.clone(),
            directory: house.directory.clone(),
            journal: house.journal.clone(),
            tls: tls.cloned(),
            clock: house.clock.clone(),
            hostname: config.hostname.clone(),
            limits: anser_pop3::Limits::default(),
            allow_plaintext_auth: allowed.plaintext_auth,
            locks: anser_pop3::Locks::default(),
        };
        let managesieve = anser_managesieve::Deps {
            directory: house.directory.clone(),
            journal: house.journal.clone(),
            tls: tls.cloned(),
            limits: anser_managesieve::Limits::default(),
            allow_plaintext_auth: allowed.plaintext_auth,
        };
        let smtp = Arc::new(smtp);
        Self {
            web: Arc::new(site(house, admin, config, acme, allowed, &smtp)),
            smtp,
            imap: Arc::new(imap),
            pop3: Arc::new(pop3),
            managesieve: Arc::new(managesieve),
        }
    }
}

/// For how long browsers are told to use nothing but TLS, where that is switched on (RFC 6797 §11.2).
const STRICT_TRANSPORT: Duration = Duration::from_secs(365 * 24 * 3600);
/// How long one server may take to bring a picture.
const PICTURE_TIME: Duration = Duration::from_secs(10);

/// All that is served over HTTP: the tables of the doors that speak it, joined.
fn site(
    house: &House,
    admin: &Admin,
    config: &Config,
    acme: Option<&Acme>,
    allowed: Allowed,
    smtp: &Arc<anser_smtp::Deps>,
) -> Site {
    let open = config.listen.iter().filter_map(|(name, addresses)| Some((*name, addresses.first()?.port())));
    let web = anser_web::Deps {
        directory: house.directory.clone(),
        hostname: config.hostname.clone(),
        offers: anser_web::offer::offers(open),
        mta_sts: config.web.mta_sts,
    };
    let https = config.listen.get("https").and_then(|addresses| addresses.first()).map_or(443, SocketAddr::port);
    let jmap = jmap(house, config, smtp);
    let auth = anser_auth::Deps {
        directory: house.directory.clone(),
        journal: house.journal.clone(),
        clock: house.clock.clone(),
        entropy: house.entropy.clone(),
        web: anser_auth::outside::Web { resolver: house.resolver.clone(), options: config.providers.clone() },
        url: web_url(config).unwrap_or_default(),
    };
    let acme = acme.map(Acme::routes).unwrap_or_default();
    let own = anser_web::routes(web).join(anser_auth::routes(auth)).join(anser_jmap::routes(jmap));
    Site {
        redirect: (!allowed.plaintext_auth).then_some(https),
        strict_transport: config.web.strict_transport.then_some(STRICT_TRANSPORT),
        error_page: Arc::new(anser_web::error_page),
        ..Site::new(acme.join(own).join(anser_admin::http::routes(admin)))
    }
}

fn jmap(house: &House, config: &Config, smtp: &Arc<anser_smtp::Deps>) -> anser_jmap::Deps {
    anser_jmap::Deps {
        store: house.store.clone(),
        directory: house.directory.clone(),
        journal: house.journal.clone(),
        clock: house.clock.clone(),
        entropy: house.entropy.clone(),
        queue: house.queue.clone(),
        submit: submit::through(smtp),
        url: web_url(config).unwrap_or_default(),
        limits: anser_jmap::Limits::default(),
        web: Some(web_of_others(house, config)),
        moves: Some(house.moves.clone()),
    }
}

/// How pictures in messages are fetched.
fn web_of_others(house: &House, config: &Config) -> anser_jmap::Web {
    let private = config.outward.as_ref().is_some_and(|outward| outward.private);
    let options = client::Options::new(AUTHORITIES.into(), PICTURE_TIME);
    let options = client::Options { plain: true, private, ..options };
    anser_jmap::Web { resolver: house.resolver.clone(), options }
}

/// Where what is served over HTTP is found: over HTTPS, else where the boot file lets HTTP listen, for trials; nowhere without either.
fn web_url(config: &Config) -> Option<String> {
    let first = |name| config.listen.get(name).and_then(|addresses: &Vec<SocketAddr>| addresses.first());
    match (first("https").map(SocketAddr::port), first("http")) {
        (Some(443), _) => Some(format!("https://{}", config.hostname)),
        (Some(port), _) => Some(format!("https://{}:{port}", config.hostname)),
        (None, plain) => plain.map(|plain| format!("http://{plain}")),
    }
}

fn callout(house: &House) -> anser_smtp::Callout {
    let delivery = house.delivery.clone();
    Arc::new(move |route, address| {
        let delivery = delivery.clone();
        Box::pin(async move { delivery.standing(&route, &address).await })
    })
}

fn refusal_words(door: Door, hostname: &str) -> Arc<dyn Fn(Refusal) -> String + Send + Sync> {
    match door {
        Door::Smtp(_) => anser_smtp::refusal_words(hostname),
        Door::Imap => Arc::new(|_| "* BYE [UNAVAILABLE] too many connections\r\n".to_owned()),
        Door::Pop3 => anser_pop3::refusal_words(),
        Door::ManageSieve => anser_managesieve::refusal_words(),
        Door::Web => http::refusal_words(),
    }
}
