//! What the engine promises, against servers with the habits of real ones.

mod fake;
mod fake_pop3;
mod house;
mod office;

mod a_cut_body_is_never_half_stored;
mod any_password_logs_in;
mod files_come_as_their_programs_left_them;
mod folders_numbered_anew_are_not_brought_twice;
mod hostile_servers_are_bounded;
mod mail_moved_at_the_source_is_here_once;
mod names_of_every_kind_have_a_place;
mod one_poison_message_stops_nobody;
mod owners_have_their_way;
mod pipelined_answers_are_told_apart_by_uid;
mod pop3_maildrops_come_once_and_are_left_alone;
mod sizes_and_dates_that_lie_do_no_harm;
mod the_newest_come_first_with_their_uids;
mod two_hundred_kills_change_nothing;
mod what_changed_is_asked_for_where_the_source_can_tell;
mod what_the_source_loses_is_a_question;
