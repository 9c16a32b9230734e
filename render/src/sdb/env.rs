//! `env`: variables of the environment. What is set is kept with the job: stock's jobs are processes of their own, whose
//! environment dies with them.

use super::Driver;
use brine_core::call::Result;
use brine_core::{Cx, Map, Value};

pub(super) const DRIVER: Driver = Driver { name: "env", get, set };

/// Where a job's settings are kept in its context.
const CONTEXT: &str = "environ.settings";

fn get(cx: &Cx, key: &str, _: &Map) -> Result {
    if let Some(Value::Map(own)) = cx.job.context(CONTEXT)
        && let Some(value) = own.get(key)
    {
        return Ok(value.clone());
    }
    // A name with `=` or NUL has no value, and must not reach the system.
    if key.is_empty() || key.contains(['=', '\0']) {
        return Ok(Value::Nil);
    }
    Ok(std::env::var_os(key).map(|value| value.to_string_lossy().into_owned()).into())
}

/// A variable that is there keeps its value.
fn set(cx: &Cx, key: &str, value: Value, profile: &Map) -> Result {
    let old = get(cx, key, profile)?;
    if !old.is_nil() {
        return Ok(old);
    }
    let mut own = match cx.job.context(CONTEXT) {
        Some(Value::Map(own)) => own,
        _ => Map::new(),
    };
    own.insert(key, value.clone());
    cx.job.set_context(CONTEXT, own);
    Ok(value)
}
