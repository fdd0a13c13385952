//! `/get` (RFC 8620 §5.1).

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::access::Access;
use crate::error::MethodError;
use crate::method::{Call, Outcome};

/// What is asked for.
pub(crate) struct Get {
    pub access: Access,
    /// Each once; `None` for all.
    pub ids: Option<Vec<String>>,
    /// `None` for what the type shows unasked.
    pub properties: Option<Vec<String>>,
}

/// What there is.
#[derive(Default)]
pub(crate) struct Got {
    pub state: String,
    pub list: Vec<Value>,
    pub not_found: Vec<String>,
}

impl Get {
    /// The arguments that all types have. Properties other than those that `is_known` are refused.
    pub fn read(call: &mut Call, is_known: impl Fn(&str) -> bool) -> Result<Self, MethodError> {
        let access = call.access()?;
        let ids = call.args.strings("ids")?;
        if ids.as_ref().is_some_and(|ids| ids.len() > call.door.deps.limits.objects_in_get) {
            return Err(MethodError::new("requestTooLarge", "too many ids"));
        }
        let ids = ids.map(|ids| {
            let mut seen = HashSet::new();
            ids.iter()
                .filter_map(|id| call.resolve(id).or_else(|| Some(id.clone())))
                .filter(|id| seen.insert(id.clone()))
                .collect()
        });
        let properties = call.args.strings("properties")?;
        if let Some(unknown) = properties.iter().flatten().find(|name| !is_known(name)) {
            return Err(MethodError::invalid(format!("{unknown} is no property of this type")));
        }
        Ok(Self { access, ids, properties })
    }

    /// Whether a property is to be shown.
    pub fn wants(&self, name: &str) -> bool {
        name == "id" || self.properties.as_ref().is_none_or(|all| all.iter().any(|wanted| wanted == name))
    }

    /// An object with what is to be shown of it.
    pub fn shown(&self, mut object: Map<String, Value>) -> Value {
        if self.properties.is_some() {
            object.retain(|name, _| self.wants(name));
        }
        Value::Object(object)
    }

    /// What is there of all objects of a type, which are few.
    pub fn among(&self, state: String, all: impl Iterator<Item = (String, Map<String, Value>)>) -> Got {
        let mut got = Got { state, ..Got::default() };
        let mut all: Vec<(String, Map<String, Value>)> = all.collect();
        match &self.ids {
            None => got.list = all.into_iter().map(|(_, object)| self.shown(object)).collect(),
            Some(ids) => {
                for id in ids {
                    match all.iter().position(|(known, _)| known == id) {
                        Some(at) => got.list.push(self.shown(all.swap_remove(at).1)),
                        None => got.not_found.push(id.clone()),
                    }
                }
            }
        }
        got
    }

    /// The response.
    pub fn answer(&self, got: Got) -> Outcome {
        Ok(json!({
            "accountId": crate::ids::account_id(self.access.owner.id),
            "state": got.state,
            "list": got.list,
            "notFound": got.not_found,
        }))
    }
}
