//! The promises of the ManageSieve door, over real sockets.

mod dialogues_play_as_written;
mod programs_of_others_work;
mod scram_ends_with_the_proof_of_the_server;
mod scripts_are_noted_and_guarded;
mod site;
