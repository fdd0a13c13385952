//! The journal's promises, on every engine.

mod a_trace_tells_the_life_of_a_message;
mod any_tampering_breaks_the_chain;
mod events_are_kept_in_order_over_months_and_restarts;
mod fixture;
mod lines_stay_lines_whatever_a_peer_said;
mod pages_are_turned_however_much_there_is;
mod trouble_is_waited_out_and_never_hidden;
