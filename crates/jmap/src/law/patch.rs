//! Changes to an object (RFC 8620 §5.3, PatchObject).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::SetError;

/// Steps of one path at most.
const STEPS: usize = 16;

/// What an object of a map-like property becomes: all of it anew, or some members of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Patch {
    Whole(Value),
    /// Member and value; `null` takes it away.
    Members(Vec<(String, Value)>),
}

/// The changes of an update by property. Only members of a property's value can be changed alone; a path that leads deeper, or into a
/// property that the same update sets whole, is `invalidPatch`.
pub(crate) fn read(update: Map<String, Value>) -> Result<BTreeMap<String, Patch>, SetError> {
    let mut all: BTreeMap<String, Patch> = BTreeMap::new();
    for (path, value) in update {
        let mut steps = path.split('/').map(|step| step.replace("~1", "/").replace("~0", "~"));
        let (Some(property), member, None) = (steps.next(), steps.next(), steps.next()) else {
            return Err(invalid(&path));
        };
        match (all.get_mut(&property), member) {
            (None, None) => drop(all.insert(property, Patch::Whole(value))),
            (None, Some(member)) => drop(all.insert(property, Patch::Members(vec![(member, value)]))),
            (Some(Patch::Members(members)), Some(member)) => members.push((member, value)),
            _ => return Err(invalid(&path)),
        }
    }
    Ok(all)
}

/// Applies the changes of an update to an object that is kept whole: paths lead through objects that are there, `null` takes a member
/// away. `invalidPatch` for a path that leads nowhere, or that lies within another one of the same update.
pub(crate) fn apply(object: &mut Map<String, Value>, update: &Map<String, Value>) -> Result<(), SetError> {
    for (path, value) in update {
        let steps: Vec<&str> = path.split('/').collect();
        let within = |other: usize| update.contains_key(&steps[..other].join("/"));
        if steps.len() > STEPS || (1..steps.len()).any(within) {
            return Err(invalid(path));
        }
        let plain = |step: &str| step.replace("~1", "/").replace("~0", "~");
        let Some((last, way)) = steps.split_last() else { continue };
        let mut at = &mut *object;
        for step in way {
            at = at.get_mut(&plain(step)).and_then(Value::as_object_mut).ok_or_else(|| invalid(path))?;
        }
        match value {
            Value::Null => drop(at.remove(&plain(last))),
            value => drop(at.insert(plain(last), value.clone())),
        }
    }
    Ok(())
}

fn invalid(path: &str) -> SetError {
    SetError::new("invalidPatch", format!("{path} cannot be changed like this"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: Value) -> Result<BTreeMap<String, Patch>, SetError> {
        let Value::Object(map) = value else { panic!("an object") };
        read(map)
    }

    #[test]
    fn members_are_collected() {
        let patch = of(json!({"keywords/$seen": true, "keywords/a~1b": null, "name": "x"})).unwrap();
        let members = vec![("$seen".to_owned(), json!(true)), ("a/b".to_owned(), json!(null))];
        assert_eq!(
            patch,
            BTreeMap::from([
                ("keywords".to_owned(), Patch::Members(members)),
                ("name".to_owned(), Patch::Whole(json!("x")))
            ])
        );
    }

    #[test]
    fn paths_lead_into_what_is_there() {
        let applied = |update: Value| {
            let (Value::Object(mut object), Value::Object(update)) = (json!({"a": {"b": {"c": 1}}, "d": 2}), update)
            else {
                panic!("objects")
            };
            apply(&mut object, &update).map(|()| Value::Object(object))
        };
        assert_eq!(applied(json!({"a/b/c": null, "a/b/x~1y": 3})).unwrap(), json!({"a": {"b": {"x/y": 3}}, "d": 2}));
        assert_eq!(applied(json!({"d": null, "e": [1]})).unwrap(), json!({"a": {"b": {"c": 1}}, "e": [1]}));
        for wrong in [json!({"x/y": 1}), json!({"d/e": 1}), json!({"a/b": {}, "a/b/c": 1}), json!({"a": 1, "a/b/c": 1})]
        {
            assert!(applied(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn paths_that_contradict_are_refused() {
        assert!(of(json!({"keywords": {}, "keywords/$seen": true})).is_err());
        assert!(of(json!({"a/b/c": 1})).is_err());
    }
}
