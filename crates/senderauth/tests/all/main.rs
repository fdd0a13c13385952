//! The tests of this crate: one scenario, one file, named as a sentence.

mod a_hostile_dns_is_bounded;
mod chains_are_understood_by_others;
mod dmarc_follows_the_tree;
mod forgeries_are_seen_through;
mod keys_and_signatures_have_bounds;
mod lab;
mod peers;
mod results_are_ours_alone;
mod rfc7208_suite_passes_whole;
mod signatures_are_understood_by_others;
mod what_is_signed_verifies_and_any_change_breaks_it;
mod zone;
