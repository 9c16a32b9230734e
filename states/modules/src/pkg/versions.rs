//! Whether versions are what a state asks for: `1.2`, `1.*`, `>=1.2,<2`.

use brine_core::apt::split_comparison;
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::target::fnmatch;
use brine_core::text::python_str;
use brine_core::{Map, Value};

/// The conditions of a text, as operator and version.
fn conditions(wanted: &str) -> Vec<(String, String)> {
    let wanted = wanted.trim();
    if wanted.is_empty() {
        return Vec::new();
    }
    wanted
        .split(',')
        .map(|condition| {
            let (operator, version) = split_comparison(condition.trim());
            let operator = if matches!(operator, "=" | "") { "==" } else { operator };
            (operator.to_owned(), version.to_owned())
        })
        .collect()
}

fn holds(cx: &Cx, version: &str, operator: &str, wanted: &str, ignore_epoch: Option<bool>) -> Result<bool> {
    if operator == "==" && fnmatch(version, wanted) {
        return Ok(true);
    }
    // Left open, epochs count where something is ordered or one is named.
    let ignore = ignore_epoch.unwrap_or_else(|| !operator.contains(['<', '>']) && !wanted.contains(':'));
    let known = ["<", "<=", "==", "!=", ">=", ">"];
    if !known.contains(&operator) {
        tracing::error!("Invalid operator '{operator}' for version comparison");
        return Ok(false);
    }
    let args = Args::positional([version, wanted]).with("ignore_epoch", ignore);
    let Some(order) = cx.call("pkg.version_cmp", args)?.as_int() else { return Ok(false) };
    Ok(match operator {
        "<" => order < 0,
        "<=" => order <= 0,
        "==" => order == 0,
        "!=" => order != 0,
        ">=" => order >= 0,
        _ => order > 0,
    })
}

/// Whether one of the installed versions meets all conditions. With `updates`, a newer one does where one version is named.
pub(super) fn fulfilled(
    cx: &Cx,
    installed: &[Value],
    wanted: &str,
    ignore_epoch: Option<bool>,
    updates: bool,
) -> Result<bool> {
    let conditions = conditions(wanted);
    for version in installed {
        let version = python_str(version);
        let mut all = true;
        for (operator, wanted) in &conditions {
            let newer = updates && conditions.len() == 1 && operator == "==";
            let operator = if newer { ">=" } else { operator };
            all = all && holds(cx, &version, operator, wanted, ignore_epoch)?;
        }
        if all {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The versions of a package in a list of packages: a list of them, or a dict with them as keys.
pub(super) fn of(packages: &Map, name: &str) -> Vec<Value> {
    match packages.get(name) {
        Some(Value::List(versions)) => versions.clone(),
        Some(Value::Map(versions)) => versions.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

/// Which packages are as they should be, and which are not.
pub(super) fn verified(
    cx: &Cx,
    desired: &Map,
    now: &Map,
    ignore_epoch: Option<bool>,
) -> Result<(Vec<String>, Vec<String>)> {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (name, wanted) in desired.iter() {
        let name = python_str(name);
        let plain = name.split('=').next().unwrap_or_default().to_owned();
        let mut found = plain.clone();
        let mut have = of(now, &plain);
        if have.is_empty() {
            found = super::ask::normalized(cx, &plain)?;
            have = of(now, &found);
        }
        let wanted = if wanted.is_nil() { String::new() } else { python_str(wanted) };
        let fine = if have.is_empty() {
            false
        } else if wanted == "latest" || wanted.is_empty() {
            true
        } else {
            let begins = match (wanted.strip_suffix('*'), now.get(&found)) {
                (Some(_), Some(Value::Map(_))) => return Err(CallError::exception("KeyError", "0")),
                (Some(begin), _) => python_str(&have[0]).starts_with(begin),
                (None, _) => false,
            };
            begins || fulfilled(cx, &have, &wanted, ignore_epoch, false)?
        };
        if fine { &mut good } else { &mut bad }.push(name);
    }
    Ok((good, bad))
}

/// A package as states name it in comments: with the version or condition that was asked for.
pub(super) fn shown(name: &str, desired: &Map) -> String {
    match desired.get(name).filter(|version| version.truthy()).map(python_str) {
        Some(version) if version.starts_with(['<', '>', '=']) => format!("{name}{version}"),
        Some(version) => format!("{name}={version}"),
        None => name.to_owned(),
    }
}

/// Packages as states name them, with commas between.
pub(super) fn all_shown(names: &[String], desired: &Map) -> String {
    names.iter().map(|name| shown(name, desired)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn conditions_are_separated_by_commas() {
        let pairs = |text| conditions(text).into_iter().map(|(o, v)| o + &v).collect::<Vec<_>>();
        assert_eq!(pairs(" >= 1.2, <2 "), [">=1.2", "<2"]);
        assert_eq!(pairs("=1"), ["==1"]);
        assert_eq!(pairs("1.*"), ["==1.*"]);
        assert_eq!(pairs("  "), Vec::<String>::new());
    }

    #[test]
    fn packages_are_named_with_their_versions() {
        let desired = map! {"a" => (), "b" => "1", "c" => ">=1"};
        assert_eq!(all_shown(&["a".into(), "b".into(), "c".into()], &desired), "a, b=1, c>=1");
    }
}
