//! `pkg.latest`: packages are there at their newest versions.

use super::ask::{args, dict, is_empty_list, is_execution, refresh_wanted, repacked};
use brine_core::call::{CallError, Cx, KwArgs, Result, exec};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// Packages are installed at the newest versions that are to be had.
///
/// name: the package, where pkgs is not given
/// refresh: whether to refresh the lists of packages; left open, once in a run
/// fromrepo: the distribution to install from
/// skip_verify: install packages that nobody signed
/// pkgs: packages, by name
/// watch_flags: of use with Gentoo
///
/// Further arguments are those of `pkg.latest_version` and `pkg.install`.
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn latest(
    cx: &Cx,
    name: Value,
    refresh: Option<Value>,
    fromrepo: Option<Value>,
    #[default(false)] skip_verify: Value,
    pkgs: Option<Value>,
    #[default(true)] watch_flags: Value,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let _gentoo = watch_flags;
    let mut kwargs = kwargs.0;
    let refresh = refresh_wanted(cx, refresh.as_ref());
    if kwargs.get("sources").is_some_and(Value::truthy) {
        return Ok(Outcome::failed(name, "The \"sources\" parameter is not supported."));
    }
    let desired: Vec<Value> = if let Some(pkgs) = pkgs.as_ref().filter(|pkgs| pkgs.truthy()) {
        match repacked(cx, pkgs, true)? {
            Some(desired) => desired.keys().cloned().collect(),
            None => {
                let text = "Invalidly formatted \"pkgs\" parameter. See minion log.";
                return Ok(Outcome::failed(name, text));
            }
        }
    } else if is_empty_list(pkgs.as_ref()) {
        return Ok(Outcome::ok(name, "No packages to install provided"));
    } else {
        vec![name.clone()]
    };
    kwargs.insert("saltenv", cx.saltenv());
    let asked = |function: &str, mut args: brine_core::call::Args| -> Result<Map> {
        args.positional.clone_from(&desired);
        Ok(match cx.call(function, args)? {
            Value::Map(all) => all,
            one => map! {desired[0].clone() => one},
        })
    };
    let wanted = args(&kwargs).with("fromrepo", fromrepo.clone()).with("refresh", refresh);
    let available = match asked("pkg.latest_version", wanted) {
        Err(error) if is_execution(&error) => {
            return Ok(Outcome::failed(
                name,
                format!(
                    "An error was encountered while checking the newest available version of package(s): {error}"
                ),
            ));
        }
        other => other?,
    };
    let current = match asked("pkg.version", args(&kwargs)) {
        Err(error) if is_execution(&error) => return Ok(Outcome::failed(name, error.to_string())),
        other => other?,
    };
    let (mut targets, mut problems) = (Map::new(), Vec::new());
    for package in &desired {
        match available.get_key(package).filter(|version| version.truthy()) {
            Some(version) => {
                targets.insert(package.clone(), version.clone());
            }
            None if current.get_key(package).is_some_and(Value::truthy) => {}
            None => {
                let text = format!("No information found for '{}'.", python_str(package));
                tracing::error!("{text}");
                problems.push(text);
            }
        }
    }
    if !problems.is_empty() {
        return Ok(Outcome::failed(name, problems.join(" ")));
    }
    if targets.is_empty() {
        return Ok(Outcome::ok(name, up_to_date_text(&desired)));
    }
    let same = same(pkgs.as_ref(), &targets)?;
    if cx.test {
        return Ok(Outcome::would(name, would(&targets, &same, &current)));
    }
    let mut call = args(&kwargs);
    for (key, value) in [
        ("name", Value::Nil),
        ("refresh", false.into()),
        ("fromrepo", fromrepo.into()),
        ("skip_verify", skip_verify),
        ("pkgs", targets.keys().cloned().collect::<Vec<_>>().into()),
    ] {
        call.keyword.insert(key, value);
    }
    let changes = match dict(cx, "pkg.install", call) {
        Err(error) if is_execution(&error) => {
            let text = format!("An error was encountered while installing package(s): {error}");
            return Ok(Outcome::failed(name, text));
        }
        other => other?,
    };
    if changes.is_empty() {
        return Ok(Outcome::failed(name, unchanged(&targets, &same)));
    }
    let (comment, fine) = told(&targets, &changes, &same);
    Ok(Outcome { result: Some(fine), ..Outcome::ok(name, comment) }.with_changes(changes))
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// The packages of `pkgs` that need nothing.
fn same(pkgs: Option<&Value>, targets: &Map) -> Result<Vec<String>> {
    let Some(Value::List(pkgs)) = pkgs.filter(|pkgs| pkgs.truthy()) else { return Ok(Vec::new()) };
    if pkgs.iter().any(|one| matches!(one, Value::Map(_))) {
        return Err(CallError::exception("TypeError", "unhashable type: 'dict'"));
    }
    Ok(sorted(pkgs.iter().filter(|one| targets.get_key(one).is_none()).map(python_str)))
}

fn up_to_date_text(desired: &[Value]) -> String {
    match desired {
        [one] => format!("Package {} is already up-to-date", python_str(one)),
        many if many.len() > 10 => format!("All {} packages are up-to-date.", many.len()),
        many => format!("All packages are up-to-date ({}).", sorted(many.iter().map(python_str)).join(", ")),
    }
}

fn would(targets: &Map, same: &[String], current: &Map) -> String {
    let targets = sorted(targets.keys().map(python_str));
    let mut comment = format!("The following packages would be installed/upgraded: {}", targets.join(", "));
    if same.len() > 10 {
        comment.push_str(&format!("\n{} packages are already up-to-date", same.len()));
    } else if !same.is_empty() {
        let shown: Vec<String> = same
            .iter()
            .map(|name| format!("{name} ({})", current.get(name).map(python_str).unwrap_or_default()))
            .collect();
        comment.push_str(&format!("\nThe following packages are already up-to-date: {}", shown.join(", ")));
    }
    comment
}

fn told(targets: &Map, changes: &Map, same: &[String]) -> (String, bool) {
    let fine = |(name, version): &(&Value, &Value)| match changes.get_key(name).filter(|change| change.truthy()) {
        None => false,
        Some(change) => change.get("new").is_none_or(|new| {
            let version = python_str(version);
            new.is_nil() || version == "latest" || python_str(new).split(',').any(|new| new == version)
        }),
    };
    let (good, bad): (Vec<_>, Vec<_>) = targets.iter().partition(fine);
    let names = |pairs: Vec<(&Value, &Value)>| sorted(pairs.into_iter().map(|(name, _)| python_str(name)));
    let (good, bad) = (names(good), names(bad));
    let mut comments = Vec::new();
    if !bad.is_empty() {
        comments.push(format!("The following packages failed to update: {}", bad.join(", ")));
    }
    if !good.is_empty() {
        let good = good.join(", ");
        comments.push(format!("The following packages were successfully installed/upgraded: {good}"));
    }
    if same.len() > 10 {
        comments.push(format!("{} packages were already up-to-date ", same.len()));
    } else if !same.is_empty() {
        comments.push(format!("The following packages were already up-to-date: {}", same.join(", ")));
    }
    (comments.join(" "), bad.is_empty())
}

/// What is said where nothing changed at all.
fn unchanged(targets: &Map, same: &[String]) -> String {
    let names = sorted(targets.keys().map(python_str));
    let mut comment = match &names[..] {
        [one] => format!("Package {one} failed to update."),
        many if many.len() > 10 => {
            format!("{} targeted packages failed to update. See debug log for details.", many.len())
        }
        many => format!(
            "The following targeted packages failed to update. See debug log for details: ({}).",
            many.join(", ")
        ),
    };
    if same.len() > 10 {
        comment.push_str(&format!("{} packages were already up-to-date", same.len()));
    } else if !same.is_empty() {
        comment.push_str(&format!(" The following packages were already up-to-date: {}", same.join(", ")));
    }
    comment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_updated_is_told_apart_from_what_was_not() {
        let targets = map! {"a" => "2", "b" => "2", "c" => "latest"};
        let changes = map! {"a" => map! {"new" => "2", "old" => "1"}, "b" => map! {"new" => "1.5", "old" => "1"},
            "c" => map! {"new" => "9", "old" => ""}};
        assert_eq!(told(&targets, &changes, &["d".into()]), (
            "The following packages failed to update: b The following packages were successfully installed/upgraded: a, c \
             The following packages were already up-to-date: d".to_owned(), false));
        assert_eq!(unchanged(&map! {"a" => "1"}, &[]), "Package a failed to update.");
    }
}
