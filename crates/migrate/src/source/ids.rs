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

/// Whether one server tells two folders by these ids; 0 is none.
pub(crate) fn is_another(known: u64, told: u64) -> bool {
    known != 0 && told != 0 && known != told && known >> ID_BITS == told >> ID_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_two_servers_are_not_compared() {
        let (one, other) = (id_of(1, "a"), id_of(1, "b"));
        assert!(is_another(one, other) && !is_another(one, one));
        assert!(!is_another(one, id_of(2, "b")) && !is_another(one, id_of(2, "a")));
        assert!(!is_another(0, one) && !is_another(one, 0));
    }
}
