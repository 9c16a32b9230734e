//! Command line words against what stock was measured to make of them.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use brine_protocol::Value;
use brine_render::args;
use common::{data, same, untag};
use serde_json::Value as Json;

fn texts(json: &Json) -> Vec<String> {
    json.as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect()
}

#[test]
fn words_parse_as_stock_does() {
    let cases = data(include_str!("data/args.json"));
    let mut wrong = Vec::new();
    for case in cases["words"].as_array().unwrap() {
        let word = case["word"].as_str().unwrap();
        let value = args::yamlify_arg(word);
        if !same(&value, &untag(&case["yamlify"])) {
            wrong.push(format!("yamlify {case}\n  ours: {value:?}"));
        }
        let kwarg = args::parse_kwarg(word);
        let stock = texts_or_none(&case["kwarg"]);
        if kwarg.map(|(a, b)| (a.to_owned(), b.to_owned())) != stock {
            wrong.push(format!("kwarg {case}\n  ours: {kwarg:?}"));
        }
        let parsed = Value::List(args::parse_input(&[word.to_owned()], &[]));
        if !same(&parsed, &untag(&case["parsed"])) {
            wrong.push(format!("parsed {case}\n  ours: {parsed:?}"));
        }
    }
    for case in cases["lists"].as_array().unwrap().iter().chain(cases["no_parse"].as_array().unwrap()) {
        let no_parse = case.get("no_parse").map(texts).unwrap_or_default();
        let parsed = Value::List(args::parse_input(&texts(&case["words"]), &no_parse));
        if !same(&parsed, &untag(&case["parsed"])) {
            wrong.push(format!("list {case}\n  ours: {parsed:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn texts_or_none(json: &Json) -> Option<(String, String)> {
    Some((json[0].as_str()?.to_owned(), json[1].as_str()?.to_owned()))
}

#[test]
fn a_minion_splits_what_it_receives_as_stock_does() {
    let cases = data(include_str!("data/args.json"));
    for case in cases["received"].as_array().unwrap() {
        let Value::List(arg) = untag(&case["arg"]) else { panic!("arg is a list") };
        let ours = args::load_args_and_kwargs(&arg);
        assert_eq!(Value::List(ours.positional), untag(&case["args"]), "{case}");
        assert_eq!(Value::Map(ours.keyword), untag(&case["kwargs"]), "{case}");
    }
}
