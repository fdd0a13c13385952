//! What the blob store promises.

mod a_body_is_stored_once;
mod a_full_disk_leaves_nothing_behind;
mod bodies_come_back_as_they_were;
mod check_names_what_is_bad;
mod damage_is_always_noticed;
mod puts_are_as_durable_as_promised;
mod support;
mod the_power_may_go_at_any_step;
mod the_sweeper_takes_only_what_is_dead;
