//! What a chunk of low data calls: stock's reading of both syntaxes, the older one (`arg`, `kwarg`, or for runners the arguments
//! beside the rest) and `args`.

use brine_core::call::{Args, Function, ParamKind, Registry};
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value, dictlist, map};
use brine_render::args::condition_input;

/// What is no argument of a runner, though it stands beside them.
const INTERNAL: [&str; 7] = ["__id__", "__sls__", "name", "order", "fun", "key", "state"];
/// What `cmd_async` of stock's client has as parameters; all else goes along with the job.
const OF_JOBS: [&str; 8] = ["tgt", "fun", "arg", "tgt_type", "ret", "jid", "kwarg", "timeout"];

/// The kinds of reactions that run in a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A runner.
    Runner,
    /// A wheel function.
    Wheel,
}

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// A job for minions, as a publish load without a user.
    Local(Map),
    /// A function of the master.
    Master(Kind, String, Args),
    /// An execution function where the reactor runs.
    Caller(String, Args),
}

/// Why nothing is called, in stock's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

fn refused<T>(text: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(text.into()))
}

/// What a chunk calls. `functions` are those of runners or wheel functions, where there are any.
///
/// # Errors
/// What is wrong with it.
pub fn read<'r>(chunk: &Map, functions: impl FnOnce(Kind) -> Option<&'r Registry>) -> Result<Call, Refused> {
    let shown = |key: &str| chunk.get(key).map(python_str).unwrap_or_default();
    let (id, state, fun) = (shown("__id__"), shown("state"), shown("fun"));
    let failed = format!("Reactor '{id}' failed to execute {state} '{fun}'");
    let kind = match state.as_str() {
        "local" | "caller" => None,
        "runner" => Some(Kind::Runner),
        "wheel" => Some(Kind::Wheel),
        _ => return refused(format!("ReactWrap is missing a wrapper function for '{state}'")),
    };
    if state == "local" && !chunk.contains("tgt") {
        return refused(format!("{failed}: local takes at least 2 arguments (1 given)"));
    }
    let (arg, kwarg) = match chunk.get("args") {
        Some(args) => newer(chunk, &id, args, &failed)?,
        None => {
            let (mut arg, mut kwarg) = (chunk.get("arg").cloned(), chunk.get("kwarg").cloned());
            if let Some(kind) = kind
                && (arg.is_none() || kwarg.is_none())
            {
                let Some(function) = functions(kind).and_then(|all| all.get(&fun)) else {
                    return refused(format!("{failed}: function not available"));
                };
                let own = beside(function, &fun, chunk).map_err(|e| Refused(format!("{failed}: {e}")))?;
                arg.get_or_insert(own.positional.into());
                kwarg.get_or_insert(own.keyword.into());
            }
            (arg.unwrap_or_else(|| Value::List(Vec::new())), kwarg.unwrap_or_else(|| Map::new().into()))
        }
    };
    if state == "local" {
        return local(chunk, &fun, &arg, kwarg).map_err(|e| Refused(format!("{failed}: {e}")));
    }
    let positional = items(&arg).map_err(|e| Refused(format!("{failed}: {e}")))?;
    let Value::Map(keyword) = kwarg else {
        return refused(format!(
            "{failed}: argument after ** must be a mapping, not {}",
            python_type(&kwarg)
        ));
    };
    let args = Args { positional, keyword };
    Ok(match kind {
        Some(kind) => Call::Master(kind, fun, args),
        None => Call::Caller(fun, args),
    })
}

/// `args`: all by name, or for `caller` of old a list of values.
fn newer(chunk: &Map, id: &str, args: &Value, failed: &str) -> Result<(Value, Value), Refused> {
    let state = chunk.get_str("state").unwrap_or_default();
    for (item, given) in ["arg", "kwarg"].into_iter().filter_map(|item| Some((item, chunk.get(item)?))) {
        tracing::warn!(
            "Reactor '{id}' is ignoring '{item}' param {} due to presence of 'args' param. Check the Reactor System \
             documentation for the correct argument format.",
            python_str(given)
        );
    }
    let none = Value::List(Vec::new());
    match args {
        Value::List(list) if state == "caller" && !list.iter().all(|one| single(one).is_some()) => {
            Ok((args.clone(), Map::new().into()))
        }
        Value::Map(_) => Ok((none, args.clone())),
        other => match repacked(other) {
            packed if packed.is_empty() => refused(format!(
                "{failed}: Incorrect argument format, check the Reactor System documentation for the correct format."
            )),
            packed => Ok((none, packed.into())),
        },
    }
}

/// The pair of a dict of one key.
fn single(value: &Value) -> Option<(&Value, &Value)> {
    value.as_map().filter(|map| map.len() == 1)?.iter().next()
}

/// Stock's `repack_dictlist`, also of a list that is written as YAML.
fn repacked(data: &Value) -> Map {
    match data {
        Value::Str(text) => match brine_render::yaml::load(text) {
            Ok(read) => dictlist::repacked(&read),
            Err(e) => {
                tracing::error!("{e}");
                Map::new()
            }
        },
        other => dictlist::repacked(other),
    }
}

/// Stock's `format_call`: the parts of a chunk as arguments of a function.
fn beside(function: &Function, fun: &str, chunk: &Map) -> Result<Args, String> {
    let mut left = chunk.clone();
    let mut args = Args::none();
    let (mut positional, mut missing, mut any) = (Vec::new(), 0_usize, false);
    for param in function.params {
        match param.kind {
            ParamKind::Default(default) => {
                let value = left.remove(param.name).unwrap_or_else(default);
                args.keyword.insert(param.name, value);
            }
            ParamKind::Required => match left.remove(param.name) {
                Some(value) => positional.push(value),
                None => missing += 1,
            },
            ParamKind::KwArgs => any = true,
            ParamKind::VarArgs => {}
        }
    }
    if missing > 0 {
        let (used, all) = (positional.len(), positional.len() + missing);
        let plural = if all > 1 { "s" } else { "" };
        let name = function.name;
        return Err(format!("{name} takes at least {all} argument{plural} ({used} given)"));
    }
    args.positional = positional;
    let extra: Vec<(Value, Value)> = left
        .into_iter()
        .filter(|(key, _)| !key.as_str().is_some_and(|key| INTERNAL.contains(&key)))
        .collect();
    if any {
        extra.into_iter().for_each(|(key, value)| drop(args.keyword.insert(key, value)));
        return Ok(args);
    }
    let names: Vec<String> = extra.iter().map(|(key, _)| python_str(key)).collect();
    match names.split_last() {
        None => Ok(args),
        Some((one, [])) => Err(format!("'{one}' is an invalid keyword argument for '{fun}'")),
        Some((last, rest)) => {
            let rest: Vec<String> = rest.iter().map(|name| format!("'{name}'")).collect();
            Err(format!("{} and '{last}' are invalid keyword arguments for '{fun}'", rest.join(", ")))
        }
    }
}

/// The publish load of a job.
fn local(chunk: &Map, fun: &str, arg: &Value, kwarg: Value) -> Result<Call, String> {
    let get = |key: &str, default: Value| chunk.get(key).cloned().unwrap_or(default);
    let keyword = match kwarg {
        Value::Map(map) => map,
        // Stock's client leaves out what is no dict.
        _ => Map::new(),
    };
    // Reactor files of before 2017.7 name the type of their target so.
    let kind = chunk.get("tgt_type").or_else(|| chunk.get("expr_form")).cloned();
    let mut along: Map = chunk
        .iter()
        .filter(|(key, _)| !key.as_str().is_some_and(|key| OF_JOBS.contains(&key) || key == "args"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    along.remove("expr_form");
    Ok(Call::Local(map! {
        "cmd" => "publish", "tgt" => get("tgt", Value::Nil), "fun" => fun, "arg" => condition_input(items(arg)?, keyword),
        "tgt_type" => kind.unwrap_or_else(|| "glob".into()), "ret" => get("ret", "".into()),
        "jid" => get("jid", "".into()), "kwargs" => along,
    }))
}

/// What Python iterates over: also the characters of text and the keys of a dict.
fn items(value: &Value) -> Result<Vec<Value>, String> {
    match value {
        Value::List(list) => Ok(list.clone()),
        Value::Str(text) => Ok(text.chars().map(|c| c.to_string().into()).collect()),
        Value::Map(map) => Ok(map.keys().cloned().collect()),
        other => Err(format!("'{}' object is not iterable", python_type(other))),
    }
}
