//! What the Web door promises.

mod others_are_told_what_our_domains_ask_for;
mod programs_find_their_settings;
mod site;
