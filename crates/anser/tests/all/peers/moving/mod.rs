//! Mailboxes move in from real old servers.

mod dovecot;
mod side;
mod world;

mod a_kill_loses_and_doubles_nothing;
mod a_mailbox_comes_exactly_as_it_was;
mod maildrops_and_files_come_exactly;
mod passwords_are_learnt_at_the_front_door;
mod the_verifier_names_what_is_missing;
