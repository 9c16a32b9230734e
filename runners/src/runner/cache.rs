//! What the master has cached about minions, and the banks of its cache.

mod banks;

use brine_core::call::{CallError, Cx, KwArgs, Result, exec, module};
use brine_core::target::{Fleet, check_minions};
use brine_core::{Map, Value};
use brine_files::git::{self, GitFs, GitPillar};
use brine_protocol::ids::MinionId;

use crate::client::split_input;
use crate::host::{MasterHost, master};
use banks::{exec_fetch, exec_flush, exec_list_, exec_store};

module! {
    "cache": clear_all, clear_git_lock, clear_grains, clear_mine, clear_mine_func, clear_pillar, cloud, fetch, flush, grains,
    "list" => list_, mine, pillar, store
}

refused! { "cache", "salt-cloud, which is not part of Brine", "What salt-cloud has cached about machines: refused.": cloud }

/// The minions that a target means; nobody where there is none.
fn targets(host: &MasterHost, tgt: Option<&Value>, tgt_type: &str) -> Vec<String> {
    tgt.map_or_else(Vec::new, |tgt| check_minions(&host.data, tgt, tgt_type, ":", true).minions)
}

/// The minions that anything is cached of.
fn cached(host: &MasterHost) -> Vec<String> {
    let mut ids = if host.data.enabled() { host.data.cached() } else { Vec::new() };
    ids.retain(|id| MinionId::parse(id).is_ok());
    ids.sort();
    ids
}

/// Grains or pillar of these minions, as they are cached.
fn data(host: &MasterHost, ids: &[String], pillar: bool) -> Map {
    let known = |id: &String| host.data.data(id).filter(|_| host.data.enabled());
    let of = |id: &String| {
        let data = known(id).map(|data| if pillar { data.pillar } else { data.grains });
        data.filter(|data| data.truthy()).map_or_else(|| Map::new().into(), |data| (*data).clone())
    };
    ids.iter().map(|id| (id.as_str(), of(id))).collect()
}

/// Cached grains of the minions that are meant.
///
/// CLI Example: salt-run cache.grains '*'
#[exec]
fn grains(cx: &Cx, tgt: Value, #[default("glob")] tgt_type: String, _kwargs: KwArgs) -> Result<Map> {
    let host = master(cx)?;
    Ok(data(host, &targets(host, Some(&tgt), &tgt_type), false))
}

/// Cached pillar of the minions that are meant; without a target, of all that have any.
///
/// CLI Example: salt-run cache.pillar
#[exec]
fn pillar(cx: &Cx, tgt: Option<Value>, #[default("glob")] tgt_type: String, _kwargs: KwArgs) -> Result<Map> {
    let host = master(cx)?;
    if tgt.as_ref().is_some_and(Value::truthy) {
        return Ok(data(host, &targets(host, tgt.as_ref(), &tgt_type), true));
    }
    let mut all = data(host, &cached(host), true);
    all.retain(|_, pillar| pillar.truthy());
    Ok(all)
}

/// The mine of the minions that are meant; without a target, of all that anything is cached of.
///
/// CLI Example: salt-run cache.mine
#[exec]
fn mine(cx: &Cx, tgt: Option<Value>, #[default("glob")] tgt_type: String, _kwargs: KwArgs) -> Result<Map> {
    let host = master(cx)?;
    let mut ids = targets(host, tgt.as_ref(), &tgt_type);
    let keeps = host.data.enabled() || cx.opts.flag("enforce_mine_cache");
    if ids.is_empty() && keeps {
        ids = host.data.cached();
        ids.sort();
    }
    let of = |id: &String| host.data.mine(id).filter(|_| keeps).unwrap_or_default();
    Ok(ids.iter().map(|id| (id.as_str(), of(id))).collect())
}

/// What is to be forgotten.
#[derive(Default)]
struct What {
    grains: bool,
    pillar: bool,
    mine: bool,
    function: Option<String>,
}

/// False where nothing was asked for.
fn clear(cx: &Cx, tgt: Option<Value>, tgt_type: &str, what: &What) -> Result<bool> {
    if tgt.is_none() || !(what.grains || what.pillar || what.mine || what.function.is_some()) {
        return Ok(false);
    }
    let host = master(cx)?;
    let known = host.data.cached();
    for id in targets(host, tgt.as_ref(), tgt_type).iter().filter(|id| known.contains(id)) {
        let Ok(id) = MinionId::parse(id) else { continue };
        let mut done = Ok(());
        if what.grains || what.pillar {
            done = done.and(host.data.clear(&id, what.grains, what.pillar));
        }
        if what.mine {
            done = done.and(host.data.flush_mine(&id));
        } else if let Some(function) = &what.function {
            done = done.and(host.data.drop_mine(&id, function).map(|_| ()));
        }
        if let Err(e) = done {
            tracing::error!("cannot clear the cached data of {id}: {e}");
        }
    }
    Ok(true)
}

/// Forget the cached pillar of the minions that are meant.
///
/// CLI Example: salt-run cache.clear_pillar tgt='*'
#[exec]
fn clear_pillar(cx: &Cx, tgt: Option<Value>, #[default("glob")] tgt_type: String) -> Result<bool> {
    clear(cx, tgt, &tgt_type, &What { pillar: true, ..What::default() })
}

/// Forget the cached grains of the minions that are meant.
///
/// CLI Example: salt-run cache.clear_grains tgt='*'
#[exec]
fn clear_grains(cx: &Cx, tgt: Option<Value>, #[default("glob")] tgt_type: String) -> Result<bool> {
    clear(cx, tgt, &tgt_type, &What { grains: true, ..What::default() })
}

/// Forget the mine of the minions that are meant.
///
/// CLI Example: salt-run cache.clear_mine tgt='*'
#[exec]
fn clear_mine(cx: &Cx, tgt: Option<Value>, #[default("glob")] tgt_type: String) -> Result<bool> {
    clear(cx, tgt, &tgt_type, &What { mine: true, ..What::default() })
}

/// Forget one function of the mine of the minions that are meant.
///
/// CLI Example: salt-run cache.clear_mine_func tgt='*' clear_mine_func_flag='network.interfaces'
#[exec]
fn clear_mine_func(
    cx: &Cx,
    tgt: Option<Value>,
    #[default("glob")] tgt_type: String,
    clear_mine_func_flag: Option<String>,
) -> Result<bool> {
    clear(cx, tgt, &tgt_type, &What { function: clear_mine_func_flag, ..What::default() })
}

/// Forget pillar, grains and mine of the minions that are meant.
///
/// CLI Example: salt-run cache.clear_all tgt='*'
#[exec]
fn clear_all(cx: &Cx, tgt: Option<Value>, #[default("glob")] tgt_type: String) -> Result<bool> {
    clear(cx, tgt, &tgt_type, &What { grains: true, pillar: true, mine: true, function: None })
}

/// Remove the locks of `gitfs` or `git_pillar`, of a `type` (`update`, `checkout`, `mountpoint`) or of all, for remotes whose URL
/// matches a pattern.
///
/// CLI Example: salt-run cache.clear_git_lock gitfs type=update
#[exec]
fn clear_git_lock(cx: &Cx, role: String, remote: Option<String>, kwargs: KwArgs) -> Result {
    let mut others = kwargs.clean();
    let kinds = match others.remove("type") {
        Some(kinds) => split_input(&kinds),
        None => ["update", "checkout", "mountpoint"].map(str::to_owned).to_vec(),
    };
    if let Some((name, value)) = others.iter().next() {
        let text = format!("The following keyword arguments are not valid: {}={}", show(name), show(value));
        return Err(CallError::invocation(text));
    }
    let remote = remote.as_deref().filter(|remote| !remote.is_empty());
    let broken =
        |e: git::ConfigError| CallError::exception("salt.exceptions.FileserverConfigError", e.to_string());
    let (mut cleared, mut errors) = (Vec::new(), Vec::new());
    let mut add = |(done, failed): (Vec<String>, Vec<String>)| {
        cleared.extend(done);
        errors.extend(failed);
    };
    match role.as_str() {
        "gitfs" => {
            let fs = GitFs::shared(&cx.opts).map_err(broken)?;
            kinds.iter().for_each(|kind| add(fs.clear_lock(remote, kind)));
        }
        "git_pillar" => {
            for pillar in GitPillar::all(&cx.opts).map_err(broken)? {
                kinds.iter().for_each(|kind| add(pillar.clear_lock(remote, kind)));
            }
        }
        "winrepo" => {
            return Err(crate::lacking(
                "cache.clear_git_lock",
                "winrepo, which is for Windows and not part of Brine",
            ));
        }
        _ => return Err(CallError::invocation(format!("Invalid role '{role}'"))),
    }
    let mut told = Map::new();
    if !cleared.is_empty() {
        told.insert("cleared", cleared);
    }
    if !errors.is_empty() {
        told.insert("errors", errors);
    }
    Ok(if told.is_empty() { "No locks were removed".into() } else { told.into() })
}

fn show(value: &Value) -> String {
    brine_core::text::python_str(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call};
    use crate::run::Kind;
    use brine_core::call::Args;
    use brine_core::map;

    #[test]
    fn minion_data_are_shown_and_forgotten_by_kind() {
        let tmp = tempfile::tempdir().unwrap();
        let cx = Fake::default().cx(Kind::Runner, tmp.path(), Map::new());
        let data = &master(&cx).unwrap().data;
        let web = MinionId::parse("web1").unwrap();
        for id in ["web1", "db1"] {
            std::fs::write(tmp.path().join("pki/minions").join(id), "k").unwrap();
        }
        let (os, p, m) = (map! {"os" => "x"}, map! {"p" => 1}, map! {"f.g" => 1, "h.i" => 2});
        data.put(&web, os.clone(), p.clone()).unwrap();
        data.put_mine(&web, m.clone(), false).unwrap();
        let get = |fun: &str, args| call(&cx, fun, args).unwrap();
        let star = || Args::positional(["*"]);
        let empty = Map::new();
        assert_eq!(get("cache.grains", star()), map! {"db1" => empty.clone(), "web1" => os}.into());
        assert_eq!(get("cache.pillar", star()), map! {"db1" => empty.clone(), "web1" => p.clone()}.into());
        assert_eq!(get("cache.pillar", Args::none()), map! {"web1" => p}.into());
        assert_eq!(get("cache.pillar", Args::positional(["none"])), empty.clone().into());
        assert_eq!(get("cache.mine", Args::none()), map! {"web1" => m}.into());
        assert_eq!(get("cache.clear_grains", Args::none()), false.into());
        assert_eq!(get("cache.clear_mine_func", star()), false.into());
        assert_eq!(get("cache.clear_mine_func", star().with("clear_mine_func_flag", "f.g")), true.into());
        assert_eq!(get("cache.mine", Args::positional(["web1"])), map! {"web1" => map! {"h.i" => 2}}.into());
        assert_eq!(get("cache.clear_grains", Args::positional(["db*"])), true.into());
        assert!(data.data("web1").unwrap().grains.truthy());
        assert_eq!(get("cache.clear_grains", star()), true.into());
        assert!(!data.data("web1").unwrap().grains.truthy() && data.data("web1").unwrap().pillar.truthy());
        assert_eq!(get("cache.clear_all", star()), true.into());
        assert!(data.data("web1").is_none() && data.mine("web1").is_none());
    }

    #[test]
    fn what_needs_windows_or_clouds_is_refused_by_name() {
        let tmp = tempfile::tempdir().unwrap();
        let cx = Fake::default().cx(Kind::Runner, tmp.path(), Map::new());
        let error = |fun: &str, args| call(&cx, fun, args).unwrap_err().to_string();
        assert_eq!(error("cache.clear_git_lock", Args::positional(["x"])), "Invalid role 'x'");
        assert!(error("cache.clear_git_lock", Args::positional(["winrepo"])).contains("winrepo"));
        assert!(error("cache.cloud", Args::positional(["*"])).contains("salt-cloud"));
    }
}
