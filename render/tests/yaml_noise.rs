//! The fuzz bodies for YAML and JSON, run bounded on random documents that are broken in many places; and what is meant to take much
//! memory, time or stack.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

#[path = "../../fuzz/documents.rs"]
mod documents;
mod yamlgen;

use brine_python::{Dict, Kind, Obj};
use brine_render::json::{self, Options};
use brine_render::serialize;
use brine_render::yaml::{
    Class, DumpOptions, Dumper, Flow, Loader, TEXT, dump_obj, load, load_obj, load_with,
};
use yamlgen::{Random, documents::document, number};

#[test]
fn no_text_makes_the_readers_panic() {
    let mut random = Random::new(number("BRINE_SEED", 1));
    for i in 0..number("BRINE_CASES", 6000) {
        let mut data = vec![random.below(256) as u8, random.below(256) as u8];
        data.extend_from_slice(document(&mut random).as_bytes());
        documents::yaml(&data);
        documents::json(&data[2..]);
        // Not even text, here and there.
        if i % 3 == 0 {
            let at = random.below(data.len());
            data[at] ^= 0x80 | (1 << (i % 7));
            documents::yaml(&data);
            documents::json(&data[2..]);
        }
    }
}

#[test]
fn depth_is_an_error_and_no_crash() {
    let deep = 1_000_000;
    for text in ["[".repeat(deep), "- ".repeat(deep)] {
        assert_eq!(load_obj(&text, TEXT).unwrap_err().class, Class::Scanner);
    }
    for text in ["{a: ".repeat(5000), "? ".repeat(5000), "!!seq [".repeat(5000)] {
        for loader in [Loader::Salt, Loader::Safe, Loader::Yamlex] {
            assert_eq!(load_with(&text, TEXT, loader).unwrap_err().class, Class::Scanner);
        }
        assert!(load(&text).is_err());
    }
    // What libyaml lets through is read, and freed.
    let nested = format!("{}{}", "[".repeat(999), "]".repeat(999));
    assert!(load_obj(&nested, TEXT).is_ok());
    let maps = format!("{}{}", "{a: ".repeat(900), "}".repeat(900));
    assert!(load_with(&maps, TEXT, Loader::Yamlex).is_err());
    for text in ["[".repeat(deep), "{\"a\":".repeat(deep)] {
        assert_eq!(json::loads(&text).unwrap_err().kind(), Kind::RecursionError);
        assert!(json::find_json(&text).is_err());
    }
}

#[test]
fn deep_values_are_written_or_refused() {
    for depth in [100, 290, 310, 330, 5000] {
        let mut list = Obj::Int(1);
        let mut map = Obj::Int(1);
        for _ in 0..depth {
            list = Obj::list(vec![list]);
            let dict = Dict::new();
            dict.set_str("a", map);
            map = dict.into();
        }
        for value in [&list, &map] {
            for (flow, dumper) in [(Flow::Block, Dumper::Ordered), (Flow::Leaves, Dumper::Yamlex)] {
                let options = DumpOptions { flow, dumper, ..DumpOptions::default() };
                assert_eq!(dump_obj(value, &options).is_ok(), depth < 325);
            }
            assert_eq!(json::dumps(value, &Options::salt()).is_ok(), depth <= 300);
            for name in ["msgpack", "plist", "python", "yaml", "json"] {
                let _written = serialize::serialize(name, value, &Obj::None);
            }
        }
    }
}

#[test]
fn bombs_are_bounded() {
    let mut laughs = String::from("a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for (one, next) in ('a'..='i').zip('b'..='j') {
        laughs.push_str(&format!("{next}: &{next} [{}]\n", vec![format!("*{one}"); 9].join(", ")));
    }
    // As objects, an alias is only a reference.
    assert!(load_obj(&laughs, TEXT).is_ok());
    assert!(load(&laughs).is_err());
    let map: String = (0..2000).map(|i| format!("k{i}: v, ")).collect();
    let merges = format!("a: &a {{{map}}}\nb:\n  <<: [{}]\n", vec!["*a"; 2000].join(", "));
    assert!(load_obj(&merges, TEXT).is_err());
    assert!(load_with(&merges, TEXT, Loader::Safe).is_err());
    let lone = "- [? ]\n".repeat(500);
    assert!(load_obj(&lone, TEXT).is_err());
    let keys = format!("? {}\n: 1\n", "[&a x, ".repeat(200));
    assert!(load_obj(&keys, TEXT).is_err());
}
