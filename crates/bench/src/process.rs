//! What the kernel says of a server's processes and of the disks.

use std::collections::HashMap;
use std::fs;
use std::io;

/// Clock ticks a second in `/proc/*/stat`.
const TICKS: f64 = 100.0;

/// Processor seconds and bytes written to disk so far, of processes and their reaped children; and the machine's disk flushes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// User and system seconds.
    pub cpu: f64,
    /// Bytes.
    pub written: f64,
    /// Flushes.
    pub flushes: f64,
}

impl Usage {
    /// Of these processes and everything below them, now.
    pub fn now(roots: &[u32]) -> Self {
        let pids = tree(roots);
        Self {
            cpu: pids.iter().map(|pid| stat(*pid).map_or(0.0, |(_, ticks)| ticks as f64 / TICKS)).sum(),
            written: pids.iter().map(|pid| written(*pid)).sum(),
            flushes: flushes(),
        }
    }

    /// What was used since.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            cpu: self.cpu - earlier.cpu,
            written: self.written - earlier.written,
            flushes: self.flushes - earlier.flushes,
        }
    }
}

/// Resident memory of these processes and everything below them, in MB.
pub fn resident(roots: &[u32]) -> f64 {
    memory(roots, "VmRSS:")
}

/// Has [`most_resident`] begin anew: what a start needs for a moment is not counted for what comes behind it.
pub fn forget_most_resident(roots: &[u32]) -> io::Result<()> {
    tree(roots).into_iter().try_for_each(|pid| fs::write(format!("/proc/{pid}/clear_refs"), "5"))
}

/// The most that they ever had, each for itself.
pub fn most_resident(roots: &[u32]) -> f64 {
    memory(roots, "VmHWM:")
}

fn memory(roots: &[u32], name: &str) -> f64 {
    let kilobytes = |pid: u32| field(&format!("/proc/{pid}/status"), name);
    tree(roots).into_iter().map(|pid| kilobytes(pid) / 1000.0).sum()
}

fn field(path: &str, name: &str) -> f64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

fn written(pid: u32) -> f64 {
    field(&format!("/proc/{pid}/io"), "write_bytes:")
}

/// Parent, and ticks of the process with its reaped children.
fn stat(pid: u32) -> Option<(u32, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Some((number(1) as u32, (11..=14).map(number).sum()))
}

fn tree(roots: &[u32]) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some((pid, (parent, _))) = pid.and_then(|pid| Some((pid, stat(pid)?))) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let (mut open, mut found) = (roots.to_vec(), Vec::new());
    while let Some(pid) = open.pop() {
        open.extend(children.remove(&pid).unwrap_or_default());
        found.push(pid);
    }
    found
}

fn flushes() -> f64 {
    let disks = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let of = |path: std::path::PathBuf| -> f64 {
        let text = fs::read_to_string(path.join("stat")).unwrap_or_default();
        text.split_whitespace().nth(15).and_then(|number| number.parse().ok()).unwrap_or(0.0)
    };
    disks.map(|disk| of(disk.path())).sum()
}
