//! Mailboxes move in from real old servers.

mod dovecot;
mod side;
mod world;

mod a_kill_loses_and_doubles_nothing;
mod a_mailbox_comes_exactly_as_it_was;
mod the_verifier_names_what_is_missing;
