//! Removing and upgrading packages.

use super::apt::{call, changes, code, own_env, text, words};
use super::available::refresh;
use super::{debian, forget, packages};
use crate::detailed;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::text::{is_true, python_str};
use brine_core::{Map, Value, map};

/// A `MinionError` becomes a `CommandExecutionError`.
pub(super) fn as_execution(error: CallError) -> CallError {
    match error {
        CallError::Exception { kind: "salt.exceptions.MinionError", message } => CallError::execution(message),
        other => other,
    }
}

/// What `pkg_resource.parse_targets` makes of the arguments, and of which kind it is.
pub(super) fn targets(cx: &Cx, args: Args) -> Result<(Value, Value)> {
    match cx.call("pkg_resource.parse_targets", args).map_err(as_execution)? {
        Value::List(pair) => {
            let mut pair = pair.into_iter();
            Ok((pair.next().unwrap_or_default(), pair.next().unwrap_or_default()))
        }
        _ => Ok((Value::Nil, Value::Nil)),
    }
}

fn uninstall(cx: &Cx, action: &str, name: Option<Value>, pkgs: Option<Value>, kwargs: &KwArgs) -> Result<Map> {
    debian(cx)?;
    let (wanted, _) = targets(cx, Args::positional([name.into(), pkgs.into()] as [Value; 2]))?;
    let wanted = match wanted {
        Value::Map(wanted) => wanted,
        _ => return Err(CallError::exception("TypeError", "'NoneType' object is not iterable")),
    };
    let old = packages(cx, false, false, false)?;
    let old_removed = packages(cx, false, true, false)?;
    let among = |all: &Map| wanted.keys().filter(|x| all.get_key(x).is_some()).map(python_str).collect::<Vec<_>>();
    let mut targets = among(&old);
    if action == "purge" {
        targets.extend(among(&old_removed));
    }
    if targets.is_empty() {
        return Ok(Map::new());
    }
    let mut command = words(&["apt-get", "-q", "-y", action]);
    command.extend(targets);
    let env = match kwargs.0.get("env") {
        Some(env) => map! {"env" => env.clone()},
        None => own_env(),
    };
    let out = call(cx, &command, true, &env)?;
    let errors = text(&out, "stderr");
    forget(cx);
    let new = packages(cx, false, false, false)?;
    let new_removed = packages(cx, false, true, false)?;
    let mut ret = changes(&old, &new);
    if action == "purge" {
        ret = map! {"removed" => changes(&old_removed, &new_removed), "installed" => ret};
    }
    if code(&out) != 0 && !errors.is_empty() {
        let info = map! {"errors" => vec![errors], "changes" => ret};
        return Err(detailed::error("Problem encountered removing package(s)", info));
    }
    Ok(ret)
}

/// Remove packages; their configuration stays.
///
/// name: the package, or several with commas between
/// pkgs: a list of packages, instead of name
///
/// CLI Example: salt '*' pkg.remove <package1>,<package2>
#[exec]
fn remove(cx: &Cx, name: Option<Value>, pkgs: Option<Value>, kwargs: KwArgs) -> Result<Map> {
    uninstall(cx, "remove", name, pkgs, &kwargs)
}

/// Remove packages with their configuration.
///
/// name: the package, or several with commas between
/// pkgs: a list of packages, instead of name
///
/// CLI Example: salt '*' pkg.purge <package name>
#[exec]
fn purge(cx: &Cx, name: Option<Value>, pkgs: Option<Value>, kwargs: KwArgs) -> Result<Map> {
    uninstall(cx, "purge", name, pkgs, &kwargs)
}

/// Remove packages that nothing needs any longer. With `list_only` they are only named, with `purge` their configuration goes,
/// too.
///
/// CLI Example: salt '*' pkg.autoremove list_only=True
#[exec]
fn autoremove(cx: &Cx, #[default(false)] list_only: Value, #[default(false)] purge: Value) -> Result {
    debian(cx)?;
    let mut command = words(&["apt-get", if list_only.truthy() { "--assume-no" } else { "--assume-yes" }]);
    if purge.truthy() {
        command.push("--purge".into());
    }
    command.push("autoremove".into());
    let ignoring = map! {"ignore_retcode" => true};
    if list_only.truthy() {
        let out = text(&call(cx, &command, true, &ignoring)?, "stdout");
        return Ok(to_be_removed(&out).into());
    }
    let old = packages(cx, false, false, false)?;
    call(cx, &command, true, &ignoring)?;
    forget(cx);
    Ok(changes(&old, &packages(cx, false, false, false)?).into())
}

/// The packages that apt says it would remove.
fn to_be_removed(out: &str) -> Vec<String> {
    let (mut names, mut within) = (Vec::new(), false);
    for line in out.lines() {
        if within {
            within = line.starts_with(' ');
            if within {
                names.extend(line.split_whitespace().map(str::to_owned));
            }
        } else if line.contains("The following packages will be REMOVED:") {
            within = true;
        }
    }
    names.sort();
    names
}

/// Upgrade all packages.
///
/// refresh: whether to refresh the lists of packages first
/// dist_upgrade: whether packages may be removed and added for it (`apt-get dist-upgrade`)
///
/// Further arguments: cache_valid_time, force_yes, skip_verify, download_only or downloadonly, force_conf_new,
/// allow_downgrades.
///
/// CLI Example: salt '*' pkg.upgrade
#[exec]
fn upgrade(
    cx: &Cx,
    #[default(true)] refresh: Value,
    #[default(false)] dist_upgrade: Value,
    kwargs: KwArgs,
) -> Result<Map> {
    debian(cx)?;
    if is_true(&refresh) {
        self::refresh(cx, kwargs.0.get("cache_valid_time").unwrap_or(&Value::Nil), false)?;
    }
    let old = packages(cx, false, false, false)?;
    let set = |key: &str| kwargs.0.get(key).is_some_and(Value::truthy);
    let mut command = words(&["apt-get", "-q", "-y"]);
    let conf: &[&str] =
        if set("force_conf_new") { &["--force-confnew"] } else { &["--force-confold", "--force-confdef"] };
    for option in conf {
        command.extend(["-o".into(), format!("DPkg::Options::={option}")]);
    }
    for (given, option) in [
        (set("force_yes"), "--force-yes"),
        (set("skip_verify"), "--allow-unauthenticated"),
        (set("download_only") || set("downloadonly"), "--download-only"),
        (set("allow_downgrades"), "--allow-downgrades"),
    ] {
        if given {
            command.push(option.into());
        }
    }
    command.push(if dist_upgrade.truthy() { "dist-upgrade" } else { "upgrade" }.into());
    let result = call(cx, &command, true, &own_env())?;
    forget(cx);
    let ret = changes(&old, &packages(cx, false, false, false)?);
    if code(&result) != 0 {
        let info = map! {"changes" => ret, "result" => result};
        return Err(detailed::error("Problem encountered upgrading packages", info));
    }
    Ok(ret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apt_names_what_it_would_remove() {
        let out = "Reading...\nThe following packages will be REMOVED:\n  b a*\n  c\n0 upgraded\n  x\n";
        assert_eq!(to_be_removed(out), ["a*", "b", "c"]);
    }
}
