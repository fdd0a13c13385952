//! The simulation's own chance: small, fast, and the same for the same seed.

/// A SplitMix64 stream.
pub(super) struct Dice(u64);

impl Dice {
    /// The same stream for the same seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`; zero when `bound` is zero.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }

    /// True in `n` of 16 cases.
    pub(super) fn sixteenths(&mut self, n: u64) -> bool {
        self.below(16) < n
    }
}
