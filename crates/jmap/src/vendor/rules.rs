//! Rules: the account's active script as a form, and as it stands (docs/api/mail.md).

use anser_base::{Class, Error};
use serde_json::{Map, Value, json};

use crate::access::Access;
use crate::error::{MethodError, SetError};
use crate::identity::own;
use crate::law::get::Get;
use crate::law::set::{Done, Refused, Set};
use crate::method::{Call, Outcome};
use crate::rules::Rules;

pub(crate) const PROPERTIES: [&str; 3] = ["id", "items", "script"];
/// The only id that there is.
const ID: &str = "singleton";

pub(crate) async fn get(call: &mut Call) -> Outcome {
    let get = Get::read(call, |name| PROPERTIES.contains(&name))?;
    call.args.done()?;
    own(&get.access)?;
    let rules = Rules::of(call, &get.access).await?;
    let mut object = Map::new();
    object.insert("id".into(), ID.into());
    object.insert("items".into(), json!(rules.form.items));
    object.insert("script".into(), rules.script.into());
    get.answer(get.among(rules.state, std::iter::once((ID.to_owned(), object))))
}

pub(crate) async fn set(call: &mut Call) -> Outcome {
    let set = Set::read(call)?;
    call.args.done()?;
    own(&set.access)?;
    let mut rules = Rules::of(call, &set.access).await?;
    if set.if_in_state.as_ref().is_some_and(|state| *state != rules.state) {
        return Err(MethodError::new("stateMismatch", ""));
    }
    let mut done = Done::from(rules.state.clone());
    set.create.iter().for_each(|(creation, _)| done.create(creation, Err(SetError::new("singleton", ""))));
    set.destroy.iter().for_each(|id| done.destroy(id, Err(SetError::new("singleton", ""))));
    for (id, patch) in &set.update {
        let result = match id == ID {
            true => update(call, &set.access, &mut rules, patch).await?,
            false => Err(SetError::not_found()),
        };
        done.update(id, result);
    }
    done.new = Rules::of(call, &set.access).await?.state;
    set.answer(call, done)
}

/// The whole form or the whole script: what leads into one of them would have to be read again by whoever changes the other.
async fn update(
    call: &Call,
    access: &Access,
    rules: &mut Rules,
    patch: &Map<String, Value>,
) -> anser_base::Result<Refused<Value>> {
    let (items, script) = (patch.get("items"), patch.get("script"));
    if patch.len() != 1 || items.or(script).is_none() {
        return Ok(Err(SetError::properties(&["items", "script"], "one of them is set")));
    }
    let kept = match (items, script.and_then(Value::as_str)) {
        (Some(items), _) => match serde_json::from_value(items.clone()) {
            Ok(items) => {
                rules.form.items = items;
                rules.keep(call, access).await
            }
            Err(error) => return Ok(Err(SetError::property("items", error.to_string()))),
        },
        (None, Some(script)) => rules.keep_script(call, access, script).await,
        (None, None) => return Ok(Err(SetError::property("script", "this is no text"))),
    };
    match kept {
        Ok(()) => Ok(Ok(Value::Null)),
        Err(error) => refused(error),
    }
}

/// A mistake is told in both languages: it is for whoever wrote the rule.
fn refused(error: Error) -> anser_base::Result<Refused<Value>> {
    let texts = json!({ "en": error.text.en, "zh": error.text.zh });
    let is_mistake = error.class == Class::Invalid;
    let told = SetError::of(error)?;
    Ok(Err(if is_mistake { told.with("texts", texts) } else { told }))
}
