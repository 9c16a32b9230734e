//! What methods of `str` say of every single character, against Python.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use brine_python::{Args, Obj, call_method, eq, str};
use std::process::Command;

const KINDS: [&str; 11] = [
    "isalnum",
    "isalpha",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
];
const CASES: [&str; 6] = ["lower", "upper", "title", "casefold", "capitalize", "swapcase"];

/// Characters that Unicode has changed its mind about since 14, which Python 3.11 has.
const CHANGED: &[u32] = &[0x19b, 0x264, 0x295, 0x10fc, 0xa7d3, 0xa7d5, 0xa7f2, 0xa7f3, 0xa7f4, 0xab69];

#[test]
fn every_character_is_as_in_python() {
    let python =
        Command::new("/usr/bin/python3").args(["-I", "-c", include_str!("data/characters.py")]).output();
    let all: Vec<(u32, u32, Option<Vec<String>>)> = serde_json::from_slice(&python.unwrap().stdout).unwrap();
    assert!(all.len() > 140_000);
    let mut wrong = Vec::new();
    for (n, bits, cases) in all.iter().filter(|(n, ..)| !CHANGED.contains(n)) {
        let c = Obj::from(char::from_u32(*n).unwrap());
        let ask = |name: &str| call_method(&c, name, &Args::default()).unwrap();
        for (i, kind) in KINDS.iter().enumerate() {
            if !eq(&ask(kind), &Obj::Bool(bits >> i & 1 == 1)).unwrap() {
                wrong.push(format!("{n:#x} {kind}"));
            }
        }
        for (case, theirs) in CASES.iter().zip(cases.iter().flatten()) {
            let ours = str(&ask(case)).unwrap();
            if ours != *theirs {
                wrong.push(format!("{n:#x} {case}: python {theirs:?} ours {ours:?}"));
            }
        }
    }
    println!("{} characters", all.len());
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
