//! Changes to an object (RFC 8620 §5.3, PatchObject).

use serde_json::{Map, Value};

use crate::error::SetError;

/// What an object of a map-like property becomes: all of it anew, or some members of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Patch {
    Whole(Value),
    /// Member and value; `null` takes it away.
    Members(Vec<(String, Value)>),
}

/// The changes of an update by property. Only members of a property's value can be changed alone; a path that leads deeper, or into a
/// property that the same update sets whole, is `invalidPatch`.
pub(crate) fn read(update: Map<String, Value>) -> Result<Vec<(String, Patch)>, SetError> {
    let mut all: Vec<(String, Patch)> = Vec::new();
    for (path, value) in update {
        let mut steps = path.split('/').map(|step| step.replace("~1", "/").replace("~0", "~"));
        let (Some(property), member, None) = (steps.next(), steps.next(), steps.next()) else {
            return Err(invalid(&path));
        };
        let known = all.iter_mut().find(|(known, _)| *known == property).map(|(_, patch)| patch);
        match (known, member) {
            (None, None) => all.push((property, Patch::Whole(value))),
            (None, Some(member)) => all.push((property, Patch::Members(vec![(member, value)]))),
            (Some(Patch::Members(members)), Some(member)) => members.push((member, value)),
            _ => return Err(invalid(&path)),
        }
    }
    Ok(all)
}

fn invalid(path: &str) -> SetError {
    SetError::new("invalidPatch", format!("{path} cannot be changed like this"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: Value) -> Result<Vec<(String, Patch)>, SetError> {
        let Value::Object(map) = value else { panic!("an object") };
        read(map)
    }

    #[test]
    fn members_are_collected() {
        let patch = of(json!({"keywords/$seen": true, "keywords/a~1b": null, "name": "x"})).unwrap();
        let members = vec![("$seen".to_owned(), json!(true)), ("a/b".to_owned(), json!(null))];
        assert_eq!(
            patch,
            [("keywords".to_owned(), Patch::Members(members)), ("name".to_owned(), Patch::Whole(json!("x")))]
        );
    }

    #[test]
    fn paths_that_contradict_are_refused() {
        assert!(of(json!({"keywords": {}, "keywords/$seen": true})).is_err());
        assert!(of(json!({"a/b/c": 1})).is_err());
    }
}
