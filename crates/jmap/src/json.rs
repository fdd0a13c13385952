//! JSON within limits: what a request may nest and hold is checked while it is read, so that nothing large is ever built. Objects that
//! have a member twice are refused, as I-JSON wants (RFC 7493 §2.3).

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Levels of arrays and objects.
const DEPTH: usize = 64;

/// Why a text is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// It is no I-JSON.
    Malformed(String),
    /// It holds more values than are allowed, or nests them deeper.
    TooMuch,
}

/// Reads a text that holds so many values at most.
pub(crate) fn parse(text: &[u8], most: usize) -> Result<Value, JsonError> {
    let left = Cell::new(most);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let told = |error: serde_json::Error| match left.get() {
        0 => JsonError::TooMuch,
        _ => JsonError::Malformed(error.to_string()),
    };
    let value = Bounded { depth: DEPTH, left: &left }.deserialize(&mut reader).map_err(told)?;
    reader.end().map_err(told)?;
    Ok(value)
}

/// Reads one value, within what is left.
#[derive(Clone, Copy)]
struct Bounded<'a> {
    depth: usize,
    /// Values that may still come; 0 once there were too many.
    left: &'a Cell<usize>,
}

impl<'a> Bounded<'a> {
    fn inner<E: serde::de::Error>(self) -> Result<Bounded<'a>, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Bounded { depth, left: self.left }),
            None => {
                self.left.set(0);
                Err(E::custom("nested too deep"))
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.left.get() {
            0 | 1 => {
                self.left.set(0);
                Err(D::Error::custom("too many values"))
            }
            left => {
                self.left.set(left - 1);
                deserializer.deserialize_any(self)
            }
        }
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut all = Vec::new();
        while let Some(value) = seq.next_element_seed(inner)? {
            all.push(value);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut all = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(inner)?;
            if all.insert(key, value).is_some() {
                return Err(A::Error::custom("a member stands twice in an object"));
            }
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_read_as_it_is() {
        for text in ["{}", "[]", "null", "[1,-2,3.5,\"\u{9648}\",true,{\"a\":[null]}]"] {
            assert_eq!(parse(text.as_bytes(), 100).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        }
    }

    #[test]
    fn bombs_are_refused_while_they_are_read() {
        let deep = "[".repeat(1_000_000);
        assert_eq!(parse(deep.as_bytes(), 1_000_000), Err(JsonError::TooMuch));
        let wide = format!("[{}0]", "0,".repeat(1_000));
        assert_eq!(parse(wide.as_bytes(), 1_000), Err(JsonError::TooMuch));
        assert!(parse(wide.as_bytes(), 1_010).is_ok());
        let keys: Vec<String> = (0..1_000).map(|at| format!("\"{at}\":0")).collect();
        assert_eq!(parse(format!("{{{}}}", keys.join(",")).as_bytes(), 900), Err(JsonError::TooMuch));
    }

    #[test]
    fn what_is_no_i_json_is_malformed() {
        let long = format!("{}e999", "9".repeat(1_000));
        for text in ["", "{", "{\"a\":1,\"a\":2}", "[1] 2", "\"\\ud800\"", "NaN", &long, "\"\u{1}\""] {
            assert!(matches!(parse(text.as_bytes(), 100), Err(JsonError::Malformed(_))), "{text:.20}");
        }
        assert!(matches!(parse(b"\"\xff\"", 100), Err(JsonError::Malformed(_))));
    }
}
