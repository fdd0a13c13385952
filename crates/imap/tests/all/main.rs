//! What the IMAP door promises, against a whole node in this process and over real sockets.

mod a_mailbox_that_is_filling_is_not_looked_at;
mod compressed_sessions_say_the_same;
mod endless_input_is_cut_off;
mod every_dialogue_goes_as_written;
mod header_fields_are_those_of_the_body;
mod hostile_commands_are_answered_within_limits;
mod hostile_input_harms_nobody;
mod idle_tells_changes_at_once;
mod large_messages_pass_in_little_memory;
mod logins_need_privacy_and_permission;
mod long_commands_tell_how_far_they_are;
mod long_searches_are_told;
mod memory;
mod message_bombs_are_shown_in_little_memory;
mod model;
mod node;
mod python_imaplib_reads_and_writes;
mod real_clients_synchronise;
mod sessions_agree_with_a_simple_model;
mod sessions_of_one_mailbox_agree;
mod slow_readers_harm_nobody;
mod too_much_to_notify_of_is_refused;
mod what_cannot_be_read_is_told;
mod what_happens_is_bounded_and_noted;
mod whole_mailboxes_are_fetched_in_order;
mod without_the_right_nothing_is_done_or_seen;
