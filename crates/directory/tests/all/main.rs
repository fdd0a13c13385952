//! What the directory promises, on both engines.

mod administrators_change_the_directory;
mod exchanges_are_the_same_at_every_door;
mod guessing_is_slow_and_owners_are_not_locked_out;
mod hostile_names_do_no_harm;
mod identifiers_mean_accounts_and_groups;
mod logins_tell_nothing_but_yes_or_no;
mod mail_finds_its_way;
mod nodes_see_each_others_changes;
mod old_hashes_open_once_and_become_ours;
mod routes_say_where_mail_goes;
mod scram_proofs_are_as_good_as_passwords;
mod site;
mod tokens_open_their_doors_until_they_end;
