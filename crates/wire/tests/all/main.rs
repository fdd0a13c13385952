//! The promises of the codecs.

mod only_crlf_dot_crlf_ends_a_message;
mod smtp_lines_become_commands;
