//! The promises of the SMTP door, over real sockets, on both engines.

mod house;

mod a_full_disk_refuses_and_recovers;
mod a_gateway_takes_only_addresses_that_exist;
mod a_large_message_needs_little_memory;
mod a_message_is_accepted_whole_and_only_once_it_is_durable;
mod any_bytes_are_answered;
mod dialogues_are_answered_as_written;
mod limits_are_kept;
mod mail_waits_for_its_time_and_its_turn;
mod only_the_true_end_of_data_ends_it;
mod real_clients_are_served;
mod scram_proves_both_sides;
mod senders_are_checked_and_own_mail_is_signed;
mod submitted_mail_is_mended;
mod tls_starts_the_session_anew;
mod what_happened_is_in_the_journal;
