//! Sieve scripts and what they are run over.

use anser_base::Timestamp;
use anser_sieve::form::Form;
use anser_sieve::{Environment, Fuel, Input, Nothing, Program, Script, compile, run};
use anser_wire::managesieve::{CommandReader, Need};

/// Any bytes as a script: the lexer, the parser, the compiler. What compiles survives being stored; the form of any text gives a script.
pub fn script(data: &[u8]) {
    if let Ok(program) = compile(data) {
        let bytes = program.to_bytes();
        let again = Program::from_bytes(&bytes).expect("what was stored is read");
        assert_eq!(again.to_bytes(), bytes);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let form = Form::read(text);
        let written = form.to_script();
        assert_eq!(Form::read(&written).to_script(), written, "a form that was written stays as it is");
    }
    let _ = Program::from_bytes(data);
}

/// A script, a NUL, a message: the interpreter. A little fuel, so that what runs away is stopped soon.
pub fn interpreter(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (script, message) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    let Ok(program) = compile(script) else { return };
    let input = Input {
        message,
        structure: None,
        sender: "x@far.test",
        recipient: "ann+detail@anser.test",
        owner: &[],
        now: Timestamp::from_secs(1_800_000_000),
        zone: &|_| 480,
        environment: &Environment::new(),
        world: &Nothing,
        boundary: "boundary",
        fuel: Fuel { steps: 50_000, memory: 1 << 20, rewritten: 4 << 20, ..Fuel::default() },
    };
    let outcome = run(&[Script { name: "fuzz", program: &program }], &input);
    assert!(!outcome.actions.is_empty(), "a message is never left without an action");
    assert!(outcome.actions.iter().all(|taken| taken.version <= outcome.versions.len()));
}

/// A line of a ManageSieve client.
pub fn command(data: &[u8]) {
    let mut reader = CommandReader::new(1000);
    for line in data.split(|byte| *byte == b'\n') {
        match reader.line(line) {
            Need::Literal(size) => drop(reader.literal(vec![b'x'; size as usize])),
            Need::Done(_) => reader = CommandReader::of_response(1000),
            Need::Line | Need::Skip(_) => {}
        }
    }
}
