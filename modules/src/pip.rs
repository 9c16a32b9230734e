//! The `pip` execution module: Python packages, of a virtual environment or of the machine's own Python. Installing and
//! removing are in `pip/install.rs`.

mod install;
mod requirements;
mod run;

use crate::pkg::apt::changes;
use brine_core::call::{CallError, Cx, KwArgs, Result, exec, module};
use brine_core::pyversion::{Version, loose};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use install::*;
use run::{Place, code, forget, json, text};

module! {
    "pip": freeze, install, is_installed, list, list_all_versions, list_freeze_parse, list_upgrades, uninstall, upgrade,
    upgrade_available, version
}

/// The version of pip.
///
/// bin_env: a virtual environment, a Python or a pip
/// cwd: where it runs
/// user: who it runs as
///
/// CLI Example: salt '*' pip.version
#[exec]
fn version(cx: &Cx, bin_env: Option<Value>, cwd: Option<Value>, user: Option<Value>) -> Result {
    Ok(Place::new(bin_env, cwd, user).version(cx)?.into())
}

/// `VIRTUAL_ENV` and what the caller adds to the environment.
fn environment(place: &Place, kwargs: &mut Map, env_vars: Option<&Value>) -> Result<()> {
    place.environment(kwargs);
    match env_vars.filter(|vars| vars.truthy()) {
        None => {}
        Some(Value::Map(vars)) => {
            if let Value::Map(env) = kwargs.entry_or("env", || Map::new().into()) {
                env.update(vars.iter().map(|(k, v)| (Value::from(python_str(k)), Value::from(python_str(v)))).collect());
            }
        }
        Some(other) => {
            return Err(CallError::execution(format!("env_vars {} is not a dictionary", python_str(other))));
        }
    }
    Ok(())
}

fn frozen(cx: &Cx, place: &Place, use_vt: Value, env_vars: Option<&Value>, kwargs: Map) -> Result<Vec<String>> {
    let mut command = place.pip()?;
    command.push("freeze".into());
    let known = Place { user: None, ..place.clone() }.version(cx)?;
    if run::is(known.as_deref(), "<", "8.0.3") {
        tracing::warn!(
            "The version of pip installed is {}, which is older than 8.0.3. The packages pip, wheel, setuptools, and \
             distribute will not be included in the output of pip.freeze",
            known.unwrap_or_default()
        );
    } else {
        command.push("--all".into());
    }
    command.push("--disable-pip-version-check".into());
    let mut more = map! {"use_vt" => use_vt};
    more.update(kwargs);
    environment(place, &mut more, env_vars)?;
    let out = place.must(cx, command, more)?;
    Ok(brine_core::text::splitlines(&text(&out, "stdout"), false).into_iter().map(str::to_owned).collect())
}

/// The packages that are installed, as lines of a requirements file.
///
/// bin_env: a virtual environment, a Python or a pip
/// user: who pip runs as
/// cwd: where it runs
/// use_vt: run it on a terminal
/// env_vars: what is added to its environment
///
/// CLI Example: salt '*' pip.freeze bin_env=/home/code/path/to/virtualenv
#[exec]
fn freeze(
    cx: &Cx,
    bin_env: Option<Value>,
    user: Option<Value>,
    cwd: Option<Value>,
    #[default(false)] use_vt: Value,
    env_vars: Option<Value>,
    kwargs: KwArgs,
) -> Result<Vec<String>> {
    frozen(cx, &Place::new(bin_env, cwd, user), use_vt, env_vars.as_ref(), kwargs.0)
}

/// Name and version of a line that `pip freeze` prints; the version may be an address.
fn parsed(line: &str) -> Option<(String, String)> {
    let line = line.strip_prefix("-e ").unwrap_or(line);
    if let Some((version, name)) = line.split_once("#egg=") {
        return Some((name.to_owned(), version.to_owned()));
    }
    let mut parts = line.split(if line.contains("===") { "===" } else { "==" });
    Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
}

fn begins(name: &str, prefix: Option<&str>) -> bool {
    prefix.is_none_or(|prefix| name.to_lowercase().starts_with(&prefix.to_lowercase()))
}

/// The packages that are installed, with their versions, as `pip freeze` knows them.
///
/// prefix: only names that begin so
///
/// Further arguments are those of `pip.freeze`.
///
/// CLI Example: salt '*' pip.list_freeze_parse salt
#[exec]
fn list_freeze_parse(
    cx: &Cx,
    prefix: Option<Value>,
    bin_env: Option<Value>,
    user: Option<Value>,
    cwd: Option<Value>,
    env_vars: Option<Value>,
    kwargs: KwArgs,
) -> Result<Map> {
    let place = Place::new(bin_env, cwd, user);
    let prefix = prefix.map(|prefix| python_str(&prefix));
    let mut all = Map::new();
    if prefix.as_deref().is_none_or(|prefix| "pip".starts_with(prefix)) {
        all.insert("pip", Place { user: None, ..place.clone() }.version(cx)?);
    }
    for line in frozen(cx, &place, false.into(), env_vars.as_ref(), kwargs.0)? {
        if line.starts_with("-f") || line.starts_with('#') || line.starts_with("-e hg+not trust") {
            continue;
        }
        match parsed(&line) {
            Some((name, version)) if begins(&name, prefix.as_deref().filter(|p| !p.is_empty())) => {
                all.insert(name, version);
            }
            Some(_) => {}
            None => tracing::error!("Can't parse line '{line}'"),
        }
    }
    Ok(all)
}

fn listed(cx: &Cx, place: &Place, prefix: Option<&str>, env_vars: Option<&Value>, kwargs: Map) -> Result<Map> {
    let mut command = place.pip()?;
    command.extend(["list", "--format=json", "--disable-pip-version-check"].map(str::to_owned));
    let mut more = kwargs;
    environment(place, &mut more, env_vars)?;
    let out = place.must(cx, command, more)?;
    let mut all = Map::new();
    for package in json(out)? {
        let of = |key: &str| package.get(key).cloned().unwrap_or_default();
        if begins(&python_str(&of("name")), prefix.filter(|prefix| !prefix.is_empty())) {
            all.insert(of("name"), of("version"));
        }
    }
    Ok(all)
}

/// The packages that are installed, with their versions.
///
/// prefix: only names that begin so
///
/// Further arguments are those of `pip.freeze`.
///
/// CLI Example: salt '*' pip.list salt
#[exec(name = "list")]
fn list(
    cx: &Cx,
    prefix: Option<Value>,
    bin_env: Option<Value>,
    user: Option<Value>,
    cwd: Option<Value>,
    env_vars: Option<Value>,
    kwargs: KwArgs,
) -> Result<Map> {
    let place = Place::new(bin_env.clone(), cwd.clone(), user.clone());
    if run::is(place.version(cx)?.as_deref(), "<", "9.0") {
        return list_freeze_parse(cx, prefix, bin_env, user, cwd, env_vars, kwargs);
    }
    let prefix = prefix.map(|prefix| python_str(&prefix));
    listed(cx, &place, prefix.as_deref(), env_vars.as_ref(), kwargs.0)
}

/// Name and newest version of a line such as `pip (8.0.0) - Latest: 10.0.1 [wheel]`, or `pip (Current: 7.1.2 Latest: 10.0.1 [wheel])`
/// of an old pip.
fn outdated(line: &str, old: bool) -> Option<(&str, &str)> {
    let (before, after) = line.rsplit_once("Latest:")?;
    let (name, _) = before.split_once('(')?;
    let latest = after.trim_start();
    if !name.ends_with(char::is_whitespace) || latest.len() == after.len() {
        return None;
    }
    let name = name.trim_end().rsplit(char::is_whitespace).next()?;
    if old {
        return Some((name, &latest[..latest.rfind(')')?]));
    }
    let version = before.trim_end().strip_suffix('-')?;
    (version.ends_with(char::is_whitespace) && version.trim_end().ends_with(')')).then_some((name, latest))
}

fn upgrades(cx: &Cx, place: &Place) -> Result<Map> {
    let mut command = place.pip()?;
    command.extend(["list", "--outdated", "--disable-pip-version-check"].map(str::to_owned));
    let version = place.version(cx)?;
    let as_json = run::is(version.as_deref(), ">=", "9.0");
    if as_json {
        command.push("--format=json".into());
    }
    let mut more = Map::new();
    place.environment(&mut more);
    let out = place.must(cx, command, more)?;
    let mut all = Map::new();
    if run::is(version.as_deref(), "<", "9.0.0") {
        let old = run::is(version.as_deref(), "<", "8.0.0");
        for line in text(&out, "stdout").lines() {
            match outdated(line, old) {
                Some((name, latest)) => drop(all.insert(name, latest)),
                None => tracing::error!("Can't parse line '{line}'"),
            }
        }
        return Ok(all);
    }
    for package in json(out)? {
        let of = |key: &str| package.get(key).map(python_str).unwrap_or_default();
        all.insert(of("name"), format!("{} [{}]", of("latest_version"), of("latest_filetype")));
    }
    Ok(all)
}

/// The packages for which there is a newer version.
///
/// bin_env: a virtual environment, a Python or a pip
/// user: who pip runs as
/// cwd: where it runs
///
/// CLI Example: salt '*' pip.list_upgrades
#[exec]
fn list_upgrades(cx: &Cx, bin_env: Option<Value>, user: Option<Value>, cwd: Option<Value>) -> Result<Map> {
    upgrades(cx, &Place::new(bin_env, cwd, user))
}

/// Whether a package is installed.
///
/// CLI Example: salt '*' pip.is_installed salt
#[exec]
fn is_installed(
    cx: &Cx,
    pkgname: String,
    bin_env: Option<Value>,
    user: Option<Value>,
    cwd: Option<Value>,
) -> Result<bool> {
    let prefix = Some(Value::from(pkgname.as_str()));
    let all = list(cx, prefix, bin_env, user, cwd, None, KwArgs::default())?;
    Ok(all.keys().any(|name| python_str(name).eq_ignore_ascii_case(&pkgname)))
}

/// Whether there is a newer version of a package.
///
/// CLI Example: salt '*' pip.upgrade_available <package name>
#[exec]
fn upgrade_available(
    cx: &Cx,
    pkg: Value,
    bin_env: Option<Value>,
    user: Option<Value>,
    cwd: Option<Value>,
) -> Result<bool> {
    Ok(upgrades(cx, &Place::new(bin_env, cwd, user))?.get_key(&pkg).is_some())
}

/// Upgrade every package for which there is a newer version.
///
/// bin_env: a virtual environment, a Python or a pip
/// user: who pip runs as
/// cwd: where it runs
/// use_vt: run it on a terminal
///
/// CLI Example: salt '*' pip.upgrade
#[exec]
fn upgrade(
    cx: &Cx,
    bin_env: Option<Value>,
    user: Option<Value>,
    cwd: Option<Value>,
    #[default(false)] use_vt: Value,
) -> Result<Map> {
    let place = Place::new(bin_env.clone(), cwd.clone(), user.clone());
    let mut command = place.pip()?;
    command.extend(["install", "-U", "--disable-pip-version-check"].map(str::to_owned));
    let list = || {
        list(cx, None, bin_env.clone(), user.clone(), cwd.clone(), None, KwArgs::default())
    };
    let old = list()?;
    let (mut comment, mut fine) = (String::new(), true);
    for name in upgrades(cx, &place)?.keys() {
        let mut command = command.clone();
        command.push(python_str(name));
        let mut more = map! {"use_vt" => use_vt.clone()};
        place.environment(&mut more);
        let out = place.run(cx, command, more)?;
        fine &= code(&out) == 0;
        comment.push_str(&text(&out, "stderr"));
    }
    forget(cx, &place);
    Ok(map! {"changes" => changes(&old, &list()?), "result" => fine, "comment" => comment})
}

/// The versions of a package that are to be had, oldest first, or `None`.
///
/// pkg: the package
/// bin_env: a virtual environment, a Python or a pip
/// include_alpha, include_beta, include_rc: whether versions before a release count
/// user: who pip runs as
/// cwd: where it runs
/// index_url, extra_index_url: where to look
///
/// CLI Example: salt '*' pip.list_all_versions <package name>
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn list_all_versions(
    cx: &Cx,
    pkg: String,
    bin_env: Option<Value>,
    #[default(false)] include_alpha: Value,
    #[default(false)] include_beta: Value,
    #[default(false)] include_rc: Value,
    user: Option<Value>,
    cwd: Option<Value>,
    index_url: Option<Value>,
    extra_index_url: Option<Value>,
) -> Result {
    let place = Place::new(bin_env, cwd, user);
    let mut command = place.pip()?;
    command.push("--disable-pip-version-check".into());
    let known = place.version(cx)?;
    let begin = if run::is(known.as_deref(), ">=", "21.2") {
        command.extend(["index".into(), "versions".into(), pkg]);
        "Available versions: "
    } else {
        if run::is(known.as_deref(), ">=", "20.3") {
            command.push("--use-deprecated=legacy-resolver".into());
        }
        command.extend(["install".into(), format!("{pkg}==versions")]);
        "(from versions: "
    };
    for (option, url) in [("--index-url", index_url), ("--extra-index-url", extra_index_url)] {
        if let Some(url) = url.filter(Value::truthy) {
            command.extend([option.to_owned(), run::valid_url(&python_str(&url))?]);
        }
    }
    let mut more = map! {"output_loglevel" => "quiet", "redirect_stderr" => true};
    place.environment(&mut more);
    let out = place.run(cx, command, more)?;
    let skipped: Vec<&str> = [(include_alpha, "a"), (include_beta, "b"), (include_rc, "rc")]
        .into_iter()
        .filter(|(included, _)| !included.truthy())
        .map(|(_, word)| word)
        .collect();
    let said = text(&out, "stdout");
    let line = said.lines().find_map(|line| line.split_once(begin)).map_or("", |(_, versions)| versions);
    let mut versions: Vec<&str> = line
        .trim_end_matches(')')
        .split(", ")
        .filter(|version| !version.is_empty() && !skipped.iter().any(|word| version.contains(word)))
        .collect();
    versions.sort_by(|a, b| match (Version::read(a), Version::read(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => loose(a, b),
    });
    Ok(if versions.is_empty() { Value::Nil } else { versions.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_outdated_packages() {
        assert_eq!(outdated("pip (8.0.0) - Latest: 10.0.1 [wheel]", false), Some(("pip", "10.0.1 [wheel]")));
        assert_eq!(outdated("pip (Current: 7.1.2 Latest: 10.0.1 [wheel])", true), Some(("pip", "10.0.1 [wheel]")));
        assert_eq!(outdated("pip (8.0.0) - Latest: 10.0.1 [wheel]", true), None);
        assert_eq!(outdated("pip (Current: 7.1.2 Latest: 10.0.1 [wheel])", false), None);
    }

    #[test]
    fn lines_of_freeze_have_a_name_and_a_version() {
        let of = |line| parsed(line).map(|(name, version)| format!("{name} {version}"));
        assert_eq!(of("a==1.2").as_deref(), Some("a 1.2"));
        assert_eq!(of("a===1.2+x").as_deref(), Some("a 1.2+x"));
        assert_eq!(of("-e git+https://x/y@1#egg=z").as_deref(), Some("z git+https://x/y@1"));
        assert_eq!(of("a @ file:///x"), None);
    }
}
