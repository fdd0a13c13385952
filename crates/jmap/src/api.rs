//! One request (RFC 8620 §3.3): its calls in their order, each answered or refused by itself.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use anser_base::{Class, Text};
use anser_net::http::{Request, Response, either};
use serde_json::{Map, Value, json};

use crate::Limits;
use crate::auth::{self, User};
use crate::door::{Door, Use};
use crate::error::{MethodError, Problem, failed, limit_problem, plain_problem};
use crate::json::{self, JsonError};
use crate::law::again;
use crate::method::{Args, Call, METHODS};
use crate::reference::{self, Answered, weight};
use crate::session;
use crate::words::Said;

/// Why nothing of a copy is changed.
const COPY: (&str, &str) = (
    "this mailbox is still at its old server: what is shown here is a copy, which can be read only, until it has moved",
    "该邮箱仍在旧服务器上：此处显示的是副本，迁移完成之前只能阅读",
);

/// `POST /jmap/api`
pub(crate) async fn post(door: Arc<Door>, request: Request) -> Response {
    either(answer(door, request).await)
}

async fn answer(door: Arc<Door>, mut request: Request) -> Result<Response, Response> {
    let user = Arc::new(auth::user(&door, &request).await?);
    let seat = door.seat(user.account.id, Use::Request);
    let _seat = seat.ok_or_else(|| limit_problem(429, "maxConcurrentRequests"))?;
    let kind = request.header("content-type").split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind != "application/json" {
        return Err(not_json("the content is not of type application/json").into());
    }
    let body = read(&mut request, door.deps.limits.size_request).await?;
    let asked = Asked::read(&body, &door.deps.limits)?;
    drop(body);
    Ok(Response::json(200, run(door, user, request.peer().ip(), asked).await.to_string()))
}

async fn read(request: &mut Request, most: u64) -> Result<Vec<u8>, Response> {
    let mut body = Vec::new();
    loop {
        match request.next().await {
            Ok(None) => return Ok(body),
            Ok(Some(piece)) if (body.len() + piece.len()) as u64 <= most => body.extend_from_slice(&piece),
            Ok(Some(_)) => return Err(limit_problem(413, "maxSizeRequest")),
            Err(error) if error.class == Class::Limit => return Err(limit_problem(413, "maxSizeRequest")),
            Err(error) if error.class == Class::Invalid => return Err(plain_problem(400, &error.text)),
            Err(error) => return Err(failed(&error)),
        }
    }
}

/// A request that was understood.
pub(crate) struct Asked {
    using: Vec<String>,
    calls: Vec<(String, Map<String, Value>, String)>,
    created: Option<BTreeMap<String, String>>,
}

impl Asked {
    /// Reads a request; the refusals are those of RFC 8620 §3.6.1.
    pub fn read(body: &[u8], limits: &Limits) -> Result<Self, Problem> {
        let value = json::parse(body, limits.json_values).map_err(|error| match error {
            JsonError::Malformed(detail) => not_json(detail),
            JsonError::TooMuch => Problem::limit(400, "maxSizeRequest"),
        })?;
        let Value::Object(request) = value else { return Err(not_request("a request is an object")) };
        Self::of(request, limits)
    }

    /// [`Self::read`] of an object.
    pub fn of(mut request: Map<String, Value>, limits: &Limits) -> Result<Self, Problem> {
        let Some(Value::Array(using)) = request.remove("using") else {
            return Err(not_request("using is missing"));
        };
        let using: Option<Vec<String>> = using.iter().map(|name| name.as_str().map(str::to_owned)).collect();
        let using = using.ok_or_else(|| not_request("using is a list of texts"))?;
        if let Some(unknown) = using.iter().find(|name| !session::is_known(name)) {
            let detail = format!("{unknown} is not known here");
            return Err(Problem::new(400, "urn:ietf:params:jmap:error:unknownCapability", detail));
        }
        let Some(Value::Array(calls)) = request.remove("methodCalls") else {
            return Err(not_request("methodCalls is missing"));
        };
        if calls.len() > limits.calls_in_request {
            return Err(Problem::limit(400, "maxCallsInRequest"));
        }
        let calls: Option<Vec<_>> = calls.into_iter().map(invocation).collect();
        let calls = calls.ok_or_else(|| not_request("a call is a name, arguments and an id"))?;
        let created = match request.remove("createdIds") {
            None | Some(Value::Null) => None,
            Some(Value::Object(ids)) => {
                let pair = |(key, id): (String, Value)| Some((key, id.as_str()?.to_owned()));
                let ids: Option<BTreeMap<_, _>> = ids.into_iter().map(pair).collect();
                Some(ids.ok_or_else(|| not_request("createdIds is a map of ids"))?)
            }
            Some(_) => return Err(not_request("createdIds is a map of ids")),
        };
        Ok(Self { using, calls, created })
    }
}

fn invocation(value: Value) -> Option<(String, Map<String, Value>, String)> {
    let Value::Array(parts) = value else { return None };
    let [Value::String(name), Value::Object(arguments), Value::String(id)] = <[Value; 3]>::try_from(parts).ok()? else {
        return None;
    };
    Some((name, arguments, id))
}

/// The response to a request (RFC 8620 §3.4).
pub(crate) async fn run(door: Arc<Door>, user: Arc<User>, client: IpAddr, asked: Asked) -> Value {
    let tells_created = asked.created.is_some();
    let mut call = Call {
        args: Args(Map::new()),
        created: asked.created.unwrap_or_default(),
        more: Vec::new(),
        left: door.deps.limits.size_answer,
        door,
        user,
        client,
    };
    let mut answered: Vec<Answered> = Vec::with_capacity(asked.calls.len());
    for (name, arguments, id) in asked.calls {
        let outcome = run_one(&mut call, &name, arguments, &asked.using, &answered).await;
        let (name, arguments) = match outcome {
            Ok(arguments) => (name, arguments),
            Err(error) => ("error".to_owned(), error.into_value()),
        };
        call.left = call.left.saturating_sub(weight(&arguments));
        answered.push(Answered { name, arguments, id: id.clone() });
        for (name, arguments) in std::mem::take(&mut call.more) {
            call.left = call.left.saturating_sub(weight(&arguments));
            answered.push(Answered { name: name.to_owned(), arguments, id: id.clone() });
        }
    }
    let responses = answered.into_iter().map(|answer| json!([answer.name, answer.arguments, answer.id])).collect();
    let mut response = Map::new();
    response.insert("methodResponses".into(), Value::Array(responses));
    response.insert("sessionState".into(), session::state(&call.door, &call.user).into());
    if tells_created {
        response.insert("createdIds".into(), json!(call.created));
    }
    Value::Object(response)
}

async fn run_one(
    call: &mut Call,
    name: &str,
    arguments: Map<String, Value>,
    using: &[String],
    answered: &[Answered],
) -> Result<Value, MethodError> {
    if call.left == 0 {
        return Err(MethodError::new("requestTooLarge", "the answer to this request is too long"));
    }
    let method = METHODS.iter().find(|method| method.name == name);
    let method = method.filter(|method| using.iter().any(|used| used == method.capability));
    let method = method.ok_or_else(|| MethodError::new("unknownMethod", ""))?;
    if !method.is_open_to(&call.user) {
        return Err(MethodError::new("forbidden", "what you came in with does not open this"));
    }
    call.args = Args(reference::resolve(arguments, answered, &mut call.left)?);
    if method.changes_mail(&call.args) {
        refuse_copies(call).await?;
    }
    again::forget(call, name).await;
    (method.run)(call).await
}

/// Mail whose mailbox lives at an old server is a copy: a change of it would be here and nowhere else (RFC 8620 §3.6.2, `accountReadOnly`).
pub(crate) async fn refuse_copies(call: &Call) -> Result<(), MethodError> {
    let Ok(access) = call.peek() else { return Ok(()) };
    let elsewhere = call.door.deps.directory.living_elsewhere(vec![access.owner.id]).await?;
    match elsewhere.is_empty() {
        true => Ok(()),
        false => Err(MethodError::new("accountReadOnly", Text::new(COPY.0, COPY.1))),
    }
}

/// `urn:ietf:params:jmap:error:notJSON`
pub(crate) fn not_json(detail: impl Into<Said>) -> Problem {
    Problem::new(400, "urn:ietf:params:jmap:error:notJSON", detail)
}

/// `urn:ietf:params:jmap:error:notRequest`
pub(crate) fn not_request(detail: impl Into<Said>) -> Problem {
    Problem::new(400, "urn:ietf:params:jmap:error:notRequest", detail)
}
