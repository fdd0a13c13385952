//! What scripts may ask about and only the caller knows.

use std::collections::HashMap;
use std::sync::Arc;

use crate::program::Program;

/// Answers that only the store and the house can give. Every method has an answer for a house that knows nothing; all
/// are asked at most as often as the budget allows, and must be quick.
pub trait World {
    /// Whether the mailbox exists and the owner may deliver into it (RFC 5490 §3.1).
    fn mailbox_exists(&self, _name: &str) -> bool {
        false
    }

    /// Whether a mailbox with this object id exists (RFC 9042 §3).
    fn mailbox_id_exists(&self, _id: &str) -> bool {
        false
    }

    /// Whether `mailbox`, or some mailbox of the owner when there is none, has the special use (RFC 8579 §3).
    fn special_use_exists(&self, _mailbox: Option<&str>, _special_use: &str) -> bool {
        false
    }

    /// The annotation of a mailbox, or of the server for `None` (RFC 5490 §3.3, §4.1).
    fn metadata(&self, _mailbox: Option<&str>, _entry: &str) -> Option<String> {
        None
    }

    /// Whether an earlier message was remembered under this handle and id and is not forgotten yet (RFC 7352 §3).
    fn is_duplicate(&self, _handle: &str, _id: &str) -> bool {
        false
    }

    /// Whether the external list exists (RFC 6134 §2.7).
    fn list_exists(&self, _list: &str) -> bool {
        false
    }

    /// Whether the external list holds the value (RFC 6134 §2.2).
    fn list_contains(&self, _list: &str, _value: &str) -> bool {
        false
    }

    /// How likely the message is spam, in percent; `None` when nobody looked (RFC 5235 §3.2).
    fn spam_percent(&self) -> Option<u8> {
        None
    }

    /// The virus verdict, 1 to 5; `None` when nobody looked (RFC 5235 §3.3).
    fn virus_level(&self) -> Option<u8> {
        None
    }

    /// A script to include; `None` when there is none by this name (RFC 6609 §3.2).
    fn script(&self, _is_global: bool, _name: &str) -> Option<Arc<Program>> {
        None
    }
}

/// A house that knows nothing: for scripts tried out without a store.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl World for Nothing {}

/// Items of the environment (RFC 5183), by name in lower case.
pub type Environment = HashMap<String, String>;
