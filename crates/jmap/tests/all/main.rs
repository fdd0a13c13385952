//! What the JMAP door promises, over real sockets.

mod a_request_is_refused_in_the_words_of_the_rfc;
mod blobs_are_downloaded;
mod changes_rebuild_what_sets_did;
mod emails_are_found_in_order;
mod emails_are_made_marked_moved_and_removed;
mod emails_are_told_as_they_are;
mod mailboxes_are_made_moved_and_removed;
mod node;
mod results_refer_to_earlier_ones;
