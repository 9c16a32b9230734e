//! States of alternatives: which of several programs a name stands for.

use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

state_module! { "alternatives": auto, install, remove, set }

fn ask(cx: &Cx, function: &str, words: &[&Value]) -> Result {
    cx.call(&format!("alternatives.{function}"), Args::positional(words.iter().map(|word| (*word).clone())))
}

/// A result that repeats the arguments, as stock's do.
fn begin(name: &Value, more: Map) -> Outcome {
    Outcome { more, ..Outcome::new(name.clone()) }
}

fn with(mut outcome: Outcome, result: Option<bool>, comment: String) -> Outcome {
    outcome.result = result;
    outcome.comment = comment.into();
    outcome
}

/// A path is one of the alternatives of a name.
///
/// name: the name, such as pager
/// link: the path at which it is found, such as /usr/bin/pager
/// path: the path of the alternative
/// priority: its weight where priorities decide
#[exec]
fn install(cx: &Cx, name: Value, link: Value, path: Value, priority: Value) -> Result<Outcome> {
    let given = map! {"link" => link.clone(), "path" => path.clone(), "priority" => priority.clone()};
    let mut outcome = begin(&name, given.clone());
    let (named, at, weight) = (python_str(&name), python_str(&path), python_str(&priority));
    if ask(cx, "check_exists", &[&name, &path])?.truthy() {
        return Ok(with(outcome, Some(true), format!("Alternative {at} for {named} is already registered")));
    }
    if cx.test {
        let text = format!("Alternative will be set for {named} to {at} with priority {weight}");
        return Ok(with(outcome, None, text));
    }
    let said = ask(cx, "install", &[&name, &link, &path, &priority])?;
    if !ask(cx, "check_exists", &[&name, &path])?.truthy() {
        let text = format!("Alternative for {named} not installed: {}", python_str(&said));
        return Ok(with(outcome, Some(false), text));
    }
    let text = if ask(cx, "check_installed", &[&name, &path])?.truthy() {
        format!("Alternative for {named} set to path {at} with priority {weight}")
    } else {
        format!("Alternative {at} for {named} registered with priority {weight} and not set to default")
    };
    outcome.changes.insert("name", name);
    outcome.changes.update(given);
    Ok(with(outcome, Some(true), text))
}

/// A path is none of the alternatives of a name.
#[exec]
fn remove(cx: &Cx, name: Value, path: Value) -> Result<Outcome> {
    let mut outcome = begin(&name, map! {"path" => path.clone()});
    let named = python_str(&name);
    if ask(cx, "check_exists", &[&name, &path])?.truthy() {
        if cx.test {
            return Ok(with(outcome, None, format!("Alternative for {named} will be removed")));
        }
        ask(cx, "remove", &[&name, &path])?;
        let current = ask(cx, "show_current", &[&name])?;
        if !current.truthy() {
            return Ok(with(outcome, Some(true), format!("Alternative for {named} removed")));
        }
        let text =
            format!("Alternative for {named} removed. Falling back to path {}", python_str(&current));
        outcome.changes.insert("path", current);
        return Ok(with(outcome, Some(true), text));
    }
    let current = ask(cx, "show_current", &[&name])?;
    Ok(if current.truthy() {
        let text = format!("Alternative for {named} is set to it's default path {}", python_str(&current));
        with(outcome, Some(true), text)
    } else {
        with(outcome, Some(false), format!("Alternative for {named} doesn't exist"))
    })
}

/// Priorities decide what a name stands for.
#[exec]
fn auto(cx: &Cx, name: Value) -> Result<Outcome> {
    let mut outcome = Outcome::new(name.clone());
    let named = python_str(&name);
    let shown = python_str(&ask(cx, "display", &[&name])?);
    let first =
        shown.lines().next().ok_or_else(|| CallError::exception("IndexError", "list index out of range"))?;
    if first.ends_with(" auto mode") {
        return Ok(with(outcome, Some(true), format!("{named} already in auto mode")));
    }
    if cx.test {
        return Ok(with(outcome, None, format!("{named} will be put in auto mode")));
    }
    let said = ask(cx, "auto", &[&name])?;
    outcome.changes.insert("result", said);
    Ok(outcome)
}

/// A name stands for a path.
#[exec(name = "set")]
fn set(cx: &Cx, name: Value, path: Value) -> Result<Outcome> {
    let mut outcome = begin(&name, map! {"path" => path.clone()});
    let (named, at) = (python_str(&name), python_str(&path));
    if ask(cx, "show_current", &[&name])? == path {
        return Ok(with(outcome, Some(true), format!("Alternative for {named} already set to {at}")));
    }
    let shown = python_str(&ask(cx, "display", &[&name])?);
    if !shown.lines().any(|line| line.starts_with(&at)) {
        return Ok(with(outcome, Some(false), format!("Alternative {at} for {named} doesn't exist")));
    }
    if cx.test {
        return Ok(with(outcome, None, format!("Alternative for {named} will be set to path {at}")));
    }
    ask(cx, "set", &[&name, &path])?;
    let current = ask(cx, "show_current", &[&name])?;
    if current != path {
        return Ok(with(outcome, Some(true), format!("Alternative for {named} not updated")));
    }
    outcome.changes.insert("path", current);
    Ok(with(outcome, Some(true), format!("Alternative for {named} set to path {at}")))
}
