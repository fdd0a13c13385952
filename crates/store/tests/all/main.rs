//! The promises of the store, on both engines.

mod fixture;

mod a_delivery_is_made_once_whatever_happens;
mod a_snapshot_moves_forward_with_every_change;
mod an_account_starts_with_its_mailboxes;
mod conversations_join_by_message_id_and_subject;
mod flags_belong_to_the_message_and_deleted_to_the_place;
mod messages_move_and_copy_with_their_flags;
mod snapshots_agree_with_a_plain_list;
mod uids_and_uidvalidity_are_sacred;
