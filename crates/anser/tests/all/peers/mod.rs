//! Other people's mail programs against the real process. They are Debian's own; `./x test` installs them and sets
//! `ANSER_TEST_CLIENTS`. Without it these tests say that they did not run.

mod clients;
mod corpus;
mod moving;
mod node;
mod postfix;
pub mod tools;
mod two_sides;
mod wire;

mod a_letter_is_recalled_before_it_is_read;
mod identifiers_stay_put_over_restarts;
mod imapclient_keeps_a_mirror_equal;
mod imapflow_keeps_a_mirror_equal;
mod interimap_keeps_two_accounts_equal;
mod mail_for_others_goes_out_by_a_smarthost;
mod mbsync_keeps_both_sides_equal;
mod neomutt_sees_what_changed;
mod nothing_acknowledged_is_lost_when_the_process_is_killed;
mod offlineimap_keeps_both_sides_equal;
mod postfix_relays_mail_in;
mod the_corpus_comes_in_by_smtp_with_the_same_bytes;
mod the_corpus_is_imported_and_every_client_reads_it;
mod tls_is_spoken_at_every_door;
mod two_servers_and_a_postfix_trust_each_other;
