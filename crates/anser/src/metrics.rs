//! What machines that watch the house are told: `/metrics` in the text form of Prometheus, `/healthz`.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anser_admin::answer::{Report, StatusView};
use anser_admin::{Admin, Running};
use anser_journal::Journal;
use anser_net::http::{Response, Route, Routes, Site, session};
use anser_net::{BoundListener, ServeOptions, Shutdown};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// One label: `service="imap"`.
type Labels = [(&'static str, String); 1];
/// A gauge by labels.
type Gauges = Family<Labels, Gauge<i64, std::sync::atomic::AtomicI64>>;
/// A counter by labels.
type Counts = Family<Labels, Counter<u64, AtomicU64>>;

/// Answers until the shutdown begins.
pub async fn serve(
    listeners: Vec<BoundListener>,
    admin: Admin,
    journal: Journal,
    running: Arc<Running>,
    shutdown: Shutdown,
) {
    if listeners.is_empty() {
        return;
    }
    let health = {
        let admin = admin.clone();
        move |_| healthy(admin.clone())
    };
    let metrics = move |_| {
        let (admin, journal, running) = (admin.clone(), journal.clone(), running.clone());
        async move { measured(&admin, &journal, &running).await }
    };
    let routes = Routes::of([Route::get("/healthz", health), Route::get("/metrics", metrics)]);
    let site = Arc::new(Site::new(routes));
    let options = ServeOptions { connections: 64, ..ServeOptions::new("admin") };
    let handler = move |stream, shutdown| session(stream, site.clone(), shutdown);
    if let Err(error) = anser_net::serve(listeners, options, shutdown, handler).await {
        tracing::error!(error = error.chain(), "metrics are not served");
    }
}

async fn healthy(admin: Admin) -> Response {
    match admin.status().await {
        Ok(_) => Response::text(200, "ok\n"),
        Err(_) => Response::text(503, "the engine does not answer\n"),
    }
}

async fn measured(admin: &Admin, journal: &Journal, running: &Running) -> Response {
    match admin.status().await {
        Ok(Report::Status(view)) => {
            let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            Response::new(200, content_type, metrics(&view, journal, running))
        }
        _ => Response::text(503, "the engine does not answer\n"),
    }
}

fn metrics(view: &StatusView, journal: &Journal, running: &Running) -> String {
    let mut registry = Registry::with_prefix("anser");
    sessions(&mut registry, running);
    let queue = Gauges::default();
    for (state, count) in [("new", view.queue_fresh), ("waiting", view.queue_waiting), ("held", view.queue_held)] {
        set(&queue, "state", state, count);
    }
    registry.register("queue_entries", "Entries of the queue", queue);
    let events = Counts::default();
    for (kind, count) in journal.tally() {
        events.get_or_create(&[("kind", kind.to_owned())]).inc_by(count);
    }
    registry.register("events", "What happened: messages accepted, delivered, logins and the like", events);
    gauge(&mut registry, "journal_backlog", "Events on their way into the journal", journal.backlog() as u64);
    gauge(&mut registry, "accounts", "Accounts that are not removed", view.accounts);
    gauge(&mut registry, "start_time_seconds", "When the server started", running.started.secs().max(0) as u64);
    gauge(&mut registry, "process_resident_bytes", "Memory of the process", resident().unwrap_or(0));
    let mut text = String::new();
    let _ = encode(&mut text, &registry);
    text
}

fn sessions(registry: &mut Registry, running: &Running) {
    let live = Gauges::default();
    let [accepted, refused, panicked] = std::array::from_fn(|_| Counts::default());
    for (name, _, counters) in &running.services {
        set(&live, "service", name, counters.live());
        add(&accepted, name, counters.accepted());
        add(&refused, name, counters.refused());
        add(&panicked, name, counters.panicked());
    }
    registry.register("sessions", "Sessions at this moment", live);
    registry.register("connections_accepted", "Connections that became sessions", accepted);
    registry.register("connections_refused", "Connections that were refused", refused);
    registry.register("sessions_panicked", "Sessions that ended by a panic", panicked);
}

fn set(family: &Gauges, label: &'static str, value: &str, number: u64) {
    family.get_or_create(&[(label, value.to_owned())]).set(i64::try_from(number).unwrap_or(i64::MAX));
}

fn add(family: &Counts, service: &str, number: u64) {
    family.get_or_create(&[("service", service.to_owned())]).inc_by(number);
}

fn gauge(registry: &mut Registry, name: &str, help: &str, number: u64) {
    let one: Gauge<i64, std::sync::atomic::AtomicI64> = Gauge::default();
    one.set(i64::try_from(number).unwrap_or(i64::MAX));
    registry.register(name, help, one);
}

/// Resident memory in bytes.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}
