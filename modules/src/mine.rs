//! The mine: results of functions that this minion gives to its master (or keeps, without one) for others to read.

mod docker;

use crate::datastore;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, VarArgs, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use docker::exec_get_docker;
use std::collections::BTreeSet;
use std::time::Duration;

module! { "mine": delete, flush, get, get_docker, send, update, valid }

/// How long the master may take for one request; stock's own limit.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Marks a value that only some minions may read, and holds it.
const ACL_ID: &str = "__saltmine_acl__";
const ACL_DATA: &str = "__data__";

/// Where a minion without a master keeps its mine.
const LOCAL: &str = "mine_cache";

fn is_local(cx: &Cx) -> bool {
    cx.opts.str("file_client") == "local"
}

/// One entry of `mine_functions`: another function than its name, arguments, and who may read it.
struct Definition {
    function: Option<String>,
    args: Args,
    allow: Map,
}

impl Definition {
    fn new(value: &Value) -> Self {
        let mut args = Args::none();
        match value {
            Value::Map(map) => args.keyword = map.clone(),
            Value::List(list) => {
                for item in list {
                    match item {
                        Value::Map(map) => args.keyword.update(map.clone()),
                        other => args.positional.push(other.clone()),
                    }
                }
            }
            _ => {}
        }
        Self {
            function: args.keyword.remove("mine_function").filter(Value::truthy).map(|name| python_str(&name)),
            allow: allowed(&mut args.keyword),
            args,
        }
    }
}

fn allowed(keyword: &mut Map) -> Map {
    ["allow_tgt", "allow_tgt_type"]
        .into_iter()
        .filter_map(|key| Some((key, keyword.remove(key).filter(Value::truthy)?)))
        .collect()
}

/// A result, wrapped if only some may read it.
fn wrapped(result: Value, allow: Map) -> Value {
    if !allow.contains("allow_tgt") {
        return result;
    }
    let mut item = map! { ACL_DATA => result, ACL_ID => 1 };
    item.update(allow);
    item.into()
}

fn available(cx: &Cx, name: &str) -> bool {
    let known = cx.registry.get(name).is_some();
    if !known {
        tracing::error!("Function {name} in mine_functions not available");
    }
    known
}

fn store(cx: &Cx, data: Map, clear: bool) -> Result<bool> {
    if is_local(cx) {
        datastore::change(cx, LOCAL, |all| {
            if clear {
                *all = Map::new();
            }
            all.update(data);
        })?;
        return Ok(true);
    }
    request(cx, map! { "cmd" => "_mine", "data" => data, "id" => cx.opts.str("id"), "clear" => clear })
}

fn local(cx: &Cx) -> Map {
    datastore::load(cx).get(LOCAL).and_then(Value::as_map).cloned().unwrap_or_default()
}

/// Whether the master took it.
fn request(cx: &Cx, load: Map) -> Result<bool> {
    match cx.host.master_request(load, TIMEOUT) {
        Ok(_) => Ok(true),
        Err(CallError::Cancelled) => Err(CallError::Cancelled),
        Err(e) => {
            tracing::error!("Mine data was not transmitted: {e}");
            Ok(false)
        }
    }
}

fn configured(cx: &Cx) -> Result<Map> {
    let merged = cx.call("config.merge", Args::positional(["mine_functions".into(), Value::Map(Map::new())]))?;
    Ok(functions(merged).unwrap_or_default())
}

/// Functions by name: a dict, or a list of names.
fn functions(value: Value) -> Option<Map> {
    match value {
        Value::Map(map) => Some(map),
        Value::List(names) => Some(names.into_iter().map(|name| (name, Map::new())).collect()),
        _ => None,
    }
}

/// Run the functions of the option `mine_functions`, or those given as list or dict, and put their results into the
/// mine. `clear` empties it first.
///
/// CLI Example: salt '*' mine.update mine_functions='["network.ip_addrs"]'
#[exec]
fn update(cx: &Cx, #[default(false)] clear: bool, mine_functions: Option<Value>) -> Result {
    let wanted = match mine_functions.filter(Value::truthy) {
        Some(given) => functions(given),
        None => Some(configured(cx)?).filter(|map| !map.is_empty()),
    };
    let Some(wanted) = wanted else { return Ok(Value::Nil) };
    let mut data = Map::new();
    for (alias, value) in &wanted {
        let definition = Definition::new(value);
        let name = definition.function.unwrap_or_else(|| python_str(alias));
        if !available(cx, &name) {
            continue;
        }
        match cx.call(&name, definition.args) {
            Ok(result) => {
                data.insert(alias.clone(), wrapped(result, definition.allow));
            }
            Err(CallError::Cancelled) => return Err(CallError::Cancelled),
            Err(e) => tracing::error!("Function {name} in mine.update failed to execute: {e}"),
        }
    }
    store(cx, data, clear).map(Value::from)
}

/// Run one function and put its result into the mine under `name`, or under that name the result of `mine_function`.
/// `allow_tgt` and `allow_tgt_type` say who may read it.
///
/// CLI Example: salt '*' mine.send eth0_ip_addrs mine_function=network.ip_addrs eth0
#[exec]
fn send(cx: &Cx, name: String, args: VarArgs, kwargs: KwArgs) -> Result<bool> {
    let mut keyword = kwargs.clean();
    let function = keyword.remove("mine_function").filter(Value::truthy).map(|name| python_str(&name));
    let function = function.unwrap_or_else(|| name.clone());
    let allow = allowed(&mut keyword);
    match cx.call(&function, Args { positional: args.0, keyword }) {
        Ok(result) => store(cx, map! { name => wrapped(result, allow) }, false),
        Err(CallError::Cancelled) => Err(CallError::Cancelled),
        Err(e) => {
            tracing::error!("Function {function} in mine.send failed to execute: {e}");
            Ok(false)
        }
    }
}

/// What the minions of a target have in the mine for a function, by id; for several functions (a list, or text with
/// commas) by function and id. `exclude_minion` leaves out this minion.
///
/// CLI Example: salt '*' mine.get '*' network.interfaces
#[exec]
fn get(
    cx: &Cx,
    tgt: Value,
    fun: Value,
    #[default("glob")] tgt_type: String,
    #[default(false)] exclude_minion: bool,
) -> Result {
    let id = cx.opts.str("id");
    if is_local(cx) {
        return get_local(cx, id, tgt, &fun, &tgt_type).map(Value::from);
    }
    let load = map! { "cmd" => "_mine_get", "id" => id, "tgt" => tgt, "fun" => fun, "tgt_type" => tgt_type };
    let mut result = cx.host.master_request(load, TIMEOUT)?;
    if exclude_minion && let Some(map) = result.as_map_mut() {
        map.remove(id);
    }
    Ok(result)
}

fn get_local(cx: &Cx, id: &str, tgt: Value, fun: &Value, tgt_type: &str) -> Result<Map> {
    let mut result = Map::new();
    if !cx.call(&format!("match.{tgt_type}"), Args::positional([tgt]))?.truthy() {
        return Ok(result);
    }
    let (names, by_function) = match fun {
        Value::Str(text) => {
            let names: BTreeSet<&str> = text.split(',').collect();
            (names.iter().map(|name| (*name).to_owned()).collect(), names.len() > 1)
        }
        Value::List(names) => (names.iter().map(python_str).collect::<Vec<_>>(), true),
        _ => return Ok(result),
    };
    let data = local(cx);
    for name in names {
        let Some(item) = data.get(&name) else { continue };
        let acl = item.get(ACL_ID).is_some();
        let value = if acl { item.get(ACL_DATA).cloned().unwrap_or_default() } else { item.clone() };
        if by_function {
            result.insert(name, map! { id => value });
        } else {
            result.insert(id, value);
        }
    }
    Ok(result)
}

/// Remove one function's results of this minion from the mine.
///
/// CLI Example: salt '*' mine.delete 'network.interfaces'
#[exec]
fn delete(cx: &Cx, fun: String) -> Result<bool> {
    if is_local(cx) {
        datastore::change(cx, LOCAL, |all| drop(all.remove(&fun)))?;
        return Ok(true);
    }
    request(cx, map! { "cmd" => "_mine_delete", "id" => cx.opts.str("id"), "fun" => fun })
}

/// Remove all that this minion has in the mine.
///
/// CLI Example: salt '*' mine.flush
#[exec]
fn flush(cx: &Cx) -> Result<bool> {
    if is_local(cx) {
        datastore::change(cx, LOCAL, |all| *all = Map::new())?;
        return Ok(true);
    }
    request(cx, map! { "cmd" => "_mine_flush", "id" => cx.opts.str("id") })
}

/// The entries of the option `mine_functions` whose functions exist.
///
/// CLI Example: salt '*' mine.valid
#[exec]
fn valid(cx: &Cx) -> Result {
    let wanted = configured(cx)?;
    if wanted.is_empty() {
        return Ok(Value::Nil);
    }
    let mut valid = Map::new();
    for (alias, value) in &wanted {
        let definition = Definition::new(value);
        let name = definition.function.clone().unwrap_or_else(|| python_str(alias));
        if !available(cx, &name) {
            continue;
        }
        let shown = match definition.function {
            Some(function) => {
                let mut args = definition.args.positional;
                args.extend(definition.args.keyword.into_iter().map(|(k, v)| {
                    let one: Map = [(k, v)].into_iter().collect();
                    Value::Map(one)
                }));
                map! { function => args }.into()
            }
            None => value.clone(),
        };
        valid.insert(alias.clone(), shown);
    }
    Ok(valid.into())
}
