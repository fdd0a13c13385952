//! Promises of the test kit.

mod a_disk_keeps_what_was_synced_and_little_else;
mod a_sqlite_ledger;
mod sqlite_keeps_what_was_synced_through_every_crash;
