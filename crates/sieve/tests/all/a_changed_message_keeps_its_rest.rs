//! Header changes touch the fields they name and nothing else, in messages at the edge too.

use anser_sieve::{Environment, Program};

use crate::inbox::{input, run_main};

/// The message after `commands`.
fn changed(commands: &str, message: &str) -> String {
    let program = Program::compile(format!("require \"editheader\"; {commands}").as_bytes()).unwrap();
    let outcome = run_main(&program, &input(message.as_bytes(), &Environment::new()));
    assert_eq!(outcome.actions[0].version, 1, "{outcome:?}");
    String::from_utf8(outcome.versions[0].clone()).unwrap()
}

#[test]
fn a_last_field_without_its_line_break() {
    let after = changed("addheader :last \"X-D\" \"e\";", "Subject: a\r\nX-B: c");
    assert_eq!(after, "Subject: a\r\nX-B: c\r\nX-D: e\r\n");
}

#[test]
fn a_message_without_header() {
    assert_eq!(changed("addheader \"X-D\" \"e\";", "\r\nbody"), "X-D: e\r\n\r\nbody");
    assert_eq!(changed("addheader \"X-D\" \"e\";", ""), "X-D: e\r\n");
}

#[test]
fn fields_beyond_those_that_scripts_see() {
    let fields: String = (0..5_000).map(|n| format!("X-{}: {n}\r\n", n % 2)).collect();
    let after = changed("deleteheader \"X-1\";", &format!("{fields}\r\nbody"));
    assert_eq!(after.matches("X-0:").count(), 2_500);
    assert_eq!(after.matches("X-1:").count(), 500);
    assert!(after.ends_with("X-1: 4999\r\n\r\nbody"));
}
