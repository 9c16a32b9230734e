//! States that call execution functions, in both of stock's ways to write them: function names as keys with a list of
//! arguments each, and the older one with one function as `name` and its arguments beside it.

mod legacy;
mod outcome;

use brine_core::call::{Args, CallError, Cx, KwArgs, ParamKind, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value, map};
use outcome::succeeded;

state_module! {
    "module": run, wait, "mod_watch" => run, "watch" => wait
}

/// Call functions only when something that is watched has changed. Arguments are those of `module.run`.
#[exec]
fn wait(name: Value, kwargs: KwArgs) -> Result<Outcome> {
    // What is to be done is `mod_watch`'s.
    let _unread = kwargs;
    Ok(Outcome::ok(name, ""))
}

/// Call execution functions: each key is one (`cmd.run`), its value the list of its arguments; a dict in there holds
/// keyword arguments. A colon and any text after a name lets one function be called several times. `returner`: send what
/// comes of it there, too. The older way: `name` is the function, its arguments stand beside it; those called `name`, `fun`,
/// `names`, `state` and `saltenv` with `m_` in front.
#[exec]
fn run(cx: &Cx, kwargs: KwArgs) -> Result {
    let given = kwargs.0;
    let keys: Vec<&Value> =
        given.keys().filter(|key| !matches!(key.as_str(), Some("name" | "__reqs__" | "sfun"))).collect();
    let old = (keys.is_empty() && !given.is_empty()) || keys.iter().any(|key| !python_str(key).contains('.'));
    if old { legacy::run(cx, given) } else { run_all(cx, given) }
}

fn run_all(cx: &Cx, mut given: Map) -> Result {
    given.remove("name");
    let name: Vec<Value> = given.keys().cloned().collect();
    let functions: Vec<(String, &Value)> =
        given.iter().map(|(key, args)| (python_str(key), args)).filter(|(key, _)| key.contains('.')).collect();
    let mut ret = map! { "name" => name, "changes" => Map::new(), "comment" => "", "result" => () };
    let (mut missing, mut tests) = (Vec::new(), Vec::new());
    for (function, _) in &functions {
        let function = plain(function);
        if cx.registry.get(function).is_none() {
            missing.push(function);
        } else if cx.test {
            tests.push(function);
        }
    }
    if functions.is_empty() {
        ret.insert("comment", "No function provided.");
        ret.insert("result", false);
        return Ok(ret.into());
    }
    if !tests.is_empty() || !missing.is_empty() {
        let plural = |list: &[&str]| if list.len() > 1 { "True" } else { "" };
        let mut comment = Vec::new();
        if !missing.is_empty() {
            comment.push(format!("Unavailable function{}: {}.", plural(&missing), missing.join(", ")));
            ret.insert("result", false);
        }
        if !tests.is_empty() {
            comment.push(format!("Function{} {} to be executed.", plural(&tests), tests.join(", ")));
        }
        ret.insert("comment", comment.join(" "));
        return Ok(ret.into());
    }
    let returner = given.get("returner").cloned();
    let (mut failures, mut successes, mut changes) = (Vec::new(), Vec::new(), Map::new());
    for (function, args) in &functions {
        match call(cx, plain(function), args) {
            Ok(done) => {
                report(cx, returner.as_ref(), plain(function), &done)?;
                if succeeded(&done) {
                    let said = match &done {
                        Value::Map(done) => done.get("comment").map_or("Success".into(), python_str),
                        done => python_str(done),
                    };
                    successes.push(format!("{function}: {said}"));
                    changes.insert(function.as_str(), done);
                } else {
                    failures.push(match &done {
                        Value::Map(done) => {
                            let said = done.get("comment").map_or("(error message N/A)".into(), python_str);
                            format!("'{function}' failed: {said}")
                        }
                        _ => format!("'{function}': False"),
                    });
                }
            }
            Err(e @ (CallError::Invocation(_) | CallError::Arguments(_) | CallError::Exception { kind: "TypeError", .. })) => {
                failures.push(format!("'{function}' failed: {}", e.text()));
            }
            Err(e) => return Err(e),
        }
    }
    ret.insert("changes", changes);
    ret.insert("result", failures.is_empty());
    failures.append(&mut successes);
    ret.insert("comment", failures.join(", "));
    Ok(ret.into())
}

/// A function's name without what tells two calls apart.
fn plain(function: &str) -> &str {
    function.split(':').next().unwrap_or(function)
}

/// What `*value` gives in Python.
fn unpacked(value: &Value) -> Result<Vec<Value>> {
    Ok(match value {
        Value::Nil => Vec::new(),
        Value::List(list) => list.clone(),
        Value::Map(map) => map.keys().cloned().collect(),
        Value::Str(text) => text.chars().map(|c| Value::from(c.to_string())).collect(),
        other => {
            return Err(CallError::Arguments(format!(
                "salt.utils.functools.call_function() argument after * must be an iterable, not {}",
                python_type(other)
            )));
        }
    })
}

/// Calls a function with a list of its arguments; dicts among them are keyword arguments.
fn call(cx: &Cx, name: &str, args: &Value) -> Result {
    let args = unpacked(args)?;
    let function = cx.registry.get(name).ok_or_else(|| cx.registry.missing(name))?;
    let mut keyword = Map::new();
    let (mut expected, mut all) = (Vec::new(), Vec::new());
    for param in function.params {
        match param.kind {
            ParamKind::Required => expected.push(param.name),
            ParamKind::Default(default) => drop(keyword.insert(param.name, default())),
            ParamKind::VarArgs | ParamKind::KwArgs => continue,
        }
        all.push(param.name);
    }
    let (mut positional, mut named) = (Vec::new(), Map::new());
    for arg in args.into_iter().rev() {
        match arg {
            Value::Map(map) => {
                for (key, value) in &map {
                    if key.as_str().is_some_and(|key| expected.contains(&key)) {
                        named.insert(key.clone(), value.clone());
                    } else {
                        keyword.update(map.clone());
                    }
                }
            }
            other => positional.push(other),
        }
    }
    positional.reverse();
    positional.extend(expected.iter().filter_map(|name| named.remove(name)));
    let mut passed = positional.len();
    if expected.len() > passed {
        let mut missing = Vec::new();
        for name in &all[passed..] {
            if keyword.contains(name) {
                passed += 1;
            } else {
                missing.push(*name);
            }
        }
        if !missing.is_empty() {
            return Err(CallError::invocation(format!("Missing arguments: {}", missing.join(", "))));
        }
        if expected.len() > passed {
            return Err(CallError::invocation(format!(
                "Function expects {} positional parameters, got only {passed}",
                expected.len()
            )));
        }
    }
    cx.call(name, Args { positional, keyword })
}

/// Hands what came of a call to a returner, if there is one of that name.
fn report(cx: &Cx, returner: Option<&Value>, function: &str, done: &Value) -> Result<()> {
    let Some(returner) = returner.and_then(Value::as_str) else { return Ok(()) };
    let Ok(returner) = brine_returners::find(&cx.opts, returner, "returner") else { return Ok(()) };
    let Some(send) = returner.returner else { return Ok(()) };
    let jid = brine_core::jid::gen_jid(std::time::SystemTime::now());
    let ret = map! { "id" => cx.opts.str("id"), "ret" => done.clone(), "return" => done.clone(), "fun" => function, "jid" => jid };
    send(cx, &ret).map(drop)
}
