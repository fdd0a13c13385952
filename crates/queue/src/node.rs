//! Runs of nodes. On the embedded engine there is one; its start frees what the last one held. On PostgreSQL each node renews its
//! row, and frees what a dead one held. The nodes' clocks may differ by up to 15 seconds.

use std::time::Duration;

use anser_base::{Result, Timestamp};
use anser_db::{Tx, params};

use crate::ids::advance;
use crate::schema::RELEASED;

/// How long a node's leases stand after its last sign of life.
pub const LEASE: Duration = Duration::from_secs(45);
/// How often a node gives a sign of life and looks for dead ones.
pub const RENEW: Duration = Duration::from_secs(10);

/// A new run: gives it a number that no run ever had, and frees what runs that are over held. An earlier run of the same name is
/// over for certain.
pub fn start(tx: &mut Tx<'_>, now: Timestamp, name: Option<&str>) -> Result<i64> {
    let node = advance(tx, "node", 1)?;
    if tx.is_postgres() {
        let earlier = tx.query("SELECT id FROM queue_node WHERE name = ?1", params![name], |row| row.int(0))?;
        earlier.into_iter().try_for_each(|run| end(tx, run).map(drop))?;
        renew(tx, node, now)?;
        tx.execute("UPDATE queue_node SET name = ?2 WHERE id = ?1", params![node, name])?;
    } else {
        for table in ["queue_fresh", "queue_waiting"] {
            tx.execute(&format!("UPDATE {table} SET lease = ?1 WHERE lease >= 16777218"), params![RELEASED])?;
        }
    }
    Ok(node)
}

/// A sign of life. Tells whether the node was thought dead, so that its leases are gone.
pub fn renew(tx: &mut Tx<'_>, node: i64, now: Timestamp) -> Result<bool> {
    let until = now.after(LEASE).0;
    let known = tx.execute("UPDATE queue_node SET until = ?2 WHERE id = ?1", params![node, until])?;
    if known == 0 {
        tx.execute("INSERT INTO queue_node (id, until) VALUES (?1, ?2)", params![node, until])?;
    }
    Ok(known == 0)
}

/// Frees what dead nodes held; tells how many rows.
pub fn bury(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64> {
    let sql = "SELECT id FROM queue_node WHERE until < ?1 FOR UPDATE SKIP LOCKED";
    let dead = tx.query(sql, params![now.0], |row| row.int(0))?;
    let mut freed = 0;
    for node in dead {
        freed += end(tx, node)?;
    }
    Ok(freed)
}

/// Frees what a node held and forgets it; tells how many rows.
pub fn end(tx: &mut Tx<'_>, node: i64) -> Result<u64> {
    let mut freed = 0;
    for table in ["queue_fresh", "queue_waiting"] {
        freed += tx.execute(&format!("UPDATE {table} SET lease = ?2 WHERE lease = ?1"), params![node, RELEASED])?;
    }
    tx.execute("DELETE FROM queue_node WHERE id = ?1", params![node])?;
    Ok(freed)
}
