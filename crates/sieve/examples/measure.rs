//! How long a typical script takes: `cargo run --release -p anser-sieve --example measure`. 100 rules over a message of
//! 20 KB, none but the last of which applies; times are the median of many runs on one thread.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anser_base::Timestamp;
use anser_sieve::{Environment, Fuel, Input, Nothing, Program, Script, run};

/// Rounds of which the median is told.
const ROUNDS: usize = 2_001;

fn main() {
    let environment = Environment::new();
    let message = message();
    for (name, script) in [("headers only", script(false)), ("with body, regex, dates", script(true))] {
        let program = Program::compile(script.as_bytes()).expect("compiles");
        let stored = program.to_bytes();
        let input = Input {
            message: message.as_bytes(),
            structure: None,
            sender: "news@shop.example.org",
            recipient: "me@example.com",
            owner: &[],
            now: Timestamp::from_secs(1_577_808_000),
            zone: &|_| 480,
            environment: &environment,
            world: &Nothing,
            boundary: "b",
            fuel: Fuel::default(),
        };
        let scripts = [Script { name: "main", program: &program }];
        let outcome = run(&scripts, &input);
        println!("{name}: {} bytes of script, {} of message, {} steps", script.len(), message.len(), outcome.steps);
        println!("  compile {:?}", median(|| drop(black_box(Program::compile(script.as_bytes())))));
        println!(
            "  read the {} bytes of its stored form {:?}",
            stored.len(),
            median(|| drop(black_box(Program::from_bytes(&stored))))
        );
        println!("  run {:?}", median(|| drop(black_box(run(&scripts, &input)))));
    }
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}

/// A hundred rules as people have them: subjects, senders, lists, sizes; and some that look deeper.
fn script(looks_deeper: bool) -> String {
    let mut out =
        "require [\"fileinto\", \"imap4flags\", \"body\", \"regex\", \"date\", \"relational\", \"mailbox\"];\n"
            .to_owned();
    for n in 0..99 {
        let test = match n % 20 {
            0..=6 => format!("header :contains \"subject\" [\"offer {n}\", \"发票{n}\", \"newsletter {n}\"]"),
            7..=10 => format!("address :is \"from\" [\"person{n}@example.org\", \"other{n}@example.net\"]"),
            11 | 12 => format!("address :domain :is [\"to\", \"cc\"] \"list{n}.example.org\""),
            13 | 14 => format!("header :contains \"list-id\" \"list{n}.example.org\""),
            15 => format!("allof (header :matches \"subject\" \"[*{n}] *\", not header :contains \"from\" \"boss\")"),
            16 => format!("size :over {}M", 10 + n),
            17 if looks_deeper => format!("body :contains [\"unsubscribe from {n}\", \"退订{n}\"]"),
            18 if looks_deeper => format!("header :regex \"subject\" \"^(re|fwd): *.*#{n}[0-9]+\""),
            19 if looks_deeper => format!("currentdate :value \"gt\" \"date\" \"20{n}-01-01\""),
            _ => format!("exists \"X-List-{n}\""),
        };
        out.push_str(&format!("if {test} {{ addflag \"$f{n}\"; fileinto :create \"Folder {n}\"; stop; }}\n"));
    }
    out.push_str("if header :contains \"subject\" \"weekly\" { fileinto \"Last\"; stop; }\n");
    out
}

/// 20 KB with the header of a real mailing: traces, an encoded subject, text and HTML.
fn message() -> String {
    let mut out = String::new();
    for hop in 0..5 {
        out.push_str(&format!("Received: from mx{hop}.example.org (mx{hop}.example.org [192.0.2.{hop}])\r\n\tby mx.example.com with ESMTPS id {hop}abcdef; Wed, 1 Jan 2020 00:00:0{hop} +0800\r\n"));
    }
    for n in 0..15 {
        out.push_str(&format!("X-Trace-{n}: {}\r\n", "0123456789abcdef".repeat(6)));
    }
    out.push_str("From: \"The Shop\" <news@shop.example.org>\r\nTo: me@example.com, you@example.com\r\n");
    out.push_str("Subject: =?utf-8?B?5pys5ZGo5b+r6K6v?= weekly\r\nDate: Wed, 1 Jan 2020 00:00:00 +0800\r\nList-Id: <shop.example.org>\r\n");
    out.push_str("MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n");
    let line = "All the news of this week, and then some more of it, with an offer.\r\n";
    out.push_str(&format!("--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}", line.repeat(80)));
    out.push_str(&format!(
        "--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{}--b--\r\n",
        format!("<p>{line}").repeat(150)
    ));
    out
}
