//! `module.run` with one function as `name` and its arguments beside it.

use super::outcome::succeeded;
use super::report;
use brine_core::call::{Args, CallError, Cx, ParamKind, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// What an argument is called in SLS files, where some names mean something else.
fn written(name: &str) -> String {
    match name {
        "name" | "fun" | "names" | "state" | "saltenv" => format!("m_{name}"),
        other => other.to_owned(),
    }
}

pub(super) fn run(cx: &Cx, mut given: Map) -> Result {
    let Some(name) = given.remove("name") else {
        return Err(CallError::Arguments("_legacy_run() missing 1 required positional argument: 'name'".into()));
    };
    let shown = python_str(&name);
    let ret = |result: Value, comment: String, changes: Map| -> Result {
        Ok(map! { "name" => name.clone(), "changes" => changes, "comment" => comment, "result" => result }.into())
    };
    let Some(function) = cx.registry.get(&shown) else {
        return ret(false.into(), format!("Module function {shown} is not available"), Map::new());
    };
    if cx.test {
        return ret(Value::Nil, format!("Module function {shown} is set to execute"), Map::new());
    }
    let mut defaults = Map::new();
    for param in function.params {
        let ParamKind::Default(default) = param.kind else { continue };
        let mut value = default();
        if param.name != "names" {
            value = given.remove(&written(param.name)).unwrap_or(value);
        }
        value = given.remove(param.name).unwrap_or(value);
        defaults.insert(param.name, value);
    }
    let (mut positional, mut missing) = (Vec::new(), Vec::new());
    let (mut surplus, mut keyword) = (None, None);
    for param in function.params {
        match param.kind {
            ParamKind::VarArgs => surplus = Some(param.name),
            ParamKind::KwArgs => keyword = Some(param.name),
            ParamKind::Default(_) => positional.push(defaults.remove(param.name).unwrap_or_default()),
            ParamKind::Required => match given.remove(&written(param.name)) {
                Some(value) => positional.push(value),
                None => missing.push(written(param.name)),
            },
        }
    }
    if !missing.is_empty() {
        let comment = format!("The following arguments are missing: {}", missing.join(" "));
        return ret(false.into(), comment, Map::new());
    }
    if let Some((surplus, value)) = surplus.and_then(|name| Some((name, given.remove(&written(name))?))) {
        let Value::List(more) = value else {
            return ret(false.into(), format!("'{surplus}' must be a list."), Map::new());
        };
        positional.extend(more);
    }
    let mut args = Args { positional, keyword: Map::new() };
    if let Some((keyword, value)) = keyword.and_then(|name| Some((name, given.remove(name)?))) {
        let Value::Map(more) = value else {
            return ret(false.into(), format!("'{keyword}' must be a dict."), Map::new());
        };
        args.keyword = more;
    }
    match cx.call(&shown, args) {
        Ok(done) => {
            report(cx, given.get("returner"), &shown, &done)?;
            let result = succeeded(&done);
            ret(result.into(), format!("Module function {shown} executed"), map! { "ret" => done })
        }
        Err(CallError::Cancelled) => Err(CallError::Cancelled),
        Err(e) => {
            let comment = format!("Module function {shown} threw an exception. Exception: {}", e.text());
            ret(false.into(), comment, Map::new())
        }
    }
}
