//! Environment variables as jobs see them.
//!
//! Under stock Salt every job is a process of its own, so what it sets dies with it. Here jobs are threads of one
//! process, whose real environment is never changed: a job's settings are kept with the job, and those made with
//! `update_minion` in a table of the minion's.

use brine_core::call::{Args, Cx, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::sync::{PoisonError, RwLock};

module! { "environ": get, has_value, item, items, setenv, setval }

/// Settings of the whole minion: name and value, or `None` where it was removed.
static MINION: RwLock<BTreeMap<String, Option<String>>> = RwLock::new(BTreeMap::new());

/// Where a job's settings are kept in its context.
const CONTEXT: &str = "environ.settings";

/// The environment that a command of this job starts with. Values need not be text.
pub(crate) fn current(cx: &Cx) -> BTreeMap<String, OsString> {
    let mut all: BTreeMap<String, OsString> =
        std::env::vars_os().map(|(key, value)| (key.to_string_lossy().into_owned(), value)).collect();
    let minion = MINION.read().unwrap_or_else(PoisonError::into_inner).clone();
    let job = job_settings(cx);
    let job = job.iter().map(|(key, value)| (python_str(key), value.as_str().map(str::to_owned)));
    for (key, value) in minion.into_iter().chain(job) {
        match value {
            Some(value) => all.insert(key, value.into()),
            None => all.remove(&key),
        };
    }
    all
}

/// Puts a change in force for all later jobs: what a minion does on the event `environ_setenv`.
pub fn apply_to_minion(environ: &Map, false_unsets: bool, clear_all: bool) {
    let mut minion = MINION.write().unwrap_or_else(PoisonError::into_inner);
    if clear_all {
        for (key, _) in std::env::vars_os() {
            let key = key.to_string_lossy().into_owned();
            if !environ.contains(&key) {
                minion.insert(key, unset(false_unsets));
            }
        }
    }
    for (key, value) in environ {
        let value = value.as_str().map_or_else(|| unset(false_unsets), |value| Some(value.to_owned()));
        minion.insert(python_str(key), value);
    }
}

/// The environment as text.
pub(crate) fn as_map(cx: &Cx) -> Map {
    current(cx).into_iter().map(|(key, value)| (key, value.to_string_lossy().into_owned())).collect()
}

fn variable(cx: &Cx, name: &str) -> Option<Value> {
    current(cx).get(name).map(|value| text(value))
}

fn text(value: &OsStr) -> Value {
    value.to_string_lossy().into_owned().into()
}

fn unset(false_unsets: bool) -> Option<String> {
    if false_unsets { None } else { Some(String::new()) }
}

fn job_settings(cx: &Cx) -> Map {
    cx.job.context(CONTEXT).and_then(|value| value.as_map().cloned()).unwrap_or_default()
}

fn set_for_job(cx: &Cx, key: &str, value: Option<&str>) {
    let mut settings = job_settings(cx);
    settings.insert(key, value);
    cx.job.set_context(CONTEXT, settings);
}

/// The result of one setting, as stock returns it: the value, `None` when removed, `False` when refused.
fn set(cx: &Cx, key: &Value, value: &Value, false_unsets: bool) -> Value {
    let Some(name) = key.as_str() else { return false.into() };
    if name.is_empty() || name.contains(['=', '\0']) {
        return false.into();
    }
    match value {
        Value::Bool(false) if false_unsets => {
            set_for_job(cx, name, None);
            Value::Nil
        }
        Value::Bool(false) => {
            set_for_job(cx, name, Some(""));
            "".into()
        }
        Value::Str(text) if !text.contains('\0') => {
            set_for_job(cx, name, Some(text));
            value.clone()
        }
        _ => false.into(),
    }
}

/// Set one environment variable for the rest of the job. `False` as value sets it to the empty string, or with
/// `false_unsets` removes it. Returns the new value. `permanent` concerns Windows only.
///
/// CLI Example: salt '*' environ.setval foo bar
#[exec]
fn setval(
    cx: &Cx,
    key: Value,
    val: Value,
    #[default(false)] false_unsets: Value,
    #[default(false)] _permanent: Value,
) -> Result {
    Ok(set(cx, &key, &val, false_unsets == Value::Bool(true)))
}

/// Set several environment variables from a dict, as `environ.setval` does. `clear_all` unsets all others first.
/// `update_minion` makes the change last for later jobs of the minion too.
///
/// CLI Example: salt '*' environ.setenv '{"foo": "bar", "baz": "quux"}' false_unsets=True
#[exec]
fn setenv(
    cx: &Cx,
    environ: Value,
    #[default(false)] false_unsets: Value,
    #[default(false)] clear_all: Value,
    #[default(false)] update_minion: Value,
    #[default(false)] permanent: Value,
) -> Result {
    let Value::Map(wanted) = &environ else { return Ok(false.into()) };
    let is_true = |value: &Value| *value == Value::Bool(true);
    let mut result = Map::new();
    if is_true(&clear_all) {
        for key in current(cx).into_keys().filter(|key| !wanted.contains(key)) {
            let key = Value::from(key);
            let done = set(cx, &key, &false.into(), is_true(&false_unsets));
            result.insert(key, done);
        }
    }
    for (key, value) in wanted {
        if !matches!(value, Value::Str(_) | Value::Bool(false)) {
            return Ok(false.into());
        }
        result.insert(key.clone(), set(cx, key, value, is_true(&false_unsets)));
    }
    if is_true(&update_minion) {
        apply_to_minion(wanted, is_true(&false_unsets), is_true(&clear_all));
        let data = map! {
            "environ" => environ.clone(), "false_unsets" => false_unsets, "clear_all" => clear_all,
            "permanent" => permanent,
        };
        cx.call("event.fire", Args::positional([Value::from(data), "environ_setenv".into()]))?;
    }
    Ok(result.into())
}

/// The value of one environment variable, or `default`.
///
/// CLI Example: salt '*' environ.get foo default=''
#[exec]
fn get(cx: &Cx, key: Value, #[default("")] default: Value) -> Result {
    let Some(name) = key.as_str() else { return Ok(false.into()) };
    Ok(variable(cx, name).unwrap_or(default))
}

/// Whether an environment variable is set, and with `value` whether it has that value.
///
/// CLI Example: salt '*' environ.has_value foo bar
#[exec]
fn has_value(cx: &Cx, key: Value, value: Option<Value>) -> Result<bool> {
    let found = key.as_str().and_then(|name| variable(cx, name));
    Ok(found.is_some_and(|found| value.is_none_or(|value| value == found)))
}

/// The values of one or several environment variables as a dict; those that are not set get `default`.
///
/// CLI Example: salt '*' environ.item '[foo, baz]' default=None
#[exec]
fn item(cx: &Cx, keys: Value, #[default("")] default: Value) -> Result<Map> {
    let environ = current(cx);
    let keys = match keys {
        Value::List(keys) => keys,
        one @ Value::Str(_) => vec![one],
        _ => Vec::new(),
    };
    let value = |key: &Value| environ.get(&python_str(key)).map_or(default.clone(), |value| text(value));
    Ok(keys.iter().map(|key| (key.clone(), value(key))).collect())
}

/// The whole environment as a dict.
///
/// CLI Example: salt '*' environ.items
#[exec]
fn items(cx: &Cx) -> Result<Map> {
    Ok(as_map(cx))
}
