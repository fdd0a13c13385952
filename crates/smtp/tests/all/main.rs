//! The promises of the SMTP door, over real sockets, on both engines.

mod house;

mod a_message_is_accepted_whole_and_only_once_it_is_durable;
mod dialogues_are_answered_as_written;
