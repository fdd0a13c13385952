//! What the POP3 door promises, on both engines, over real sockets.

mod site;

mod a_session_reads_and_deletes;
