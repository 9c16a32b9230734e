//! Installing packages: from repositories, at versions, from files.

use super::apt::{call, changes, code, text, words};
use super::available::{latest, refresh as refresh_lists, repo_packages};
use super::change::targets;
use super::hold::{Hold, selections, set_hold};
use super::{debian, forget, order, packages};
use crate::detailed;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::text::{is_true, python_str};
use brine_core::{Map, Value, map};

/// Install packages; what is installed already stays as it is unless there is a newer version.
///
/// name: the package, or several with commas between; ignored beside pkgs and sources
/// refresh: whether to refresh the lists of packages first
/// fromrepo: the distribution to install from (`apt-get -t`)
/// skip_verify: install packages that nobody signed
/// debconf: a file with answers to debconf's questions
/// pkgs: packages, each a name or `{name: version}`; versions may be conditions (`>1.2`)
/// sources: package files, each `{name: path or URL}`
/// reinstall: install again what is installed at that version
/// downloadonly: fetch packages and leave them there
/// ignore_epoch: compare versions without epochs
/// normalize: whether names lose the machine's own architecture
///
/// Further arguments: version, cache_valid_time, force_yes, install_recommends, only_upgrade, force_conf_new, env, repo, and
/// those of `cmd.run_all`.
///
/// CLI Example: salt '*' pkg.install pkgs='["foo", {"bar": "1.2.3-0ubuntu0"}]'
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn install(
    cx: &Cx,
    name: Option<Value>,
    #[default(false)] refresh: Value,
    fromrepo: Option<Value>,
    #[default(false)] skip_verify: Value,
    debconf: Option<Value>,
    pkgs: Option<Value>,
    sources: Option<Value>,
    #[default(false)] reinstall: Value,
    #[default(false)] downloadonly: Value,
    #[default(false)] ignore_epoch: Value,
    #[default(true)] normalize: Value,
    kwargs: KwArgs,
) -> Result<Map> {
    debian(cx)?;
    let mut kwargs = kwargs.0;
    let has_pkgs = pkgs.as_ref().is_some_and(Value::truthy);
    let refresh = is_true(&refresh) && stale(cx, name.as_ref(), pkgs.as_ref(), &kwargs)?;
    if let Some(path) = debconf.filter(Value::truthy) {
        cx.call("debconf.set_file", Args::positional([path]))?;
    }
    let split_arch = kwargs.get("split_arch").is_none_or(Value::truthy);
    let mut args =
        Args::positional([name.clone().into(), pkgs.clone().into(), sources.clone().into()] as [Value; 3]);
    args.keyword = kwargs.clone();
    args.keyword.insert("normalize", normalize.truthy() && split_arch);
    let (params, _) = targets(cx, args)?;
    let repo = |value: Option<&Value>| value.filter(|repo| repo.truthy()).map(python_str);
    let fromrepo = repo(fromrepo.as_ref()).or_else(|| repo(kwargs.get("repo")));
    if !params.truthy() {
        return Ok(Map::new());
    }
    let old = packages(cx, false, false, false)?;
    let prefix = Prefix::new(&kwargs, skip_verify.truthy(), fromrepo.as_deref(), matches!(params, Value::Map(_)));
    let mut plan = Plan { reinstall: reinstall.truthy(), ..Plan::default() };
    let single = name.filter(|name| name.truthy() && !has_pkgs);
    let version = kwargs.get("version").filter(|version| version.truthy() && single.is_some()).map(python_str);
    match &params {
        Value::Map(params) => {
            let version = version.filter(|_| params.len() == 1);
            plan.repository(cx, params, version.as_deref(), ignore_epoch.truthy(), &old)?;
        }
        Value::List(paths) => plan.files(cx, paths, &old)?,
        _ => {}
    }
    if let Some(repo) = fromrepo.filter(|_| !sources.as_ref().is_some_and(Value::truthy)) {
        tracing::info!("Targeting repo '{repo}'");
    }
    let commands = plan.commands(&prefix, downloadonly.truthy(), sources.is_some_and(|s| s.truthy()))?;
    let ret = if commands.is_empty() {
        Map::new()
    } else {
        let valid = kwargs.remove("cache_valid_time").unwrap_or_default();
        if refresh {
            refresh_lists(cx, &valid, false)?;
        }
        plan.run(cx, &commands, &kwargs, &old)?
    };
    if plan.errors.is_empty() {
        return Ok(ret);
    }
    let info = map! {"errors" => plan.errors, "changes" => ret};
    Err(detailed::error("Problem encountered installing package(s)", info))
}

/// Whether lists have to be refreshed before: not where the versions asked for are those that are known.
fn stale(cx: &Cx, name: Option<&Value>, pkgs: Option<&Value>, kwargs: &Map) -> Result<bool> {
    let known = |name: &Value, version: &Value| -> Result<bool> {
        let name = python_str(name);
        let found = latest(cx, std::slice::from_ref(&name), None, true)?;
        Ok(found.get(&name) == Some(version))
    };
    let mut stale = true;
    if let Some(version) = kwargs.get("version").filter(|version| version.truthy()) {
        stale = !known(name.unwrap_or(&Value::Nil), version)?;
    }
    if let Some(Value::List(pkgs)) = pkgs.filter(|pkgs| pkgs.truthy()) {
        stale = false;
        for package in pkgs {
            stale |= match package {
                Value::Map(one) => match one.iter().next() {
                    Some((name, version)) => !known(name, version)?,
                    None => return Err(CallError::exception("StopIteration", "")),
                },
                _ => true,
            };
        }
    }
    Ok(stale)
}

/// The words that every command begins with.
struct Prefix {
    words: Vec<String>,
    repository: bool,
}

impl Prefix {
    fn new(kwargs: &Map, skip_verify: bool, fromrepo: Option<&str>, repository: bool) -> Self {
        let set = |key: &str| kwargs.get(key).is_some_and(Value::truthy);
        let mut all = words(&["apt-get", "-q", "-y"]);
        if set("force_yes") {
            all.push("--force-yes".into());
        }
        let conf: &[&str] =
            if set("force_conf_new") { &["--force-confnew"] } else { &["--force-confold", "--force-confdef"] };
        for option in conf {
            all.extend(["-o".into(), format!("DPkg::Options::={option}")]);
        }
        if let Some(wanted) = kwargs.get("install_recommends") {
            all.push(if wanted.truthy() { "--install-recommends" } else { "--no-install-recommends" }.into());
        }
        if set("only_upgrade") {
            all.push("--only-upgrade".into());
        }
        if skip_verify {
            all.push("--allow-unauthenticated".into());
        }
        if let Some(repo) = fromrepo.filter(|_| repository) {
            all.extend(["-t".into(), repo.to_owned()]);
        }
        all.push("install".into());
        Self { words: all, repository }
    }
}

/// What is to be done to which packages.
#[derive(Default)]
struct Plan {
    reinstall: bool,
    targets: Vec<String>,
    downgrade: Vec<String>,
    again: Vec<(String, String)>,
    errors: Vec<String>,
}

impl Plan {
    fn repository(
        &mut self,
        cx: &Cx,
        params: &Map,
        version: Option<&str>,
        ignore_epoch: bool,
        old: &Map,
    ) -> Result<()> {
        let compared: Vec<String> = params
            .iter()
            .filter(|(_, version)| version.as_str().is_some_and(|v| v.starts_with(['<', '>'])))
            .map(|(name, _)| python_str(name))
            .collect();
        let available = if compared.is_empty() { Map::new() } else { repo_packages(cx, &compared)? };
        for (name, wanted) in params.iter() {
            let name = python_str(name);
            let wanted =
                version.map(str::to_owned).or_else(|| Some(wanted).filter(|w| !w.is_nil()).map(python_str));
            let Some(wanted) = wanted else {
                if self.reinstall && old.contains(&name) {
                    self.again.push((name.clone(), name));
                } else {
                    self.targets.push(name);
                }
                continue;
            };
            let mut wanted = wanted.trim_start_matches('=').to_owned();
            if compared.contains(&name) {
                let candidates: Vec<String> = match available.get(&name) {
                    Some(Value::List(list)) => list.iter().map(python_str).collect(),
                    _ => Vec::new(),
                };
                match order::first_match(&wanted, &candidates, ignore_epoch) {
                    Some(found) => found.clone_into(&mut wanted),
                    None => {
                        let known = if candidates.is_empty() { "None".into() } else { candidates.join(", ") };
                        self.errors.push(format!(
                            "No version matching '{name}{wanted}' could be found (available: {known})"
                        ));
                        continue;
                    }
                }
            }
            let word = format!("{name}={wanted}");
            self.at_version(name, word, &wanted, old);
        }
        Ok(())
    }

    fn files(&mut self, cx: &Cx, paths: &[Value], old: &Map) -> Result<()> {
        for path in paths {
            let info = cx.call("lowpkg.bin_pkg_info", Args::positional([path.clone()]))?;
            let of = |key: &str| info.get(key).map(python_str).unwrap_or_default();
            self.at_version(of("name"), python_str(path), &of("version"), old);
        }
        Ok(())
    }

    fn at_version(&mut self, name: String, word: String, version: &str, old: &Map) {
        let current = old.get(&name).map(python_str).unwrap_or_default();
        if self.reinstall && !current.is_empty() && order::holds(version, "==", &current, false) {
            self.again.push((name, word));
        } else if current.is_empty() || order::holds(version, ">=", &current, false) {
            self.targets.push(word);
        } else {
            self.downgrade.push(word);
        }
    }

    fn commands(&self, prefix: &Prefix, downloadonly: bool, sources: bool) -> Result<Vec<Vec<String>>> {
        let mut commands = Vec::new();
        if !self.targets.is_empty() {
            let mut command = prefix.words.clone();
            command.extend(self.targets.iter().cloned());
            commands.push(command);
        }
        if !self.downgrade.is_empty() {
            let mut command = prefix.words.clone();
            if prefix.repository && !command.iter().any(|word| word == "--force-yes") {
                command.insert(command.len() - 1, "--force-yes".into());
            }
            command.extend(self.downgrade.iter().cloned());
            commands.push(command);
        }
        if downloadonly {
            match commands.last_mut() {
                Some(last) => last.push("--download-only".into()),
                None => {
                    let text = "local variable 'cmd' referenced before assignment";
                    return Err(CallError::exception("UnboundLocalError", text));
                }
            }
        }
        if !self.again.is_empty() {
            let mut command = prefix.words.clone();
            if !sources {
                command.push("--reinstall".into());
            }
            command.extend(self.again.iter().map(|(_, word)| word.clone()));
            commands.push(command);
        }
        Ok(commands)
    }

    fn run(&mut self, cx: &Cx, commands: &[Vec<String>], kwargs: &Map, old: &Map) -> Result<Map> {
        let held = selections(cx, None)?;
        let names: Vec<&str> = self
            .targets
            .iter()
            .map(|word| word.split('=').next().unwrap_or_default())
            .chain(self.again.iter().map(|(name, _)| name.as_str()))
            .collect();
        let held: Vec<Value> = held
            .get("hold")
            .and_then(Value::as_list)
            .unwrap_or_default()
            .iter()
            .filter(|name| names.contains(&&*python_str(name)))
            .cloned()
            .collect();
        if !held.is_empty() {
            set_hold(cx, &held, Hold::Off)?;
        }
        for command in commands {
            let out = call(cx, command, true, kwargs)?;
            let errors = text(&out, "stderr");
            if code(&out) != 0 && !errors.is_empty() {
                self.errors.push(errors);
            }
        }
        forget(cx);
        let new = packages(cx, false, false, false)?;
        let mut ret = changes(old, &new);
        for (name, _) in &self.again {
            let of = |all: &Map| all.get(name).cloned().unwrap_or_else(|| "".into());
            ret.insert(name.as_str(), map! {"old" => of(old), "new" => of(&new)});
        }
        if !held.is_empty() {
            set_hold(cx, &held, Hold::On)?;
        }
        Ok(ret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> (Plan, Prefix) {
        let prefix = Prefix::new(&map! {"install_recommends" => false}, false, Some("sid"), true);
        (Plan { reinstall: true, ..Plan::default() }, prefix)
    }

    #[test]
    fn newer_same_and_older_versions_go_different_ways() {
        let (mut plan, prefix) = plan();
        let old = map! {"a" => "1", "b" => "2", "c" => "3"};
        for (name, version) in [("a", "2"), ("b", "2"), ("c", "2"), ("d", "1")] {
            plan.at_version(name.into(), format!("{name}={version}"), version, &old);
        }
        let commands: Vec<String> =
            plan.commands(&prefix, false, false).unwrap().iter().map(|command| command.join(" ")).collect();
        let begin = "apt-get -q -y -o DPkg::Options::=--force-confold -o DPkg::Options::=--force-confdef \
                     --no-install-recommends -t sid";
        assert_eq!(commands, [
            format!("{begin} install a=2 d=1"),
            format!("{begin} --force-yes install c=2"),
            format!("{begin} install --reinstall b=2"),
        ]);
    }

    #[test]
    fn only_downloading_needs_something_to_download() {
        let (mut plan, prefix) = plan();
        assert!(plan.commands(&prefix, true, false).is_err());
        plan.targets.push("x".into());
        assert!(plan.commands(&prefix, true, false).unwrap()[0].ends_with(&["x".into(), "--download-only".into()]));
    }
}
