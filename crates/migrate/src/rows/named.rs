//! Mailboxes of a move by what they are called: few of many, each found by an index.

use std::collections::BTreeMap;

use anser_base::Result;
use anser_db::{Tx, params};

use super::{SELECT_MAILBOX, read_mailbox};
use crate::model::{Mailbox, State};

const BY_ADDRESS: &str = "WHERE move = ?1 AND address = ?2";
const BY_LOGIN: &str = "WHERE move = ?1 AND login = ?2";
const DOMAINS: &str = "SELECT DISTINCT domain FROM mov_accounts WHERE move = ?1 AND domain <> ''";

/// Those of which one of these is the address here or the login there, by number.
pub fn mailboxes_named(tx: &mut Tx<'_>, of: u64, names: &[&str]) -> Result<Vec<Mailbox>> {
    let mut found = BTreeMap::new();
    for name in names {
        for by in [BY_ADDRESS, BY_LOGIN] {
            let sql = format!("{SELECT_MAILBOX} {by}");
            let some = tx.query(&sql, params![of as i64, *name], read_mailbox)?;
            found.extend(some.into_iter().map(|mailbox| (mailbox.id, mailbox)));
        }
    }
    Ok(found.into_values().collect())
}

/// The domains of a move's addresses, in their order.
pub fn domains(tx: &mut Tx<'_>, of: u64) -> Result<Vec<String>> {
    tx.query(&format!("{DOMAINS} ORDER BY domain"), params![of as i64], |row| row.text(0))
}

/// Those of them of which somebody is left in the move.
pub fn domains_left(tx: &mut Tx<'_>, of: u64) -> Result<Vec<String>> {
    let sql = format!("{DOMAINS} AND state <> ?2 ORDER BY domain");
    tx.query(&sql, params![of as i64, State::Abandoned as i64], |row| row.text(0))
}

/// Whether a domain is among them.
pub fn has_domain(tx: &mut Tx<'_>, of: u64, domain: &str) -> Result<bool> {
    let sql = "SELECT id FROM mov_accounts WHERE move = ?1 AND domain = ?2 LIMIT 1";
    Ok(tx.query_one(sql, params![of as i64, &domain.to_lowercase()], |row| row.int(0))?.is_some())
}

/// The domain of an address as it is kept; empty where it has none.
pub(super) fn domain_of(address: &str) -> String {
    address.rsplit_once('@').map_or_else(String::new, |(_, domain)| domain.to_lowercase())
}

#[cfg(test)]
mod tests {
    use anser_db::{Place, Schemas};
    use anser_testkit::engines::{NO_SCHEMAS, World};

    use super::*;

    #[test]
    fn names_and_domains_are_found_by_an_index() {
        let world = World::embedded(Schemas { moves: crate::SCHEMA, ..NO_SCHEMAS });
        for (sql, index) in [
            (format!("{SELECT_MAILBOX} {BY_ADDRESS}"), "mov_accounts_address"),
            (format!("{SELECT_MAILBOX} {BY_LOGIN}"), "mov_accounts_login"),
            (format!("{DOMAINS} AND state <> ?2 ORDER BY domain"), "COVERING INDEX mov_accounts_domain"),
        ] {
            let sql = format!("EXPLAIN QUERY PLAN {sql}");
            let explain = move |tx: &mut Tx<'_>| tx.query(&sql, params![1_i64, "x"], |row| row.text(3));
            let plan = world.open().read(Place::Moves, explain).wait().unwrap().join("; ");
            assert!(plan.contains(index), "{plan}");
        }
    }
}
