//! Structured logs to standard error: level and targets by `ANSER_LOG` (`info` unless set), JSON with `ANSER_LOG_FORMAT=json`.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Begins logging, and has panics logged. Call it once.
pub fn start() {
    let filter = EnvFilter::try_from_env("ANSER_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::env::var("ANSER_LOG_FORMAT").is_ok_and(|format| format == "json") {
        builder.json().init();
    } else {
        builder.compact().with_ansi(std::io::stderr().is_terminal()).init();
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        let words = panic.payload_as_str().unwrap_or("no words");
        tracing::error!(place, thread, words, "panic: this is a bug");
    }));
}
