//! `state.highstate` over top files that say how their targets match.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_core::call::{Args, Cx, Registry};
use brine_core::files::Files;
use brine_core::options::Daemon;
use brine_core::{Map, Opts, Value, map};
use brine_files::Client;
use brine_testing::Around;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn top_files_are_matched_once_in_a_highstate() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("srv");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(root.join("top.sls"), "base:\n  'os:Debian':\n    - match: grain\n    - one\n").unwrap();
    std::fs::write(root.join("one.sls"), "a: test.nop\n").unwrap();
    std::fs::write(root.join("two.sls"), "b: test.nop\n").unwrap();
    let mut all = Daemon::Minion.defaults();
    all.update(map! {
        "id" => "m1",
        "cachedir" => dir.path().join("cache").to_str().unwrap(),
        "extension_modules" => dir.path().join("ext").to_str().unwrap(),
        "file_roots" => map! {"base" => vec![root.to_str().unwrap()]},
        "autoload_dynamic_modules" => false,
        "__cli" => "salt-call",
    });
    let opts = Opts::new(all);
    let files: Arc<dyn Files> = Arc::new(Client::of_this_machine(&opts));
    let registry = Registry::new(brine_modules::ALL.iter().copied())
        .with_states(brine_state_modules::ALL.iter().copied());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let host = Around::master(move |load| {
        if load.get_str("cmd") != Some("_master_tops") {
            return Ok(Value::Nil);
        }
        count.fetch_add(1, Ordering::Relaxed);
        Ok(map! {"base" => vec!["two"]}.into())
    });
    let mut cx = Cx::new(Arc::new(opts), Arc::new(registry), Arc::new(host.and_files(files)));
    cx.grains = Arc::new(map! {"os" => "Debian", "id" => "m1"});
    let ret = cx.call("state.highstate", Args::none()).unwrap();
    let ids: Vec<_> = ret.as_map().into_iter().flat_map(Map::keys).filter_map(Value::as_str).collect();
    assert_eq!(ids, ["test_|-a_|-a_|-nop", "test_|-b_|-b_|-nop"], "{ret:?}");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}
