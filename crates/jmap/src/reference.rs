//! Arguments that refer to results of earlier calls (RFC 8620 §3.7).

use serde_json::{Map, Value};

use crate::error::MethodError;

/// One response as it is on the wire.
pub(crate) struct Answered {
    pub name: String,
    pub arguments: Value,
    pub id: String,
}

/// Puts results where `#name` refers to them. `left` is how many bytes the results may have.
pub(crate) fn resolve(
    arguments: Map<String, Value>,
    answered: &[Answered],
    left: &mut usize,
) -> Result<Map<String, Value>, MethodError> {
    if !arguments.keys().any(|key| key.starts_with('#')) {
        return Ok(arguments);
    }
    let mut resolved = Map::new();
    for (key, value) in arguments {
        let (key, value) = match key.strip_prefix('#') {
            None => (key, value),
            Some(name) => (name.to_owned(), result(&value, answered, left)?),
        };
        if resolved.insert(key, value).is_some() {
            return Err(MethodError::invalid("an argument is given twice, once as a reference"));
        }
    }
    Ok(resolved)
}

fn result(reference: &Value, answered: &[Answered], left: &mut usize) -> Result<Value, MethodError> {
    let member = |name: &str| reference.get(name).and_then(Value::as_str);
    let (Some(of), Some(name), Some(path)) = (member("resultOf"), member("name"), member("path")) else {
        return Err(bad("a reference is incomplete"));
    };
    let answer = answered.iter().find(|answer| answer.id == of).filter(|answer| answer.name == name);
    let answer = answer.ok_or_else(|| bad("there is no such result"))?;
    let value = follow(&answer.arguments, path).ok_or_else(|| bad("the path leads nowhere"))?;
    *left = left
        .checked_sub(weight(&value))
        .ok_or_else(|| MethodError::new("requestTooLarge", "too much is referred to"))?;
    Ok(value)
}

fn bad(description: &str) -> MethodError {
    MethodError::new("invalidResultReference", description)
}

/// A JSON Pointer (RFC 6901) in which `*` stands for each item of an array; lists that these yield are joined.
fn follow(value: &Value, path: &str) -> Option<Value> {
    if path.is_empty() {
        return Some(value.clone());
    }
    let path = path.strip_prefix('/')?;
    let (token, rest) = match path.find('/') {
        Some(at) => (&path[..at], &path[at..]),
        None => (path, ""),
    };
    match value {
        Value::Object(map) => follow(map.get(&token.replace("~1", "/").replace("~0", "~"))?, rest),
        Value::Array(all) if token == "*" => {
            let mut found = Vec::new();
            for item in all {
                match follow(item, rest)? {
                    Value::Array(list) => found.extend(list),
                    one => found.push(one),
                }
            }
            Some(Value::Array(found))
        }
        Value::Array(all) => {
            let at = crate::ids::number(token)?;
            follow(all.get(usize::try_from(at).ok()?)?, rest)
        }
        _ => None,
    }
}

/// About how many bytes a value takes as text.
pub(crate) fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 10,
        Value::String(text) => text.len() + 3,
        Value::Array(all) => 2 + all.iter().map(weight).sum::<usize>(),
        Value::Object(all) => 2 + all.iter().map(|(key, value)| key.len() + 4 + weight(value)).sum::<usize>(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The example of RFC 8620 §3.7.
    #[test]
    fn pointers_go_through_lists() {
        let value =
            json!({"list": [{"id": "M1", "emailIds": ["a", "b"]}, {"id": "M2", "emailIds": ["c"]}], "a/b": {"~": 1}});
        assert_eq!(follow(&value, "/list/*/emailIds"), Some(json!(["a", "b", "c"])));
        assert_eq!(follow(&value, "/list/*/id"), Some(json!(["M1", "M2"])));
        assert_eq!(follow(&value, "/list/1/id"), Some(json!("M2")));
        assert_eq!(follow(&value, "/a~1b/~0"), Some(json!(1)));
        for nowhere in ["list", "/list/01/id", "/list/2", "/list/*/nothing", "/list/-", "/a~1b/*"] {
            assert_eq!(follow(&value, nowhere), None, "{nowhere}");
        }
    }
}
