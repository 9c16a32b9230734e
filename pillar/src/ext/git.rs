//! `git`: pillar trees in branches and tags of git repositories, each with a top file of its own.
//!
//! The repositories are `brine_files::git`'s: fetched in the background, and looked at as they were after the last good fetch.
//! Each remote is compiled as a pillar of one environment, with the files of the others of that environment to include unless
//! `git_pillar_includes` is off.

use super::{Asked, Source};
use crate::{Settled, Wish, compile};
use brine_core::text::python_str;
use brine_core::{Cx, Map, Opts, Value};
use brine_files::PillarRoots;
use brine_files::git::{Checkout, GitPillar};
use brine_python::{Args, Dict, Kind, Obj, PyErr, R, to_value};
use brine_render::live::dictupdate;
use brine_render::template::py_error;
use std::sync::Arc;

pub(super) const SOURCE: Source = Source { name: "git", run };

fn run(asked: &Asked<'_>, args: &Args) -> R {
    if let Some((name, _)) = args.kw.first() {
        return Err(PyErr::ty(format!("ext_pillar() got an unexpected keyword argument '{name}'")));
    }
    let remotes = args.pos.iter().map(to_value).collect::<R<Vec<Value>>>()?;
    let opts = asked.opts();
    let broken = |text: String| PyErr::new(Kind::Other("FileserverConfigError"), text);
    let git = GitPillar::shared(opts, &remotes).map_err(|e| broken(e.to_string()))?;
    if opts.str("__role") == "minion" {
        // Without a master nobody else fetches.
        git.update();
    }
    let all = git.checkout(opts).map_err(broken)?;
    let all: Vec<(Checkout, String)> = all
        .into_iter()
        .map(|checkout| {
            let env = environment(&checkout.env, opts);
            (checkout, env)
        })
        .collect();
    let only = opts.get("pillarenv").filter(|env| env.truthy()).map(python_str);
    let strategy = match opts.str("pillar_source_merging_strategy") {
        "" => "smart",
        given => given,
    };
    let mut merged: Obj = Dict::new().into();
    for (at, (checkout, env)) in all.iter().enumerate() {
        if checkout.mounted || only.as_ref().is_some_and(|only| only != env) {
            continue;
        }
        let mut roots = vec![text(checkout)];
        if opts.flag("git_pillar_includes") {
            let others = all.iter().enumerate().filter(|(n, (_, of))| *n != at && of == env);
            roots.extend(others.map(|(_, (other, _))| text(other)));
        }
        let data = one(asked, env, roots)?;
        merged = dictupdate::merge(
            &merged,
            &Dict::from(&data).into(),
            &Obj::str(strategy),
            &Obj::str("yaml"),
            opts.flag("pillar_merge_lists"),
        )?;
    }
    Ok(merged)
}

fn text(checkout: &Checkout) -> String {
    checkout.dir.to_string_lossy().into_owned()
}

/// An environment; `__env__` as that of a remote is the one that is asked for.
fn environment(env: &str, opts: &Opts) -> String {
    if env != "__env__" {
        return env.to_owned();
    }
    let mut given = ["pillarenv", "saltenv", "git_pillar_base"].iter().filter_map(|key| opts.get(key));
    given.find(|env| env.truthy()).map_or_else(|| env.to_owned(), python_str)
}

/// Compiles the folders of one environment, without external pillar.
fn one(asked: &Asked<'_>, env: &str, roots: Vec<String>) -> R<Map> {
    let mut opts = asked.opts().clone();
    let mut of_env = Map::new();
    of_env.insert(env, roots);
    let map = opts.map_mut();
    map.insert("pillar_roots", of_env);
    map.insert("__git_pillar", true);
    map.remove("ext_pillar");
    let wish = Wish { id: asked.id.to_owned(), saltenv: Some(env.to_owned()), ..Wish::default() };
    let settled = Settled::new(&opts, wish);
    let files = Arc::new(PillarRoots::new(&settled.roots, &settled.opts));
    let mut cx: Cx = asked.cx().clone();
    cx.opts = Arc::new(opts);
    compile(&cx, settled, files).map_err(py_error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::call::Registry;
    use brine_core::files::NoFiles;
    use brine_core::host::NoHost;
    use brine_core::map;
    use std::process::Command;

    #[test]
    fn remotes_include_files_of_others_unless_told_not_to() {
        let dir = tempfile::tempdir().unwrap();
        let git = |words: &[&str]| {
            let author = ["-c", "user.name=a", "-c", "user.email=a@b"];
            assert!(
                Command::new("git")
                    .args(author)
                    .args(words)
                    .current_dir(dir.path())
                    .status()
                    .unwrap()
                    .success()
            );
        };
        let mut remotes = Vec::new();
        for (name, path, text) in [("a", "top.sls", "base:\n  '*': [of_b]\n"), ("b", "of_b.sls", "b: 1\n")] {
            git(&["init", "--quiet", "--initial-branch=master", name]);
            std::fs::write(dir.path().join(name).join(path), text).unwrap();
            git(&["-C", name, "add", "-A"]);
            git(&["-C", name, "commit", "--quiet", "-m", "x"]);
            remotes.push(Value::from(format!("master file://{}/{name}", dir.path().display())));
        }
        let compiled = |includes: bool| {
            let opts = Opts::new(map! {
                "ext_pillar" => vec![Value::from(map! {"git" => remotes.clone()})],
                "cachedir" => dir.path().join("cache").to_string_lossy().into_owned(),
                "git_pillar_base" => "master",
                "git_pillar_refspecs" => vec!["+refs/heads/*:refs/remotes/origin/*"],
                "git_pillar_includes" => includes,
            });
            let cx = Cx::new(Arc::new(opts), Arc::new(Registry::default()), Arc::new(NoHost));
            let wish = Wish { id: "m1".into(), ..Wish::default() };
            compile(&cx, Settled::new(&cx.opts, wish), Arc::new(NoFiles)).unwrap()
        };
        assert_eq!(compiled(true), map! {"b" => 1});
        let alone = compiled(false);
        assert!(!alone.contains("b") && alone.contains("_errors"));
    }
}
