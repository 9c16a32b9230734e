//! The file server's lists, updates, caches and locks. In the master's own process it is the master's file server that is asked, from
//! `salt-run` one made of the same options.

use std::cell::RefCell;
use std::sync::Arc;

use brine_core::call::{CallError, Cx, KwArgs, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use brine_files::{FileServer, Listed, Told};

use crate::client::split_input;
use crate::host::master;

module! {
    "fileserver": clear_cache, clear_file_list_cache, clear_lock, dir_list, empty_dir_list, envs, file_list, lock,
    symlink_list, update
}

fn server(cx: &Cx) -> Result<Arc<FileServer>> {
    Ok(master(cx)?.side.files().unwrap_or_else(|| FileServer::new(&cx.opts)))
}

/// What was done and what went wrong, or that nothing was.
fn told((done, errors): Told, word: &str, nothing: &str) -> Value {
    let mut told = Map::new();
    if !done.is_empty() {
        told.insert(word, done);
    }
    if !errors.is_empty() {
        told.insert("errors", errors);
    }
    if told.is_empty() { nothing.into() } else { told.into() }
}

fn list(cx: &Cx, saltenv: &Value, backend: &Value, what: fn(&Listed) -> &Vec<String>) -> Result<Vec<String>> {
    Ok(what(&*server(cx)?.list_of(&python_str(saltenv), backend)?).clone())
}

/// The environments of all backends, or of those that are named; with `sources`, the backends.
///
/// CLI Example: salt-run fileserver.envs backend=roots,git
#[exec]
fn envs(cx: &Cx, #[default(Value::Nil)] backend: Value, #[default(false)] sources: Value) -> Result<Vec<String>> {
    let server = server(cx)?;
    if sources.truthy() {
        let mut names: Vec<String> = server.choose(&backend).iter().map(|named| named.name.clone()).collect();
        names.sort();
        return Ok(names);
    }
    server.envs_of(&backend)
}

/// The files of an environment.
///
/// CLI Example: salt-run fileserver.file_list saltenv=prod
#[exec]
fn file_list(
    cx: &Cx,
    #[default("base")] saltenv: Value,
    #[default(Value::Nil)] backend: Value,
) -> Result<Vec<String>> {
    list(cx, &saltenv, &backend, |all| &all.files)
}

/// The directories of an environment.
///
/// CLI Example: salt-run fileserver.dir_list backend=roots
#[exec]
fn dir_list(
    cx: &Cx,
    #[default("base")] saltenv: Value,
    #[default(Value::Nil)] backend: Value,
) -> Result<Vec<String>> {
    list(cx, &saltenv, &backend, |all| &all.dirs)
}

/// The empty directories of an environment, of all backends.
///
/// CLI Example: salt-run fileserver.empty_dir_list
#[exec]
fn empty_dir_list(
    cx: &Cx,
    #[default("base")] saltenv: Value,
    #[default(Value::Nil)] _backend: Value,
) -> Result<Vec<String>> {
    list(cx, &saltenv, &Value::Nil, |all| &all.empty_dirs)
}

/// The symbolic links of an environment, and what they say.
///
/// CLI Example: salt-run fileserver.symlink_list saltenv=prod
#[exec]
fn symlink_list(
    cx: &Cx,
    #[default("base")] saltenv: Value,
    #[default(Value::Nil)] backend: Value,
) -> Result<Map> {
    let all = server(cx)?.list_of(&python_str(&saltenv), &backend)?;
    Ok(all.links.iter().map(|(path, to)| (Value::from(path.as_str()), Value::from(to.as_str()))).collect())
}

/// Fetches what is new, now; with `remotes`, of these remotes only.
///
/// CLI Example: salt-run fileserver.update backend=git remotes=myrepo,yourrepo
#[exec]
fn update(cx: &Cx, #[default(Value::Nil)] backend: Value, kwargs: KwArgs) -> Result<bool> {
    let mut remotes = None;
    for (key, value) in &kwargs.0 {
        match key.as_str() {
            Some("remotes") => remotes = Some(split_input(value)).filter(|_| value.truthy()),
            Some(key) if key.starts_with("__") => {}
            other => {
                let other = other.unwrap_or_default();
                return Err(CallError::Arguments(format!(
                    "update() got an unexpected keyword argument '{other}'"
                )));
            }
        }
    }
    let side = &master(cx)?.side;
    let lost = RefCell::new(Ok(()));
    let tell = |tag: &str, data: Map| {
        if let Err(e) = side.fire(tag, data) {
            *lost.borrow_mut() = Err(e);
        }
    };
    server(cx)?.update(&backend, remotes.as_deref(), &tell)?;
    lost.into_inner().map(|()| true)
}

/// Removes what backends have fetched from elsewhere.
///
/// CLI Example: salt-run fileserver.clear_cache backend=git
#[exec]
fn clear_cache(cx: &Cx, #[default(Value::Nil)] backend: Value) -> Result<Value> {
    Ok(told(server(cx)?.clear_cache(&backend), "cleared", "No cache was cleared"))
}

/// Forgets lists of files, of all environments and backends or of those that are named: they are made anew. Lists notice changes by
/// themselves.
///
/// CLI Example: salt-run fileserver.clear_file_list_cache saltenv=base backend=roots
#[exec]
fn clear_file_list_cache(
    cx: &Cx,
    #[default(Value::Nil)] saltenv: Value,
    #[default(Value::Nil)] backend: Value,
) -> Result<Map> {
    let envs = (!saltenv.is_nil()).then(|| split_input(&saltenv));
    Ok(server(cx)?.forget_lists(envs.as_deref(), &backend))
}

/// Removes update locks of backends that fetch from elsewhere; `remote` chooses remotes by a pattern.
///
/// CLI Example: salt-run fileserver.clear_lock backend=git remote=github
#[exec]
fn clear_lock(
    cx: &Cx,
    #[default(Value::Nil)] backend: Value,
    #[default(Value::Nil)] remote: Value,
) -> Result<Value> {
    Ok(told(server(cx)?.clear_lock(&backend, &remote), "cleared", "No locks were removed"))
}

/// Puts update locks there, so that nothing is fetched until they are removed.
///
/// CLI Example: salt-run fileserver.lock backend=git remote='*github.com*'
#[exec]
fn lock(cx: &Cx, #[default(Value::Nil)] backend: Value, #[default(Value::Nil)] remote: Value) -> Result<Value> {
    Ok(told(server(cx)?.lock(&backend, &remote), "locked", "No locks were set"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call, list};
    use crate::run::Kind;
    use brine_core::call::Args;
    use brine_core::map;

    #[test]
    fn lists_updates_and_texts_are_stocks() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir_all(root.join("sub/empty")).unwrap();
        std::fs::write(root.join("sub/f"), "").unwrap();
        std::os::unix::fs::symlink("sub/f", root.join("link")).unwrap();
        let roots = map! {"base" => vec![root.to_string_lossy().into_owned()], "dev" => Value::List(Vec::new())};
        let fake = Fake::default();
        let opts = map! {"file_roots" => roots, "fileserver_backend" => vec!["roots"], "fileserver_events" => true};
        let cx = fake.cx(Kind::Runner, dir.path(), opts);
        let run = |fun: &str, args: Args| call(&cx, &format!("fileserver.{fun}"), args).unwrap();
        let none = || Args::positional(Vec::<Value>::new());
        assert_eq!(run("envs", none()), list(["base", "dev"]));
        assert_eq!(run("envs", none().with("sources", true)), list(["roots"]));
        assert_eq!(run("envs", none().with("backend", "-roots")), list([]));
        assert_eq!(run("file_list", none()), list(["link", "sub/f"]));
        assert_eq!(run("file_list", none().with("backend", "git")), list([]));
        assert_eq!(run("file_list", Args::positional(["dev"])), list([]));
        assert_eq!(run("dir_list", none()), list(["sub", "sub/empty"]));
        assert_eq!(run("empty_dir_list", none()), list(["sub/empty"]));
        assert_eq!(run("symlink_list", none()), map! {"link" => "sub/f"}.into());
        assert_eq!(run("clear_cache", none()), "No cache was cleared".into());
        assert_eq!(run("clear_lock", none()), "No locks were removed".into());
        assert_eq!(run("lock", none()), "No locks were set".into());
        assert_eq!(run("clear_file_list_cache", none()), Map::new().into());
        assert_eq!(run("update", none()), true.into());
        let fired = fake.record.lock().fired.clone();
        assert_eq!(fired.len(), 1);
        assert_eq!(fired[0].0, "salt/fileserver/roots/update");
        assert_eq!(fired[0].1.get("changed"), Some(&true.into()));
        let added = fired[0].1.get("files").and_then(|files| files.get("added")).and_then(Value::as_list).unwrap();
        assert_eq!(added.len(), 2);
        assert!(call(&cx, "fileserver.update", none().with("remote", "x")).is_err());
    }
}
