//! Which folders of the other mailbox come, and what each is for here: what their owner chose, by their names there. Nothing chosen means
//! all of them, and what their attributes and names tell.

use std::collections::BTreeMap;

use anser_base::{Error, Result};
use anser_store::Role;
use serde_json::{Map, Value, json};

use crate::name::chosen_by;

/// Folders that somebody may choose about.
const FOLDERS: usize = 1_000;
/// Bytes of a name there.
const NAME: usize = 1_000;

/// What was chosen about one folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Chosen {
    /// It does not come.
    skip: bool,
    /// What it is for: `Some(None)` for nothing of its own.
    role: Option<Option<Role>>,
}

/// What was chosen, by the names of the folders there: see `name::chosen_by`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice(BTreeMap<String, Chosen>);

impl Choice {
    /// From an object of folders: `{"Old": {"skip": true}, "Sent Items": {"role": "sent"}, "Box": {"role": null}}`. `Class::Invalid` for
    /// another form, a role that no folder may be given, one that is given twice, and too many folders.
    pub fn read(value: &Value) -> Result<Self> {
        let Some(all) = value.as_object() else { return Err(no_form()) };
        if all.len() > FOLDERS || all.keys().any(|name| name.is_empty() || name.len() > NAME) {
            return Err(Error::invalid(
                "there are too many folders, or their names are too long",
                "文件夹过多或名称过长",
            ));
        }
        let mut choice = BTreeMap::new();
        for (name, said) in all {
            choice.insert(name.clone(), chosen(said)?);
        }
        let given =
            |role: Role| choice.values().filter(|one: &&Chosen| !one.skip && one.role == Some(Some(role))).count();
        if Role::ALL.into_iter().any(|role| given(role) > 1) {
            return Err(Error::invalid("two folders cannot have one role", "两个文件夹不能有同一用途"));
        }
        Ok(Self(choice))
    }

    /// The object that [`Self::read`] takes.
    pub fn shown(&self) -> Value {
        let one = |(name, chosen): (&String, &Chosen)| {
            let mut said = Map::new();
            if chosen.skip {
                said.insert("skip".to_owned(), true.into());
            }
            if let Some(role) = chosen.role {
                said.insert("role".to_owned(), json!(role.map(Role::as_str)));
            }
            (name.clone(), Value::Object(said))
        };
        Value::Object(self.0.iter().map(one).collect())
    }

    /// Whether a folder of this name there does not come.
    pub fn leaves_out(&self, name: &[u8]) -> bool {
        self.of(name).is_some_and(|chosen| chosen.skip)
    }

    /// What a folder of this name there is for, where that was chosen: `Some(None)` for nothing of its own.
    pub fn role_of(&self, name: &[u8]) -> Option<Option<Role>> {
        self.of(name)?.role
    }

    fn of(&self, name: &[u8]) -> Option<Chosen> {
        self.0.get(&*chosen_by(name)).copied()
    }
}

fn chosen(said: &Value) -> Result<Chosen> {
    let Some(said) = said.as_object() else { return Err(no_form()) };
    let mut chosen = Chosen::default();
    for (name, value) in said {
        match (name.as_str(), value) {
            ("skip", Value::Bool(skip)) => chosen.skip = *skip,
            ("role", Value::Null) => chosen.role = Some(None),
            ("role", Value::String(word)) => {
                let role = Role::from_word(word).filter(|role| *role != Role::Inbox);
                chosen.role = Some(Some(role.ok_or_else(no_form)?));
            }
            _ => return Err(no_form()),
        }
    }
    Ok(chosen)
}

fn no_form() -> Error {
    Error::invalid(
        "each folder has skip, true or false, and a role: drafts, sent, archive, junk, trash, or null",
        "每个文件夹可设 skip（true 或 false）和 role（drafts、sent、archive、junk、trash 或 null）",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_is_told_as_it_was_said() {
        let said = json!({ "Old": { "skip": true }, "Box": { "role": null }, "已发送": { "role": "sent" }, "x": {} });
        let choice = Choice::read(&said).unwrap();
        assert_eq!(choice.shown(), said);
        assert!(choice.leaves_out(b"Old") && !choice.leaves_out(b"Box") && !choice.leaves_out(b"other"));
        assert_eq!(choice.role_of("已发送".as_bytes()), Some(Some(Role::Sent)));
        assert_eq!((choice.role_of(b"Box"), choice.role_of(b"Old")), (Some(None), None));
        let odd = Choice::read(&json!({ "a\u{fffd}": { "skip": true } })).unwrap();
        assert!(odd.leaves_out(b"a\xff"));
        // What does not come takes no role from what does.
        Choice::read(&json!({ "a": { "role": "sent", "skip": true }, "b": { "role": "sent" } })).unwrap();
        for wrong in [
            json!([]),
            json!({ "a": 1 }),
            json!({ "": {} }),
            json!({ "a": { "skip": 1 } }),
            json!({ "a": { "role": "inbox" } }),
            json!({ "a": { "role": "other" } }),
            json!({ "a": { "colour": true } }),
            json!({ "a": { "role": "sent" }, "b": { "role": "sent" } }),
        ] {
            assert!(Choice::read(&wrong).is_err(), "{wrong}");
        }
    }
}
