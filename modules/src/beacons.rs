//! The beacons of this minion: shown and changed. The minion itself keeps them; what these functions want is asked of it.

mod change;
mod list;
mod switch;

use brine_core::call::{CallError, Cx, KwArgs, Result, module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use change::*;
use list::*;
use switch::*;

module! {
    "beacons": add, delete, disable, disable_beacon, enable, enable_beacon, list, list_available, modify, reset, save
}

/// Hands a request to the minion; None if none answers.
fn tell(cx: &Cx, func: &str, more: Map) -> Result<Option<Map>> {
    let mut request = map! { "func" => func };
    request.update(more);
    match cx.host.beacons(request) {
        Ok(answer) => Ok(answer),
        Err(CallError::Cancelled) => Err(CallError::Cancelled),
        Err(e) => {
            tracing::debug!("the beacons were not asked: {e}");
            Ok(None)
        }
    }
}

/// The same for a change; what was wrong, in stock's words, if it was not made, else the beacons after it.
fn change(cx: &Cx, func: &str, words: &str, kwargs: &KwArgs, more: Map) -> Result<std::result::Result<Map, Value>> {
    Ok(match tell(cx, func, more)? {
        Some(mut answer) if answer.get("complete").is_some_and(Value::truthy) => match answer.remove("beacons") {
            Some(Value::Map(beacons)) => Ok(beacons),
            _ => Ok(Map::new()),
        },
        Some(mut answer) => Err(answer.remove("comment").unwrap_or_default()),
        None => {
            let timeout = kwargs.0.get("timeout").map_or_else(|| "60".to_owned(), python_str);
            Err(format!("Did not receive the beacon {words} before the timeout of {timeout}s").into())
        }
    })
}

fn is_test(kwargs: &KwArgs) -> bool {
    kwargs.0.get("test").is_some_and(Value::truthy)
}

fn ret(result: bool, comment: impl Into<Value>) -> Map {
    map! { "comment" => comment.into(), "result" => result }
}
