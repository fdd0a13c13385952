//! Promises of the Sieve engine. Most are transcripts: scripts, messages and what comes of them, in `tests/transcripts`.

mod a_changed_message_keeps_its_rest;
mod a_form_survives_its_script;
mod any_bytes_are_bounded;
mod chinese_is_found_however_it_is_written;
mod inbox;
mod programs_tell_what_they_include;
mod transcript;

mod transcripts_hold;
