//! The promises of the ManageSieve door, over real sockets.

mod dialogues_play_as_written;
mod programs_of_others_work;
mod scripts_are_noted_and_guarded;
mod site;
