//! Options of sources and of merging: each does what it says.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_core::call::{Cx, Registry};
use brine_core::host::NoHost;
use brine_core::{Map, Opts, Value, map};
use brine_files::PillarRoots;
use brine_pillar::{Settled, Wish, compile};
use std::fs;
use std::sync::Arc;

/// The pillar of an SLS file, and of sources that give what the minion sent.
fn compiled(sls: &str, opts: Map, wish: Wish) -> Map {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("top.sls"), "base: {'*': [a]}\n").unwrap();
    fs::write(dir.path().join("a.sls"), sls).unwrap();
    let mut all = map! {
        "renderer" => "jinja|yaml", "state_top" => "top.sls",
        "pillar_roots" => map! {"base" => vec![dir.path().to_string_lossy().into_owned()]},
    };
    all.update(opts);
    let cx = Cx::new(Arc::new(Opts::new(all)), Arc::new(Registry::default()), Arc::new(NoHost));
    let settled = Settled::new(&cx.opts, Wish { id: "m1".into(), extra: sent(), ..wish });
    let files = Arc::new(PillarRoots::new(&settled.roots, &settled.opts));
    let pillar = compile(&cx, settled, files).unwrap();
    assert_eq!(pillar.get("_errors"), None);
    pillar
}

fn sent() -> Map {
    map! {"l" => vec![Value::from(2)], "d" => map! {"x" => 1}, "seen" => "by source"}
}

fn source() -> Value {
    map! {"extra_minion_data_in_pillar" => "*"}.into()
}

fn list(pillar: &Map) -> Vec<i64> {
    pillar.get("l").and_then(Value::as_list).unwrap().iter().filter_map(Value::as_int).collect()
}

#[test]
fn ext_pillar_names_sources() {
    let pillar = compiled("l: [1]\n", map! {"ext_pillar" => vec![source()]}, Wish::default());
    assert_eq!((list(&pillar), pillar.get_str("seen")), (vec![2], Some("by source")));
}

#[test]
fn ext_pillar_first_turns_the_order_round() {
    let opts = map! {"ext_pillar" => vec![source()], "ext_pillar_first" => true};
    let pillar = compiled("l: [1]\nt: {{ pillar.get('seen', 'nothing') }}\n", opts, Wish::default());
    assert_eq!((list(&pillar), pillar.get_str("t")), (vec![1], Some("by source")));
}

#[test]
fn on_demand_ext_pillar_lets_sources_be_asked_for() {
    let opts = |name: &str| map! {"on_demand_ext_pillar" => vec![Value::from(name)]};
    let wish = || Wish { ext: Some(source()), ..Wish::default() };
    let pillar = compiled("l: [1]\n", opts("extra_minion_data_in_pillar"), wish());
    assert_eq!(list(&pillar), [2]);
    let pillar = compiled("l: [1]\n", opts("other"), wish());
    assert_eq!(list(&pillar), [1]);
}

#[test]
fn pillar_source_merging_strategy_says_how_sources_are_merged() {
    let with = |strategy: &str| {
        let opts = map! {"ext_pillar" => vec![source()], "pillar_source_merging_strategy" => strategy};
        compiled("d: {y: 2}\n", opts, Wish::default())
    };
    assert_eq!(with("recurse").get("d"), Some(&map! {"y" => 2, "x" => 1}.into()));
    assert_eq!(with("overwrite").get("d"), Some(&map! {"x" => 1}.into()));
}

#[test]
fn pillar_merge_lists_puts_lists_together() {
    let with = |lists: bool| {
        let opts = map! {"ext_pillar" => vec![source()], "pillar_merge_lists" => lists};
        list(&compiled("l: [1]\n", opts, Wish::default()))
    };
    assert_eq!((with(false), with(true)), (vec![2], vec![1, 2]));
}
