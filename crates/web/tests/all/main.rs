//! What the Web door promises.

mod others_are_told_what_our_domains_ask_for;
mod pages_load_only_what_was_built;
mod programs_find_their_settings;
mod site;
