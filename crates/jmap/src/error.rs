//! What goes wrong, in the words of RFC 8620: a request (§3.6.1), a method (§3.6.2), one object of a `/set` (§5.3).

use anser_base::{Class, Error};
use anser_net::http::{HeaderValue, Response, header};
use serde_json::{Map, Value, json};

use crate::words::Said;

/// A refusal of a whole request (RFC 8620 §3.6.1).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    status: u16,
    kind: &'static str,
    detail: Said,
    limit: Option<&'static str>,
}

impl Problem {
    pub fn new(status: u16, kind: &'static str, detail: impl Into<Said>) -> Self {
        Self { status, kind, detail: detail.into(), limit: None }
    }

    /// `urn:ietf:params:jmap:error:limit`
    pub fn limit(status: u16, limit: &'static str) -> Self {
        let kind = "urn:ietf:params:jmap:error:limit";
        Self { limit: Some(limit), ..Self::new(status, kind, "a limit of the server") }
    }

    /// The object of RFC 7807.
    pub fn value(&self) -> Value {
        let mut value = json!({ "type": self.kind, "status": self.status, "detail": self.detail.text() });
        if let Some(limit) = self.limit {
            value["limit"] = limit.into();
        }
        value
    }
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Self {
        Self::new(problem.status, "application/problem+json", problem.value().to_string())
            .with(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
    }
}

/// A [`Problem`] as an answer.
pub(crate) fn problem(status: u16, kind: &'static str, detail: impl Into<Said>) -> Response {
    Problem::new(status, kind, detail).into()
}

/// [`Problem::limit`] as an answer.
pub(crate) fn limit_problem(status: u16, limit: &'static str) -> Response {
    Problem::limit(status, limit).into()
}

/// A refusal that has no type of its own.
pub(crate) fn plain_problem(status: u16, detail: impl Into<Said>) -> Response {
    problem(status, "about:blank", detail)
}

/// What a failure below becomes when it ends the whole request.
pub(crate) fn failed(error: &Error) -> Response {
    if error.class.is_temporary() {
        tracing::error!(error = error.chain(), "a request failed");
        return plain_problem(503, &error.text);
    }
    plain_problem(400, &error.text)
}

/// A method did nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MethodError {
    kind: &'static str,
    description: Said,
}

impl MethodError {
    pub fn new(kind: &'static str, description: impl Into<Said>) -> Self {
        Self { kind, description: description.into() }
    }

    /// `invalidArguments`.
    pub fn invalid(description: impl Into<Said>) -> Self {
        Self::new("invalidArguments", description)
    }

    /// The arguments of the `error` response.
    pub fn into_value(self) -> Value {
        let mut value = Map::new();
        value.insert("type".into(), self.kind.into());
        if !self.description.is_empty() {
            value.insert("description".into(), self.description.text().into());
        }
        Value::Object(value)
    }
}

impl From<Error> for MethodError {
    fn from(error: Error) -> Self {
        let kind = match error.class {
            Class::Invalid => "invalidArguments",
            Class::Forbidden | Class::Unauthenticated => "forbidden",
            Class::Conflict => "stateMismatch",
            Class::Unavailable | Class::Full => "serverUnavailable",
            _ => "serverFail",
        };
        if error.class.is_temporary() {
            tracing::error!(error = error.chain(), "a method failed");
        }
        Self::new(kind, error.text)
    }
}

/// One object was not created, changed or destroyed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SetError {
    kind: &'static str,
    description: Said,
    more: Map<String, Value>,
}

impl SetError {
    pub fn new(kind: &'static str, description: impl Into<Said>) -> Self {
        Self { kind, description: description.into(), more: Map::new() }
    }

    /// `invalidProperties`, with their names.
    pub fn properties(names: &[&str], description: impl Into<Said>) -> Self {
        Self::new("invalidProperties", description).with("properties", names.to_vec())
    }

    /// `invalidProperties`, with the name of the only one.
    pub fn property(name: &str, description: impl Into<Said>) -> Self {
        Self::properties(&[name], description)
    }

    /// `notFound`.
    pub fn not_found() -> Self {
        Self::new("notFound", "")
    }

    /// `forbidden`.
    pub fn forbidden(description: impl Into<Said>) -> Self {
        Self::new("forbidden", description)
    }

    /// With one more property.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// What a failure below is for this object. What may succeed later fails the method instead.
    pub fn of(error: Error) -> anser_base::Result<Self> {
        let kind = match error.class {
            Class::Invalid | Class::Exists => "invalidProperties",
            Class::NotFound => "notFound",
            Class::Forbidden | Class::Unauthenticated => "forbidden",
            Class::OverQuota => "overQuota",
            Class::Limit => "tooLarge",
            Class::Conflict | Class::Full | Class::Damaged | Class::Unavailable => return Err(error),
        };
        Ok(Self::new(kind, error.text))
    }

    /// Trouble in the house, told of one object because others of its method were done: `serverFail`, or `serverUnavailable` for what
    /// may succeed later.
    pub fn failed(error: &Error) -> Self {
        tracing::error!(error = error.chain(), "an object was left as it was");
        let kind = if error.class.is_temporary() { "serverUnavailable" } else { "serverFail" };
        Self::new(kind, &error.text)
    }

    pub fn into_value(self) -> Value {
        let mut value = self.more;
        value.insert("type".into(), self.kind.into());
        if !self.description.is_empty() {
            value.insert("description".into(), self.description.text().into());
        }
        Value::Object(value)
    }
}
