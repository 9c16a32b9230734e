//! What dpkg is told to do with packages: keep them at their version, install, remove them.

use super::apt::{ask, call, code, drop_cache, stdout, text, words};
use super::debian;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::text::{is_true, python_str};
use brine_core::{Map, Value, map};

/// Whether packages are to be held.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Held.
    On,
    /// Held no longer.
    Off,
}

/// The selections of packages that match a glob, by state.
pub(super) fn selections(cx: &Cx, pattern: Option<&str>) -> Result<Map> {
    let pattern = pattern.filter(|pattern| !pattern.is_empty()).unwrap_or("*");
    parse(stdout(cx, &["dpkg", "--get-selections", pattern])?.split('\n'))
}

fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Map> {
    let mut found = Map::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let (name, state) = match parts[..] {
            [name, state] => (name, state),
            [] | [_] => {
                let text = format!("not enough values to unpack (expected 2, got {})", parts.len());
                return Err(CallError::exception("ValueError", text));
            }
            _ => return Err(CallError::exception("ValueError", "too many values to unpack (expected 2)")),
        };
        if let Value::List(names) = found.entry_or(state, || Value::List(Vec::new())) {
            names.push(name.into());
        }
    }
    Ok(found)
}

/// What is to be done with packages, by state: `install`, `hold`, `deinstall`, `purge`.
///
/// pattern: a glob that names match
/// state: only this state
///
/// CLI Example: salt '*' pkg.get_selections 'openssh*' state=hold
#[exec]
fn get_selections(cx: &Cx, pattern: Option<Value>, state: Option<Value>) -> Result<Map> {
    debian(cx)?;
    let found = selections(cx, pattern.filter(Value::truthy).map(|p| python_str(&p)).as_deref())?;
    Ok(match state.filter(Value::truthy).map(|state| python_str(&state)) {
        Some(state) => {
            let names = found.get(&state).cloned().unwrap_or_else(|| Value::List(Vec::new()));
            map! {state => names}
        }
        None => found,
    })
}

/// Say what is to be done with packages.
///
/// path: a file with selections as `dpkg --get-selections` prints them
/// selection: `{state: [packages]}`, instead of path
/// clear: forget all that was said before
/// saltenv: the environment that path is in
///
/// CLI Example: salt '*' pkg.set_selections selection='{"hold": ["openssh-server"]}'
#[exec]
fn set_selections(
    cx: &Cx,
    path: Option<Value>,
    selection: Option<Value>,
    #[default(false)] clear: Value,
    #[default("base")] saltenv: Value,
) -> Result<Map> {
    debian(cx)?;
    let (path, selection) = (path.filter(Value::truthy), selection.filter(Value::truthy));
    let selection = match (path, selection) {
        (None, None) => return Ok(Map::new()),
        (Some(_), Some(_)) => {
            return Err(CallError::invocation(
                "The 'selection' and 'path' arguments to pkg.set_selections are mutually exclusive, and cannot be \
                 specified together",
            ));
        }
        (Some(path), None) => {
            let cached = cx.call("cp.cache_file", Args::positional([path, saltenv]))?;
            let cached = cached.as_str().filter(|cached| !cached.is_empty()).ok_or_else(|| {
                CallError::exception("TypeError", "expected str, bytes or os.PathLike object, not bool")
            })?;
            let contents = std::fs::read_to_string(cached)?;
            parse(contents.lines())?
        }
        (None, Some(Value::Str(text))) => match brine_render::yaml::load(&text) {
            Ok(Value::Map(selection)) => selection,
            Ok(other) if !other.truthy() => return Ok(Map::new()),
            Ok(_) => return Err(CallError::invocation("Invalid state(s): ")),
            Err(e) => return Err(CallError::invocation(format!("Improperly-formatted selection: {e}"))),
        },
        (None, Some(Value::Map(selection))) => selection,
        (None, Some(_)) => return Ok(Map::new()),
    };
    select(cx, &selection, clear.truthy())
}

/// Tells dpkg these selections, as far as they are new to it; returns what was changed.
fn select(cx: &Cx, selection: &Map, clear: bool) -> Result<Map> {
    let wrong: Vec<String> = selection
        .keys()
        .map(python_str)
        .filter(|state| !matches!(&**state, "install" | "hold" | "deinstall" | "purge"))
        .collect();
    if !wrong.is_empty() {
        return Err(CallError::invocation(format!("Invalid state(s): {}", wrong.join(", "))));
    }
    if clear && !cx.test && !selection.is_empty() {
        let out = ask(cx, &["dpkg", "--clear-selections"])?;
        if code(&out) != 0 {
            let error = format!("Running dpkg --clear-selections failed: {}", text(&out, "stderr"));
            tracing::error!("{error}");
            return Err(CallError::execution(error));
        }
    }
    let known = selections(cx, None)?;
    let state_of = |name: &Value| {
        let holds = |list: &Value| list.as_list().is_some_and(|list| list.contains(name));
        known.iter().rfind(|(_, list)| holds(list)).map(|(state, _)| state.clone())
    };
    let mut ret = Map::new();
    for (state, names) in selection.iter() {
        let names = match names {
            Value::List(names) => names.clone(),
            Value::Str(text) => text.chars().map(|c| Value::from(c.to_string())).collect(),
            _ => Vec::new(),
        };
        for name in names {
            let before = state_of(&name);
            if before.as_ref() == Some(state) || cx.test {
                continue;
            }
            let line = format!("{} {}", python_str(&name), python_str(state));
            let out = call(cx, &words(&["dpkg", "--set-selections"]), false, &map! {"stdin" => line})?;
            if code(&out) == 0 {
                drop_cache();
                ret.insert(name, map! {"old" => before, "new" => state.clone()});
            } else {
                tracing::error!("failed to set state {} for package {}", python_str(state), python_str(&name));
            }
        }
    }
    Ok(ret)
}

/// Holds packages or lets them go, and returns a state's result for each.
pub(super) fn set_hold(cx: &Cx, names: &[Value], wanted: Hold) -> Result<Map> {
    let mut ret = Map::new();
    for name in names {
        let name = match name {
            Value::Map(one) => one.keys().next().map(python_str).unwrap_or_default(),
            other => python_str(other),
        };
        let known = selections(cx, Some(&name))?;
        let held = known.get("hold").is_some_and(|held| match held {
            Value::List(list) => !list.is_empty(),
            other => is_true(other),
        });
        let mut one = map! {"name" => name.as_str(), "changes" => Map::new(), "result" => false, "comment" => ""};
        let (state, would, done, already) = match wanted {
            Hold::On => ("hold", "is set to be held", "is now being held", "is already set to be held"),
            Hold::Off => ("install", "is set not to be held", "is no longer being held", "is already set not to be held"),
        };
        let comment = if wanted == Hold::Off && known.is_empty() {
            format!("Package {name} does not have a state.")
        } else if held == (wanted == Hold::On) {
            one.insert("result", true);
            format!("Package {name} {already}.")
        } else if cx.test {
            one.insert("result", ());
            format!("Package {name} {would}.")
        } else {
            let mut changed = select(cx, &map! {state => vec![name.as_str()]}, false)?;
            let changed =
                changed.remove(&name).ok_or_else(|| CallError::exception("KeyError", format!("'{name}'")))?;
            one.insert("changes", changed);
            one.insert("result", true);
            format!("Package {name} {done}.")
        };
        one.insert("comment", comment);
        ret.insert(name, one);
    }
    Ok(ret)
}

fn named(name: Option<Value>, pkgs: Option<Value>, sources: Option<Value>) -> Result<Vec<Value>> {
    let filled = |value: Option<Value>| value.filter(Value::truthy);
    let items = |value: Value| match value {
        Value::List(list) => list,
        Value::Map(map) => map.keys().cloned().collect(),
        Value::Str(text) => text.chars().map(|c| Value::from(c.to_string())).collect(),
        other => vec![other],
    };
    match (filled(name), filled(pkgs), filled(sources)) {
        (None, None, None) => {
            Err(CallError::invocation("One of name, pkgs, or sources must be specified."))
        }
        (_, Some(_), Some(_)) => Err(CallError::invocation("Only one of pkgs or sources can be specified.")),
        (_, Some(pkgs), None) => Ok(items(pkgs)),
        (_, None, Some(sources)) => Ok(items(sources)),
        (Some(name), None, None) => Ok(vec![name]),
    }
}

/// Keep packages at their versions: they are not upgraded.
///
/// name: the package
/// pkgs: several packages
/// sources: several packages, as `pkg.install` takes them
///
/// CLI Example: salt '*' pkg.hold pkgs='["foo", "bar"]'
#[exec]
fn hold(cx: &Cx, name: Option<Value>, pkgs: Option<Value>, sources: Option<Value>, kwargs: KwArgs) -> Result<Map> {
    debian(cx)?;
    let _more = kwargs;
    set_hold(cx, &named(name, pkgs, sources)?, Hold::On)
}

/// Let packages be upgraded again.
///
/// name: the package
/// pkgs: several packages
/// sources: several packages, as `pkg.install` takes them
///
/// CLI Example: salt '*' pkg.unhold <package name>
#[exec]
fn unhold(cx: &Cx, name: Option<Value>, pkgs: Option<Value>, sources: Option<Value>, kwargs: KwArgs) -> Result<Map> {
    debian(cx)?;
    let _more = kwargs;
    set_hold(cx, &named(name, pkgs, sources)?, Hold::Off)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections_are_read_by_state() {
        let found = parse("a\t\tinstall\nb hold\nc\tinstall".split('\n')).unwrap();
        assert_eq!(found, map! {"install" => vec!["a", "c"], "hold" => vec!["b"]});
        assert!(parse(["a"].into_iter()).is_err());
        assert!(parse(["a b c"].into_iter()).is_err());
    }

    #[test]
    fn packages_are_named_in_one_way() {
        assert!(named(None, None, None).is_err());
        assert!(named(None, Some(vec!["a"].into()), Some(vec!["b"].into())).is_err());
        assert_eq!(named(Some("x".into()), Some(map! {"a" => ()}.into()), None).unwrap(), ["a".into()]);
    }
}
