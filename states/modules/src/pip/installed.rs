//! `pip.installed`: Python packages are there, at their versions.

use super::requirement::{Requirement, complaint, read};
use crate::virtualenv::{by_name, unsupported};
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::pyversion::{compare, contains};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::collections::BTreeSet;

by_name! {
    /// Python packages are installed.
    ///
    /// name: the package with its version (`name`, `name==1.0`, `name>=1,<2`), where pkgs is not given
    /// pkgs: packages, each such a text
    /// requirements, editable: what is installed instead
    /// bin_env: a virtual environment, a Python or a pip
    /// user: who pip runs as
    /// upgrade, force_reinstall, ignore_installed: whether what is there is enough
    /// The others say how pip installs it, see `pip.install`.
    fn installed(
        pkgs = (), pip_bin = (), requirements = (), bin_env = (), use_wheel = false, no_use_wheel = false, log = (),
        proxy = (), timeout = (), repo = (), editable = (), find_links = (), index_url = (), extra_index_url = (),
        no_index = false, mirrors = (), build = (), target = (), download = (), download_cache = (), source = (),
        upgrade = false, force_reinstall = false, ignore_installed = false, exists_action = (), no_deps = false,
        no_install = false, no_download = false, install_options = (), global_options = (), user = (), cwd = (),
        pre_releases = false, cert = (), allow_all_external = false, allow_external = (), allow_unverified = (),
        process_dependency_links = false, env_vars = (), use_vt = false, trusted_host = (), no_cache_dir = false,
        cache_dir = (), no_binary = (), extra_args = (),
    ) => install
}

/// What the state passes on to `pip.install` as it was given. `cache_dir` is not among it, in stock either.
const PASSED: [&str; 42] = [
    "requirements", "bin_env", "use_wheel", "no_use_wheel", "no_binary", "log", "proxy", "timeout", "editable",
    "find_links", "index_url", "extra_index_url", "no_index", "mirrors", "build", "target", "download", "download_cache",
    "source", "upgrade", "force_reinstall", "ignore_installed", "exists_action", "no_deps", "no_install", "no_download",
    "install_options", "global_options", "user", "cwd", "pre_releases", "cert", "allow_all_external", "allow_external",
    "allow_unverified", "process_dependency_links", "env_vars", "use_vt", "trusted_host", "no_cache_dir", "extra_args",
    "pkgs",
];

/// A package that is asked for.
struct Wanted {
    name: String,
    text: String,
    conditions: Vec<(String, String)>,
}

struct Ask<'a> {
    cx: &'a Cx,
    given: Map,
    kwargs: Map,
}

impl Ask<'_> {
    fn of(&self, key: &str) -> Value {
        self.given.get(key).cloned().unwrap_or_default()
    }

    fn is(&self, key: &str) -> bool {
        self.of(key).truthy()
    }

    fn place(&self) -> Args {
        ["bin_env", "user", "cwd"].iter().fold(Args::none(), |args, key| args.with(key, self.of(key)))
    }

    /// The packages that are there.
    fn list(&self, prefix: Option<&str>) -> Result<Map> {
        let mut args = self.place().with("env_vars", self.of("env_vars"));
        if let Some(prefix) = prefix {
            args.keyword.insert("prefix", prefix);
            args.keyword.update(self.kwargs.clone());
        }
        Ok(match self.cx.call("pip.list", args)? {
            Value::Map(all) => all,
            _ => Map::new(),
        })
    }

    /// What is said of a package that is as it should be; `None` where it is not.
    fn fine(&self, wanted: &Wanted, known: &Map) -> Result<Option<String>> {
        let there = || format!("Python package {} was already installed", wanted.text);
        if self.of("ignore_installed") != Value::Bool(false) || self.of("force_reinstall") != Value::Bool(false) {
            return Ok(None);
        }
        let Some(version) = version_of(known, &wanted.name) else { return Ok(None) };
        if !self.is("upgrade") {
            return Ok(contains(&wanted.conditions, &version).then(there));
        }
        let names = |word: &str| wanted.conditions.iter().any(|(_, version)| version.contains(word));
        let args = self
            .place()
            .with("pkg", wanted.name.as_str())
            .with("include_alpha", names("a"))
            .with("include_beta", names("b"))
            .with("include_rc", names("rc"))
            .with("index_url", self.of("index_url"))
            .with("extra_index_url", self.of("extra_index_url"));
        let all = self.cx.call("pip.list_all_versions", args)?;
        let all: Vec<String> = all.as_list().unwrap_or_default().iter().map(python_str).collect();
        let newest = all.iter().rev().find(|version| contains(&wanted.conditions, version));
        let Some(newest) = newest else {
            return Ok(Some(format!(
                "Python package {} was already installed and\nthe available upgrade doesn't fulfills the version requirements",
                wanted.name
            )));
        };
        Ok(compare(&version, newest).is_some_and(|order| order.is_eq()).then(there))
    }
}

/// The version of a package whose name may be written otherwise.
fn version_of(known: &Map, name: &str) -> Option<String> {
    known.iter().find(|(known, _)| python_str(known).eq_ignore_ascii_case(name)).map(|(_, version)| python_str(version))
}

/// The packages that the texts name, or what is wrong with those.
fn wanted(pkgs: &[String]) -> std::result::Result<Vec<Wanted>, String> {
    let (mut all, mut wrong) = (Vec::new(), Vec::new());
    for text in pkgs {
        match read(text) {
            Some(Requirement { name, conditions }) => all.push(Wanted { name, text: text.clone(), conditions }),
            None if text.contains('=') && !text.contains("==") => wrong.push(format!(
                "Invalid version specification in package {text}. '=' is not supported, use '==' instead."
            )),
            None => wrong.push(format!("pip raised an exception while parsing '{text}': {}", complaint(text))),
        }
    }
    if wrong.is_empty() { Ok(all) } else { Err(wrong.join("\n")) }
}

fn lines(comments: &[String], last: &str) -> String {
    let mut all: Vec<&str> = comments.iter().map(String::as_str).collect();
    all.push(last);
    all.join("\n")
}

fn install(cx: &Cx, name: Value, mut given: Map, kwargs: Map) -> Result<Outcome> {
    let set = |given: &Map, key: &str| given.get(key).is_some_and(Value::truthy);
    if set(&given, "pip_bin") && !set(&given, "bin_env") {
        let bin = given.get("pip_bin").cloned();
        given.insert("bin_env", bin);
    }
    let pkgs: Vec<String> = match given.get("pkgs").filter(|pkgs| pkgs.truthy()) {
        Some(Value::List(pkgs)) if pkgs.iter().any(|one| one.as_str().is_none()) => {
            let kind = pkgs.iter().find(|one| one.as_str().is_none()).map_or("object", brine_core::text::python_type);
            let text = match kind {
                "dict" => ("TypeError", "'odict_items' object is not subscriptable".to_owned()),
                other => ("AttributeError", format!("'{other}' object has no attribute 'items'")),
            };
            return Err(CallError::exception(text.0, text.1));
        }
        Some(Value::List(pkgs)) => pkgs.iter().map(python_str).collect(),
        Some(_) => return Ok(Outcome::failed(name, "pkgs argument must be formatted as a list")),
        None => vec![python_str(&name)],
    };
    let ask = Ask { cx, given, kwargs };
    let mut outcome = Outcome { result: None, ..Outcome::new(pkgs.join(";")) };
    let ended = |mut outcome: Outcome, result: Option<bool>, comment: String| {
        outcome.result = result;
        outcome.comment = comment.into();
        Ok(outcome)
    };
    let version = match cx.call("pip.version", Args::none().with("bin_env", ask.of("bin_env"))) {
        Err(error) if error.is_execution() => {
            let text = format!("Error installing '{}': {error}", python_str(&name));
            return ended(outcome, Some(false), text);
        }
        other => other?,
    };
    if let Some(complaint) = unsupported(version.as_str(), &ask.given) {
        return ended(outcome, Some(false), complaint);
    }
    let whole = ask.is("requirements") || ask.is("editable");
    let wanted = match if whole { Ok(Vec::new()) } else { wanted(&pkgs) } {
        Ok(wanted) => wanted,
        Err(wrong) => return ended(outcome, Some(false), wrong),
    };
    if ask.is("user") {
        let user = ask.of("user");
        let known = cx.registry.get("user.info").is_none()
            || cx.call("user.info", Args::positional([user.clone()]))?.truthy();
        if !known {
            return ended(outcome, Some(false), format!("User {} does not exist", python_str(&user)));
        }
    }
    let (mut targets, mut there): (Vec<&Wanted>, Vec<String>) = (Vec::new(), Vec::new());
    if whole {
        if cx.test {
            return ended(outcome, None, would(&ask));
        }
    } else {
        let known = match ask.list(None) {
            Err(CallError::Cancelled) => return Err(CallError::Cancelled),
            Err(error) => {
                tracing::error!(
                    "Pre-caching of PIP packages during states.pip.installed failed by exception from pip.list: {}",
                    error.text()
                );
                None
            }
            Ok(known) => Some(known).filter(|known| !known.is_empty()),
        };
        for one in &wanted {
            let fine = if one.name.is_empty() {
                None
            } else {
                match &known {
                    Some(known) => ask.fine(one, known)?,
                    None => ask.fine(one, &ask.list(Some(&one.name))?)?,
                }
            };
            match fine {
                Some(comment) => there.push(comment),
                None if cx.test && wanted.len() > 1 => {
                    let all: String = wanted.iter().map(|one| format!("\n{}", one.text)).collect();
                    return ended(outcome, None, format!("Python package(s) set to be installed:{all}"));
                }
                None if cx.test => {
                    return ended(outcome, None, format!("Python package {} is set to be installed", one.text));
                }
                None => targets.push(one),
            }
        }
        if targets.is_empty() {
            let newest = if ask.is("upgrade") { " and up-to-date" } else { "" };
            let last = format!("All specified packages are already installed{newest}");
            return ended(outcome, Some(true), lines(&there, &last));
        }
    }
    // Commas within a condition would part packages.
    let names: Vec<String> = targets.iter().map(|one| one.text.replace(',', ";")).collect();
    let mut args = Args { positional: Vec::new(), keyword: ask.kwargs.clone() };
    for key in PASSED {
        args.keyword.insert(key, ask.of(key));
    }
    args.keyword.insert("pkgs", names.join(","));
    args.keyword.insert("saltenv", cx.saltenv());
    args.keyword.insert("disable_version_check", true);
    let out = cx.call("pip.install", args)?;
    if !out.truthy() {
        return ended(outcome, Some(false), "Could not install package".into());
    }
    let said = |key: &str| out.get(key).map(python_str).unwrap_or_default();
    if out.get("retcode").and_then(Value::as_int) != Some(0) {
        let error = match out.get("stdout") {
            Some(_) => format!("Error: {} {}", said("stdout"), said("stderr")),
            None => format!("Error: {}", said("comment")),
        };
        let text = if whole {
            unable(&ask, &error)
        } else {
            lines(&there, &format!("Failed to install packages: {}. {error}", names.join(", ")))
        };
        return ended(outcome, Some(false), text);
    }
    if whole {
        let (changes, text) = processed(&ask, &said("stdout"));
        outcome.changes = changes;
        return ended(outcome, Some(true), text);
    }
    let newest: BTreeSet<String> = said("stdout")
        .split('\n')
        .filter_map(|line| line.strip_prefix("Requirement already up-to-date: "))
        .filter_map(|rest| rest.split_whitespace().next())
        .map(str::to_lowercase)
        .collect();
    let mut missing = Vec::new();
    for (one, shown) in targets.iter().zip(&names) {
        if one.name.is_empty() {
            outcome.changes.insert(format!("{shown}==???"), "Installed");
            continue;
        }
        let now = ask.list(Some(&one.name))?;
        if now.is_empty() {
            // Stock names the last of all packages here.
            let last = pkgs.last().map_or("", String::as_str);
            missing.push(format!(
                "There was no error installing package '{last}' although it does not show when calling 'pip.freeze'."
            ));
        } else if let Some(version) = version_of(&now, &one.name).filter(|_| !newest.contains(&one.name.to_lowercase())) {
            outcome.changes.insert(format!("{}=={version}", one.name), "Installed");
        }
    }
    let last = if missing.is_empty() { "All packages were successfully installed".into() } else { missing.join("\n") };
    ended(outcome, Some(true), lines(&there, &last))
}

fn would(ask: &Ask<'_>) -> String {
    let mut comments = Vec::new();
    if ask.is("requirements") {
        comments.push(format!("Requirements file '{}' will be processed.", python_str(&ask.of("requirements"))));
    }
    if ask.is("editable") {
        comments.push(format!(
            "Package will be installed in editable mode (i.e. setuptools \"develop mode\") from {}.",
            python_str(&ask.of("editable"))
        ));
    }
    comments.join(" ")
}

fn unable(ask: &Ask<'_>, error: &str) -> String {
    let mut comments = Vec::new();
    if ask.is("requirements") {
        comments.push(format!("Unable to process requirements file \"{}\"", python_str(&ask.of("requirements"))));
    }
    if ask.is("editable") {
        comments.push(format!("Unable to install from VCS checkout {}.", python_str(&ask.of("editable"))));
    }
    comments.push(error.to_owned());
    comments.join(" ")
}

/// What pip made of files of requirements and editable packages.
fn processed(ask: &Ask<'_>, said: &str) -> (Map, String) {
    const NOTHING: [&str; 7] = [
        "Requirement already satisfied", "Requirement already up-to-date", "Requirement not upgraded", "Collecting",
        "Cloning", "Cleaning up...", "Looking in indexes",
    ];
    let (mut changes, mut comments) = (Map::new(), Vec::new());
    if ask.is("requirements") {
        if said.split('\n').any(|line| !NOTHING.iter().any(|begin| line.trim().starts_with(begin))) {
            changes.insert("requirements", true);
            comments.push(format!(
                "Successfully processed requirements file {}.",
                python_str(&ask.of("requirements"))
            ));
        } else {
            comments.push("Requirements were already installed.".into());
        }
    }
    if ask.is("editable") {
        changes.insert("editable", true);
        comments.push(format!(
            "Package successfully installed from VCS checkout {}.",
            python_str(&ask.of("editable"))
        ));
    }
    (changes, comments.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_no_requirements_are_told() {
        let wrong = wanted(&["a=1".into(), "b c".into(), "d".into()]).err().unwrap();
        assert_eq!(
            wrong,
            "Invalid version specification in package a=1. '=' is not supported, use '==' instead.\npip raised an exception \
             while parsing 'b c': Invalid requirement: 'b c'"
        );
        assert_eq!(version_of(&map! {"PyYAML" => "6"}, "pyyaml").as_deref(), Some("6"));
    }
}
