//! Searching texts of an account's messages.

mod schema;

pub use schema::SEARCH_SCHEMA;
