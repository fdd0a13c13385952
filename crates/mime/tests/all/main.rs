//! Promises of the message parser, one file each.

mod any_bytes_are_a_message;
mod broken_mail_is_still_shown;
mod built_mail_reads_back;
mod real_world_text_is_decoded;
mod sections_are_numbered_like_imap;
mod summaries_tell_what_lists_show;
