//! States that succeed, fail and change as they are told, to try requisites with.

use brine_core::call::{CallError, Cx, KwArgs, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::{Map, Value, map};

state_module! {
    "test": fail_with_changes, fail_without_changes, nop, show_notification, succeed_with_changes, succeed_without_changes
}

/// What a state says that pretends to change something.
fn pretended() -> Map {
    map! { "testing" => map! { "old" => "Unchanged", "new" => "Something pretended to change" } }
}

fn comment(kwargs: &KwArgs, default: &str) -> Value {
    kwargs.0.get("comment").cloned().unwrap_or_else(|| default.into())
}

/// Do nothing, for `use` and for templates that would be empty.
///
/// name: a unique text, the id
#[exec]
fn nop(name: Value, kwargs: KwArgs) -> Result<Outcome> {
    let _unread = kwargs;
    Ok(Outcome::ok(name, "Success!"))
}

/// Succeed, and change nothing.
#[exec]
fn succeed_without_changes(name: Value, kwargs: KwArgs) -> Result<Outcome> {
    Ok(Outcome::ok(name, comment(&kwargs, "Success!")))
}

/// Fail, and change nothing.
#[exec]
fn fail_without_changes(cx: &Cx, name: Value, kwargs: KwArgs) -> Result<Outcome> {
    if cx.test {
        return Ok(Outcome::failed(name, "If we weren't testing, this would be a failure!"));
    }
    Ok(Outcome::failed(name, comment(&kwargs, "Failure!")))
}

/// Succeed, and pretend to have changed something.
#[exec]
fn succeed_with_changes(cx: &Cx, name: Value, kwargs: KwArgs) -> Result<Outcome> {
    let outcome = if cx.test {
        Outcome::would(name, "If we weren't testing, this would be successful with changes")
    } else {
        Outcome::ok(name, comment(&kwargs, "Success!"))
    };
    Ok(outcome.with_changes(pretended()))
}

/// Fail, and pretend to have changed something.
#[exec]
fn fail_with_changes(cx: &Cx, name: Value, kwargs: KwArgs) -> Result<Outcome> {
    let outcome = if cx.test {
        Outcome::would(name, "If we weren't testing, this would be failed with changes")
    } else {
        Outcome::failed(name, comment(&kwargs, "Failure!"))
    };
    Ok(outcome.with_changes(pretended()))
}

/// Say something in the result.
#[exec]
fn show_notification(name: Value, text: Option<Value>, kwargs: KwArgs) -> Result<Outcome> {
    let _unread = kwargs;
    match text.filter(Value::truthy) {
        Some(text) => Ok(Outcome::ok(name, text)),
        None => Err(CallError::invocation("Missing required argument text.")),
    }
}
