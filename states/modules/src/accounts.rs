//! What the states of users and groups share.

use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value};

/// What one gets going through a value in Python: the members of a list, the letters of a text.
pub(crate) fn each(value: Option<Value>) -> Option<Vec<Value>> {
    match value? {
        Value::List(list) => Some(list),
        Value::Str(text) => Some(text.chars().map(|letter| letter.to_string().into()).collect()),
        Value::Map(map) => Some(map.keys().cloned().collect()),
        Value::Nil => None,
        other => Some(vec![other]),
    }
}

/// Names as programs take them, with commas between.
pub(crate) fn joined(values: &[Value]) -> String {
    values.iter().map(python_str).collect::<Vec<_>>().join(",")
}

/// What a function such as `user.info` knows of the name; a dict.
pub(crate) fn about(cx: &Cx, function: &str, name: &Value) -> Result<Map> {
    match cx.call(function, Args::positional([name.clone()]))? {
        Value::Map(map) => Ok(map),
        other => Err(CallError::execution(format!("{function} returned {}", python_str(&other)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_gone_through_letter_by_letter() {
        assert_eq!(each(Some("ab".into())), Some(vec!["a".into(), "b".into()]));
        assert_eq!(each(None), None);
        assert_eq!(joined(&["a".into(), 5.into()]), "a,5");
    }
}
