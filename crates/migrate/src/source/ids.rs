//! What messages and folders are known by, in eight bytes.

/// Bits of the id of a folder that are its own.
const ID_BITS: u32 = 48;

/// What something is known by, in eight bytes.
pub(crate) fn mark_of(what: &[u8]) -> u64 {
    let mut mark = [0; 8];
    mark.copy_from_slice(&blake3::hash(what).as_bytes()[..8]);
    u64::from_le_bytes(mark)
}

/// What a server knows a folder by whatever its name, in eight bytes: the first two are the server's, since the ids of another one say
/// nothing of it.
pub(crate) fn id_of(server: u16, id: &str) -> u64 {
    u64::from(server) << ID_BITS | mark_of(id.as_bytes()) >> (u64::BITS - ID_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_two_servers_are_not_the_same() {
        assert!(id_of(1, "a") == id_of(1, "a") && id_of(1, "a") != id_of(1, "b"));
        assert!(id_of(1, "a") != id_of(2, "a") && id_of(1, "a") != 0);
    }
}
