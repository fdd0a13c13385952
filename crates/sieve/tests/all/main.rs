//! Promises of the Sieve engine. Most are transcripts: scripts, messages and what comes of them, in `tests/transcripts`.

mod transcript;

mod transcripts_hold;
