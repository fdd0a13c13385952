//! Mailboxes move in from real old servers.

mod courier;
mod cyrus;
mod dovecot;
mod programs;
mod rehearsal;
mod side;
mod world;

mod a_far_servers_mail_comes_compressed;
mod a_kill_loses_and_doubles_nothing;
mod a_mailbox_comes_exactly_as_it_was;
mod a_mailbox_is_never_compared_with_itself;
mod a_person_moves_mail_from_a_dovecot;
mod an_administrator_opens_dovecots_mailboxes;
mod an_organisation_is_rehearsed;
mod dboxes_come_by_doveadm;
mod folders_that_dovecot_numbered_anew_are_not_fetched_again;
mod mailboxes_of_cyrus_and_courier_come_exactly;
mod maildrops_and_files_come_exactly;
mod passwords_are_learnt_at_the_front_door;
mod sessions_go_through_over_tls;
mod sessions_go_to_the_old_server_until_the_mailbox_is_here;
mod spools_of_cyrus_come_exactly;
mod the_verifier_names_what_is_missing;
mod the_way_back_is_exact_in_both_directions;
