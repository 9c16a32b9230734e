//! What a master's `master_tops` add, and the options that it has for everybody.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_core::call::Cx;
use brine_core::files::{Files, Listing};
use brine_core::options::Daemon;
use brine_core::{CallError, Map, Opts, Value, map};
use brine_states::{Highstate, settings};
use brine_testing::Around;
use std::path::PathBuf;
use std::sync::Arc;

/// A master with one top file.
struct Remote(PathBuf);

impl Files for Remote {
    fn cache_file(&self, path: &str, saltenv: &str) -> Result<Option<PathBuf>, CallError> {
        Ok((path == "salt://tree/top.sls" && saltenv == "base").then(|| self.0.clone()))
    }

    fn list(&self, _: &str, _: Listing) -> Result<Vec<String>, CallError> {
        Ok(Vec::new())
    }

    fn envs(&self) -> Result<Vec<String>, CallError> {
        Ok(vec!["base".into()])
    }
}

/// Its answers.
fn answer(load: Map) -> Result<Value, CallError> {
    Ok(match load.get_str("cmd") {
        Some("_master_opts") => map! {
            "state_top" => "/tree/top.sls", "renderer" => "jinja|yaml", "nodegroups" => map! {"ng" => "m1"},
            "file_roots" => map! {"base" => Value::List(Vec::new())},
        }
        .into(),
        Some("_master_tops") if load.get_str("id") == Some("m1") => {
            map! {"base" => vec!["b", "x"], "prod" => vec!["y"]}.into()
        }
        _ => Value::Nil,
    })
}

#[test]
fn external_tops_come_after_the_top_file_or_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().join("top.sls");
    // The group is known to the master alone.
    std::fs::write(&top, "base:\n  ng:\n    - match: nodegroup\n    - a\n    - b\n").unwrap();
    let matches = |first: bool| {
        let mut opts = Daemon::Minion.defaults();
        opts.update(map! {"id" => "m1", "master_tops_first" => first});
        let mut cx = Cx::new(
            Arc::new(Opts::new(opts)),
            Arc::default(),
            Arc::new(Around::master(answer).and_files(Arc::new(Remote(top.clone())))),
        );
        cx.opts = Arc::new(settings(&cx));
        let states = Highstate::new(&cx);
        states.matches(&states.top().unwrap()).unwrap()
    };
    assert_eq!(matches(false), map! {"base" => vec!["a", "b", "x"], "prod" => vec!["y"]});
    assert_eq!(matches(true), map! {"base" => vec!["b", "x", "a"], "prod" => vec!["y"]});
}
