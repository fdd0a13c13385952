//! Whatever bytes come, as a script or as a message: an answer, without panic, within bounds.

use anser_sieve::{Action, Environment, Exhausted, Fuel, Input, Nothing, Outcome, Program, World};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::Arc;

use crate::inbox::{input, run_main};

/// Pieces of which scripts are made, right ones and wrong ones.
const PIECES: &[&str] = &[
    "require [\"fileinto\", \"variables\", \"regex\", \"relational\", \"mime\", \"foreverypart\", \"editheader\", \"body\", \"date\", \"index\", \"imap4flags\", \"copy\", \"include\", \"enotify\", \"vacation\", \"replace\", \"enclose\", \"extracttext\", \"duplicate\", \"reject\"];\n",
    "if header :matches \"subject\" \"*a*?b\" { ",
    "if address :regex \"from\" \"(a+)+$\" { ",
    "if body :contains [\"a\", \"${x}\"] { ",
    "foreverypart { ",
    "foreverypart :name \"n\" { ",
    "} ",
    "break; ",
    "set \"x\" \"${x}${x}${1}a\"; ",
    "set :upper :length \"y\" \"${x}\"; ",
    "fileinto \"${x}\"; ",
    "fileinto :copy :flags \"\\\\Seen ${x}\" \"中文\"; ",
    "addheader :last \"X-A\" \"${x}\"; ",
    "deleteheader :index 1 :matches \"Subject\" \"*\"; ",
    "replace :mime \"Content-Type: text/plain\r\n\r\nx\"; ",
    "replace \"x\"; ",
    "enclose :subject \"s\" :headers \"from\" \"x\"; ",
    "extracttext :first 10 \"x\"; ",
    "include \"again\"; ",
    "redirect \"a@b.c\"; ",
    "notify \"mailto:a@b.c\"; ",
    "vacation \"x\"; ",
    "reject \"x\"; ",
    "keep; ",
    "discard; ",
    "stop; ",
    "return; ",
    "if not anyof (true, false, header :count \"ge\" \"received\" \"1\") { ",
    "elsif currentdate :value \"lt\" \"date\" \"2020\" { ",
    "else { ",
    "global \"x\"; ",
    "addflag \"x\" \"a b\"; ",
    "if date :index 2 :last \"received\" \"hour\" \"1\" { ",
    "text:\na\n.\n",
    "\"",
    "\\",
    "/*",
    "*/",
    "#",
    ":is",
    "[",
    "]",
    "(",
    ")",
    ",",
    ";",
    "100K",
    "中文",
    "\0",
    "${unicode:4e2d}",
];

fn script() -> impl Strategy<Value = Vec<u8>> {
    let pieces = vec(select(PIECES.to_vec()), 0..25);
    let closed = (pieces.clone(), any::<bool>()).prop_map(|(pieces, close)| {
        let body = pieces.concat();
        let open = body.matches('{').count().saturating_sub(body.matches('}').count());
        let end = if close { "}".repeat(open) } else { String::new() };
        format!("{}{body}{end}", PIECES[0]).into_bytes()
    });
    prop_oneof![closed, pieces.prop_map(|pieces| pieces.concat().into_bytes()), vec(any::<u8>(), 0..200),]
}

/// Commands that always compile, so that programs run.
fn valid() -> impl Strategy<Value = String> {
    let simple = select(
        PIECES
            .iter()
            .copied()
            .filter(|p| {
                p.ends_with("; ") && !p.contains("break") && !p.contains("global") && !p.contains("extracttext")
            })
            .collect::<Vec<_>>(),
    );
    let open = select(PIECES[1..6].to_vec());
    let block = (open, vec(simple.clone(), 0..5)).prop_map(|(open, inner)| {
        let extract = if open.starts_with("foreverypart") { "extracttext :first 10 \"x\"; " } else { "" };
        format!("{open}{}{extract}}} ", inner.concat())
    });
    let command = prop_oneof![simple.prop_map(str::to_owned), block];
    vec(command, 0..20).prop_map(|commands| {
        let body = commands.concat();
        format!("{}global \"y\"; {}global \"y\"; ", PIECES[0], body)
    })
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "Subject: aXbab\r\n",
        "From: a@b.c, \"x\" <d@e.f>\r\n",
        "Received: x; 1 Jan 2020 00:00 Z\r\n",
        "\r\n",
        "\n",
        "--b\r\n",
        "--b--\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n",
        "Content-Type: message/rfc822\r\n\r\n",
        "text aaaa",
        "Content-Transfer-Encoding: base64\r\n",
        "\u{4e2d}",
        "=?gbk?B?sai45g==?=",
        " folded\r\n",
        "no field\r\n",
    ];
    prop_oneof![
        4 => vec(select(pieces.to_vec()), 0..30).prop_map(|pieces| pieces.concat().into_bytes()),
        1 => vec(any::<u8>(), 0..300),
    ]
}

/// A house in which every script is there to include, and is the one that runs.
struct Again(Arc<Program>);

impl World for Again {
    fn script(&self, _: bool, name: &str) -> Option<Arc<Program>> {
        (name.len() < 40).then(|| Arc::clone(&self.0))
    }
}

fn outcome(program: &Program, message: &[u8], world: &dyn World, fuel: Fuel) -> Outcome {
    let environment = Environment::new();
    let input = Input { world, fuel, ..input(message, &environment) };
    run_main(program, &input)
}

proptest! {
    #[test]
    fn any_bytes_compile_or_tell_where_not(bytes in script()) {
        match Program::compile(&bytes) {
            Ok(program) => {
                let stored = program.to_bytes();
                prop_assert_eq!(Program::from_bytes(&stored).unwrap().to_bytes(), stored);
            }
            Err(mistakes) => {
                let lines = bytes.iter().filter(|b| **b == b'\n').count() as u32 + 1;
                prop_assert!(!mistakes.0.is_empty());
                prop_assert!(mistakes.0.iter().all(|m| m.place.line >= 1 && m.place.line <= lines && m.place.column >= 1));
            }
        }
    }

    #[test]
    fn any_program_ends_on_any_message(script in valid(), message in message(), steps in 0u64..3_000) {
        let program = Program::compile(script.as_bytes()).unwrap_or_else(|mistakes| panic!("{mistakes}\n{script}"));
        let world = Again(Arc::new(Program::compile(script.as_bytes()).unwrap()));
        let outcome = outcome(&program, &message, &world, Fuel { steps, ..Fuel::default() });
        prop_assert!(!outcome.actions.is_empty());
        prop_assert!(outcome.steps <= steps);
        prop_assert!(outcome.actions.iter().all(|taken| taken.version <= outcome.versions.len()));
        if !outcome.failures.is_empty() {
            let keeps = outcome.actions.iter().all(|taken| matches!(taken.action, Action::Keep { .. }));
            prop_assert!(keeps);
            prop_assert!(outcome.versions.is_empty() && outcome.remember.is_empty());
        }
    }

    #[test]
    fn stored_programs_of_any_bytes_are_refused_or_run(bytes in vec(any::<u8>(), 0..300), at in 0usize..2_000, byte: u8) {
        let _ = Program::from_bytes(&bytes);
        let script = format!("{}{}if true {{ {} }}", PIECES[0], PIECES[8], PIECES[11]);
        let mut stored = Program::compile(script.as_bytes()).unwrap().to_bytes();
        let length = stored.len();
        stored[at % length] = byte;
        if let Ok(program) = Program::from_bytes(&stored) {
            outcome(&program, b"Subject: a\r\n\r\n", &Nothing, Fuel { steps: 10_000, ..Fuel::default() });
        }
    }
}

fn failure(script: &str, message: &str) -> Option<Exhausted> {
    let program = Program::compile(script.as_bytes()).unwrap();
    let outcome = outcome(&program, message.as_bytes(), &Again(Arc::new(Program::default())), Fuel::default());
    assert!(matches!(&outcome.actions[..], [taken] if matches!(taken.action, Action::Keep { .. })), "{outcome:?}");
    outcome.failures.first().and_then(|failure| failure.exhausted)
}

#[test]
fn variables_that_double_are_stopped() {
    let script = format!(
        "require \"variables\"; set \"a\" \"{}\"; {}",
        "x".repeat(1000),
        "set \"a\" \"${a}${a}\"; ".repeat(500)
    );
    assert_eq!(failure(&script, "\r\n"), Some(Exhausted::Memory));
}

#[test]
fn wildcards_and_headers_by_the_thousand_are_stopped() {
    let script = "if header :matches \"x\" \"*a?b*a?b*a?b*a?b*c\" { discard; }\n".repeat(1_000);
    let message = format!("{}\r\n", format!("X: {}\r\n", "aab".repeat(300)).repeat(3_000));
    assert_eq!(failure(&script, &message), Some(Exhausted::Steps));
}

#[test]
fn redirects_notifications_and_actions_are_counted() {
    let many = |count: usize, command: &dyn Fn(usize) -> String| (0..count).map(command).collect::<String>();
    let redirects = many(11, &|n| format!("redirect \"a{n}@b.c\"; "));
    assert_eq!(failure(&redirects, "\r\n"), Some(Exhausted::Redirects));
    let notes = many(11, &|n| format!("notify \"mailto:a{n}@b.c\"; "));
    assert_eq!(failure(&format!("require \"enotify\"; {notes}"), "\r\n"), Some(Exhausted::Notifications));
    let files = many(101, &|n| format!("fileinto \"a{n}\"; "));
    assert_eq!(failure(&format!("require \"fileinto\"; {files}"), "\r\n"), Some(Exhausted::Actions));
    let includes = many(201, &|n| format!("include \"a{n}\"; "));
    assert_eq!(failure(&format!("require \"include\"; {includes}"), "\r\n"), Some(Exhausted::Includes));
}

#[test]
fn messages_rewritten_again_and_again_are_stopped() {
    let script = format!("require \"enclose\"; {}", "enclose :subject \"s\" \"x\"; ".repeat(60));
    let message = format!("Subject: a\r\n\r\n{}", "x".repeat(8 << 20));
    let exhausted = failure(&script, &message);
    assert!(matches!(exhausted, Some(Exhausted::Rewritten | Exhausted::Steps)), "{exhausted:?}");
}

#[test]
fn nesting_and_size_are_told_with_their_limit() {
    let told = |script: &str| Program::compile(script.as_bytes()).unwrap_err().0[0].sentence().en.into_owned();
    assert!(told(&"if true { ".repeat(10_000)).contains("more than 40"));
    assert!(told(&format!("if {} true {{ }}", "not ".repeat(10_000))).contains("more than 40"));
    assert!(told(&format!("if {} true", "anyof (".repeat(10_000))).contains("more than 40"));
    assert!(told(&"keep;\n".repeat(400_000)).contains("larger than"));
    assert!(told(&"keep;".repeat(100_000)).contains("too many commands"));
    let fifteen = format!(
        "{}keep;{}",
        "if not not not not not not not not not not not not not not not true {".repeat(15),
        "}".repeat(15)
    );
    assert!(Program::compile(fifteen.as_bytes()).is_ok());
}

#[test]
fn regular_expressions_that_grow_are_refused_or_paid_for() {
    let told = |script: String| Program::compile(script.as_bytes()).unwrap_err().0[0].text.en.clone().into_owned();
    let rule = |pattern: &str| format!("if body :regex \"{pattern}\" {{ discard; }}\n");
    let script = |rules: &str| format!("require [\"regex\", \"body\"];\n{rules}");
    assert!(told(script(&rule("((a{100}){100}){100}"))).contains("its repetitions are too large"));
    assert!(told(script(&rule("a").repeat(201))).contains("at most 200 regular expressions"));
    let message = format!("Subject: a\r\n\r\n{}", "ab".repeat(400_000));
    assert_eq!(failure(&script(&rule("(a|b)*a(a|b){200}c").repeat(20)), &message), Some(Exhausted::Steps));
}

#[test]
fn scripts_in_gbk_are_refused_and_told_why() {
    let gbk = b"require \"fileinto\";\r\nfileinto \"\xb9\xa4\xd7\xf7\";";
    let mistakes = Program::compile(gbk).unwrap_err();
    let text = mistakes.0[0].sentence();
    assert!(text.en.starts_with("line 2, column 11: this is not UTF-8") && text.zh.contains("GBK"), "{text:?}");
    assert!(anser_base::Error::from(mistakes).text.zh.contains("第 2 行第 11 列"));
}

#[test]
fn ten_thousand_rules_compile_and_run() {
    let rules = (0..10_000)
        .map(|n| format!("if header :contains [\"subject\", \"from\"] \"word{n}x\" {{ fileinto \"f{n}\"; stop; }}\n"));
    let script = format!("require \"fileinto\";\n{}", rules.collect::<String>());
    let program = Program::compile(script.as_bytes()).unwrap();
    let message = b"Subject: word9999x\r\nFrom: a@b.c\r\n\r\n";
    let outcome = outcome(&program, message, &Nothing, Fuel::default());
    assert_eq!(outcome.actions[0].origin.line, 10_001);
}

#[test]
fn mistakes_are_told_in_both_languages() {
    let told = |script: &str| Program::compile(script.as_bytes()).unwrap_err().0[0].sentence();
    let text = told("keep;\nfileinto \"A\";");
    assert_eq!(text.zh, "第 2 行第 1 列：使用 fileinto 前需要 require \"fileinto\"");
    assert_eq!(told("if true").zh, "第 1 行第 8 列：此处应为参数、“;”或语句块，却是脚本结尾");
    let mistake = &Program::compile(b"keep \"a\";").unwrap_err().0[0];
    assert_eq!(mistake.found.as_deref(), Some("the string \"a\""));
    assert_eq!(mistake.expected.as_ref().map(|text| &*text.zh), Some("keep 没有更多参数"));
}
