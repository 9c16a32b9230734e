//! Includes in circles and long chains end, on the small stack that a job's thread has.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_core::call::{Cx, Registry, Result};
use brine_core::host::NoHost;
use brine_core::{Map, Opts, map};
use brine_files::PillarRoots;
use brine_pillar::{Settled, Wish, compile};
use std::fs;
use std::sync::Arc;

fn compiled(files: impl Iterator<Item = (String, String)>) -> Result<Map> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("top.sls"), "base: {'*': [s0]}\n").unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(format!("{name}.sls")), text).unwrap();
    }
    let root = dir.path().to_string_lossy().into_owned();
    let opts = Opts::new(map! {"pillar_roots" => map! {"base" => vec![root]}, "renderer" => "jinja|yaml"});
    let cx = Cx::new(Arc::new(opts), Arc::new(Registry::default()), Arc::new(NoHost));
    let settled = Settled::new(&cx.opts, Wish { id: "m1".into(), ..Wish::default() });
    let files = Arc::new(PillarRoots::new(&settled.roots, &settled.opts));
    compile(&cx, settled, files)
}

fn chain(length: usize) -> impl Iterator<Item = (String, String)> {
    (0..length).map(|n| (format!("s{n}"), format!("include: [s{}]\nk{n}: {{{{ {n} }}}}\n", n + 1)))
}

#[test]
fn long_chains_are_followed_and_longer_ones_are_an_error() {
    let pillar = compiled(chain(100)).unwrap();
    assert_eq!(pillar.get("k99"), Some(&99.into()));
    let error = compiled(chain(1000)).unwrap_err();
    assert_eq!(error.to_string(), "RecursionError: maximum recursion depth exceeded");
}

#[test]
fn circles_end() {
    let pillar = compiled(
        [("s0", "include: [s1, s0]\na: 1\n"), ("s1", "include: ['*', .s0]\nb: 2\n")]
            .into_iter()
            .map(|(name, text)| (name.to_owned(), text.to_owned())),
    );
    let pillar = pillar.unwrap();
    assert_eq!((pillar.get("a"), pillar.get("b")), (Some(&1.into()), Some(&2.into())));
}
