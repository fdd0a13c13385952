//! How much memory this process takes.

/// What a connection may cost, whatever its client does, in bytes.
pub const CONNECTION: u64 = 64_000_000;

/// The growth of the process from here on.
pub struct Peak(u64);

impl Peak {
    /// Begins to watch: the peak is set to the present size.
    pub fn begin() -> Self {
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        Self(peak())
    }

    /// Bytes by which the process was larger at its largest.
    pub fn grown(&self) -> u64 {
        peak().saturating_sub(self.0)
    }
}

fn peak() -> u64 {
    told("VmHWM:")
}

/// Bytes that the process has in memory.
pub fn resident() -> u64 {
    told("VmRSS:")
}

fn told(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}
