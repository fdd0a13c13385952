//! What the POP3 door promises, on both engines, over real sockets.

mod site;

mod a_large_message_needs_little_memory;
mod a_maildrop_that_mail_moves_into_waits;
mod a_session_reads_and_deletes;
mod accounts_may_show_less;
mod damaged_messages_are_told_apart;
mod deletion_is_all_or_nothing;
mod dialogues_play_as_written;
mod hostile_input_does_no_harm;
mod logins_are_guarded_and_noted;
mod messages_arrive_byte_for_byte;
mod one_session_for_each_account;
mod others_may_expunge_meanwhile;
mod pipelined_commands_are_answered_in_order;
mod programs_of_others_work;
mod tls_begins_anew;
mod unique_ids_stay;
