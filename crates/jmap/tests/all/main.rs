//! What the JMAP door promises, over real sockets.

mod a_request_is_refused_in_the_words_of_the_rfc;
mod blobs_are_downloaded;
mod blobs_are_uploaded_copied_and_looked_into;
mod changes_are_pushed_as_they_happen;
mod changes_rebuild_what_sets_did;
mod emails_are_found_in_order;
mod emails_are_imported_copied_and_parsed;
mod emails_are_made_marked_moved_and_removed;
mod emails_are_made_of_parts;
mod emails_are_told_as_they_are;
mod mailboxes_are_made_moved_and_removed;
mod messages_are_sent_held_and_taken_back;
mod node;
mod people_who_are_away_say_so;
mod results_refer_to_earlier_ones;
mod snippets_show_what_was_found;
/// The roof's own way from this door to the submission service.
#[path = "../../../anser/src/submit.rs"]
mod submit;
mod the_five_minute_start_works;
