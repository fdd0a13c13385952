//! Mailboxes move in from real old servers.

mod dovecot;
mod side;
mod world;

mod a_mailbox_comes_exactly_as_it_was;
