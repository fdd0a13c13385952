//! What the JMAP door promises, over real sockets.

mod a_request_is_refused_in_the_words_of_the_rfc;
mod a_webmail_finds_what_it_needs;
mod blobs_are_downloaded;
mod blobs_are_uploaded_copied_and_looked_into;
mod changes_are_pushed_as_they_happen;
mod changes_rebuild_what_sets_did;
mod changes_rebuild_what_sets_of_any_type_did;
mod changes_wake_clients_that_are_away;
mod clients_of_others_work;
mod contacts_are_kept_in_books;
mod contacts_come_and_go_as_files;
mod emails_are_found_in_order;
mod emails_are_imported_copied_and_parsed;
mod emails_are_made_marked_moved_and_removed;
mod emails_are_made_of_parts;
mod emails_are_told_as_they_are;
mod guests_hear_of_what_is_shared_and_of_nothing_else;
mod mail_that_lives_elsewhere_is_only_read;
mod mailboxes_are_made_moved_and_removed;
mod messages_are_sent_held_and_taken_back;
mod no_request_breaks_the_door;
mod node;
mod open_connections_end_with_what_opened_them;
mod pages_go_by_the_cookie_of_their_session;
mod people_and_room_are_told;
mod people_who_are_away_say_so;
mod pictures_of_others_come_by_this_server;
mod requests_and_changes_go_over_one_connection;
mod results_refer_to_earlier_ones;
mod rules_are_a_form_and_a_script;
mod scopes_narrow_what_is_done;
mod scripts_are_kept_checked_and_switched_on;
mod senders_are_told_that_their_mail_was_read;
mod snippets_show_what_was_found;
/// The roof's own way from this door to the submission service.
#[path = "../../../anser/src/submit.rs"]
mod submit;
mod the_five_minute_start_works;
mod what_is_sent_is_known_and_what_is_known_is_sent;
mod what_was_sent_is_taken_back_from_who_has_not_read_it;
mod who_is_given_something_is_told;
