//! JSON and the serializers against stock's, on chosen and on generated values, in one process.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose others and more.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

#[path = "common/stock.rs"]
mod stock;
mod yamlgen;

use brine_python::{Dict, Obj, R, float_repr};
use brine_render::json::{self, Options};
use brine_render::serialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use stock::Stock;
use yamlgen::{Random, number, values::Maker};

/// As the program of the other side shows a value.
fn plain(value: &Obj) -> Json {
    match value {
        Obj::None => Json::Null,
        Obj::Bool(b) => json!(b),
        Obj::Int(_) | Obj::Big(_) => json!(["i", brine_python::str(value).unwrap()]),
        Obj::Float(x) => json!(["f", float_repr(*x)]),
        Obj::Bytes(b) => json!(["b", b.iter().map(|b| format!("{b:02x}")).collect::<String>()]),
        Obj::List(_) | Obj::Tuple(_) => {
            json!(["l", value.sequence().unwrap().iter().map(plain).collect::<Vec<_>>()])
        }
        Obj::Dict(dict) => {
            json!(["d", dict.pairs().iter().map(|(k, v)| json!([plain(k), plain(v)])).collect::<Vec<_>>()])
        }
        Obj::Set(set) => {
            let mut members: Vec<String> =
                set.to_vec().iter().map(|m| m.as_str().unwrap().to_owned()).collect();
            members.sort();
            json!(["s", members])
        }
        Obj::Date(_) | Obj::DateTime(_) => {
            let iso = brine_python::call_method(value, "isoformat", &brine_python::Args::default()).unwrap();
            json!(["t", iso.as_str().unwrap()])
        }
        other => json!(other.as_str().unwrap()),
    }
}

/// Options described in JSON.
fn options(described: &Json) -> Obj {
    let dict = Dict::new();
    for (key, value) in described.as_object().unwrap() {
        let text = value.to_string();
        dict.set_str(key, json::loads(&text).unwrap());
    }
    dict.into()
}

fn shown(result: R) -> String {
    match result {
        Ok(Obj::Bytes(b)) => format!("= bytes {}", b.iter().map(|b| format!("{b:02x}")).collect::<String>()),
        Ok(value) => format!("= {}", brine_python::str(&value).unwrap()),
        Err(e) => format!("{e:?}"),
    }
}

fn read(result: R) -> String {
    match result {
        Ok(value) => {
            let text = plain(&value).to_string();
            // Spaces as Python has them.
            let text = json::dumps(&json::loads(&text).unwrap(), &Options::salt()).unwrap();
            format!("= {text}")
        }
        Err(e) => format!("{e:?}"),
    }
}

struct Cases {
    questions: Vec<Json>,
    ours: Vec<String>,
}

impl Cases {
    fn write(&mut self, name: &str, value: &Obj, described: &Json, how: Json) {
        self.ours.push(shown(serialize::serialize(name, value, &options(&how))));
        self.questions.push(json!(["serialize", described, [name, how]]));
    }

    fn read(&mut self, name: &str, text: &str, how: Json) {
        self.ours.push(read(serialize::deserialize(name, &text.into(), &options(&how))));
        self.questions.push(json!(["deserialize", text, [name, how]]));
    }

    fn read_bytes(&mut self, name: &str, bytes: &[u8]) {
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        self.ours.push(read(serialize::deserialize(name, &Obj::bytes(bytes), &Obj::None)));
        self.questions.push(json!(["deserialize", {"b": hex}, [name, {}]]));
    }
}

fn compare(cases: Cases, what: &str) {
    let mut stock = Stock::start(include_str!("data/stock_values.py"));
    let answers = stock.ask(&cases.questions);
    let mut kinds = BTreeMap::<String, (usize, String)>::new();
    let mut compared = 0;
    for ((question, ours), answer) in cases.questions.iter().zip(&cases.ours).zip(&answers) {
        compared += 1;
        let Json::String(answer) = answer else { continue };
        if answer == ours || answer.starts_with("KeyError: ") || answer.contains("maximum recursion") {
            continue;
        }
        let same = answer.chars().zip(ours.chars()).take_while(|(a, b)| a == b).count();
        let from = |text: &str| text.chars().skip(same.saturating_sub(100)).take(220).collect::<String>();
        let shown = format!("{question}\n    stock {:?}\n    ours  {:?}", from(answer), from(ours));
        let kept =
            kinds.entry(format!("{} {}", question[0], question[2][0])).or_insert_with(|| (0, shown.clone()));
        kept.0 += 1;
        if shown.len() < kept.1.len() {
            kept.1 = shown;
        }
    }
    let list: Vec<_> = kinds.iter().map(|(shape, (n, shown))| format!("{n} x {shape}\n  {shown}")).collect();
    println!("{what}: {compared} compared");
    assert!(list.is_empty(), "{} kinds differ:\n{}", list.len(), list.join("\n"));
}

const INI: &[&str] = &[
    "[a]\nb = 1\nC: 2 \n  more\n; c\n[b]\nx=%(y)s\ny=3\n",
    "b=1",
    "[a]\nb=1\nb=2",
    "[a]\n[a]\n",
    "[a]\nfoo\n",
    "[a]\nx=%(y)s",
    "[DEFAULT]\nz=1\n[a]\nx=%%a",
    "[a]\nx=%b",
    "[a]\nx=%(x)s",
    "[a]\n=1\n",
    "",
    "\n\n",
    "[a]\nb=1\n\n\n  c\n\n",
    "[a]\nb\n  c",
    "[a b]c\nx : y = z",
    "[]\na=1",
    "[a]\n x=1\n  y=2\n z=3",
    "[a]\r\nb=1\r\n",
    "[a]\nb=%(c\n",
    "[a]\nb = # x\nc = 1 # y\n",
    "[DEFAULT]\n[DEFAULT]\na=1\n[b]\n",
];

const YAMLEX: &[&str] = &[
    "a: !aggregate x\na: !aggregate y",
    "a: 1\na: 2",
    "a: {b: 1}\na: {c: 2}",
    "a: !reset x",
    "!reset a: {b: 1}",
    "a: !aggregate\n",
    "a: !aggregate {b: 1}\na: !aggregate {c: 1}",
    "a: !aggregate [1]\na: !aggregate [2, 1]",
    "- a\n- b",
    "a",
    "1",
    "",
    "a: 010",
    "a: [1, 2]\na: [3]",
    "x: 0x10",
    "x: 1_000",
    "p: {!aggregate foo: {foo: 42}}\np: {!aggregate foo: {bar: null}}\n!reset p: {!aggregate foo: {baz: inga}}",
    "<<: {a: 1}\nb: 2",
    "a: &x {b: 1}\nc: *x",
    "a: 2020-01-02",
    "{[a]: b}",
    "a: !!binary aGk=",
    "a: !foo b",
    "a: [",
    "a: \"1\"",
    "a: true\na: !aggregate b",
    "a: {b: {c: !aggregate x}}\na: {b: {c: !aggregate y}}",
    "!aggregate a: b\n!aggregate a: c",
    "a: !aggregate 1\na: !aggregate 1",
    "a: !aggregate [[1]]\na: !aggregate {}",
    "a:\tb\n\tc",
    "a: 1\n b: 2",
    "- !aggregate a\n- !reset [b]",
    "a: !!set {x, y}",
    "a: !!strange x",
];

const PLIST: &[&str] = &[
    "<plist><dict/></plist>",
    "x",
    "<plist><dict><key>a</key><integer>x</integer></dict></plist>",
    "<plist><dict>",
    "<plist></plist>",
    "<plist><integer>1</integer></plist>",
    "<plist><dict><integer>1</integer></dict></plist>",
    "<plist><data>a</data></plist>",
    "<plist><foo>a</foo></plist>",
    "<plist><array></dict></plist>",
    "<?xml version=\"1.0\"?>",
    "<plist><string>&foo;</string></plist>",
    "<plist><array><key>a</key></array></plist>",
    "<plist><real>1e3</real></plist>",
    "<plist><integer>0x1f</integer></plist>",
    "<plist><array><string>a&amp;b&#65;</string><date>2020-01-02T03:04:05Z</date><true/></array></plist>",
    "<plist><date>x</date></plist>",
    "<plist version=\"1.0\"><!-- c --><string><![CDATA[<x>]]></string></plist>",
    "<plist><dict><key>a</key></dict></plist>",
];

const JSON: &[&str] = &[
    "",
    " ",
    "{",
    "[",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "[1,]",
    "[1 2]",
    "[1",
    "{a:1}",
    "{1:2}",
    "nul",
    "null",
    "tru",
    "NaN",
    "-Infinity",
    "-",
    "-a",
    "01",
    "1.",
    "1.5e",
    "1e5",
    "1E+2",
    ".5",
    "\"a",
    "\"a\\",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\u00e9\"",
    "\"\\ud83d\\ude00\"",
    "\"a\nb\"",
    "\"a\tb\"",
    "1 2",
    "[1]x",
    "\u{feff}1",
    "{\"a\":1,\"a\":2}",
    "123456789012345678901234567890",
    "-0",
    "-0.0",
    "1e999",
    "[[[]],{}]",
    " [ 1 , 2 ] ",
    "{ \"a\" : [ ] }",
    "\"\\/\\b\\f\"",
    "é",
    "\"é",
    "[\n\n1,,2]",
    "\"\\ud83dx",
    "'a'",
    "[1,2,\n3,\n x]",
    "{\"a\" 1}",
    "{\"a\":1 \"b\":2}",
    "\"\\u00e\"",
    "\"\\",
    "[\"a",
    "+1",
    "0x1",
    "True",
];

#[test]
fn chosen_texts_are_read_as_with_stock() {
    let mut cases = Cases { questions: Vec::new(), ours: Vec::new() };
    for text in INI {
        cases.read("configparser", text, json!({}));
        cases.read(
            "configparser",
            text,
            json!({"allow_no_value": true, "strict": false, "interpolation": null}),
        );
        cases.read(
            "configparser",
            text,
            json!({"delimiters": ":", "inline_comment_prefixes": "#", "empty_lines_in_values": false}),
        );
    }
    for text in YAMLEX {
        cases.read("yamlex", text, json!({}));
        cases.read("yaml", text, json!({}));
    }
    for text in PLIST {
        cases.read("plist", text, json!({}));
    }
    for text in ["a=b\nc=\"d e\"", "a='b'", "abc", "a=b\n\nc=d", "a: b", "", "a=\"", "a=b=c\r\nd=e"] {
        cases.read("keyvalue", text, json!({}));
        cases.read("keyvalue", text, json!({"quoting": false, "separator": ": "}));
        cases.read("keyvalue", text, json!({"quoting": false}));
    }
    for hex in [
        "81a16101",
        "c1",
        "81a161",
        "0102",
        "",
        "810102",
        "819002",
        "a1ff",
        "ca3fc00000",
        "cf8000000000000000",
        "d3ffffffffffffffff",
        "dc0001c0",
        "de0001a16192c2c3",
        "c403010203",
        "d90161",
    ] {
        let bytes: Vec<u8> =
            (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
        cases.read_bytes("msgpack", &bytes);
    }
    for text in JSON {
        cases.read("json", text, json!({}));
        cases.ours.push(read(json::loads(text)));
        cases.questions.push(json!(["loads", text, [""]]));
        for noise in ["x %s y", "{ [1 %s", "%s]"] {
            let noisy = noise.replace("%s", text);
            cases.ours.push(read(json::find_json(&noisy)));
            cases.questions.push(json!(["find_json", noisy, [""]]));
        }
    }
    compare(cases, "chosen texts");
}

#[test]
fn values_are_written_as_with_stock() {
    let (seed, count) = (number("BRINE_SEED", 1), number("BRINE_CASES", 12_000) as usize);
    let mut random = Random::new(seed);
    let mut cases = Cases { questions: Vec::new(), ours: Vec::new() };
    while cases.ours.len() < count {
        let odd = random.one_in(3);
        let depth = random.below(4);
        let (value, described) = Maker::new(&mut random, odd).value(depth);
        let has_sets = described.to_string().contains("\"s\":");
        match random.below(9) {
            0 | 1 => {
                let (a, b) = (random.one_in(2), random.one_in(3));
                let how = random.pick(&[
                    "{}",
                    "{\"indent\": 2}",
                    "{\"indent\": \"--\"}",
                    "{\"indent\": 0}",
                    "{\"separators\": [\",\", \":\"]}",
                    "{\"skipkeys\": true}",
                    "{\"allow_nan\": false}",
                    "{\"bogus\": 1}",
                    "{\"indent\": null}",
                    "{\"indent\": true}",
                    "{\"indent\": 1.5}",
                ]);
                let mut how: Json = serde_json::from_str(how).unwrap();
                how["sort_keys"] = json!(a);
                if b {
                    how["ensure_ascii"] = json!(true);
                }
                cases.write("json", &value, &described, how);
            }
            3..=6 if has_sets => {}
            2 => cases.write("msgpack", &value, &described, json!({})),
            3 => cases.write(
                "plist",
                &value,
                &described,
                json!({"sort_keys": random.one_in(2), "skipkeys": random.one_in(2)}),
            ),
            4 => cases.write("plist", &value, &described, json!({"fmt": "FMT_BINARY"})),
            5 => cases.write("keyvalue", &value, &described, json!({"quoting": random.one_in(2)})),
            6 => cases.write("configparser", &value, &described, json!({"allow_no_value": random.one_in(2)})),
            7 => cases.write("yaml", &value, &described, json!({"default_flow_style": random.one_in(2)})),
            8 => cases.write("yamlex", &value, &described, json!({})),
            _ => {}
        }
    }
    compare(cases, "values");
}
