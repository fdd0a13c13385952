//! Other people's mail programs against the real process. They are Debian's own; `./x test` installs them and sets
//! `ANSER_TEST_CLIENTS`. Without it these tests say that they did not run.

mod clients;
mod corpus;
mod node;
mod tools;
mod wire;

mod the_corpus_is_imported_and_every_client_reads_it;
