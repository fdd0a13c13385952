//! What most runs of a test have in common.

use anser_sieve::{Environment, Fuel, Input, Nothing, Outcome, Program, Script, run};

/// A run over a message from a@b.c to me@example.com, in a place that knows nothing. A test changes what it is about.
pub fn input<'a>(message: &'a [u8], environment: &'a Environment) -> Input<'a> {
    Input {
        message,
        structure: None,
        sender: "a@b.c",
        recipient: "me@example.com",
        owner: &[],
        now: anser_base::Timestamp::from_secs(0),
        zone: &|_| 0,
        environment,
        world: &Nothing,
        boundary: "b",
        fuel: Fuel::default(),
    }
}

/// Runs a program as the script `main`.
pub fn run_main(program: &Program, input: &Input<'_>) -> Outcome {
    run(&[Script { name: "main", program }], input)
}
