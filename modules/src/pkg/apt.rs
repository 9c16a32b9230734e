//! How apt's programs and dpkg are run: never asking, in a systemd scope of their own where one can be had, patient while
//! somebody else holds dpkg's lock.

pub(super) use crate::tools::{code, text};
use brine_core::call::{Args, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::time::Duration;

/// What keeps apt and its hooks from asking questions.
const QUIET: [(&str, &str); 4] = [
    ("APT_LISTBUGS_FRONTEND", "none"),
    ("APT_LISTCHANGES_FRONTEND", "none"),
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("UCF_FORCE_CONFFOLD", "1"),
];

/// How often stock tries again while the lock is held.
const TRIES: u32 = 10;

/// Words of a command.
pub(super) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// `env` of a call: a map, or a list of maps with one entry each.
fn given_env(given: &Map) -> Option<Map> {
    match given.get("env")? {
        Value::Map(env) => Some(env.clone()),
        Value::List(list) => Some(list.iter().filter_map(Value::as_map).fold(Map::new(), |mut all, one| {
            all.update(one.clone());
            all
        })),
        _ => Some(Map::new()),
    }
}

/// The options `system-environment` of this module, from configuration and pillar.
fn configured_env(cx: &Cx) -> Map {
    let mut env = Map::new();
    for place in [cx.opts.map(), &*cx.pillar] {
        for name in ["pkg", "aptpkg"] {
            let found = place.get("system-environment").and_then(|at| at.get("modules")?.get(name)?.get("_"));
            if let Some(Value::Map(found)) = found {
                env.update(found.clone());
            }
        }
    }
    env
}

/// Runs one of apt's programs and returns what `cmd.run_all` does. `more` are further arguments of that. With `scope` it gets
/// a systemd scope of its own, so that it outlives a restart of the minion (`systemd.scope` switches that off).
pub(super) fn call(cx: &Cx, command: &[String], scope: bool, more: &Map) -> Result<Map> {
    let mut all = Vec::new();
    if scope && crate::systemd::wants_scope(cx)? {
        all.extend(words(&["systemd-run", "--scope", "--description", "\"salt.loaded.int.module.aptpkg\""]));
    }
    all.extend(command.iter().cloned());
    let mut env: Map = QUIET.iter().map(|(k, v)| (Value::from(*k), Value::from(*v))).collect();
    env.update(given_env(more).unwrap_or_else(|| configured_env(cx)));
    let mut args = Args::positional([Value::from(all)]).with("output_loglevel", "trace").with("python_shell", false);
    args.keyword.update(more.clone());
    args.keyword.insert("env", env);
    let run = || crate::tools::all_of(cx, args.clone());
    let mut out = run()?;
    for count in 1..=TRIES {
        if !out.get_str("stderr").is_some_and(|errors| errors.contains("Could not get lock")) {
            break;
        }
        tracing::warn!("Waiting for dpkg lock release: retrying... {count}/100");
        cx.cancel.sleep(Duration::from_secs(1 << count))?;
        out = run()?;
    }
    Ok(out)
}

/// Has apt read dpkg's status anew. It compares second and size to tell whether what it keeps is older, which is too coarse
/// where one change follows another at once.
pub(super) fn drop_cache() {
    if let Err(e) = std::fs::remove_file("/var/cache/apt/pkgcache.bin") {
        tracing::debug!("apt's cache of packages stays: {e}");
    }
}

/// As [`call`], outside any scope and without further arguments.
pub(super) fn ask(cx: &Cx, command: &[&str]) -> Result<Map> {
    call(cx, &words(command), false, &Map::new())
}

/// What `cmd.run_stdout` returns for these words.
pub(super) fn stdout(cx: &Cx, command: &[&str]) -> Result<String> {
    let args = Args::positional([Value::from(words(command))])
        .with("output_loglevel", "trace")
        .with("python_shell", false);
    Ok(python_str(&cx.call("cmd.run_stdout", args)?))
}

/// `env` for commands whose environment a caller cannot change: nothing beside what keeps apt from asking.
pub(super) fn own_env() -> Map {
    map! { "env" => Map::new() }
}

/// What became of packages: those that differ between two lists.
pub(crate) fn changes(old: &Map, new: &Map) -> Map {
    let mut changes = Map::new();
    let empty = || Value::from("");
    for (name, before) in old.iter() {
        match new.get_key(name) {
            Some(after) if after == before => {}
            after => {
                let after = after.cloned().unwrap_or_else(empty);
                changes.insert(name.clone(), map! {"old" => before.clone(), "new" => after});
            }
        }
    }
    for (name, after) in new.iter().filter(|(name, _)| old.get_key(name).is_none()) {
        changes.insert(name.clone(), map! {"old" => "", "new" => after.clone()});
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_what_differs() {
        let old = map! {"a" => "1", "b" => "1", "c" => "1"};
        let new = map! {"a" => "1", "b" => "2", "d" => "1"};
        let want = map! {
            "b" => map! {"old" => "1", "new" => "2"},
            "c" => map! {"old" => "1", "new" => ""},
            "d" => map! {"old" => "", "new" => "1"},
        };
        assert_eq!(changes(&old, &new), want);
    }

    #[test]
    fn an_environment_is_a_map_or_a_list_of_maps() {
        assert_eq!(given_env(&Map::new()), None);
        assert_eq!(given_env(&map! {"env" => ()}), Some(Map::new()));
        let list = Value::List(vec![map! {"A" => "1"}.into(), map! {"B" => "2"}.into()]);
        assert_eq!(given_env(&map! {"env" => list}), Some(map! {"A" => "1", "B" => "2"}));
    }
}
