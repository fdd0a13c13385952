//! The randomness seam.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Where random bytes come from: the kernel, or a seeded stream in a test.
#[derive(Clone)]
pub enum Entropy {
    /// The kernel's generator; fit for keys, salts and nonces.
    System,
    /// A stream that depends only on its seed. Never for secrets.
    Seeded(Arc<Mutex<blake3::OutputReader>>),
}

impl Entropy {
    /// The kernel's generator.
    pub fn system() -> Self {
        Self::System
    }

    /// The same stream for the same seed.
    pub fn seeded(seed: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        Self::Seeded(Arc::new(Mutex::new(hasher.finalize_xof())))
    }

    /// Fills the buffer.
    ///
    /// # Panics
    /// When the kernel gives no randomness: nothing safe can be done without it.
    pub fn fill(&self, buffer: &mut [u8]) {
        match self {
            Self::System => getrandom::fill(buffer).expect("the kernel gives randomness"),
            Self::Seeded(stream) => stream.lock().unwrap_or_else(PoisonError::into_inner).fill(buffer),
        }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// A random number.
    pub fn u64(&self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    /// A number below `bound`; zero when `bound` is zero. The bias is below 2⁻³² for bounds below 2³².
    pub fn below(&self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.u64() % bound }
    }

    /// A printable token of `len` characters out of `a`–`z` and `2`–`7` (5 bits each).
    pub fn token(&self, len: usize) -> String {
        let mut raw = vec![0; len];
        self.fill(&mut raw);
        raw.iter().map(|byte| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[usize::from(byte & 31)])).collect()
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "Entropy::System",
            Self::Seeded(_) => "Entropy::Seeded",
        })
    }
}
