//! States of virtual environments of Python.

use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::posixpath::{abspath, dirname, join};
use brine_core::pyversion::loose;
use brine_core::state::{Outcome, state_module};
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value, map};
use std::path::Path;

state_module! { "virtualenv": "manage" => managed, managed }

/// Declares the state with its many arguments, which it takes by name.
macro_rules! by_name {
    ($(#[$($attr:tt)*])* fn $name:ident($($param:ident $(= $default:expr)?),* $(,)?) => $body:path) => {
        $(#[$($attr)*])*
        #[brine_core::call::exec]
        #[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
        fn $name(
            cx: &Cx,
            name: Value,
            $($(#[default($default)])? $param: Value,)*
            kwargs: brine_core::call::KwArgs,
        ) -> Result<Outcome> {
            let named = map! { $(stringify!($param) => $param),* };
            $body(cx, name, named, kwargs.0)
        }
    };
}
pub(crate) use by_name;

by_name! {
    /// A virtual environment is there, with its packages.
    ///
    /// name: where
    /// venv_bin, system_site_packages, distribute, clear, python, extra_search_dir, never_download, prompt: how it is made
    /// requirements, pip_pkgs: what is installed in it
    /// user: who does it
    /// The others say how pip installs it, see `pip.install`.
    fn managed(
        venv_bin = (), requirements = (), system_site_packages = false, distribute = false, use_wheel = false,
        clear = false, python = (), extra_search_dir = (), never_download = (), prompt = (), user = (), cwd = (),
        index_url = (), extra_index_url = (), pre_releases = false, no_deps = false, pip_download = (),
        pip_download_cache = (), pip_exists_action = (), pip_ignore_installed = false, proxy = (), use_vt = false,
        env_vars = (), no_use_wheel = false, pip_upgrade = false, pip_pkgs = (), pip_no_cache_dir = false,
        pip_cache_dir = (), process_dependency_links = false, no_binary = (),
    ) => manage
}

/// Options that some versions of pip do not have: what is wrong with them here.
pub(crate) fn unsupported(version: Option<&str>, given: &Map) -> Option<String> {
    let is = |key: &str| given.get(key).is_some_and(Value::truthy);
    let shown = version.unwrap_or("None");
    let before = |other: &str| version.is_some_and(|version| loose(version, other).is_lt());
    let after = |other: &str| version.is_some_and(|version| loose(version, other).is_gt());
    for key in ["use_wheel", "no_use_wheel"] {
        if is(key) && (before("1.4") || after("9.0.3")) {
            return Some(format!(
                "The '{key}' option is only supported in pip between 1.4 and 9.0.3. The version of pip detected was {shown}."
            ));
        }
    }
    (is("no_binary") && before("7.0.0")).then(|| {
        format!("The 'no_binary' option is only supported in pip 7.0.0 and newer. The version of pip detected was {shown}.")
    })
}

/// A file of requirements from the master, in the cache and up to date.
fn cached(cx: &Cx, file: &str) -> Result<Option<String>> {
    let saltenv = cx.saltenv();
    let args = |path: &str| Args::positional([path, saltenv]);
    let found = |value: Value| value.as_str().filter(|path| !path.is_empty()).map(str::to_owned);
    let mut path = found(cx.call("cp.is_cached", args(file))?);
    if path.is_none() {
        path = found(cx.call("cp.cache_file", args(file))?);
    }
    if let Some(known) = &path
        && cx.call("cp.hash_file", args(file))? != cx.call("cp.hash_file", args(known))?
    {
        path = found(cx.call("cp.cache_file", args(file))?);
    }
    Ok(path)
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).map(python_str).unwrap_or_default()
}

fn freeze(cx: &Cx, args: Args) -> Result<Vec<Value>> {
    Ok(match cx.call("pip.freeze", args)? {
        Value::List(lines) => lines,
        _ => Vec::new(),
    })
}

fn manage(cx: &Cx, name: Value, mut given: Map, kwargs: Map) -> Result<Outcome> {
    let path = python_str(&name);
    let of = |given: &Map, key: &str| given.get(key).cloned().unwrap_or_default();
    let python = join(&path, &["bin", "python"]);
    let exists = Path::new(&python).exists();
    let clear = of(&given, "clear").truthy();
    let requirements = of(&given, "requirements");
    if requirements.truthy() && requirements.as_str().is_none() {
        let text = format!("'{}' object has no attribute 'startswith'", python_type(&requirements));
        return Err(CallError::exception("AttributeError", text));
    }
    if let Value::Str(file) = requirements
        && file.starts_with("salt://")
    {
        match cached(cx, &file)? {
            Some(path) => given.insert("requirements", path),
            None => return Ok(Outcome::failed(name, format!("pip requirements file '{file}' not found"))),
        };
    }
    let version = || -> Result<String> {
        let said = cx.call("cmd.run_stderr", Args::positional([format!("{python} -V")]))?;
        Ok(python_str(&said).trim_matches('\n').to_owned())
    };
    let mut outcome = Outcome::new(name.clone());
    if exists && clear {
        let packages = freeze(cx, Args::none().with("bin_env", name.clone()))?;
        outcome.changes.insert("cleared_packages", packages);
        outcome.changes.insert("old", version()?);
    }
    if cx.test {
        let (result, what) = match (exists, clear) {
            (true, true) => (None, "is set to be cleared"),
            (true, false) => (Some(true), "is already created"),
            (false, _) => (None, "is set to be created"),
        };
        outcome.result = result;
        outcome.comment = format!("Virtualenv {path} {what}").into();
        return Ok(outcome);
    }
    if !exists || clear {
        let mut args = Args { positional: vec![name.clone()], keyword: kwargs.clone() };
        for key in [
            "venv_bin", "system_site_packages", "distribute", "clear", "python", "extra_search_dir", "never_download",
            "prompt", "user", "use_vt",
        ] {
            args.keyword.insert(key, of(&given, key));
        }
        let made = match cx.call("virtualenv.create", args) {
            Err(error @ CallError::CommandNotFound(_)) => {
                outcome.result = Some(false);
                outcome.comment = format!("Failed to create virtualenv: {error}").into();
                return Ok(outcome);
            }
            other => other?,
        };
        if made.get("retcode").and_then(Value::as_int) != Some(0) {
            outcome.result = Some(false);
            outcome.comment = format!("{}{}", text(&made, "stdout"), text(&made, "stderr")).into();
            return Ok(outcome);
        }
        outcome.changes.insert("new", version()?);
        outcome.comment = if clear { "Cleared existing virtualenv" } else { "Created new virtualenv" }.into();
    } else {
        outcome.comment = "virtualenv exists".into();
    }
    if ["use_wheel", "no_use_wheel", "no_binary"].iter().any(|key| of(&given, key).truthy()) {
        let known = cx.call("pip.version", Args::none().with("bin_env", name.clone()))?;
        if let Some(complaint) = unsupported(known.as_str(), &given) {
            outcome.result = Some(false);
            outcome.comment = complaint.into();
            return Ok(outcome);
        }
    }
    if of(&given, "requirements").truthy() || of(&given, "pip_pkgs").truthy() {
        populate(cx, &name, &given, kwargs, &mut outcome)?;
    }
    Ok(outcome)
}

/// Installs packages into the environment.
fn populate(cx: &Cx, name: &Value, given: &Map, kwargs: Map, outcome: &mut Outcome) -> Result<()> {
    let of = |key: &str| given.get(key).cloned().unwrap_or_default();
    let place = Args::none().with("bin_env", name.clone());
    let before = match freeze(cx, place.clone().with("user", of("user")).with("use_vt", of("use_vt"))) {
        Err(error @ (CallError::Execution(_) | CallError::Detailed(_))) => {
            outcome.result = Some(false);
            outcome.comment = error.to_string().into();
            return Ok(());
        }
        other => other?,
    };
    let mut cwd = of("cwd");
    let first = match of("requirements") {
        Value::Str(files) => files.split(',').next().map(str::to_owned),
        Value::List(files) => files.first().map(python_str),
        Value::Nil => None,
        _ => {
            let text = "pip requirements must be either a string or a list";
            return Err(CallError::exception("TypeError", text));
        }
    };
    if let Some(first) = first.filter(|first| of("requirements").truthy() && *first != abspath(first)) {
        cwd = dirname(&abspath(&first)).into();
    }
    let mut args = Args { positional: Vec::new(), keyword: kwargs };
    for (key, own) in [
        ("pkgs", "pip_pkgs"),
        ("requirements", "requirements"),
        ("process_dependency_links", "process_dependency_links"),
        ("use_wheel", "use_wheel"),
        ("no_use_wheel", "no_use_wheel"),
        ("no_binary", "no_binary"),
        ("user", "user"),
        ("index_url", "index_url"),
        ("extra_index_url", "extra_index_url"),
        ("download", "pip_download"),
        ("download_cache", "pip_download_cache"),
        ("pre_releases", "pre_releases"),
        ("exists_action", "pip_exists_action"),
        ("ignore_installed", "pip_ignore_installed"),
        ("upgrade", "pip_upgrade"),
        ("no_deps", "no_deps"),
        ("proxy", "proxy"),
        ("use_vt", "use_vt"),
        ("env_vars", "env_vars"),
        ("no_cache_dir", "pip_no_cache_dir"),
        ("cache_dir", "pip_cache_dir"),
    ] {
        args.keyword.insert(key, of(own));
    }
    args.keyword.insert("bin_env", name.clone());
    args.keyword.insert("cwd", cwd);
    let out = cx.call("pip.install", args)?;
    let code = out.get("retcode").and_then(Value::as_int);
    let code = code.ok_or_else(|| CallError::exception("KeyError", "'retcode'"))?;
    if code != 0 {
        outcome.result = Some(false);
    }
    if code > 0 {
        let said = format!("{}\n{}\n{}", python_str(&outcome.comment), text(&out, "stdout"), text(&out, "stderr"));
        outcome.comment = said.into();
    }
    let after = freeze(cx, place)?;
    let beyond = |a: &[Value], b: &[Value]| a.iter().filter(|one| !b.contains(one)).cloned().collect::<Vec<_>>();
    let (new, old) = (beyond(&after, &before), beyond(&before, &after));
    if !new.is_empty() || !old.is_empty() {
        let shown = |list: Vec<Value>| if list.is_empty() { Value::from("") } else { list.into() };
        outcome.changes.insert("packages", map! {"new" => shown(new), "old" => shown(old)});
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_other_versions_of_pip_are_refused() {
        assert!(unsupported(Some("23.0"), &map! {"use_wheel" => true}).is_some());
        assert!(unsupported(Some("9.0.1"), &map! {"use_wheel" => true}).is_none());
        assert!(unsupported(Some("6.0"), &map! {"no_binary" => ":all:"}).is_some());
        assert!(unsupported(None, &map! {"no_binary" => ":all:"}).is_none());
    }
}
