//! What the door of sign-in promises, to curl.

mod a_new_password_is_chosen_first;
mod a_second_factor_is_set_up_and_shown;
mod authenticator;
mod every_act_wants_a_page_of_ours;
mod every_place_is_on_the_page;
mod no_request_breaks_the_door;
mod outside;
mod pages_of_others_are_refused;
mod passkeys_open_what_they_were_made_for;
mod passwords_travel_sealed;
mod people_come_from_providers;
mod people_see_who_came_in_and_what_became_of_their_mail;
mod portals_hand_people_over;
mod programs_are_given_grants;
mod site;
mod somebody_signs_in_and_out;
