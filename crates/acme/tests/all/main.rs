//! What the keeper of certificates promises.

mod a_real_authority_is_convinced;
mod failures_are_told_and_change_nothing;
mod world;
