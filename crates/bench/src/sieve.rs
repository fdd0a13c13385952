//! `./x bench sieve`: 100 typical rules over a message of 20 KB, compiled and run, beside Pigeonhole's `sievec` and `sieve-test`.
//!
//! A process is started for each figure of Pigeonhole, so what is measured is a difference: the same rules eleven times in one script,
//! less once, a tenth of it. The rules do not apply to the message, so every one of them is looked at. Each figure is the best of many,
//! because others use the machine as well.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anser_base::Timestamp;
use anser_sieve::{Environment, Fuel, Input, Nothing, Program, Script, compile, run};

/// Runs of ours a figure, and of a process.
const OURS: usize = 2_000;
const THEIRS: usize = 150;
/// How often the rules stand in the long script.
const TIMES: u32 = 11;
/// Rules.
const RULES: usize = 100;
/// Lines of the message's body, 66 bytes each.
const LINES: usize = 305;

/// Measures and prints.
pub fn measure() -> io::Result<()> {
    let (script, message) = (script(1), message());
    let program = compile(script.as_bytes()).map_err(io::Error::other)?;
    let ours = (best(OURS, || drop(compile(script.as_bytes()))), best(OURS, || once(&program, &message)));
    println!("{RULES} rules, {} bytes of script, {} bytes of message; µs", script.len(), message.len());
    println!("{:<12} {:>10} {:>10}", "", "compile", "run");
    println!("{:<12} {:>10.1} {:>10.1}", "anser", micros(ours.0), micros(ours.1));
    match theirs(&message)? {
        None => println!("sieve-test is not there: install dovecot-sieve"),
        Some((compile, run)) => {
            println!("{:<12} {:>10.1} {:>10.1}", "pigeonhole", micros(compile), micros(run));
            let ratio = |ours, theirs| micros(theirs) / micros(ours);
            println!("{:<12} {:>10.1} {:>10.1}", "ratio", ratio(ours.0, compile), ratio(ours.1, run));
        }
    }
    Ok(())
}

fn once(program: &Program, message: &[u8]) {
    let input = Input {
        message,
        structure: None,
        sender: "x@far.test",
        recipient: "ann@anser.test",
        owner: &[],
        now: Timestamp::from_secs(1_800_000_000),
        zone: &|_| 480,
        environment: &Environment::new(),
        world: &Nothing,
        boundary: "boundary",
        fuel: Fuel::default(),
    };
    let outcome = run(&[Script { name: "bench", program }], &input);
    assert!(outcome.failures.is_empty() && outcome.actions.len() == 1, "{outcome:?}");
}

/// Compile and run of Pigeonhole; `None` when it is not installed.
fn theirs(message: &[u8]) -> io::Result<Option<(Duration, Duration)>> {
    let folder = std::path::absolute("target/bench/sieve")?;
    fs::create_dir_all(&folder)?;
    let config = folder.join("dovecot.conf");
    let mail = folder.join("mail");
    fs::write(&config, format!("mail_uid = nobody\nmail_gid = nogroup\nmail_location = maildir:{}\n", mail.display()))?;
    fs::write(folder.join("message.eml"), message)?;
    let (mut compiled, mut ran) = (Vec::new(), Vec::new());
    for times in [1, TIMES] {
        let path = folder.join(format!("rules{times}.sieve"));
        fs::write(&path, script(times))?;
        let Some(one) = fastest(|| command("sievec", &config, &[&path]))? else { return Ok(None) };
        compiled.push(one);
        let Some(one) = fastest(|| command("sieve-test", &config, &[&path, &folder.join("message.eml")]))? else {
            return Ok(None);
        };
        ran.push(one);
    }
    let part = |all: Vec<Duration>| all[1].saturating_sub(all[0]) / (TIMES - 1);
    Ok(Some((part(compiled), part(ran))))
}

fn command(name: &str, config: &Path, paths: &[&PathBuf]) -> Command {
    let mut command = Command::new(name);
    // Pigeonhole refuses to deliver as root; what it may look at is given to everybody.
    #[cfg(unix)]
    if name == "sieve-test" {
        use std::os::unix::process::CommandExt;
        command.gid(65_534).uid(65_534);
    }
    command.arg("-c").arg(config).args(["-o", "plugin/sieve_max_script_size=16M"]).args(paths);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The best time of many processes; `None` when there is no such program.
fn fastest(command: impl Fn() -> Command) -> io::Result<Option<Duration>> {
    let mut least = Duration::MAX;
    for _ in 0..THEIRS {
        let since = Instant::now();
        let status = match command().status() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        least = least.min(since.elapsed());
        if !status.success() {
            return Err(io::Error::other(format!("{:?} fails", command())));
        }
    }
    Ok(Some(least))
}

fn best(times: usize, work: impl Fn()) -> Duration {
    let one = |_| {
        let since = Instant::now();
        work();
        since.elapsed()
    };
    (0..times).map(one).min().unwrap_or_default()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Rules as people write them, none of which applies to [`message`].
fn script(times: u32) -> String {
    let rules: String = (0..RULES).map(rule).collect();
    format!("require [\"fileinto\", \"imap4flags\"];\n{}", rules.repeat(times as usize))
}

fn rule(n: usize) -> String {
    match n % 5 {
        0 => format!(
            "if header :contains \"subject\" [\"sale{n}\", \"offer{n}\", \"促销{n}\"] {{\n    fileinto \"Ads/{n}\";\n    stop;\n}}\n"
        ),
        1 => format!(
            "if address :is \"from\" [\"shop{n}@example.org\", \"news{n}@example.com\"] {{\n    fileinto \"Shops\";\n    stop;\n}}\n"
        ),
        2 => format!(
            "if anyof (header :matches \"list-id\" \"*<list{n}.*>\", address :domain :is [\"to\", \"cc\"] \"l{n}.example.net\") \
             {{\n    fileinto \"Lists\";\n}}\n"
        ),
        3 => format!(
            "if allof (header :contains \"subject\" \"report {n}\", not header :contains \"x-spam-flag\" \"yes\", size :over 1K) \
             {{\n    addflag \"\\\\Flagged\";\n}}\n"
        ),
        _ => format!("if header :is \"x-mailer\" \"Mailer {n}\" {{\n    discard;\n    stop;\n}}\n"),
    }
}

fn message() -> Vec<u8> {
    let header = "Return-Path: <x@far.test>\r\nReceived: from far.test by mail.test; Fri, 15 Jan 2027 08:00:00 +0000\r\n\
         From: =?utf-8?B?6ZmI6ZuB?= <chen@example.org>\r\nTo: ann@anser.test, bob@anser.test\r\nCc: cho@anser.test\r\n\
         Subject: =?utf-8?B?5YWz5LqO5LiL5ZGo5Lya6K6u55qE6YCa55+l?=\r\nDate: Fri, 15 Jan 2027 08:00:00 +0000\r\n\
         Message-ID: <1@example.org>\r\nX-Mailer: Something\r\nList-Id: <x.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n";
    let line = "The quick brown fox jumps over the lazy dog. 0123456789 abcdefgh\r\n";
    [header.as_bytes(), line.repeat(LINES).as_bytes()].concat()
}
