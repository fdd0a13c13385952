//! The program as it is used: the real binary, real sockets, real files.

mod elsewhere;
mod world;

mod a_backup_comes_back;
mod a_domain_is_checked_at_all_its_name_servers;
mod a_folder_has_one_owner;
mod a_kill_loses_nothing;
mod a_move_is_led_over_http;
mod a_move_tries_its_domains_both_ways;
mod a_server_finds_its_way_without_a_relay;
mod a_server_is_moved_from_by_jmap;
mod a_server_stops_in_good_order;
mod an_import_is_held_against_what_is_here;
mod commands_work_with_and_without_a_server;
mod dev_serves_what_it_says;
mod documents_are_read_by_a_worker;
mod exports_are_trees_and_archives_of_a_whole_move;
mod files_with_bare_lf_go_out_as_they_came;
mod init_makes_a_server_that_serves;
mod mail_survives_the_way_through_files;
mod many_accounts_are_added_at_once;
mod mistakes_are_one_plain_line;
mod peers;
mod people_are_imported_line_by_line;
mod reports_of_others_are_shown;
mod routes_and_limits_are_set_by_commands;
mod rules_are_kept_tried_and_traced;
mod the_queue_obeys_the_operator;
mod users_of_a_move_are_written_to_once;
mod what_others_remember_of_names_is_watched;
