//! Dialogues as the RFCs write them: calls, and what of their answers has to be so.

use serde_json::{Value, json};

use super::node::Node;

/// A reference to an earlier result (RFC 8620 §3.7).
pub fn refers(to: &str, method: &str, path: &str) -> Value {
    json!({ "resultOf": to, "name": method, "path": path })
}

impl Node {
    /// The answers to calls. One that names no account is about the caller's own, where its method knows accounts.
    pub fn dialogue(&self, who: &str, mut calls: Value) -> Vec<Value> {
        for call in calls.as_array_mut().unwrap() {
            let knows_accounts =
                call[0].as_str().is_some_and(|name| name != "Core/echo" && !name.starts_with("PushSubscription/"));
            if knows_accounts && call[1].get("accountId").is_none() {
                call[1]["accountId"] = self.id(who).into();
            }
        }
        self.calls(who, calls)
    }
}

/// Holds answers to what an RFC shows of them: as many, of these names and ids, with these members at least. What is `null` there may be
/// left out (RFC 8620 §3.5).
pub fn says(answers: &[Value], shown: Value) {
    let answers = Value::Array(answers.to_vec());
    if let Err(at) = holds(&answers, &shown) {
        panic!("{at} is other than shown in {answers:#}");
    }
}

fn holds(is: &Value, shown: &Value) -> Result<(), String> {
    let within = |at: String| move |rest: String| format!("/{at}{rest}");
    match (is, shown) {
        (Value::Object(is), Value::Object(shown)) => shown.iter().try_for_each(|(name, value)| {
            holds(is.get(name).unwrap_or(&Value::Null), value).map_err(within(name.clone()))
        }),
        (Value::Array(is), Value::Array(shown)) if is.len() == shown.len() => is
            .iter()
            .zip(shown)
            .enumerate()
            .try_for_each(|(at, (is, shown))| holds(is, shown).map_err(within(at.to_string()))),
        _ if is == shown => Ok(()),
        _ => Err(format!(" ({is}, not {shown})")),
    }
}
