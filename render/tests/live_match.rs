//! `match.filter_by` and `ifelse`: the matchers are the execution module's, the values are the template's own.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_core::call::{Registry, Result, exec, module};
use brine_core::files::NoFiles;
use brine_core::host::NoHost;
use brine_core::{Cx, Map, Opts, Value};
use brine_python::{Args, Dict, Obj, repr};
use brine_render::template::{JinjaRequest, Session, render_jinja};
use std::rc::Rc;
use std::sync::Arc;

module! {
    "match": compound, glob
}

/// Matches what begins with `web`, and everything for `*`.
#[exec]
fn compound(cx: &Cx, tgt: Value, minion_id: Option<Value>) -> Result<bool> {
    glob(cx, tgt, minion_id)
}

/// The same.
#[exec]
fn glob(_cx: &Cx, tgt: Value, minion_id: Option<Value>) -> Result<bool> {
    let tgt = tgt.as_str().unwrap_or_default();
    Ok(tgt == "*" || tgt.starts_with("web") || minion_id.is_some_and(|id| id.as_str() == Some(tgt)))
}

fn session() -> Rc<Session> {
    let registry = Arc::new(Registry::new([&MODULE]));
    let cx = Cx::new(Arc::new(Opts::new(Map::new())), registry, Arc::new(NoHost));
    Session::new(&cx, Arc::new(NoFiles))
}

fn call(name: &str, pos: Vec<Obj>, kw: Vec<(&str, Obj)>) -> String {
    let args = Args { pos, kw: kw.into_iter().map(|(n, v)| (n.into(), v)).collect() };
    match session().call(name, &args) {
        Ok(out) => repr(&out).unwrap(),
        Err(e) => format!("{}: {e}", e.kind().name()),
    }
}

fn dict(pairs: &[(&str, Obj)]) -> Obj {
    let dict = Dict::new();
    for (key, value) in pairs {
        dict.set_str(key, value.clone());
    }
    dict.into()
}

#[test]
fn the_first_match_is_the_object_itself() {
    let inner = dict(&[("a", Obj::Int(1))]);
    let lookup = || dict(&[("db*", Obj::None), ("web*", inner.clone()), ("default", Obj::str("d"))]);
    let merge = dict(&[("b", Obj::Int(2))]);
    assert_eq!(call("match.filter_by", vec![lookup()], vec![("merge", merge)]), "{'a': 1, 'b': 2}");
    assert_eq!(repr(&inner).unwrap(), "{'a': 1, 'b': 2}");
    assert_eq!(
        call("match.filter_by", vec![dict(&[("db", Obj::None), ("default", Obj::str("d"))])], vec![]),
        "'d'"
    );
    assert_eq!(
        call("match.filter_by", vec![lookup()], vec![("tgt_type", Obj::str("nope"))]),
        "KeyError: 'nope'"
    );
    let mine = vec![("minion_id", Obj::str("db*"))];
    assert_eq!(call("match.filter_by", vec![lookup()], mine), "None");
}

#[test]
fn ifelse_takes_pairs_and_a_default() {
    let text = |t: &str| Obj::str(t);
    let pairs = vec![text("db*"), text("a"), text("web1"), text("b"), text("c")];
    assert_eq!(call("match.ifelse", pairs, vec![]), "'b'");
    assert_eq!(call("match.ifelse", vec![Obj::Bool(false), text("a"), text("c")], vec![]), "'c'");
    assert_eq!(
        call("match.ifelse", vec![text("a"), text("b")], vec![]),
        "SaltException: The ifelse function must have an odd number of arguments!"
    );
}

#[test]
fn templates_have_them() {
    let session = session();
    let request = JinjaRequest { saltenv: "", sls: None, tmplpath: None, vars: Vec::new() };
    let text = "{{ ifelse('db*', 'a', 'web*', 'b', 'c') }} {{ {'x': 'a\\nb'} }} {{ odict([(1, 2)]) }} {{ [1, 2] is list }}";
    assert_eq!(render_jinja(&session, text, &request).unwrap(), r#"b {'x': "a\nb"} {1: 2} True"#);
    let failed = render_jinja(&session, "{{ raise('no') }}", &request).unwrap_err();
    assert!(failed.to_string().contains("no"), "{failed}");
}
