//! States that succeed, fail and change as they are told, to try requisites with.

use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::state::{Outcome, state_module, tag};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

state_module! {
    "test": check_pillar, configurable_test_state, fail_with_changes, fail_without_changes, mod_watch, nop,
        show_notification, succeed_with_changes, succeed_without_changes
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

/// Either, by chance.
fn chance() -> bool {
    RandomState::new().build_hasher().finish().is_multiple_of(2)
}

/// Succeed or fail, and change something or not, as it is told; `"Random"` leaves either to chance.
///
/// warnings: a text or a list of them
#[exec]
fn configurable_test_state(
    cx: &Cx,
    name: Value,
    #[default(true)] changes: Value,
    #[default(true)] result: Value,
    #[default("")] comment: Value,
    warnings: Option<Value>,
) -> Result<Outcome> {
    let is_random = |value: &Value| python_str(value).to_lowercase() == "random";
    let mut outcome = Outcome::ok(name, comment.clone());
    let changed = match &changes {
        Value::Bool(changed) => *changed,
        value if is_random(value) => chance(),
        _ => {
            return Err(CallError::invocation(
                "You have specified the state option 'changes' with invalid arguments. It must be either True, \
                 False, or 'Random'",
            ));
        }
    };
    if changed {
        outcome.changes = pretended();
    }
    outcome.result = Some(match &result {
        Value::Bool(result) => *result,
        value if is_random(value) => chance(),
        _ => {
            return Err(CallError::invocation(
                "You have specified the state option 'result' with invalid arguments. It must be either True, \
                 False, or 'Random'",
            ));
        }
    });
    match warnings {
        None | Some(Value::Nil) => {}
        Some(Value::Str(one)) => drop(outcome.more.insert("warnings", vec![one])),
        Some(Value::List(all)) => drop(outcome.more.insert("warnings", all)),
        Some(_) => {
            return Err(CallError::invocation(
                "You have specified the state option 'warnings' with invalid arguments. It must be a string or a \
                 list of strings",
            ));
        }
    }
    if cx.test {
        outcome.result = (changes == Value::Bool(false)).then_some(true);
        if !comment.truthy() {
            outcome.comment = "This is a test".into();
        }
    }
    Ok(outcome)
}

/// Be told of changes by a watch requisite. `result`, `comment` and `changes` replace what is returned.
#[exec]
fn mod_watch(cx: &Cx, name: Value, sfun: Option<Value>, kwargs: KwArgs) -> Result<Map> {
    let _unread = sfun;
    let step = cx.step.as_deref().cloned().unwrap_or_default();
    let mut changed = Vec::new();
    for low in step.low.get("__reqs__").and_then(|all| all.get("watch")).and_then(Value::as_list).unwrap_or_default() {
        let text = |key: &str| low.get(key).map(python_str).unwrap_or_default();
        let has_changes = step.run.running(|running| {
            low.as_map().and_then(|low| running.get(&tag(low))).and_then(|ret| ret.get("changes")).is_some_and(Value::truthy)
        });
        if has_changes {
            changed.push(format!("{}: {}", text("state"), text("__id__")));
        }
    }
    let or = |key: &str, other: Value| kwargs.0.get(key).cloned().unwrap_or(other);
    Ok(map! {
        "name" => name,
        "result" => or("result", true.into()),
        "comment" => or("comment", "Watch statement fired.".into()),
        "changes" => or("changes", map! {"Requisites with changes" => changed}.into()),
    })
}

/// A kind of pillar data, with Python's name of it.
struct Kind {
    shown: &'static str,
    fits: fn(&Value) -> bool,
}

const KINDS: [Kind; 6] = [
    Kind { shown: "None", fits: |_| true },
    Kind { shown: "<class 'bool'>", fits: |value| matches!(value, Value::Bool(_)) },
    Kind { shown: "<class 'int'>", fits: |value| matches!(value, Value::Int(_) | Value::Bool(_)) },
    Kind { shown: "(<class 'str'>,)", fits: |value| matches!(value, Value::Str(_)) },
    Kind { shown: "<class 'list'>", fits: |value| matches!(value, Value::List(_)) },
    Kind { shown: "<class 'dict'>", fits: |value| matches!(value, Value::Map(_)) },
];

/// Check that keys are in pillar, and that what they hold is of some type.
///
/// present: keys of whatever type
///
/// verbose: name those that are as they should be
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn check_pillar(
    cx: &Cx,
    name: Value,
    present: Option<Value>,
    boolean: Option<Value>,
    integer: Option<Value>,
    string: Option<Value>,
    listing: Option<Value>,
    dictionary: Option<Value>,
    #[default(false)] verbose: Value,
) -> Result<Outcome> {
    let wanted = [present, boolean, integer, string, listing, dictionary];
    let wanted = wanted.map(|keys| keys.filter(Value::truthy));
    if wanted.iter().all(Option::is_none) {
        return Err(CallError::invocation("Missing required argument text."));
    }
    let mut keys = Vec::new();
    for wanted in wanted {
        keys.push(match wanted {
            None => Vec::new(),
            Some(Value::Str(one)) => vec![Value::from(one)],
            Some(Value::List(all)) => all,
            Some(_) => return Err(CallError::exception("TypeError", "")),
        });
    }
    let (mut failed, mut fine) = (Map::new(), Map::new());
    for (kind, keys) in KINDS.iter().zip(keys) {
        for key in keys {
            let held = cx.call("pillar.get", Args { positional: vec![key.clone(), Value::Nil], keyword: Map::new() })?;
            if held.is_nil() {
                failed.insert(key, Value::Nil);
            } else if !(kind.fits)(&held) {
                failed.insert(key, kind.shown);
            } else if verbose.truthy() {
                fine.insert(key, kind.shown);
            }
        }
    }
    let mut comment = String::new();
    for (key, kind) in &failed {
        let fault = kind.as_str().map_or("is missing".to_owned(), |kind| format!("is not {kind}"));
        comment += &format!("Pillar key \"{}\" {fault}.\n", python_str(key));
    }
    if !fine.is_empty() {
        comment += "Those keys passed the check:\n";
        for (key, kind) in &fine {
            comment += &format!("- {} ({})\n", python_str(key), python_str(kind));
        }
    }
    Ok(Outcome { result: Some(failed.is_empty()), ..Outcome::ok(name, comment) })
}
