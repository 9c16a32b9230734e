//! Adding, changing and removing beacons.

use super::{change, is_test, list, ret, tell};
use brine_core::call::{CallError, Cx, KwArgs, Result, exec};
use brine_core::difflib::unified_diff;
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value, map};

/// Add a beacon: its name, and its configuration as a list of dicts. `beacon_module` in there names its kind, if that is not its
/// name.
///
/// CLI Example: salt '*' beacons.add ps "[{'processes': {'salt-master': 'stopped', 'apache2': 'stopped'}}]"
#[exec]
pub(super) fn add(cx: &Cx, name: String, beacon_data: Value, kwargs: KwArgs) -> Result<Map> {
    let failed = ret(false, format!("Failed to add beacon {name}."));
    if list::all(cx)?.contains(&name) {
        return Ok(ret(true, format!("Beacon {name} is already configured.")));
    }
    let items = beacon_data.as_list().unwrap_or_default();
    let kind = items.iter().find_map(|item| item.get("beacon_module")).map_or_else(|| name.clone(), python_str);
    if !list::available(cx)?.contains(&kind.as_str().into()) {
        return Ok(ret(false, format!("Beacon \"{kind}\" is not available.")));
    }
    if is_test(&kwargs) {
        return Ok(ret(true, format!("Beacon: {name} would be added.")));
    }
    if let Some(refusal) = refused(cx, &name, &beacon_data, "adding")? {
        return Ok(refusal);
    }
    let request = map! { "name" => name.as_str(), "beacon_data" => beacon_data.clone() };
    Ok(match change(cx, "add", "add complete event", &kwargs, request)? {
        Ok(beacons) if beacons.get(&name) == Some(&beacon_data) => ret(true, format!("Added beacon: {name}.")),
        Ok(_) => failed,
        Err(comment) => ret(false, comment),
    })
}

/// What is said of a configuration that is none.
fn refused(cx: &Cx, name: &str, data: &Value, doing: &str) -> Result<Option<Map>> {
    let request = map! { "name" => name, "beacon_data" => data.clone() };
    let Some(answer) = tell(cx, "validate_beacon", request)? else {
        return Err(CallError::exception("TypeError", "'NoneType' object is not subscriptable"));
    };
    let said = answer.get_str("vcomment").unwrap_or_default();
    Ok((!answer.get("valid").is_some_and(Value::truthy))
        .then(|| ret(false, format!("Beacon {name} configuration invalid, not {doing}.\n{said}"))))
}

/// Change a beacon's configuration.
///
/// CLI Example: salt '*' beacons.modify ps "[{'salt-master': 'stopped'}, {'apache2': 'stopped'}]"
#[exec]
pub(super) fn modify(cx: &Cx, name: String, beacon_data: Value, kwargs: KwArgs) -> Result<Map> {
    let current = list::all(cx)?;
    let Some(current) = current.get(&name) else {
        return Ok(ret(true, format!("Beacon {name} is not configured.")));
    };
    if is_test(&kwargs) {
        return Ok(ret(true, format!("Beacon: {name} would be modified.")));
    }
    if let Some(refusal) = refused(cx, &name, &beacon_data, "modifying")? {
        return Ok(refusal);
    }
    if *current == beacon_data {
        return Ok(ret(true, format!("Job {name} in correct state")));
    }
    let diff = unified_diff(&lines(current)?, &lines(&beacon_data)?, ("", ""), 3).concat();
    let request = map! { "name" => name.as_str(), "beacon_data" => beacon_data.clone() };
    // Stock writes two spaces here.
    let mut ret = match change(cx, "modify", "modify complete  event", &kwargs, request)? {
        Ok(beacons) if beacons.get(&name) == Some(&beacon_data) => ret(true, format!("Modified beacon: {name}.")),
        Ok(_) => ret(true, ""),
        Err(comment) => ret(false, comment),
    };
    ret.insert("changes", map! { "diff" => diff });
    Ok(ret)
}

/// A line for each option.
fn lines(config: &Value) -> Result<Vec<String>> {
    let no_items = |value: &Value| {
        let text = format!("'{}' object has no attribute 'items'", python_type(value));
        CallError::exception("AttributeError", text)
    };
    let mut lines = Vec::new();
    for item in config.as_list().ok_or_else(|| no_items(&"".into()))? {
        let item = item.as_map().ok_or_else(|| no_items(item))?;
        lines.extend(item.iter().map(|(key, value)| format!("{}:{}\n", python_str(key), python_str(value))));
    }
    Ok(lines)
}

/// Remove a beacon.
///
/// CLI Example: salt '*' beacons.delete ps
#[exec]
pub(super) fn delete(cx: &Cx, name: String, kwargs: KwArgs) -> Result<Map> {
    if is_test(&kwargs) {
        return Ok(ret(true, format!("Beacon: {name} would be deleted.")));
    }
    Ok(match change(cx, "delete", "delete complete event", &kwargs, map! { "name" => name.as_str() })? {
        Ok(beacons) if !beacons.contains(&name) => ret(true, format!("Deleted beacon: {name}.")),
        Ok(_) => ret(false, format!("Failed to delete beacon {name}.")),
        Err(comment) => ret(false, comment),
    })
}

/// Forget every beacon of the configuration.
///
/// CLI Example: salt '*' beacons.reset
#[exec]
pub(super) fn reset(cx: &Cx, kwargs: KwArgs) -> Result<Map> {
    if is_test(&kwargs) {
        return Ok(ret(true, "Beacons would be reset."));
    }
    Ok(match change(cx, "reset", "reset event", &kwargs, Map::new())? {
        Ok(_) => ret(true, "Beacon configuration reset."),
        Err(comment) => ret(false, comment),
    })
}
