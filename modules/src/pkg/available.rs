//! What there is to install: the lists of packages, their newest versions, upgrades.

use super::apt::{ask, call, code, text, words};
use super::{debian, order, packages};
use brine_core::call::{CallError, Cx, KwArgs, Result, VarArgs, exec};
use brine_core::text::{is_true, python_str};
use brine_core::{Map, Value};
use std::time::SystemTime;

/// Where apt keeps its lists.
const LISTS: &str = "/var/lib/apt/lists";

/// Removes the mark that the first `pkg.installed` of a run refreshes by.
fn clear_mark(cx: &Cx) {
    let mark = cx.opts.path("cachedir").join("pkg_refresh");
    if let Err(e) = std::fs::remove_file(&mark)
        && e.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!("Encountered error removing rtag: {}", brine_core::text::python_os_error(&e, &mark.to_string_lossy()));
    }
}

/// Whether the lists are younger than that many seconds.
fn fresh(cache_valid_time: &Value) -> bool {
    let seconds = match cache_valid_time {
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        other => match other.as_float() {
            Some(seconds) => seconds,
            None => {
                tracing::warn!("expected integer for cache_valid_time parameter, failed with: {}", python_str(other));
                return false;
            }
        },
    };
    let changed = match std::fs::metadata(LISTS).and_then(|lists| lists.modified()) {
        Ok(changed) => changed,
        Err(e) => {
            tracing::warn!("could not stat cache directory due to: {e}");
            return false;
        }
    };
    let since = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    since(changed) + seconds > since(SystemTime::now())
}

/// `apt-get update`, by what became of each list: new (`true`), as it was (`None`), failed (`false`).
pub(super) fn refresh(cx: &Cx, cache_valid_time: &Value, failhard: bool) -> Result<Map> {
    clear_mark(cx);
    if cache_valid_time.truthy() && fresh(cache_valid_time) {
        return Ok(Map::new());
    }
    let out = ask(cx, &["apt-get", "-q", "update"])?;
    if code(&out) != 0 {
        return Err(CallError::execution(text(&out, "stderr")));
    }
    let (lists, failed) = updated(&text(&out, "stdout"));
    if failhard && !failed.is_empty() {
        return Err(CallError::execution(format!("Error getting repos: {}", failed.join(", "))));
    }
    Ok(lists)
}

fn updated(out: &str) -> (Map, Vec<String>) {
    let (mut lists, mut failed) = (Map::new(), Vec::new());
    for line in out.lines() {
        let mut columns = line.split_whitespace();
        let Some(first) = columns.next() else { continue };
        let name = columns.collect::<Vec<_>>().join(" ");
        if first.contains("Get") {
            lists.insert(without_size(&name), true);
        } else if first.contains("Ign") {
            lists.insert(name, false);
        } else if first.contains("Hit") {
            lists.insert(name, ());
        } else if first.contains("Err") {
            lists.insert(name.as_str(), false);
            failed.push(name);
        }
    }
    (lists, failed)
}

/// The name of a list without the size that apt shows behind it (` [1,234 kB]`).
fn without_size(name: &str) -> &str {
    match name.find(" [") {
        Some(at) if name.ends_with("B]") && name.len() > at + 4 => &name[..at],
        _ => name,
    }
}

/// Fetch the lists of packages anew.
///
/// cache_valid_time: not if that was done within so many seconds
/// failhard: whether a list that cannot be fetched is an error
///
/// CLI Example: salt '*' pkg.refresh_db
#[exec]
fn refresh_db(
    cx: &Cx,
    #[default(0)] cache_valid_time: Value,
    #[default(false)] failhard: Value,
    kwargs: KwArgs,
) -> Result<Map> {
    debian(cx)?;
    let _more = kwargs;
    refresh(cx, &cache_valid_time, is_true(&failhard))
}

/// The version that apt would install.
fn candidate(out: &str) -> String {
    let line = out.lines().find(|line| line.contains("Candidate"));
    let words: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
    match words[..] {
        [_, .., version] if !version.eq_ignore_ascii_case("(none)") => version.to_owned(),
        _ => String::new(),
    }
}

/// What `latest_version` returns, by name.
pub(super) fn latest(cx: &Cx, names: &[String], fromrepo: Option<&str>, show_installed: bool) -> Result<Map> {
    let installed = packages(cx, true, false, false)?;
    let mut found = Map::new();
    for name in names {
        let mut command = vec!["apt-cache", "-q", "policy", name];
        let release = fromrepo.map(|repo| format!("APT::Default-Release={repo}"));
        if let Some(release) = &release {
            command.extend(["-o", release]);
        }
        let candidate = candidate(&text(&ask(cx, &command)?, "stdout"));
        let have = installed.get(name).and_then(Value::as_list).unwrap_or_default();
        let newer = have.is_empty()
            || show_installed
            || (!candidate.is_empty() && !have.iter().any(|v| order::holds(&python_str(v), ">=", &candidate, false)));
        found.insert(name.as_str(), if newer { candidate } else { String::new() });
    }
    Ok(found)
}

/// The newest version of a package that is to be had, of each of several: an empty text where it is installed.
///
/// Further arguments: refresh (True), show_installed (False), fromrepo, cache_valid_time.
///
/// CLI Example: salt '*' pkg.latest_version <package1> <package2> fromrepo=unstable
#[exec]
fn latest_version(cx: &Cx, names: VarArgs, kwargs: KwArgs) -> Result {
    debian(cx)?;
    if kwargs.0.contains("repo") {
        return Err(CallError::invocation("The 'repo' argument is invalid, use 'fromrepo' instead"));
    }
    if names.0.is_empty() {
        return Ok("".into());
    }
    let flag = |key: &str, default: bool| kwargs.0.get(key).map_or(default, is_true);
    let names: Vec<String> = names.0.iter().map(python_str).collect();
    let fromrepo = kwargs.0.get("fromrepo").filter(|repo| repo.truthy()).map(python_str);
    if flag("refresh", true) {
        refresh(cx, kwargs.0.get("cache_valid_time").unwrap_or(&Value::Nil), false)?;
    }
    let mut found = latest(cx, &names, fromrepo.as_deref(), flag("show_installed", false))?;
    match &names[..] {
        [one] => Ok(found.remove(one).unwrap_or_default()),
        _ => Ok(found.into()),
    }
}

/// Whether a newer version of a package is to be had.
///
/// CLI Example: salt '*' pkg.upgrade_available <package name>
#[exec]
fn upgrade_available(cx: &Cx, name: String, kwargs: KwArgs) -> Result<bool> {
    debian(cx)?;
    let _more = kwargs;
    refresh(cx, &Value::Nil, false)?;
    let found = latest(cx, std::slice::from_ref(&name), None, false)?;
    Ok(found.get_str(&name).is_some_and(|version| !version.is_empty()))
}

/// The packages for which there is an upgrade, with its version.
///
/// refresh: whether to refresh the lists of packages first
/// dist_upgrade: whether packages may be removed and added for it
///
/// Further arguments: cache_valid_time, fromrepo.
///
/// CLI Example: salt '*' pkg.list_upgrades
#[exec]
fn list_upgrades(
    cx: &Cx,
    #[default(true)] refresh: Value,
    #[default(true)] dist_upgrade: Value,
    kwargs: KwArgs,
) -> Result<Map> {
    debian(cx)?;
    if is_true(&refresh) {
        self::refresh(cx, kwargs.0.get("cache_valid_time").unwrap_or(&Value::Nil), false)?;
    }
    let mut command =
        words(&["apt-get", "--just-print", if dist_upgrade.truthy() { "dist-upgrade" } else { "upgrade" }]);
    if let Some(repo) = kwargs.0.get("fromrepo") {
        command.extend(["-o".into(), format!("APT::Default-Release={}", python_str(repo))]);
    }
    let out = call(cx, &command, true, &Map::new())?;
    if code(&out) != 0 {
        let said = [text(&out, "stderr"), text(&out, "stdout")].into_iter().find(|said| !said.is_empty());
        let said = said.map(|said| format!(": {said}")).unwrap_or_default();
        return Err(CallError::execution(format!("Failed to get upgrades{said}")));
    }
    Ok(to_configure(&text(&out, "stdout")))
}

/// The packages of lines such as `Conf libxfont1 (1:1.4.5-1 Debian:testing [i386])`.
fn to_configure(out: &str) -> Map {
    let package = |line: &str| {
        let (name, rest) = line.strip_prefix("Conf ")?.split_once(' ')?;
        let version = rest.strip_prefix('(')?.split(' ').next().filter(|version| !version.is_empty())?;
        (!name.is_empty()).then(|| (Value::from(name), Value::from(version)))
    };
    out.lines().filter_map(package).collect()
}

/// The versions of packages that are to be had, newest first. Names may be globs; without names all packages.
///
/// CLI Example: salt '*' pkg.list_repo_pkgs foo bar
#[exec]
fn list_repo_pkgs(cx: &Cx, args: VarArgs, kwargs: KwArgs) -> Result<Map> {
    debian(cx)?;
    let _more = kwargs;
    let names: Vec<String> = args.0.iter().map(python_str).collect();
    repo_packages(cx, &names)
}

/// As [`list_repo_pkgs`].
pub(super) fn repo_packages(cx: &Cx, names: &[String]) -> Result<Map> {
    let mut command = words(&["apt-cache", if names.is_empty() { "dump" } else { "show" }]);
    command.extend(names.iter().cloned());
    let out = call(cx, &command, false, &brine_core::map! {"ignore_retcode" => true})?;
    let mut found = Map::new();
    let mut package: Option<String> = None;
    for line in text(&out, "stdout").lines().filter(|line| !line.trim().is_empty()) {
        if let Some(name) = line.strip_prefix("Package: ").filter(|name| package.as_deref() != Some(name)) {
            package = Some(name.to_owned());
            continue;
        }
        if let Some(version) = line.trim().strip_prefix("Version:").filter(|rest| rest.starts_with([' ', '\t'])) {
            let key = package.as_deref().map_or(Value::Nil, Value::from);
            if let Value::List(versions) = found.entry_or(key, || Value::List(Vec::new())) {
                versions.push(version.trim().into());
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn lists_are_new_as_they_were_or_lost() {
        let out = "Hit:1 http://a b InRelease\nGet:2 http://c d InRelease [1,234 kB]\nIgn:3 http://e f\nErr:4 http://g h\n\nReading\n";
        let (lists, failed) = updated(out);
        let want = map! {
            "http://a b InRelease" => (), "http://c d InRelease" => true, "http://e f" => false, "http://g h" => false,
        };
        assert_eq!((lists, failed), (want, vec!["http://g h".to_owned()]));
    }

    #[test]
    fn upgrades_are_what_would_be_configured() {
        let out = "Inst a [1] (2 X [amd64])\nConf a (2 X [amd64])\nConf b (1:3 Y)\n";
        assert_eq!(to_configure(out), map! {"a" => "2", "b" => "1:3"});
    }

    #[test]
    fn a_candidate_may_be_none() {
        assert_eq!(candidate("x:\n  Installed: (none)\n  Candidate: 1.2\n"), "1.2");
        assert_eq!(candidate("x:\n  Candidate: (none)\n"), "");
        assert_eq!(candidate(""), "");
    }
}
