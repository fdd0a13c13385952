//! The hash chain.

/// The hash of an event.
pub type Hash = [u8; 32];

/// What the very first event of a node goes on from.
pub const ORIGIN: Hash = [0; 32];

/// The hash of the event with this number and these bytes that goes on from `previous`: BLAKE3 over the previous hash, the number
/// as 8 bytes (big endian), and the bytes as they are stored.
pub fn link(previous: &Hash, seq: u64, bytes: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous).update(&seq.to_be_bytes()).update(bytes);
    *hasher.finalize().as_bytes()
}
