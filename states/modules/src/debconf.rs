//! States of debconf: questions of packages have their answers before anything asks them.

use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::python_str;
use brine_core::{Map, Value};

state_module! { "debconf": set, set_file; unavailable = unavailable }

/// Why there are no such states here.
fn unavailable(cx: &Cx) -> Option<String> {
    if !matches!(cx.grains.get_str("os_family"), None | Some("Debian")) {
        return Some("debconf state only runs on Debian systems".into());
    }
    let found = cx.call("cmd.has_exec", Args::positional(["debconf-get-selections"]));
    let here = found.is_ok_and(|found| found.truthy());
    (!here).then(|| "debconf module could not be loaded".into())
}

/// Questions have the answers of a file.
///
/// source: the file, a path or URL
/// template: the engine that renders it
/// context: what the template is given
/// defaults: what it is given where context has nothing
#[exec]
fn set_file(
    cx: &Cx,
    name: Value,
    source: Value,
    template: Option<Value>,
    context: Option<Value>,
    defaults: Option<Value>,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let dict = |value: Option<Value>| match value {
        None => Some(Map::new()),
        Some(Value::Map(map)) => Some(map),
        Some(_) => None,
    };
    let Some(context) = dict(context) else {
        return Ok(Outcome::failed(name, "Context must be formed as a dict"));
    };
    let Some(defaults) = dict(defaults) else {
        return Ok(Outcome::failed(name, "Defaults must be formed as a dict"));
    };
    if cx.test {
        return Ok(Outcome::would(name, "Debconf selections would have been set."));
    }
    let (function, positional) = match template.filter(Value::truthy) {
        Some(template) => ("debconf.set_template", vec![source, template, context.into(), defaults.into()]),
        None => ("debconf.set_file", vec![source]),
    };
    let done = cx.call(function, Args { positional, keyword: kwargs.0 })?;
    Ok(if done.truthy() {
        Outcome::ok(name, "Debconf selections were set.")
    } else {
        Outcome::failed(name, "Unable to set debconf selections from file.")
    })
}

/// Questions of a package have these answers.
///
/// name: the package
/// data: `{question: {type: .., value: ..}}`
#[exec]
fn set(cx: &Cx, name: Value, data: Map, kwargs: KwArgs) -> Result<Outcome> {
    let _more = kwargs;
    let current = cx.call("debconf.show", Args::positional([name.clone()]))?;
    let known = current.as_list().unwrap_or_default();
    let mut outcome = Outcome::new(name.clone());
    let mut comment = String::new();
    for (question, answer) in data {
        let of = |key: &str| {
            answer.get(key).cloned().ok_or_else(|| CallError::exception("KeyError", format!("'{key}'")))
        };
        let kind = of("type")?;
        let mut value = of("value")?;
        if kind.as_str() == Some("boolean") {
            // debconf knows these two words only.
            value = if value.truthy() { "true" } else { "false" }.into();
        }
        let shown = python_str(&value);
        let wanted = Value::List(vec![question.clone(), kind.clone(), shown.as_str().into()]);
        if known.contains(&wanted) {
            if comment.is_empty() {
                comment.push_str("Unchanged answers: ");
            }
            comment.push_str(&format!("{} ", python_str(&question)));
            continue;
        }
        if cx.test {
            outcome.result = None;
            outcome.changes.insert(question, format!("New value: {shown}"));
            continue;
        }
        let secret = kind.as_str() == Some("password");
        let args = Args::positional([name.clone(), question.clone(), kind, value]);
        if cx.call("debconf.set", args)?.truthy() {
            outcome.changes.insert(question, if secret { "(password hidden)".into() } else { shown });
        } else {
            outcome.result = Some(false);
            comment = "Some settings failed to be applied.".into();
            outcome.changes.insert(question, "Failed to set!");
        }
    }
    if outcome.changes.is_empty() {
        comment = "All specified answers are already set".into();
    }
    outcome.comment = comment.into();
    Ok(outcome)
}
