//! Lists of dicts of one key each, as SLS files write what has an order.

use crate::text::python_str;
use brine_protocol::{Map, Value};

/// Stock's `repack_dictlist`: such a list as one dict; texts and numbers are keys of nothing. What is no such list is said in the
/// log, and gives nothing.
pub fn repacked(data: &Value) -> Map {
    let Value::List(list) = data else {
        tracing::error!(
            "Invalid input for repack_dictlist, data passed is not a list ({})",
            python_str(data)
        );
        return Map::new();
    };
    let mut all = Map::new();
    for element in list {
        match element {
            Value::Map(one) if one.len() == 1 => all.update(one.clone()),
            Value::Map(_) => {
                tracing::error!(
                    "Invalid input for repack_dictlist: key/value pairs must contain only one element (data passed: {}).",
                    python_str(element)
                );
                return Map::new();
            }
            Value::Str(_) | Value::Int(_) | Value::Bool(_) | Value::Float(_) => {
                all.insert(element.clone(), Value::Nil);
            }
            other => {
                tracing::error!(
                    "Invalid input for repack_dictlist: element {} is not a string/dict/numeric value",
                    python_str(other)
                );
                return Map::new();
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    #[test]
    fn dicts_of_one_key_become_one() {
        let list = |items: Vec<Value>| repacked(&items.into());
        let want: Map = [(Value::from("a"), Value::from(1)), (2.into(), Value::Nil)].into_iter().collect();
        assert_eq!(list(vec![map! {"a" => 1}.into(), 2.into()]), want);
        assert!(list(vec![map! {"a" => 1, "b" => 2}.into()]).is_empty());
        assert!(list(vec!["a".into(), Value::Nil]).is_empty());
        assert!(repacked(&map! {"a" => 1}.into()).is_empty());
    }
}
