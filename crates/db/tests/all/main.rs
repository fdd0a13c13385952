//! What both engines promise, and what the embedded one keeps through crashes.

mod a_damaged_file_harms_its_own_place_only;
mod a_damaged_file_is_salvaged;
mod a_full_disk_undoes_one_batch;
mod backups_are_made_while_the_system_runs;
mod conflicts_between_nodes_are_tried_again;
mod derived_data_is_thrown_away_and_made_anew;
mod fixture;
mod jobs_of_one_batch_succeed_or_fail_alone;
mod longest_unused_files_are_closed;
mod schemas_move_forward_or_refuse;
mod the_power_may_go_at_any_step;
mod unfinished_files_are_made_anew;
mod what_was_written_is_read;
