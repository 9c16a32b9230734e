//! Command line words against what stock was measured to make of them, and against stock itself.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod common;

use brine_protocol::Value;
use brine_render::args;
use common::random::Random;
use common::stock::Stock;
use common::{data, same, tag, untag};
use serde_json::{Value as Json, json};

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

/// `BRINE_SEED` and `BRINE_CASES` choose other words and more.
#[test]
fn random_words_parse_as_stock_does() {
    let number =
        |name: &str, default| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let mut random = Random::new(number("BRINE_SEED", 1));
    let cases: Vec<(Vec<String>, Vec<String>)> = (0..number("BRINE_CASES", 4000))
        .map(|_| {
            let words = (0..1 + random.below(3)).map(|_| random.word()).collect();
            let no_parse = (0..random.below(2)).map(|_| random.pick(&["a", "name"]).to_owned()).collect();
            (words, no_parse)
        })
        .collect();
    let questions: Vec<Json> =
        cases.iter().map(|(words, no_parse)| json!({"words": words, "no_parse": no_parse})).collect();
    let answers = Stock::start(include_str!("data/stock_args.py")).ask(&questions);
    let mut wrong = Vec::new();
    let cases =
        cases.iter().zip(&answers).filter(|((words, _), _)| !words.iter().any(|word| unreadable(word)));
    let (mut lines, mut count) = (0, 0);
    for ((words, no_parse), stock) in cases {
        (lines, count) = (lines + 1, count + words.len());
        for (i, word) in words.iter().enumerate() {
            let ours = args::yamlify_arg(word);
            if !equal(&ours, &stock["yamlify"][i]) {
                wrong.push(format!(
                    "yamlify {word:?}\n  stock {}\n  ours  {}",
                    stock["yamlify"][i],
                    tag(&ours)
                ));
            }
            let ours = args::parse_kwarg(word).map(|(name, value)| (name.to_owned(), value.to_owned()));
            if ours != texts_or_none(&stock["kwarg"][i]) {
                wrong.push(format!("kwarg {word:?}\n  stock {}\n  ours  {ours:?}", stock["kwarg"][i]));
            }
        }
        let ours = Value::List(args::parse_input(words, no_parse));
        if !equal(&ours, &stock["parsed"]) {
            wrong.push(format!(
                "parsed {words:?} {no_parse:?}\n  stock {}\n  ours  {}",
                stock["parsed"],
                tag(&ours)
            ));
        }
    }
    println!("{lines} command lines, {count} words, {} differ", wrong.len());
    wrong.sort_by_key(String::len);
    let first = wrong.iter().take(25).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} differ:\n{first}", wrong.len());
}

fn equal(ours: &Value, stock: &Json) -> bool {
    !stock.to_string().contains("{\"other\":") && same(ours, &untag(stock))
}

/// What the YAML parser cannot read where libyaml can: an empty key that `?` announces in a list in brackets, and a
/// tag right before a comma.
fn unreadable(word: &str) -> bool {
    let key = word.match_indices('?').any(|(at, _)| word[at + 1..].trim_start().starts_with([']', ',']));
    let tag = word.match_indices('!').any(|(at, _)| {
        word[at..]
            .find(|c: char| c == ',' || c.is_whitespace())
            .is_some_and(|end| word.as_bytes()[at + end] == b',')
    });
    word.contains(['[', '{']) && (key || tag)
}
