//! Many sessions see one truth, at every step, whatever they do: see [`crate::model`].
//! `ANSER_MODEL_COMMANDS` asks for another number of commands, `ANSER_MODEL_SEED` for another run.

use anser_testkit::engines::World;

use crate::model::agree;
use crate::node::{Node, Options, SCHEMAS};

/// Commands of a run of every day, and on PostgreSQL, where each of them costs a round trip.
const COMMANDS: usize = 20_000;
const COMMANDS_POSTGRES: usize = 2_000;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[tokio::test]
async fn with_sqlite() {
    let node = Node::in_memory(Options::default()).await;
    agree(&node, number("ANSER_MODEL_SEED", 1), number("ANSER_MODEL_COMMANDS", COMMANDS as u64) as usize).await;
}

#[test]
fn with_postgres() {
    let Some(world) = World::postgres(SCHEMAS) else { return eprintln!("no PostgreSQL: this half did not run") };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let node = Node::on(world.engine.clone(), tempfile::tempdir().unwrap(), Options::default()).await;
        agree(&node, number("ANSER_MODEL_SEED", 2), COMMANDS_POSTGRES).await;
    });
}
