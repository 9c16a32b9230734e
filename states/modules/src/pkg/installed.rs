//! `pkg.installed`: packages are there, at their versions, held or not.

use super::ask::{failed, is_empty_list, packages, packed, refresh_wanted};
use super::find::{Found, Targets, Wish, to_install, with_warnings};
use super::versions::{all_shown, shown, verified};
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// Packages are installed, at the versions asked for.
///
/// name: the package, where neither pkgs nor sources is given
/// version: its version: one, a glob, conditions with commas between (`>=1.2,<2`), or `latest`
/// refresh: whether to refresh the lists of packages; left open, once in a run
/// fromrepo: the distribution to install from
/// skip_verify: install packages that nobody signed
/// skip_suggestions: do not look for packages of similar names (apt's module never does)
/// pkgs: packages, each a name or `{name: version}`
/// sources: package files, each `{name: path or URL}`
/// allow_updates: whether newer versions than the one asked for are as good
/// pkg_verify: check files of packages; apt's module cannot
/// normalize: whether names lose the machine's own architecture
/// ignore_epoch: whether epochs of versions do not count
/// reinstall: install again what is there
/// update_holds: of use with other systems
///
/// Further arguments: hold, and those of `pkg.install`.
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn installed(
    cx: &Cx,
    name: Value,
    version: Option<Value>,
    refresh: Option<Value>,
    fromrepo: Option<Value>,
    #[default(false)] skip_verify: Value,
    #[default(false)] skip_suggestions: Value,
    pkgs: Option<Value>,
    sources: Option<Value>,
    #[default(false)] allow_updates: Value,
    #[default(false)] pkg_verify: Value,
    #[default(true)] normalize: Value,
    ignore_epoch: Option<Value>,
    #[default(false)] reinstall: Value,
    #[default(false)] update_holds: Value,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let _no_suggestions = skip_suggestions;
    if is_empty_list(pkgs.as_ref()) {
        return Ok(Outcome::ok(name, "No packages to install provided"));
    }
    let mut kwargs = kwargs.0;
    let (mut version, mut pkgs) = (version, pkgs.filter(Value::truthy));
    let sources = sources.filter(Value::truthy);
    if name.truthy() && pkgs.is_none() && sources.is_none() {
        let single = version.take_if(|version| version.truthy());
        pkgs = Some(packed(&name, single));
    }
    kwargs.insert("saltenv", cx.saltenv());
    let refresh = refresh_wanted(cx, refresh.as_ref());
    if pkg_verify == Value::Bool(true) || matches!(pkg_verify, Value::List(_)) {
        return Ok(Outcome::failed(name, "pkg.verify not implemented"));
    }
    let version = version.map(|version| python_str(&version));
    kwargs.insert("allow_updates", allow_updates);
    let mut more = kwargs.clone();
    more.insert("fromrepo", fromrepo.clone());
    more.insert("split_arch", false);
    let reinstall = reinstall.truthy();
    let epoch = ignore_epoch.as_ref().map(Value::truthy);
    let wish = Wish {
        name: &name,
        pkgs: pkgs.as_ref(),
        sources: sources.as_ref(),
        version: version.as_deref(),
        normalize: normalize.truthy(),
        ignore_epoch: epoch,
        reinstall,
        refresh,
        kwargs: &more,
    };
    let todo = match to_install(cx, &wish)? {
        Found::Todo(todo) => todo,
        Found::Done(done) => return hold_only(cx, *done, pkgs, sources, &kwargs),
    };
    if cx.test {
        return Ok(would(&name, &todo, reinstall, sources.is_some()));
    }
    let mut done = Done { changes: Map::new(), installed: Map::new() };
    if !todo.targets.is_empty() || !todo.again.is_empty() {
        let mut args = Args { positional: Vec::new(), keyword: kwargs.clone() };
        let (pkgs, sources) = wanted(&todo, sources.as_ref());
        for (key, value) in [
            ("name", Value::Nil),
            ("refresh", (refresh && !todo.refreshed).into()),
            ("version", version.into()),
            ("fromrepo", fromrepo.into()),
            ("skip_verify", skip_verify),
            ("pkgs", pkgs),
            ("sources", sources),
            ("reinstall", (!todo.again.is_empty()).into()),
            ("normalize", normalize),
            ("update_holds", update_holds),
            ("ignore_epoch", ignore_epoch.into()),
            ("split_arch", false.into()),
        ] {
            args.keyword.insert(key, value);
        }
        match cx.call("pkg.install", args) {
            Ok(Value::Map(changes)) => {
                done.changes = changes.clone();
                done.installed = changes;
            }
            Ok(_) => {}
            Err(error) => {
                let failed = failed(&name, error, "An error was encountered while installing package(s)")?;
                return Ok(with_warnings(failed, &todo.warnings));
            }
        }
    }
    let held = match hold(cx, &name, Some(todo.desired.clone().into()), None, &kwargs) {
        Ok(held) => held,
        Err(CallError::Execution(text) | CallError::Invocation(text)) => {
            let failed = Outcome::failed(name, text).with_changes(done.changes);
            return Ok(with_warnings(failed, &todo.warnings));
        }
        Err(error) => return Err(error),
    };
    if !todo.unpurge.is_empty() {
        let changed = cx.call("lowpkg.unpurge", Args::positional(todo.unpurge.clone()))?;
        done.changes.insert("purge_desired", changed);
    }
    let outcome = done.told(cx, name, &todo, &held, &Told { sources: sources.is_some(), reinstall, epoch, kwargs: &kwargs })?;
    Ok(with_warnings(outcome, &todo.warnings))
}

/// `pkgs` and `sources` that remain to be done.
fn wanted(todo: &Targets, sources: Option<&Value>) -> (Value, Value) {
    if let Some(Value::List(sources)) = sources {
        let within = |part: &Map| {
            let named = |source: &&Value| {
                source.as_map().and_then(|one| one.keys().next()).is_some_and(|name| part.get_key(name).is_some())
            };
            sources.iter().filter(named).cloned().collect::<Vec<_>>()
        };
        let mut left = within(&todo.targets);
        left.extend(within(&todo.again));
        return (Value::Nil, left.into());
    }
    let pairs = todo.targets.iter().chain(todo.again.iter());
    let pkgs: Vec<Value> = pairs.map(|(name, version)| map! {name.clone() => version.clone()}.into()).collect();
    (pkgs.into(), Value::Nil)
}

/// What came of holding or not holding packages.
#[derive(Default)]
struct Holds {
    modified: Vec<Map>,
    same: Vec<Map>,
    failed: Vec<Map>,
}

/// Holds packages or lets them go, where the state says so.
fn hold(cx: &Cx, name: &Value, pkgs: Option<Value>, sources: Option<Value>, kwargs: &Map) -> Result<Holds> {
    let mut holds = Holds::default();
    let Some(wanted) = kwargs.get("hold") else { return Ok(holds) };
    let function = if wanted.truthy() { "pkg.hold" } else { "pkg.unhold" };
    let args = Args::none().with("name", name.clone()).with("pkgs", pkgs).with("sources", sources);
    let Value::Map(results) = cx.call(function, args)? else { return Ok(holds) };
    for (_, result) in results {
        let Value::Map(result) = result else { continue };
        let is = |key: &str| result.get(key).is_some_and(Value::truthy);
        if is("changes") {
            holds.modified.push(result.clone());
        } else if is("result") {
            holds.same.push(result.clone());
        }
        if !is("result") {
            holds.failed.push(result);
        }
    }
    Ok(holds)
}

fn text(map: &Map, key: &str) -> String {
    map.get(key).map(python_str).unwrap_or_default()
}

/// Nothing is to be installed: only holds may have to change.
fn hold_only(
    cx: &Cx,
    mut outcome: Outcome,
    pkgs: Option<Value>,
    sources: Option<Value>,
    kwargs: &Map,
) -> Result<Outcome> {
    let held = match hold(cx, &outcome.name, pkgs, sources, kwargs) {
        Ok(held) => held,
        Err(CallError::Execution(text) | CallError::Invocation(text)) => {
            return Ok(Outcome::failed(outcome.name, text));
        }
        Err(error) => return Err(error),
    };
    let mut comment = python_str(&outcome.comment);
    for (one, changed) in held
        .modified
        .iter()
        .map(|one| (one, true))
        .chain(held.same.iter().chain(&held.failed).map(|one| (one, false)))
    {
        comment.push_str(&format!(".\n{}", text(one, "comment")));
        outcome.result = one.get("result").and_then(Value::as_bool);
        if changed {
            outcome.changes.insert(text(one, "name"), one.get("changes").cloned().unwrap_or_default());
        }
    }
    outcome.comment = comment.into();
    Ok(outcome)
}

/// What would be done.
fn would(name: &Value, todo: &Targets, reinstall: bool, sources: bool) -> Outcome {
    let new = || map! {"new" => "installed", "old" => ""};
    let names = |part: &Map| part.keys().map(python_str).collect::<Vec<_>>();
    let (mut comment, mut changes) = (Vec::new(), Map::new());
    if !todo.targets.is_empty() {
        let targets = names(&todo.targets);
        comment.push(format!("The following packages would be installed/updated: {}", targets.join(", ")));
        for target in targets {
            changes.insert(target, new());
        }
    }
    if !todo.unpurge.is_empty() {
        comment.push(format!(
            "The following packages would have their selection status changed from 'purge' to 'install': {}",
            todo.unpurge.join(", ")
        ));
        for package in &todo.unpurge {
            changes.insert(package.as_str(), new());
        }
    }
    if reinstall && !todo.again.is_empty() {
        let again: Vec<String> = names(&todo.again)
            .iter()
            .map(|name| if sources { name.clone() } else { shown(name, &todo.again) })
            .collect();
        comment.push(format!("The following packages would be reinstalled: {}", again.join(", ")));
        for package in again {
            changes.insert(package, new());
        }
    }
    let outcome = Outcome::would(name.clone(), comment.join("\n")).with_changes(changes);
    with_warnings(outcome, &todo.warnings)
}

/// What was done.
struct Done {
    changes: Map,
    installed: Map,
}

/// How it was asked for.
struct Told<'a> {
    sources: bool,
    reinstall: bool,
    epoch: Option<bool>,
    kwargs: &'a Map,
}

impl Done {
    fn told(mut self, cx: &Cx, name: Value, todo: &Targets, held: &Holds, told: &Told<'_>) -> Result<Outcome> {
        let names = |part: &Map| part.keys().map(python_str).collect::<Vec<_>>();
        let asked = |name: &String| todo.targets.contains(name);
        let again = |name: &String| todo.again.contains(name);
        let (modified, same, bad): (Vec<String>, Vec<String>, Vec<String>) = if told.sources {
            let modified: Vec<String> = names(&self.changes).into_iter().filter(asked).collect();
            let same = names(&todo.desired).into_iter().filter(|name| !asked(name) && !again(name)).collect();
            let bad = names(&todo.targets).into_iter().filter(|name| !modified.contains(name)).collect();
            (modified, same, bad)
        } else {
            let now = packages(cx, None, told.kwargs)?;
            let (good, bad) = verified(cx, &todo.desired, &now, told.epoch)?;
            let same = good.iter().filter(|name| !asked(name) && !again(name)).cloned().collect();
            (good.into_iter().filter(asked).collect(), same, bad.into_iter().filter(asked).collect())
        };
        let summary = |names: &[String]| {
            if told.sources { names.join(", ") } else { all_shown(names, &todo.desired) }
        };
        let plural = |n: usize| if n > 1 { ("s", "were") } else { ("", "was") };
        let mut comment: Vec<String> = Vec::new();
        if !modified.is_empty() {
            let summary = summary(&modified);
            let (s, were) = plural(modified.len());
            comment.push(if summary.chars().count() < 20 {
                format!("The following packages were installed/updated: {summary}")
            } else {
                format!("{} targeted package{s} {were} installed/updated.", modified.len())
            });
        }
        for one in &held.modified {
            comment.push(text(one, "comment"));
            self.add_hold(one);
        }
        if !same.is_empty() {
            let (s, were) = plural(same.len());
            comment.push(if same.len() <= 20 {
                format!("The following packages were already installed: {}", summary(&same))
            } else {
                format!("{} targeted package{s} {were} already installed", same.len())
            });
        }
        comment.extend(held.same.iter().map(|one| text(one, "comment")));
        let mut result = true;
        if !bad.is_empty() {
            comment.insert(0, format!("The following packages failed to install/update: {}", summary(&bad)));
            result = false;
        }
        if !held.failed.is_empty() {
            comment.extend(held.failed.iter().map(|one| text(one, "comment")));
            result = false;
        }
        if told.reinstall {
            let (good, bad): (Vec<String>, Vec<String>) =
                names(&todo.again).into_iter().partition(|name| self.installed.contains(name));
            let word = |name: &String| if told.sources { name.clone() } else { shown(name, &todo.desired) };
            comment.extend(good.iter().map(|name| format!("Package {} was reinstalled.", word(name))));
            comment.extend(
                bad.iter().map(|name| format!("Reinstall was not successful for package {}.", word(name))),
            );
            result = result && bad.is_empty();
        }
        Ok(Outcome { changes: self.changes, result: Some(result), ..Outcome::ok(name, comment.join("\n")) })
    }

    /// Adds what a hold changed to what an installation did.
    fn add_hold(&mut self, one: &Map) {
        let name = text(one, "name");
        let of = |key: &str| one.get("changes").and_then(|c| c.get(key)).map(python_str).unwrap_or_default();
        if let Some(Value::Map(known)) = self.changes.get_mut(&name) {
            for key in ["new", "old"] {
                let mut value = text(known, key);
                if !value.is_empty() {
                    value.push('\n');
                }
                value.push_str(&of(key));
                known.insert(key, value);
            }
        } else {
            self.changes.insert(name, map! {"new" => of("new")});
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_added_to_what_was_installed() {
        let mut done = Done { changes: map! {"a" => map! {"new" => "1", "old" => ""}}, installed: Map::new() };
        for name in ["a", "b"] {
            done.add_hold(&map! {"name" => name, "changes" => map! {"new" => "hold", "old" => "install"}});
        }
        assert_eq!(done.changes, map! {
            "a" => map! {"new" => "1\nhold", "old" => "install"}, "b" => map! {"new" => "hold"},
        });
    }
}
