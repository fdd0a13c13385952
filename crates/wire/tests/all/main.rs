//! The promises of the codecs.

mod imap_bytes_may_come_in_any_pieces;
mod imap_lines_become_commands;
mod imap_names_sets_and_dates_read_back;
mod imap_responses_are_well_formed;
mod imap_responses_of_old_servers_are_understood;
mod only_crlf_dot_crlf_ends_a_message;
mod pop3_lines_become_commands;
mod sasl_messages_follow_their_rfcs;
mod smtp_lines_become_commands;
