//! What is measured.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::LocalSet;
use tokio::time::sleep;

use crate::imap::Imap;
use crate::load::{self, Mix};
use crate::process::{Usage, resident};
use crate::servers::{ACCOUNTS, PASSWORD, Server};
use crate::smtp::Smtp;

/// Mail coming in.
pub struct Case {
    /// For the table.
    pub name: &'static str,
    connections: usize,
    mix: Mix,
    /// Messages, in percent of those asked for.
    share: u64,
}

const MIX: Mix = &[(1000, 50), (20_000, 35), (75_000, 14), (1_000_000, 1)];

/// Every case.
pub const CASES: [Case; 12] = [
    Case { name: "1 conn, 1 KB", connections: 1, mix: &[(1000, 1)], share: 30 },
    Case { name: "1 conn, 20 KB", connections: 1, mix: &[(20_000, 1)], share: 30 },
    Case { name: "1 conn, 75 KB", connections: 1, mix: &[(75_000, 1)], share: 20 },
    Case { name: "1 conn, mix", connections: 1, mix: MIX, share: 30 },
    Case { name: "8 conns, 1 KB", connections: 8, mix: &[(1000, 1)], share: 100 },
    Case { name: "8 conns, 20 KB", connections: 8, mix: &[(20_000, 1)], share: 100 },
    Case { name: "8 conns, 75 KB", connections: 8, mix: &[(75_000, 1)], share: 50 },
    Case { name: "8 conns, mix", connections: 8, mix: MIX, share: 100 },
    Case { name: "32 conns, 1 KB", connections: 32, mix: &[(1000, 1)], share: 100 },
    Case { name: "32 conns, 20 KB", connections: 32, mix: &[(20_000, 1)], share: 100 },
    Case { name: "32 conns, 75 KB", connections: 32, mix: &[(75_000, 1)], share: 50 },
    Case { name: "32 conns, mix", connections: 32, mix: MIX, share: 100 },
];

/// One measurement.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures([f64; 7]);

impl Figures {
    /// Head of the table.
    pub const HEAD: &str = "accepted/s visible/s    p50    p99    cpu  flush     KB";

    /// The median of each figure.
    pub fn median(all: &[Figures]) -> Figures {
        Figures(std::array::from_fn(|at| {
            let mut values: Vec<f64> = all.iter().map(|figures| figures.0[at]).collect();
            percentile(&mut values, 0.5)
        }))
    }

    /// This over that, figure by figure.
    pub fn ratio(&self, other: &Figures) -> Figures {
        Figures(std::array::from_fn(|at| self.0[at] / other.0[at]))
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [accepted, visible, p50, p99, cpu, flush, kilobytes] = self.0;
        write!(f, "{accepted:>10.2} {visible:>9.2} {p50:>6.2} {p99:>6.2} {cpu:>6.2} {flush:>6.2} {kilobytes:>6.2}")
    }
}

impl Case {
    /// Sends the messages and waits until all are seen and the server rests.
    pub async fn run(&self, server: &Server, messages: u64) -> io::Result<Figures> {
        let total = (messages * self.share / 100).max(1);
        let mut boxes = Vec::new();
        for n in 0..ACCOUNTS {
            boxes.push(Imap::login(server.imap, &server.account(n), PASSWORD).await?);
        }
        let before = counts(&mut boxes).await?;
        rest(server).await;
        let roots = server.roots();
        let (usage, started) = (Usage::now(&roots), Instant::now());
        let mut times = self.send(server, total).await?;
        let accepted = started.elapsed();
        while counts(&mut boxes).await? < before + total {
            if started.elapsed() > Duration::from_secs(180) {
                return Err(io::Error::other(format!("{}: mail is missing", server.name)));
            }
            sleep(Duration::from_millis(10)).await;
        }
        let visible = started.elapsed();
        rest(server).await;
        let used = Usage::now(&roots).since(&usage);
        let each = total as f64;
        Ok(Figures([
            each / accepted.as_secs_f64(),
            each / visible.as_secs_f64(),
            percentile(&mut times, 0.5),
            percentile(&mut times, 0.99),
            used.cpu * 1000.0 / each,
            used.flushes / each,
            used.written / 1000.0 / each,
        ]))
    }

    /// Sends from all connections at once; returns each transaction's time in ms.
    async fn send(&self, server: &Server, total: u64) -> io::Result<Vec<f64>> {
        let (next, seed) = (Rc::new(Cell::new(0)), seed());
        let (tasks, mix, port) = (LocalSet::new(), self.mix, server.smtp);
        let mut handles = Vec::new();
        for _ in 0..self.connections {
            let next = next.clone();
            let addresses: Vec<String> = (0..ACCOUNTS).map(|n| server.account(n)).collect();
            handles.push(tasks.spawn_local(async move {
                let (mut smtp, mut times) = (Smtp::connect(port).await?, Vec::new());
                while next.get() < total {
                    let n = next.replace(next.get() + 1);
                    let to = &addresses[n as usize % ACCOUNTS];
                    let message = load::message(to, load::size_of(mix, n), seed + n);
                    let started = Instant::now();
                    smtp.deliver(to, &message).await?;
                    times.push(milliseconds(started.elapsed()));
                }
                smtp.quit().await?;
                io::Result::Ok(times)
            }));
        }
        tasks.await;
        let mut all = Vec::new();
        for handle in handles {
            all.extend(handle.await.map_err(io::Error::other)??);
        }
        Ok(all)
    }
}

/// From 250 to the notice of an idle session.
pub struct Notice {
    p50: f64,
    p99: f64,
}

impl Notice {
    /// One message after the other, nothing else going on.
    pub async fn measure(server: &Server) -> io::Result<Notice> {
        let to = server.address("notice");
        let mut imap = Imap::login(server.imap, &to, PASSWORD).await?;
        imap.idle().await?;
        let (mut smtp, mut times, seed) = (Smtp::connect(server.smtp).await?, Vec::new(), seed());
        for n in 0..100 {
            smtp.deliver(&to, &load::message(&to, 20_000, seed + n)).await?;
            let accepted = Instant::now();
            imap.exists().await?;
            times.push(milliseconds(accepted.elapsed()));
        }
        Ok(Notice { p50: percentile(&mut times, 0.5), p99: percentile(&mut times, 0.99) })
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:.2} ms, p99 {:.2} ms", self.p50, self.p99)
    }
}

/// Ours alone: memory after the load, the cost of one large message, start and memory with 10,000 accounts.
pub async fn alone(mut server: Server, _folder: &Path) -> io::Result<()> {
    let after_load = resident(&server.roots());
    let to = server.account(0);
    let large = load::message(&to, 50_000_000, seed());
    let mut smtp = Smtp::connect(server.smtp).await?;
    let before = resident(&server.roots());
    smtp.deliver(&to, &large).await?;
    let after = resident(&server.roots());
    let many: Vec<String> = (0..10_000).map(|n| server.address(&format!("many{n}"))).collect();
    server.add_accounts(&many)?;
    let mut starts = Vec::new();
    for _ in 0..5 {
        starts.push(milliseconds(server.launch()?));
    }
    let idle = resident(&server.roots());
    println!("{:<22} {:<16} {after_load:.0} MB", "resident after load", server.name);
    println!("{:<22} {:<16} {before:.0} MB before, {after:.0} MB after", "a 50 MB message", server.name);
    println!(
        "{:<22} {:<16} {:.0} ms, {idle:.0} MB resident",
        "start, 10,000 accounts",
        server.name,
        percentile(&mut starts, 0.5)
    );
    Ok(())
}

async fn counts(boxes: &mut [Imap]) -> io::Result<u64> {
    let mut sum = 0;
    for imap in boxes {
        sum += imap.count().await?;
    }
    Ok(sum)
}

/// Waits until the server has nothing left to do, so that work behind the scenes counts for the message that caused it.
async fn rest(server: &Server) {
    let roots = server.roots();
    let mut last = Usage::now(&roots).cpu;
    for _ in 0..30 {
        sleep(Duration::from_secs(1)).await;
        let now = Usage::now(&roots).cpu;
        if now - last < 0.03 {
            return;
        }
        last = now;
    }
}

fn seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_micros() as u64)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The value below which this share of them lies.
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() as f64 * share).ceil() as usize;
    values.get(at.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
