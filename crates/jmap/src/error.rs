//! What goes wrong, in the words of RFC 8620: a request (§3.6.1), a method (§3.6.2), one object of a `/set` (§5.3).

use anser_base::{Class, Error};
use anser_net::http::{HeaderValue, Response, header};
use serde_json::{Map, Value, json};

/// A refusal of the whole request, as a problem (RFC 7807).
pub(crate) fn problem(status: u16, kind: &str, detail: &str, limit: Option<&str>) -> Response {
    let mut body = json!({ "type": kind, "status": status, "detail": detail });
    if let Some(limit) = limit {
        body["limit"] = limit.into();
    }
    Response::new(status, "application/problem+json", body.to_string())
        .with(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

/// `urn:ietf:params:jmap:error:limit` (RFC 8620 §3.6.1).
pub(crate) fn limit_problem(status: u16, limit: &str) -> Response {
    problem(status, "urn:ietf:params:jmap:error:limit", "a limit of the server", Some(limit))
}

/// A refusal that has no type of its own.
pub(crate) fn plain_problem(status: u16, detail: &str) -> Response {
    problem(status, "about:blank", detail, None)
}

/// What a failure below becomes when it ends the whole request.
pub(crate) fn failed(error: &Error) -> Response {
    if error.class.is_temporary() {
        tracing::error!(error = error.chain(), "a request failed");
        return plain_problem(503, &error.text.en);
    }
    plain_problem(400, &error.text.en)
}

/// A method did nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MethodError {
    kind: &'static str,
    description: String,
}

impl MethodError {
    pub fn new(kind: &'static str, description: impl Into<String>) -> Self {
        Self { kind, description: description.into() }
    }

    /// `invalidArguments`.
    pub fn invalid(description: impl Into<String>) -> Self {
        Self::new("invalidArguments", description)
    }

    /// The arguments of the `error` response.
    pub fn into_value(self) -> Value {
        let mut value = Map::new();
        value.insert("type".into(), self.kind.into());
        if !self.description.is_empty() {
            value.insert("description".into(), self.description.into());
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
        Self::new(kind, error.text.en)
    }
}

/// One object was not created, changed or destroyed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SetError {
    kind: &'static str,
    description: String,
    more: Map<String, Value>,
}

impl SetError {
    pub fn new(kind: &'static str, description: impl Into<String>) -> Self {
        Self { kind, description: description.into(), more: Map::new() }
    }

    /// `invalidProperties`, with their names.
    pub fn properties(names: &[&str], description: impl Into<String>) -> Self {
        Self::new("invalidProperties", description).with("properties", names.to_vec())
    }

    /// `invalidProperties`, with the name of the only one.
    pub fn property(name: &str, description: impl Into<String>) -> Self {
        Self::properties(&[name], description)
    }

    /// `notFound`.
    pub fn not_found() -> Self {
        Self::new("notFound", "")
    }

    /// `forbidden`.
    pub fn forbidden(description: impl Into<String>) -> Self {
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
        Ok(Self::new(kind, error.text.en))
    }

    pub fn into_value(self) -> Value {
        let mut value = self.more;
        value.insert("type".into(), self.kind.into());
        if !self.description.is_empty() {
            value.insert("description".into(), self.description.into());
        }
        Value::Object(value)
    }
}
