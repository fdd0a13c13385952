//! What is measured over IMAP and POP3.

use std::io;
use std::net::Shutdown;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::Options;
use super::client::Client;
use super::seed::{EMPTY, LARGE, RARE, SMALL};
use crate::cases::percentile;
use crate::load::{self, Numbers};
use crate::servers::{PASSWORD, Server};

/// Messages whose flags one STORE changes.
pub const STORED: usize = 1000;
/// Pages that are turned for the percentiles.
const PAGES: usize = 300;
/// Logins of one measurement.
const LOGINS: usize = 400;
/// Messages of one measurement of APPEND.
const APPENDS: usize = 400;

/// One figure of a case.
pub struct Figure {
    /// Unit and kind.
    pub name: &'static str,
    /// Whether more is better.
    pub more: bool,
}

const fn more(name: &'static str) -> Figure {
    Figure { name, more: true }
}

const fn less(name: &'static str) -> Figure {
    Figure { name, more: false }
}

/// A piece of work, with its figures.
pub struct Case {
    /// For the table.
    pub name: &'static str,
    /// Its figures, in the order in which they are measured.
    pub figures: &'static [Figure],
    /// One round on one server.
    pub measure: fn(&mut Server, &Options) -> io::Result<Vec<f64>>,
}

/// Every case. SELECT comes first, since its first opening starts the server anew.
pub const CASES: [Case; 13] = [
    Case { name: "SELECT, large", figures: &[less("first, ms"), less("again, ms")], measure: select },
    Case { name: "LOGIN, 8 connections", figures: &[more("per s")], measure: login },
    Case { name: "APPEND 20 KB, 1 connection", figures: &[more("per s")], measure: |server, _| append(server, 1) },
    Case { name: "APPEND 20 KB, 4 connections", figures: &[more("per s")], measure: |server, _| append(server, 4) },
    Case {
        name: "FETCH 1:* ENVELOPE etc.",
        figures: &[more("small, messages/s"), more("large, messages/s")],
        measure: |server, options| fetch(server, options, "UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE"),
    },
    Case {
        name: "FETCH 1:* as clients do",
        figures: &[more("small, messages/s"), more("large, messages/s")],
        measure: |server, options| {
            let fields = "BODY.PEEK[HEADER.FIELDS (From To Cc Subject Date Message-ID References Content-Type)]";
            fetch(server, options, &format!("UID FLAGS INTERNALDATE RFC822.SIZE {fields}"))
        },
    },
    Case {
        name: "FETCH 1:* BODYSTRUCTURE",
        figures: &[more("small, messages/s"), more("large, messages/s")],
        measure: |server, options| fetch(server, options, "UID BODYSTRUCTURE"),
    },
    Case {
        name: "FETCH 1:* FLAGS",
        figures: &[more("small, messages/s"), more("large, messages/s")],
        measure: |server, options| fetch(server, options, "FLAGS"),
    },
    Case { name: "page of 50 by UID, large", figures: &[less("p50, ms"), less("p99, ms")], measure: pages },
    Case { name: "STORE 1,000 flags", figures: &[less("small, ms"), less("large, ms")], measure: store },
    Case {
        name: "SEARCH TEXT",
        figures: &[
            less("ASCII, small, ms"),
            less("Chinese, small, ms"),
            less("ASCII, large, ms"),
            less("Chinese, large, ms"),
        ],
        measure: search,
    },
    Case { name: "BODY[], small", figures: &[more("MB/s")], measure: bodies },
    Case { name: "POP3 RETR, small, pipelined", figures: &[more("messages/s"), more("MB/s")], measure: retrieve },
];

fn open(server: &Server, account: &str) -> io::Result<Client> {
    let mut client = Client::login(server.imap, &server.address(account), PASSWORD)?;
    client.run("SELECT INBOX")?;
    Ok(client)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The first SELECT after a start, and those of later connections.
fn select(server: &mut Server, _: &Options) -> io::Result<Vec<f64>> {
    server.restart()?;
    let user = server.address(LARGE);
    let once = || Ok(milliseconds(Client::login(server.imap, &user, PASSWORD)?.run("SELECT INBOX")?.time));
    let first = once()?;
    let mut again = (0..5).map(|_| once()).collect::<io::Result<Vec<f64>>>()?;
    Ok(vec![first, percentile(&mut again, 0.5)])
}

fn login(server: &mut Server, _: &Options) -> io::Result<Vec<f64>> {
    let users = [SMALL, LARGE].map(|name| server.address(name));
    let rate = from_all(8, LOGINS, |n, client: &mut Option<Client>| {
        *client = None;
        let mut new = Client::login(server.imap, &users[n % users.len()], PASSWORD)?;
        new.run("LOGOUT")
    })?;
    Ok(vec![rate])
}

/// One message after the other on each connection, each answered before the next.
fn append(server: &mut Server, connections: usize) -> io::Result<Vec<f64>> {
    let user = server.address(EMPTY[0]);
    let rate = from_all(connections, APPENDS * connections, |n, client: &mut Option<Client>| {
        let client = match client {
            Some(client) => client,
            None => client.insert(Client::login(server.imap, &user, PASSWORD)?),
        };
        let message = load::message(&user, 20_000, seed() + n as u64);
        let mut command = format!("APPEND INBOX (\\Seen) {{{}+}}\r\n", message.len()).into_bytes();
        command.extend_from_slice(&message);
        client.run_bytes(&command)
    })?;
    Ok(vec![rate])
}

/// Runs a piece of work so many times from so many threads; returns how often it was done in a second.
fn from_all<T, R: Sync>(
    threads: usize,
    total: usize,
    work: impl Fn(usize, &mut Option<T>) -> io::Result<R> + Sync,
) -> io::Result<f64> {
    let (next, work, started) = (AtomicUsize::new(0), &work, Instant::now());
    let one = || {
        let mut state = None;
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= total {
                return Ok(());
            }
            work(n, &mut state)?;
        }
    };
    thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        let join = |handle: thread::ScopedJoinHandle<'_, io::Result<()>>| {
            handle.join().map_err(|_| io::Error::other("a client panicked"))?
        };
        handles.into_iter().map(join).collect::<io::Result<Vec<()>>>()
    })?;
    Ok(total as f64 / started.elapsed().as_secs_f64())
}

fn fetch(server: &mut Server, options: &Options, items: &str) -> io::Result<Vec<f64>> {
    let mut rates = Vec::new();
    for (account, count) in [(SMALL, options.small), (LARGE, options.large)] {
        let mut client = open(server, account)?;
        // The peer fills its cache the first time; that is not what is measured.
        if server.caches() {
            client.run(&format!("FETCH 1:* ({items})"))?;
        }
        let answer = client.run(&format!("FETCH 1:* ({items})"))?;
        rates.push(count as f64 / answer.time.as_secs_f64());
    }
    Ok(rates)
}

fn pages(server: &mut Server, options: &Options) -> io::Result<Vec<f64>> {
    let (mut client, mut numbers, mut times) = (open(server, LARGE)?, Numbers(seed() | 1), Vec::new());
    for _ in 0..PAGES {
        let first = 1 + numbers.next() as usize % (options.large - 50);
        let page = format!("UID FETCH {first}:{} (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)", first + 49);
        times.push(milliseconds(client.run(&page)?.time));
    }
    Ok(vec![percentile(&mut times, 0.5), percentile(&mut times, 0.99)])
}

fn store(server: &mut Server, options: &Options) -> io::Result<Vec<f64>> {
    let mut figures = Vec::new();
    for (account, count) in [(SMALL, options.small), (LARGE, options.large)] {
        let mut client = open(server, account)?;
        let first = count / 2 - STORED / 2 + 1;
        let mut times = Vec::new();
        for _ in 0..3 {
            for sign in ['+', '-'] {
                let store = format!("UID STORE {first}:{} {sign}FLAGS (\\Flagged)", first + STORED - 1);
                times.push(milliseconds(client.run(&store)?.time));
            }
        }
        figures.push(percentile(&mut times, 0.5));
    }
    Ok(figures)
}

fn search(server: &mut Server, _: &Options) -> io::Result<Vec<f64>> {
    let mut times = Vec::new();
    for account in [SMALL, LARGE] {
        let mut client = open(server, account)?;
        for word in RARE {
            let command = format!("UID SEARCH CHARSET UTF-8 TEXT {{{}+}}\r\n{word}", word.len());
            let answer = client.run_bytes(command.as_bytes())?;
            if !client.tail().contains("* SEARCH 1") {
                return Err(io::Error::other(format!("{}: SEARCH TEXT {word} finds nothing", server.name)));
            }
            times.push(milliseconds(answer.time));
        }
    }
    Ok(times)
}

fn bodies(server: &mut Server, _: &Options) -> io::Result<Vec<f64>> {
    let answer = open(server, SMALL)?.run("FETCH 1:* (UID BODY.PEEK[])")?;
    Ok(vec![answer.bytes as f64 / answer.time.as_secs_f64() / 1e6])
}

/// Every message, all commands sent at once.
fn retrieve(server: &mut Server, options: &Options) -> io::Result<Vec<f64>> {
    let mut client = Client::connect(server.pop3)?;
    for line in [format!("USER {}\r\n", server.address(SMALL)), format!("PASS {PASSWORD}\r\n")] {
        client.send(line.as_bytes())?;
        client.until(|tail| tail.ends_with(b"\r\n"))?;
        if !client.tail().starts_with("+OK") {
            return Err(io::Error::other(format!("{}: {}", server.name, client.tail().trim_end())));
        }
    }
    let commands: String = (1..=options.small).map(|n| format!("RETR {n}\r\n")).collect();
    let (mut sender, started) = (client.sender()?, Instant::now());
    let sending = thread::spawn(move || io::Write::write_all(&mut sender, commands.as_bytes()));
    let bytes = client.until_dots(options.small)?;
    let seconds = started.elapsed().as_secs_f64();
    sending.join().map_err(|_| io::Error::other("the sender panicked"))??;
    client.send(b"QUIT\r\n")?;
    client.until(|tail| tail.ends_with(b"\r\n"))?;
    client.sender()?.shutdown(Shutdown::Both)?;
    Ok(vec![options.small as f64 / seconds, bytes as f64 / seconds / 1e6])
}

fn seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |since| since.as_micros() as u64)
}
