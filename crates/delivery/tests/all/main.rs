//! The promises of delivery, with the real queue, store, directory and journal around it.

mod a_bad_smarthost_harms_nothing;
mod a_full_mailbox_returns_the_message;
mod accounts_in_wrong_hands_are_held;
mod bad_servers_of_domains_harm_nothing;
mod deliveries_are_made_once_whatever_stops_them;
mod forwards_re_enter_the_queue;
mod house;
mod internet;
mod local_mail_arrives_byte_for_byte;
mod mail_finds_the_exchanges_of_its_domain;
mod mail_waits_and_expires_by_the_schedule;
mod mta_sts_policies_are_obeyed;
mod power;
mod power_cuts_lose_and_double_nothing;
mod power_cuts_neither_lose_nor_double_what_rules_do;
mod routes_lead_mail_past_the_usual_way;
mod rules_decide_where_mail_goes;
mod rules_go_over_stored_mail_once;
mod rules_send_mail_with_care;
mod senders_are_told_what_they_asked_for;
mod smarthost;
mod the_smarthost_is_spoken_to_by_the_book;
mod tlsa_records_are_binding;
mod what_leaves_is_one_message_and_no_command;
