//! POP3 commands: the good forms and the bad ones.

use anser_wire::pop3::{AUTH_LINE_MAX, COMMAND_LINE_MAX, Command};
use proptest::prelude::*;

fn parse(line: &str) -> Result<Command, &'static str> {
    Command::parse(line.as_bytes()).map_err(|error| error.text)
}

#[test]
fn good_forms() {
    let table = [
        ("USER mrose", Command::User("mrose".into())),
        ("user Jo Doe", Command::User("Jo Doe".into())),
        (
            "APOP mrose c4c9334bac560ecc979e58001b3e22fb",
            Command::Apop { name: "mrose".into(), digest: "c4c9334bac560ecc979e58001b3e22fb".into() },
        ),
        ("STAT", Command::Stat),
        ("stat ", Command::Stat),
        ("LIST", Command::List(None)),
        ("LIST 2", Command::List(Some(2))),
        ("RETR 1", Command::Retr(1)),
        ("DELE 1", Command::Dele(1)),
        ("NOOP", Command::Noop),
        ("RSET", Command::Rset),
        ("QUIT", Command::Quit),
        ("TOP 1 10", Command::Top { message: 1, lines: 10 }),
        ("TOP 1 0", Command::Top { message: 1, lines: 0 }),
        ("UIDL", Command::Uidl(None)),
        ("UIDL 7", Command::Uidl(Some(7))),
        ("CAPA", Command::Capa),
        ("STLS", Command::Stls),
        ("AUTH", Command::Auth { mechanism: None, initial: None }),
        ("AUTH plain", Command::Auth { mechanism: Some("PLAIN".into()), initial: None }),
        ("UTF8", Command::Utf8),
        ("LANG", Command::Lang(None)),
        ("LANG zh-CN", Command::Lang(Some("zh-CN".into()))),
        ("XTND XLST", Command::Unknown("XTND".into())),
    ];
    for (line, command) in table {
        assert_eq!(parse(line), Ok(command), "{line}");
    }
}

#[test]
fn a_password_keeps_its_spaces_and_octets() {
    for password in [&b"secret"[..], b" two  spaces ", b"\xc3\xa9\xd6\xd0", b"a\tb"] {
        let Ok(Command::Pass(secret)) = Command::parse(&[b"PASS ", password].concat()) else { panic!() };
        assert_eq!(secret.as_bytes(), password);
    }
}

#[test]
fn auth_may_carry_its_first_response() {
    let Ok(Command::Auth { initial: Some(secret), .. }) = parse("AUTH PLAIN AGEAYg==") else { panic!() };
    assert_eq!(secret.as_bytes(), b"\0a\0b");
    let Ok(Command::Auth { initial: Some(secret), .. }) = parse("AUTH EXTERNAL =") else { panic!() };
    assert_eq!(secret.as_bytes(), b"");
}

#[test]
fn bad_forms() {
    let long = format!("USER {}", "x".repeat(COMMAND_LINE_MAX));
    let longer = format!("AUTH PLAIN {}", "x".repeat(AUTH_LINE_MAX));
    let table = [
        ("", "Bad command"),
        ("USER", "An argument is wanted"),
        ("PASS", "An argument is wanted"),
        ("RETR", "An argument is wanted"),
        ("TOP 1", "An argument is wanted"),
        ("RETR one", "A number is wanted"),
        ("RETR -1", "A number is wanted"),
        ("RETR +1", "A number is wanted"),
        ("RETR 99999999999", "A number is wanted"),
        ("RETR 1 2", "Too many arguments"),
        ("QUIT now", "Too many arguments"),
        ("AUTH PLAIN x x", "Cannot decode base64"),
        ("LIST 1\rDELE 1", "Control character in command"),
        ("USER a\0b", "Control character in command"),
        (&long, "Line too long"),
        (&longer, "Line too long"),
    ];
    for (line, text) in table {
        assert_eq!(parse(line), Err(text), "{line}");
    }
}

proptest! {
    #[test]
    fn no_line_panics(line: Vec<u8>, verb in prop::sample::select(vec!["", "PASS ", "TOP ", "AUTH ", "USER "])) {
        let _ = Command::parse(&[verb.as_bytes(), &line].concat());
    }
}
