//! What the crate promises, one scenario a file.

mod any_bytes_are_no_report_and_harm_nothing;
mod policies_are_kept_while_they_hold;
mod reports_of_others_are_read_and_summed_up;
mod what_was_seen_is_counted_by_day_until_it_is_told;

use std::future::Future;

use anser_base::{Clock, Timestamp};
use anser_db::Schemas;
use anser_peers::{Deps, Peers, SCHEMA};
use anser_testkit::engines::{NO_SCHEMAS, each_engine};

const START: Timestamp = Timestamp(1_800_000_000_000);

/// Runs a scenario on every engine.
fn on_each_engine<F: Future<Output = ()>>(scenario: impl Fn(Peers, Clock) -> F) {
    each_engine(Schemas { peers: SCHEMA, ..NO_SCHEMAS }, |world| {
        let clock = Clock::manual(START);
        let peers = Peers::new(Deps { db: world.open(), clock: clock.clone() });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(scenario(peers, clock));
    });
}
