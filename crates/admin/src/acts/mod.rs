//! The acts, as functions of [`crate::Admin`].

mod accounts;
mod addresses;
pub mod backup;
mod check;
mod cutover;
mod dkim;
mod dns;
mod documents;
mod domains;
mod export;
mod feedback;
mod follow;
mod front_door;
mod import;
mod moves;
mod notify;
mod people;
mod people_totals;
mod probe;
mod queue;
mod routes;
mod sending;
mod sieve;
mod sign_in;
mod state;
pub mod sweep;
mod tokens;
