//! What is to be done: which packages are to be installed, again or at all, and which removed.

use super::ask::{args, dict, is_execution, normalized, packages, repacked};
use super::versions::{fulfilled, of};
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// What a state of installing asks for.
pub(super) struct Wish<'a> {
    /// The state's name.
    pub(super) name: &'a Value,
    /// Packages from repositories.
    pub(super) pkgs: Option<&'a Value>,
    /// Packages from files.
    pub(super) sources: Option<&'a Value>,
    /// The version, where there are neither.
    pub(super) version: Option<&'a str>,
    /// Whether names lose the machine's own architecture.
    pub(super) normalize: bool,
    /// Whether epochs do not count.
    pub(super) ignore_epoch: Option<bool>,
    /// Whether packages are to be installed again.
    pub(super) reinstall: bool,
    /// Whether lists of packages are to be refreshed.
    pub(super) refresh: bool,
    /// Further arguments.
    pub(super) kwargs: &'a Map,
}

/// What has to be done.
pub(super) struct Targets {
    /// All packages that were asked for, with their versions.
    pub(super) desired: Map,
    /// Those to be installed.
    pub(super) targets: Map,
    /// Those that are marked to be purged.
    pub(super) unpurge: Vec<String>,
    /// Those to be installed again.
    pub(super) again: Map,
    /// What went wrong without ending the state.
    pub(super) warnings: Vec<String>,
    /// Lists of packages were refreshed.
    pub(super) refreshed: bool,
}

/// Something to do, or the result already.
pub(super) enum Found<T> {
    /// To do.
    Todo(T),
    /// The result.
    Done(Box<Outcome>),
}

impl<T> Found<T> {
    fn done(outcome: Outcome) -> Self {
        Self::Done(Box::new(outcome))
    }
}

fn invalid<T>(name: &Value, what: &str) -> Found<T> {
    Found::done(Outcome::failed(name.clone(), format!("Invalidly formatted {what} parameter. See minion log.")))
}

/// What has to be installed.
pub(super) fn to_install(cx: &Cx, wish: &Wish<'_>) -> Result<Found<Targets>> {
    if wish.pkgs.is_some() && wish.sources.is_some() {
        let text = "Only one of \"pkgs\" and \"sources\" is permitted.";
        return Ok(Found::done(Outcome::failed(wish.name.clone(), text)));
    }
    let current = match packages(cx, None, wish.kwargs) {
        Err(error) if is_execution(&error) => {
            return Ok(Found::done(Outcome::failed(wish.name.clone(), error.to_string())));
        }
        other => other?,
    };
    let mut desired = if let Some(pkgs) = wish.pkgs {
        // States leave names as they are, unless a caller says otherwise.
        let split = wish.kwargs.get("split_arch").is_none_or(Value::truthy);
        match repacked(cx, pkgs, wish.normalize && split)? {
            Some(desired) => desired,
            None => return Ok(invalid(wish.name, "'pkgs'")),
        }
    } else if let Some(sources) = wish.sources {
        let args = Args::positional([sources.clone()]).with("normalize", wish.normalize);
        let desired = dict(cx, "pkg_resource.pack_sources", args)?;
        if desired.is_empty() {
            return Ok(invalid(wish.name, "'sources'"));
        }
        desired
    } else {
        map! {wish.name.clone() => wish.version}
    };
    let marked = packages(cx, Some("purge_desired"), wish.kwargs)?;
    let unpurge: Vec<String> = desired.keys().filter(|x| marked.get_key(x).is_some()).map(python_str).collect();
    let mut refreshed = false;
    if wish.sources.is_none() {
        refreshed = resolve_latest(cx, wish, &current, &mut desired)?;
    }
    let mut found = Search { targets: Map::new(), again: Map::new(), warnings: Vec::new(), problems: Vec::new(), compared: false };
    for (name, version) in desired.iter() {
        found.package(cx, wish, &current, &python_str(name), version)?;
    }
    if !found.problems.is_empty() {
        return Ok(Found::done(Outcome::failed(wish.name.clone(), found.problems.join(" "))));
    }
    if found.targets.is_empty() && unpurge.is_empty() && found.again.is_empty() {
        let at = found.compared && wish.sources.is_none();
        let at = if at { " and are at the desired version" } else { "" };
        let text = format!("All specified packages are already installed{at}");
        return Ok(Found::done(with_warnings(Outcome::ok(wish.name.clone(), text), &found.warnings)));
    }
    Ok(Found::Todo(Targets {
        desired,
        targets: found.targets,
        unpurge,
        again: found.again,
        warnings: found.warnings,
        refreshed,
    }))
}

/// A result with warnings, if there are any.
pub(super) fn with_warnings(mut outcome: Outcome, warnings: &[String]) -> Outcome {
    if !warnings.is_empty() {
        outcome.more.insert("warnings", warnings.to_vec());
    }
    outcome
}

/// Puts the version into packages that are wanted at the `latest`; whether lists were refreshed for it.
fn resolve_latest(cx: &Cx, wish: &Wish<'_>, current: &Map, desired: &mut Map) -> Result<bool> {
    let wanted: Vec<Value> =
        desired.iter().filter(|(_, version)| version.as_str() == Some("latest")).map(|(name, _)| name.clone()).collect();
    if wanted.is_empty() {
        return Ok(false);
    }
    let mut args = args(wish.kwargs).with("refresh", wish.refresh);
    args.positional.clone_from(&wanted);
    let latest = cx.call("pkg.latest_version", args)?;
    for name in wanted {
        let found = match &latest {
            Value::Map(all) => all.get_key(&name).cloned().unwrap_or_default(),
            one => one.clone(),
        };
        let version = if found.truthy() {
            found
        } else {
            // No newer one: what is there, if anything is.
            of(current, &python_str(&name)).pop().unwrap_or_default()
        };
        desired.insert(name, version);
    }
    Ok(wish.refresh)
}

struct Search {
    targets: Map,
    again: Map,
    warnings: Vec<String>,
    problems: Vec<String>,
    compared: bool,
}

impl Search {
    fn package(&mut self, cx: &Cx, wish: &Wish<'_>, current: &Map, name: &str, version: &Value) -> Result<()> {
        let mut have = of(current, name);
        if have.is_empty() {
            have = of(current, &normalized(cx, name)?);
        }
        if have.is_empty() {
            self.targets.insert(name, version.clone());
            return Ok(());
        }
        if wish.reinstall {
            self.again.insert(name, version.clone());
            return Ok(());
        }
        let wanted = if wish.sources.is_some() {
            match self.version_in(cx, wish, version)? {
                Some(wanted) => wanted,
                None => return Ok(()),
            }
        } else if version.is_nil() {
            return Ok(());
        } else {
            python_str(version)
        };
        let updates = wish.kwargs.get("allow_updates").is_some_and(Value::truthy);
        self.compared = true;
        if !fulfilled(cx, &have, &wanted, wish.ignore_epoch, updates)? {
            self.targets.insert(name, version.clone());
        }
        Ok(())
    }

    /// The version of a package file.
    fn version_in(&mut self, cx: &Cx, wish: &Wish<'_>, path: &Value) -> Result<Option<String>> {
        let shown = python_str(path);
        let of = |key: &str, default: Value| wish.kwargs.get(key).cloned().unwrap_or(default);
        let args = Args::positional([path.clone()])
            .with("saltenv", of("saltenv", "base".into()))
            .with("verify_ssl", of("verify_ssl", true.into()));
        let cached = match cx.call("cp.cache_file", args) {
            Err(error) if is_execution(&error) => {
                self.problems.push(format!("Unable to cache {shown}: {error}"));
                return Ok(None);
            }
            other => other?,
        };
        if !cached.truthy() {
            self.problems.push(format!("Unable to cache {shown}: file not found"));
            return Ok(None);
        }
        if !std::path::Path::new(&python_str(&cached)).exists() {
            self.problems.push(format!("{shown} does not exist on minion"));
            return Ok(None);
        }
        let info = cx.call("lowpkg.bin_pkg_info", Args::positional([cached]))?;
        match info.get("version") {
            Some(version) => Ok(Some(python_str(version))),
            None => {
                self.warnings.push(format!("Failed to parse metadata for {shown}"));
                Ok(None)
            }
        }
    }
}

/// What has to be removed.
pub(super) fn to_remove(
    cx: &Cx,
    name: &Value,
    version: Option<&Value>,
    pkgs: Option<&Value>,
    (normalize, ignore_epoch): (bool, Option<bool>),
    kwargs: &Map,
) -> Result<Found<Vec<String>>> {
    let current = packages(cx, None, kwargs)?;
    let wanted = match pkgs.filter(|pkgs| pkgs.truthy()) {
        Some(pkgs) => match repacked(cx, pkgs, normalize)? {
            Some(wanted) => wanted,
            None => return Ok(invalid(name, "pkgs")),
        },
        None => map! {normalized(cx, &python_str(name))? => version.cloned()},
    };
    let (mut targets, mut compared) = (Vec::new(), false);
    for (package, version) in wanted.iter() {
        let package = python_str(package);
        let have = of(&current, &package);
        if have.is_empty() {
            continue;
        }
        if version.is_nil() {
            targets.push(package);
            continue;
        }
        compared = true;
        let Value::Str(version) = version else {
            let kind = brine_core::text::python_type(version);
            return Err(CallError::exception("AttributeError", format!("'{kind}' object has no attribute 'strip'")));
        };
        if fulfilled(cx, &have, version, ignore_epoch, false)? {
            targets.push(package);
        } else {
            tracing::debug!("The current version of {package} is not {version}: it is not removed");
        }
    }
    if targets.is_empty() {
        let matching = if compared { " (matching specified versions)" } else { "" };
        let text = format!("All specified packages{matching} are already absent");
        return Ok(Found::done(Outcome::ok(name.clone(), text)));
    }
    Ok(Found::Todo(targets))
}

/// What has to be downloaded.
pub(super) fn to_download(
    cx: &Cx,
    name: &Value,
    pkgs: &Value,
    ignore_epoch: Option<bool>,
    kwargs: &Map,
) -> Result<Found<Map>> {
    let current = dict(cx, "pkg.list_downloaded", args(kwargs))?;
    let normalize = kwargs.get("normalize").is_none_or(Value::truthy);
    let Some(wanted) = repacked(cx, pkgs, normalize)? else { return Ok(invalid(name, "pkgs")) };
    let (mut targets, mut compared) = (Map::new(), false);
    for (package, version) in wanted.iter() {
        let have = of(&current, &python_str(package));
        if have.is_empty() {
            targets.insert(package.clone(), version.clone());
        } else if version.truthy() {
            compared = true;
            if !fulfilled(cx, &have, &python_str(version), ignore_epoch, false)? {
                targets.insert(package.clone(), version.clone());
            }
        }
    }
    if targets.is_empty() {
        let matching = if compared { " (matching specified versions)" } else { "" };
        let text = format!("All specified packages{matching} are already downloaded");
        return Ok(Found::done(Outcome::ok(name.clone(), text)));
    }
    Ok(Found::Todo(targets))
}
