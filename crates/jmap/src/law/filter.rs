//! Filters (RFC 8620 §5.5): conditions of a type, joined by AND, OR and NOT.

use serde_json::{Map, Value};

use crate::error::MethodError;

/// Conditions of one filter at most.
const CONDITIONS: usize = 256;

/// A filter over conditions.
#[derive(Clone, Debug)]
pub(crate) enum Filter<C> {
    All(Vec<Filter<C>>),
    Any(Vec<Filter<C>>),
    None(Vec<Filter<C>>),
    Condition(C),
}

impl<C> Filter<C> {
    /// Reads a filter; none holds for everything.
    pub fn read(
        value: Option<Value>,
        condition: &mut dyn FnMut(Map<String, Value>) -> Result<C, MethodError>,
    ) -> Result<Self, MethodError> {
        let mut left = CONDITIONS;
        match value {
            None => Ok(Self::All(Vec::new())),
            Some(value) => Self::one(value, condition, &mut left),
        }
    }

    fn one(
        value: Value,
        condition: &mut dyn FnMut(Map<String, Value>) -> Result<C, MethodError>,
        left: &mut usize,
    ) -> Result<Self, MethodError> {
        let Value::Object(mut map) = value else { return Err(MethodError::invalid("a filter is an object")) };
        *left = left.checked_sub(1).ok_or_else(|| MethodError::new("unsupportedFilter", "too many conditions"))?;
        let Some(operator) = map.remove("operator") else { return condition(map).map(Self::Condition) };
        let Some(Value::Array(conditions)) = map.remove("conditions") else {
            return Err(MethodError::invalid("conditions are missing"));
        };
        if !map.is_empty() {
            return Err(MethodError::invalid("a filter operator has no other properties"));
        }
        let inner = conditions.into_iter().map(|value| Self::one(value, condition, left)).collect::<Result<_, _>>()?;
        match operator.as_str() {
            Some("AND") => Ok(Self::All(inner)),
            Some("OR") => Ok(Self::Any(inner)),
            Some("NOT") => Ok(Self::None(inner)),
            _ => Err(MethodError::invalid("an operator is AND, OR or NOT")),
        }
    }

    /// Whether it holds, by what each condition says.
    pub fn holds(&self, says: &mut impl FnMut(&C) -> bool) -> bool {
        match self {
            Self::All(all) => all.iter().all(|filter| filter.holds(says)),
            Self::Any(all) => all.iter().any(|filter| filter.holds(says)),
            Self::None(all) => !all.iter().any(|filter| filter.holds(says)),
            Self::Condition(condition) => says(condition),
        }
    }
}
