//! What a request says: JSON from scripts, a form from pages without.

use anser_base::{Class, Text};
use anser_net::http::{Bytes, Request, Response, form_value};
use serde_json::Value;

use crate::Door;
use crate::answer::{STALE_KEY, failed, plain_problem, problem};

/// The body of a request.
pub enum Asked {
    Json(Value),
    Form(String),
}

impl Asked {
    /// Reads the body. It is bounded by the route.
    pub async fn read(request: &mut Request) -> Result<Self, Response> {
        let body = request.body().await.map_err(|error| failed(request, &error))?;
        let kind = request.header("content-type").split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Self::parse(&kind, &body).ok_or_else(|| unreadable(request))
    }

    fn parse(kind: &str, body: &Bytes) -> Option<Self> {
        match kind {
            "application/x-www-form-urlencoded" => Some(Self::Form(str::from_utf8(body).ok()?.to_owned())),
            "application/json" => serde_json::from_slice(body).ok().filter(Value::is_object).map(Self::Json),
            _ => None,
        }
    }

    /// A text by its name; `None` where there is none.
    pub fn text(&self, name: &str) -> Option<String> {
        match self {
            Self::Json(value) => value[name].as_str().map(str::to_owned),
            Self::Form(form) => form_value(form, name),
        }
    }

    /// An object by its name; forms have none.
    pub fn object(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Json(value) => value.get(name).filter(|value| value.is_object()),
            Self::Form(_) => None,
        }
    }

    /// A number by its name.
    pub fn number(&self, name: &str) -> Option<u32> {
        match self {
            Self::Json(value) => value[name].as_u64().and_then(|number| number.try_into().ok()),
            Self::Form(form) => form_value(form, name)?.parse().ok(),
        }
    }

    /// A list of texts by its name; in a form, with blanks between them.
    pub fn texts(&self, name: &str) -> Vec<String> {
        match self {
            Self::Json(value) => {
                let list = value[name].as_array().into_iter().flatten();
                list.filter_map(|one| one.as_str().map(str::to_owned)).collect()
            }
            Self::Form(_) => self.text(name).unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect(),
        }
    }

    /// A switch by its name: `true`, or anything that a form's box says.
    pub fn is(&self, name: &str) -> bool {
        match self {
            Self::Json(value) => value[name].as_bool().unwrap_or(false),
            Self::Form(form) => form_value(form, name).is_some_and(|value| !value.is_empty()),
        }
    }

    /// Whether a form asks, which is answered by pages.
    pub fn is_form(&self) -> bool {
        matches!(self, Self::Form(_))
    }

    /// A password: in the clear as `name`, or sealed to our key as `sealed_name`.
    pub async fn password(
        &self,
        door: &Door,
        request: &Request,
        name: &str,
        sealed: &str,
    ) -> Result<Vec<u8>, Response> {
        let Some(sealed) = self.text(sealed).filter(|text| !text.is_empty()) else {
            return self.text(name).map(String::into_bytes).ok_or_else(|| unreadable(request));
        };
        door.seals.open(&sealed).await.map_err(|error| match error.class {
            Class::Conflict => problem(request, 409, STALE_KEY, &error.text),
            _ => failed(request, &error),
        })
    }
}

/// 400.
pub fn unreadable(request: &Request) -> Response {
    plain_problem(request, 400, &Text::new("the request cannot be understood", "无法理解该请求"))
}
