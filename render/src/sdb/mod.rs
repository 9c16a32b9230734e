//! The Salt DB: values that live elsewhere, named by `sdb://profile/key`. A profile is an option or a pillar value that names
//! its driver.
//!
//! A driver is a file with a [`Driver`] and a line in [`DRIVERS`]. What it gives is a secret as a rule: nothing here logs it.

mod env;
mod http;
mod rest;
mod sqlite3;
mod vault;
mod yaml;

pub use vault::Secrets;

use brine_core::call::{CallError, Result};
use brine_core::{Cx, Map, Opts, Value};
use std::sync::Arc;

const PREFIX: &str = "sdb://";

/// One kind of store. Functions that stock's driver lacks are absent.
struct Driver {
    name: &'static str,
    get: fn(&Cx, &str, &Map) -> Result,
    set: fn(&Cx, &str, Value, &Map) -> Result,
}

const DRIVERS: &[&Driver] = &[&env::DRIVER, &rest::DRIVER, &sqlite3::DRIVER, &vault::DRIVER, &yaml::DRIVER];

/// Drivers of stock's that are not here.
const REFUSED: &[&str] =
    &["cache", "confidant", "consul", "couchdb", "etcd", "keyring", "memcached", "redis", "tism"];

/// A URI taken apart.
struct Found {
    profile: Map,
    key: String,
}

/// Why a URI cannot be followed.
enum Broken {
    Form,
    Profile(String),
}

/// The profile and the key of a URI that begins as one.
fn find(cx: &Cx, uri: &str) -> std::result::Result<Found, Broken> {
    let rest = &uri[PREFIX.len()..];
    let (name, key) = rest.split_once('/').filter(|(_, key)| !key.is_empty()).ok_or(Broken::Form)?;
    let profile = cx
        .opts
        .get(name)
        .filter(|profile| profile.truthy())
        .or_else(|| cx.pillar.get(name))
        .and_then(Value::as_map)
        .filter(|profile| profile.contains("driver"))
        .ok_or_else(|| Broken::Profile(name.to_owned()))?;
    Ok(Found { profile: profile.clone(), key: key.to_owned() })
}

/// The driver of a profile.
fn driver(profile: &Map, function: &str) -> Result<&'static Driver> {
    let name = profile.get("driver").map(brine_core::text::python_str).unwrap_or_default();
    if REFUSED.contains(&name.as_str()) {
        return Err(CallError::execution(format!(
            "The sdb driver \"{name}\" is not supported; there are env, rest, sqlite3, vault and yaml"
        )));
    }
    let found = DRIVERS.iter().copied().find(|driver| driver.name == name);
    found.ok_or_else(|| missing(&name, function))
}

/// What stock raises for a function that no driver has.
fn missing(driver: &str, function: &str) -> CallError {
    CallError::exception("KeyError", format!("'{driver}.{function}'"))
}

fn as_uri(value: &Value) -> Option<&str> {
    value.as_str().filter(|uri| uri.starts_with(PREFIX))
}

/// The value that a URI names. What is no URI, or names no profile, is returned as it is, unless `strict`.
///
/// # Errors
/// `SaltInvocationError` with `strict`; what the driver raises.
pub fn get(cx: &Cx, uri: &Value, strict: bool) -> Result {
    let wrong = |text: String| if strict { Err(CallError::Invocation(text)) } else { Ok(uri.clone()) };
    let Some(text) = as_uri(uri) else { return wrong("SDB uri must start with \"sdb://\"".into()) };
    match find(cx, text) {
        Ok(found) => (driver(&found.profile, "get")?.get)(cx, &found.key, &found.profile),
        Err(Broken::Form) => {
            wrong("SDB uri must have a profile name as a first part of the uri before the /".into())
        }
        Err(Broken::Profile(name)) => {
            wrong(format!("SDB profile \"{name}\" wasnt found in the minion configuration"))
        }
    }
}

/// Sets the value that a URI names; `False` for what is no URI.
///
/// # Errors
/// What the driver raises.
pub fn set(cx: &Cx, uri: &Value, value: Value) -> Result {
    match as_uri(uri).map(|text| find(cx, text)) {
        Some(Ok(found)) => (driver(&found.profile, "set")?.set)(cx, &found.key, value, &found.profile),
        _ => Ok(false.into()),
    }
}

/// Deletes the value that a URI names; `False` for what is no URI. None of the drivers here can.
///
/// # Errors
/// `KeyError`, as in stock: none of these drivers has the function.
pub fn delete(cx: &Cx, uri: &Value) -> Result {
    match as_uri(uri).map(|text| find(cx, text)) {
        Some(Ok(found)) => Err(missing(driver(&found.profile, "delete")?.name, "delete")),
        _ => Ok(false.into()),
    }
}

/// The value that a URI names; where there is none, a new random text that is stored there.
///
/// # Errors
/// What the driver raises; `IndexError` where there is nothing to choose from.
pub fn get_or_set_hash(cx: &Cx, uri: &Value, length: i64, chars: &str) -> Result {
    if as_uri(uri).is_none() {
        return Ok(false.into());
    }
    let found = get(cx, uri, false)?;
    if !found.is_nil() {
        return if found.truthy() {
            Ok(found)
        } else {
            // Stock looks for a text that it did not make.
            Err(CallError::exception(
                "UnboundLocalError",
                "cannot access local variable 'val' where it is not associated with a value",
            ))
        };
    }
    let value = Value::from(random(length, chars)?);
    set(cx, uri, value.clone())?;
    Ok(value)
}

/// Random characters out of these.
fn random(length: i64, chars: &str) -> Result<String> {
    let chars: Vec<char> = chars.chars().collect();
    let mut out = String::new();
    if length > 1 << 20 {
        return Err(CallError::exception("MemoryError", ""));
    }
    for _ in 0..length.max(0) {
        let Some(bound) = u32::try_from(chars.len()).ok().filter(|n| *n > 0) else {
            return Err(CallError::exception("IndexError", "Cannot choose from an empty sequence"));
        };
        // The rest of the range would make the first characters more likely.
        let fair = u32::MAX - u32::MAX % bound;
        let number = loop {
            let mut bytes = [0; 4];
            getrandom::fill(&mut bytes).map_err(|e| CallError::exception("OSError", e.to_string()))?;
            match u32::from_ne_bytes(bytes) {
                number if number < fair => break number,
                _ => {}
            }
        };
        out.push(chars[(number % bound) as usize]);
    }
    Ok(out)
}

/// Puts the values that URIs anywhere in the options name in their places: stock's `apply_sdb`.
///
/// # Errors
/// What a driver raises.
pub fn apply(opts: &mut Map) -> Result<()> {
    if !opts.iter().any(|(_, value)| has_uri(value, 0)) {
        return Ok(());
    }
    let keys: Vec<Value> = opts.keys().cloned().collect();
    for key in keys {
        let Some(value) = opts.get_key(&key).filter(|value| has_uri(value, 0)).cloned() else { continue };
        // What was found before counts for what comes after.
        let cx = Cx::new(
            Arc::new(Opts::new(opts.clone())),
            Arc::new(brine_core::Registry::new([])),
            Arc::new(brine_core::host::NoHost),
        );
        let value = resolved(&cx, value)?;
        opts.insert(key, value);
    }
    Ok(())
}

/// How deep options are looked through.
const MAX_DEPTH: usize = 100;

fn has_uri(value: &Value, depth: usize) -> bool {
    match value {
        Value::Str(text) => text.starts_with(PREFIX),
        Value::List(items) if depth < MAX_DEPTH => items.iter().any(|item| has_uri(item, depth + 1)),
        Value::Map(map) if depth < MAX_DEPTH => map.iter().any(|(_, value)| has_uri(value, depth + 1)),
        _ => false,
    }
}

fn resolved(cx: &Cx, value: Value) -> Result {
    match value {
        Value::Str(_) => get(cx, &value, false),
        Value::List(items) => {
            items.into_iter().map(|item| resolved(cx, item)).collect::<Result<Vec<_>>>().map(Into::into)
        }
        Value::Map(map) => {
            let mut out = Map::new();
            for (key, value) in map {
                out.insert(key, resolved(cx, value)?);
            }
            Ok(out.into())
        }
        other => Ok(other),
    }
}
