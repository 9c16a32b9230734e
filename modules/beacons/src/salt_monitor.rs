//! Functions of execution modules: tells what they return, if that is true.

use crate::config::{key_error, keys_of, list, merged};
use crate::{Beacon, Kept, always, refused};
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value, map};

pub(crate) static BEACON: Beacon =
    Beacon { name: "salt_monitor", unavailable: always, validate, look, lets_go: false };

/// One function to call.
struct Order<'v> {
    function: &'v Value,
    how: Option<&'v Value>,
}

fn orders(functions: &Value) -> Result<Vec<Order<'_>>> {
    let entries: Vec<&Value> = match functions {
        Value::List(list) => list.iter().collect(),
        Value::Map(map) => map.keys().collect(),
        other => {
            let text = format!("'{}' object is not iterable", python_type(other));
            return Err(CallError::exception("TypeError", text));
        }
    };
    entries.into_iter().map(order).collect()
}

fn order(entry: &Value) -> Result<Order<'_>> {
    let Value::Map(map) = entry else { return Ok(Order { function: entry, how: None }) };
    match map.iter().next() {
        Some((function, how)) => Ok(Order { function, how: Some(how) }),
        None => Err(CallError::exception("StopIteration", "")),
    }
}

fn validate(cx: &Cx, config: &Value) -> Result<()> {
    let config = merged(list("salt_monitor", config)?)?;
    let functions = config.get("salt_fun").ok_or_else(|| key_error(&"salt_fun".into()))?;
    if functions.as_str().is_some() {
        return known(cx, functions);
    }
    for order in orders(functions)? {
        let shown = python_str(order.function);
        for key in keys_of(order.how)? {
            let value = order.how.and_then(Value::as_map).and_then(|map| map.get_key(&key));
            match (key.as_str(), value) {
                (Some("args"), Some(Value::List(_))) => {}
                (Some("args"), _) => return Err(refused(format!("args key for fun {shown} must be list"))),
                (Some("kwargs"), Some(Value::List(pairs))) => {
                    if let Some(odd) = pairs.iter().find(|pair| pair.as_map().is_none()) {
                        return Err(refused(format!("{} is not a key / value pair", python_str(odd))));
                    }
                }
                (Some("kwargs"), _) => {
                    return Err(refused(format!("kwargs key for fun {shown} must be list of key value pairs")));
                }
                _ => return Err(refused(format!("key {} not allowed under fun {shown}", python_str(&key)))),
            }
        }
        known(cx, order.function)?;
    }
    Ok(())
}

fn known(cx: &Cx, function: &Value) -> Result<()> {
    match function.as_str().is_some_and(|name| cx.registry.get(name).is_some()) {
        true => Ok(()),
        false => Err(refused(format!("{} not in __salt__", python_str(function)))),
    }
}

fn look(cx: &Cx, config: &[Value], _: &mut Kept) -> Result<Vec<Map>> {
    let config = merged(config)?;
    let functions = config.get("salt_fun").ok_or_else(|| key_error(&"salt_fun".into()))?;
    if let Some(name) = functions.as_str() {
        // A single one tells what it returns in any case.
        let ret = cx.call(name, Args::none())?;
        return Ok(vec![map! { "salt_fun" => name, "ret" => ret }]);
    }
    let mut told = Vec::new();
    for order in orders(functions)? {
        let part = |key: &str| order.how.and_then(|how| how.get(key)).and_then(Value::as_list).unwrap_or_default();
        let (args, kwargs) = (part("args").to_vec(), merged(part("kwargs"))?);
        let call = Args { positional: args.clone(), keyword: kwargs.clone() };
        let ret = cx.call(&python_str(order.function), call)?;
        if !ret.truthy() {
            continue;
        }
        let mut event = map! { "salt_fun" => order.function.clone(), "ret" => ret };
        if !args.is_empty() {
            event.insert("args", args);
        }
        if !kwargs.is_empty() {
            event.insert("kwargs", kwargs);
        }
        told.push(event);
    }
    Ok(told)
}
