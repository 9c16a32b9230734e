//! Installing and removing Python packages.

use super::requirements::{Prepared, prepare};
use super::run::{Place, forget, is, is_url, valid_url};
use brine_core::call::{CallError, Cx, Result};
use brine_core::posixpath::dirname;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use nix::unistd::{AccessFlags, access};
use std::path::Path;

/// Declares an execution function that takes its arguments by name in a dict, as far as they are given; further ones in
/// another.
macro_rules! by_name {
    ($(#[$($attr:tt)*])* fn $name:ident($($param:ident $(= $default:expr)?),* $(,)?) => $body:path) => {
        $(#[$($attr)*])*
        #[brine_core::call::exec]
        #[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
        fn $name(
            cx: &Cx,
            $($(#[default($default)])? $param: Value,)*
            kwargs: brine_core::call::KwArgs,
        ) -> Result<Map> {
            let named = map! { $(stringify!($param) => $param),* };
            $body(cx, Given(named), kwargs.0)
        }
    };
}

by_name! {
    /// Install Python packages.
    ///
    /// pkgs: packages, a list or text with commas between. requirements: files of requirements. editable: packages that stay
    /// where they are. bin_env: a virtual environment, a Python or a pip. user: who pip runs as. cwd: where it runs.
    /// upgrade, force_reinstall, ignore_installed, no_deps, pre_releases: what is installed. index_url, extra_index_url,
    /// no_index, find_links, proxy, cert, trusted_host, timeout: where from. target, source, build, cache_dir, no_cache_dir,
    /// log: where to. extra_args: further arguments of pip, each a word or `{option: value}`. env_vars: what is added to its
    /// environment. The others are pip's own options, some of versions long gone.
    ///
    /// CLI Example: salt '*' pip.install requirements=/path/to/requirements.txt bin_env=/path/to/virtualenv
    fn install(
        pkgs = (), requirements = (), bin_env = (), use_wheel = false, no_use_wheel = false, log = (), proxy = (),
        timeout = (), editable = (), find_links = (), index_url = (), extra_index_url = (), no_index = false,
        mirrors = (), build = (), target = (), download = (), download_cache = (), source = (), upgrade = false,
        force_reinstall = false, ignore_installed = false, exists_action = (), no_deps = false, no_install = false,
        no_download = false, global_options = (), install_options = (), user = (), cwd = (), pre_releases = false,
        cert = (), allow_all_external = false, allow_external = (), allow_unverified = (),
        process_dependency_links = false, saltenv = "base", env_vars = (), use_vt = false, trusted_host = (),
        no_cache_dir = false, extra_args = (), cache_dir = (), no_binary = (), disable_version_check = false,
    ) => do_install
}

/// Remove Python packages.
///
/// pkgs: packages, a list or text with commas between
/// requirements: files of requirements
/// bin_env: a virtual environment, a Python or a pip
/// log: where pip writes what it does
/// proxy: how it reaches others
/// timeout: how long it waits
/// user: who it runs as
/// cwd: where it runs
/// saltenv: the environment that requirements are in
/// use_vt: run it on a terminal
/// extra_args: further arguments of pip
///
/// CLI Example: salt '*' pip.uninstall <package1>,<package2> bin_env=/path/to/virtualenv
#[brine_core::call::exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn uninstall(
    cx: &Cx,
    pkgs: Option<Value>,
    requirements: Option<Value>,
    bin_env: Option<Value>,
    log: Option<Value>,
    proxy: Option<Value>,
    timeout: Option<Value>,
    user: Option<Value>,
    cwd: Option<Value>,
    #[default("base")] saltenv: Value,
    #[default(false)] use_vt: Value,
    extra_args: Option<Value>,
) -> Result<Map> {
    let place = Place::new(bin_env, cwd, user);
    let mut command = place.pip()?;
    command.extend(["uninstall", "-y"].map(str::to_owned));
    let (args, _copies) = match prepare(cx, &place, requirements.clone(), &saltenv)? {
        Prepared::Ready(args, copies) => (args, copies),
        Prepared::Missing(missing) => return Ok(missing),
    };
    command.extend(args);
    let given = Given(map! {"log" => log, "proxy" => proxy, "timeout" => timeout, "extra_args" => extra_args});
    if let Some(log) = given.text("log") {
        command.extend(["--log".to_owned(), log]);
    }
    given.proxy(cx, &mut command);
    given.timeout(&mut command)?;
    if let Some(pkgs) = pkgs.filter(Value::truthy) {
        let mut names = split(&pkgs);
        for file in requirements.iter().flat_map(split) {
            // What a file names at a version is removed because of it.
            if let Ok(contents) = std::fs::read_to_string(&file) {
                names.retain(|name| !contents.lines().any(|line| line.split_once("==").is_some_and(|(known, _)| known == name)));
            }
        }
        command.extend(names);
    }
    given.extra(&mut command)?;
    let mut more = map! {"saltenv" => saltenv, "use_vt" => use_vt};
    place.environment(&mut more);
    let out = place.run(cx, command, more);
    forget(cx, &place);
    out
}

/// The arguments of a call, by name.
struct Given(Map);

/// A list, or text with commas.
fn split(value: &Value) -> Vec<String> {
    match value {
        Value::List(list) => list.iter().map(python_str).collect(),
        other => python_str(other).split(',').map(|part| part.trim().to_owned()).collect(),
    }
}

impl Given {
    fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| value.truthy())
    }

    fn text(&self, key: &str) -> Option<String> {
        self.get(key).map(python_str)
    }

    fn is(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn list(&self, key: &str) -> Vec<String> {
        self.get(key).map(split).unwrap_or_default()
    }

    fn proxy(&self, cx: &Cx, command: &mut Vec<String>) {
        let option = |key: &str| cx.opts.get(key).filter(|value| value.truthy()).map(python_str);
        let proxy = match self.0.get("proxy") {
            Some(proxy) if proxy.truthy() => Some(python_str(proxy)),
            Some(Value::Bool(false)) => None,
            _ => match (option("proxy_host"), option("proxy_port"), option("proxy_username"), option("proxy_password")) {
                (Some(host), Some(port), Some(user), Some(password)) => {
                    Some(format!("http://{user}:{password}@{host}:{port}"))
                }
                (Some(host), Some(port), _, _) => Some(format!("http://{host}:{port}")),
                _ => None,
            },
        };
        if let Some(proxy) = proxy {
            command.extend(["--proxy".to_owned(), proxy]);
        }
    }

    fn timeout(&self, command: &mut Vec<String>) -> Result<()> {
        let Some(timeout) = self.get("timeout") else { return Ok(()) };
        let text = python_str(timeout);
        if matches!(timeout, Value::Float(_)) || text.trim().parse::<i64>().is_err() {
            let text = format!("'{text}' is not a valid timeout, must be an integer");
            return Err(CallError::exception("ValueError", text));
        }
        command.extend(["--timeout".to_owned(), text]);
        Ok(())
    }

    fn extra(&self, command: &mut Vec<String>) -> Result<()> {
        let args = self.get("extra_args").and_then(Value::as_list).unwrap_or_default();
        for arg in args {
            match arg {
                Value::Map(one) => {
                    if let Some((key, value)) = one.iter().next_back() {
                        if matches!(value, Value::Map(_) | Value::List(_)) {
                            let text = format!("Too many levels in: {}", python_str(key));
                            return Err(CallError::exception("TypeError", text));
                        }
                        command.extend([python_str(key), python_str(value)]);
                    }
                }
                other => command.push(python_str(other)),
            }
        }
        Ok(())
    }

    fn log(&self, command: &mut Vec<String>) -> Result<()> {
        let Some(log) = self.text("log") else { return Ok(()) };
        let refused = |text: String| Err(CallError::exception("OSError", text));
        let (path, parent) = (Path::new(&log), dirname(&log));
        let writable = |path: &Path| access(path, AccessFlags::W_OK).is_ok();
        if path.is_dir() {
            return refused(format!("'{log}' is a directory. Use --log path_to_file"));
        }
        if path.exists() {
            if !writable(path) {
                return refused(format!("'{log}' is not writeable"));
            }
        } else if !Path::new(parent).exists() {
            return refused(format!("Trying to create '{log}' but parent directory '{parent}' does not exist."));
        } else if !writable(Path::new(parent)) {
            return refused(format!("Trying to create '{log}' but parent directory '{parent}' is not writeable."));
        }
        command.extend(["--log".to_owned(), log]);
        Ok(())
    }

    /// Options that some versions of pip do not have are left out for them.
    fn wheels(&self, version: Option<&str>, command: &mut Vec<String>) {
        for (key, option) in [("use_wheel", "--use-wheel"), ("no_use_wheel", "--no-use-wheel")] {
            if !self.is(key) {
                continue;
            }
            if is(version, "<", "1.4") || is(version, ">", "9.0.3") {
                tracing::error!(
                    "The {option} option is only supported in pip between 1.4 and 9.0.3. The version of pip detected is {}. \
                     This option will be ignored.",
                    version.unwrap_or("None")
                );
            } else {
                command.push(option.into());
            }
        }
        if self.is("no_binary") {
            if is(version, "<", "7.0.0") {
                tracing::error!(
                    "The --no-binary option is only supported in pip 7.0.0 and newer. The version of pip detected is {}. This \
                     option will be ignored.",
                    version.unwrap_or("None")
                );
            } else {
                command.extend(["--no-binary".to_owned(), self.list("no_binary").join(",")]);
            }
        }
    }

    /// Where packages come from.
    fn origins(&self, version: Option<&str>, command: &mut Vec<String>) -> Result<()> {
        for link in self.list("find_links") {
            if !is_url(&link) && !Path::new(&link).exists() {
                return Err(CallError::execution(format!("'{link}' is not a valid URL or path")));
            }
            command.extend(["--find-links".to_owned(), link]);
        }
        if self.is("no_index") && (self.is("index_url") || self.is("extra_index_url")) {
            let text = "'no_index' and ('index_url' or 'extra_index_url') are mutually exclusive.";
            return Err(CallError::execution(text));
        }
        for (key, option) in [("index_url", "--index-url"), ("extra_index_url", "--extra-index-url")] {
            if let Some(url) = self.text(key) {
                command.extend([option.to_owned(), valid_url(&url)?]);
            }
        }
        if self.is("no_index") {
            command.push("--no-index".into());
        }
        if self.is("mirrors") {
            if is(version, ">=", "7.0.0") {
                return Err(CallError::execution(
                    "pip >= 7.0.0 does not support mirror argument: use index_url and/or extra_index_url instead",
                ));
            }
            command.push("--use-mirrors".into());
            for mirror in self.list("mirrors") {
                if !mirror.starts_with("http://") {
                    return Err(CallError::execution(format!("'{mirror}' is not a valid URL")));
                }
                command.extend(["--mirrors".to_owned(), mirror]);
            }
        }
        Ok(())
    }

    /// Options that are passed on as they are.
    fn plain(&self, version: Option<&str>, command: &mut Vec<String>) -> Result<()> {
        if self.is("disable_version_check") {
            command.push("--disable-pip-version-check".into());
        }
        let target = match self.0.get("target") {
            None | Some(Value::Nil) => std::env::var("VENV_PIP_TARGET").ok().filter(|target| !target.is_empty()),
            Some(_) => self.text("target"),
        };
        let cache = if is(version, ">=", "6.0") { "--cache-dir" } else { "--download-cache" };
        for (option, value) in [
            ("--build", self.text("build")),
            ("--target", target),
            ("--download", self.text("download")),
            (cache, self.text("download_cache").or_else(|| self.text("cache_dir"))),
            ("--source", self.text("source")),
        ] {
            if let Some(value) = value {
                command.extend([option.to_owned(), value]);
            }
        }
        let flags = |names: &[(&str, &str)], command: &mut Vec<String>| {
            command.extend(names.iter().filter(|(key, _)| self.is(key)).map(|(_, option)| (*option).to_owned()));
        };
        flags(
            &[
                ("upgrade", "--upgrade"),
                ("force_reinstall", "--force-reinstall"),
                ("ignore_installed", "--ignore-installed"),
            ],
            command,
        );
        if let Some(action) = self.text("exists_action") {
            if !matches!(&*action.to_lowercase(), "s" | "i" | "w" | "b") {
                return Err(CallError::execution(format!(
                    "The exists_action pip option only supports the values s, i, w, and b. '{action}' is not valid."
                )));
            }
            command.extend(["--exists-action".to_owned(), action]);
        }
        flags(
            &[
                ("no_deps", "--no-deps"),
                ("no_install", "--no-install"),
                ("no_download", "--no-download"),
                ("no_cache_dir", "--no-cache-dir"),
            ],
            command,
        );
        if self.is("pre_releases") && is(version, ">=", "1.4") {
            command.push("--pre".into());
        }
        if let Some(cert) = self.text("cert") {
            command.extend(["--cert".to_owned(), cert]);
        }
        for (key, option) in [("global_options", "--global-option"), ("install_options", "--install-option")] {
            for value in self.list(key) {
                command.extend([option.to_owned(), value]);
            }
        }
        Ok(())
    }

    /// What is to be installed; nothing to do where that is nothing.
    fn packages(&self, command: &mut Vec<String>) -> Result<bool> {
        if let Some(pkgs) = self.get("pkgs") {
            // States write commas within a condition as semicolons.
            command.extend(split(pkgs).iter().map(|package| package.replace(';', ",")));
        } else if !self.is("requirements") && !self.is("editable") {
            return Ok(false);
        }
        for entry in self.list("editable") {
            let local = entry == "." || entry.starts_with("file://") || entry.starts_with('/');
            let egg = || {
                let (_, fragment) = entry.split_once('#')?;
                fragment.split('&').find_map(|part| part.strip_prefix("egg=")).filter(|egg| !egg.is_empty())
            };
            if !local && egg().is_none() {
                return Err(CallError::execution("You must specify an egg for this editable"));
            }
            command.extend(["--editable".to_owned(), entry]);
        }
        if self.is("allow_all_external") {
            command.push("--allow-all-external".into());
        }
        for (key, option) in [("allow_external", "--allow-external"), ("allow_unverified", "--allow-unverified")] {
            for value in self.list(key) {
                command.extend([option.to_owned(), value]);
            }
        }
        if self.is("process_dependency_links") {
            command.push("--process-dependency-links".into());
        }
        if let Some(host) = self.text("trusted_host") {
            command.extend(["--trusted-host".to_owned(), host]);
        }
        Ok(true)
    }
}

fn do_install(cx: &Cx, given: Given, kwargs: Map) -> Result<Map> {
    let of = |key: &str| given.0.get(key).filter(|value| !value.is_nil()).cloned();
    let place = Place::new(of("bin_env"), of("cwd"), of("user"));
    let saltenv = of("saltenv").unwrap_or_default();
    let mut command = place.pip()?;
    command.push("install".into());
    let (args, _copies) = match prepare(cx, &place, of("requirements"), &saltenv)? {
        Prepared::Ready(args, copies) => (args, copies),
        Prepared::Missing(missing) => return Ok(missing),
    };
    command.extend(args);
    let version = place.version(cx)?;
    let version = version.as_deref();
    given.wheels(version, &mut command);
    given.log(&mut command)?;
    given.proxy(cx, &mut command);
    given.timeout(&mut command)?;
    given.origins(version, &mut command)?;
    given.plain(version, &mut command)?;
    if !given.packages(&mut command)? {
        return Ok(map! {"retcode" => 0, "stdout" => "No packages to install."});
    }
    given.extra(&mut command)?;
    let mut more = map! {"saltenv" => saltenv, "use_vt" => of("use_vt")};
    more.update(kwargs);
    super::environment(&place, &mut more, given.0.get("env_vars"))?;
    let out = place.run(cx, command, more);
    forget(cx, &place);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_become_words() {
        let given = Given(map! {
            "pkgs" => "a>=1;<2, b", "upgrade" => true, "no_deps" => true, "index_url" => "https://x", "timeout" => 5,
            "extra_args" => vec![Value::from("--x"), map! {"--y" => "z"}.into()], "target" => "/t",
        });
        let mut command = Vec::new();
        given.timeout(&mut command).unwrap();
        given.origins(Some("23.0"), &mut command).unwrap();
        given.plain(Some("23.0"), &mut command).unwrap();
        assert!(given.packages(&mut command).unwrap());
        given.extra(&mut command).unwrap();
        assert_eq!(
            command.join(" "),
            "--timeout 5 --index-url https://x --target /t --upgrade --no-deps a>=1,<2 b --x --y z"
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |given: Map| Given(given);
        assert!(refused(map! {"timeout" => 1.5}).timeout(&mut Vec::new()).is_err());
        assert!(refused(map! {"no_index" => true, "index_url" => "https://x"}).origins(None, &mut Vec::new()).is_err());
        assert!(refused(map! {"mirrors" => "http://x"}).origins(Some("20"), &mut Vec::new()).is_err());
        assert!(refused(map! {"exists_action" => "q"}).plain(None, &mut Vec::new()).is_err());
        assert!(refused(map! {"editable" => "git+https://x"}).packages(&mut Vec::new()).is_err());
        assert!(!refused(Map::new()).packages(&mut Vec::new()).unwrap());
    }
}
