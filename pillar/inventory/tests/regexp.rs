//! Regular expressions of transforms against Ruby's own: what the named groups hold. `BRINE_CASES` and `BRINE_SEED` choose how many
//! expressions, and which.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use brine_testing::{Random, number};
use common::load;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const ATOMS: &[&str] = &[
    "a",
    "b",
    "-",
    ":",
    "0",
    r"\d",
    r"\w",
    r"\s",
    r"\h",
    r"\D",
    r"\W",
    r"\S",
    ".",
    "[^:-]",
    "[a-c]",
    "[[:alpha:]]",
    "[[:digit:]_]",
    "[^[:space:]]",
    r"[\w.-]",
    r"[\d\s]",
    "[a-z&&[^b]]",
    r"\.",
    r"\-",
    r"\/",
    r"\<",
    r"\#",
    r"\ ",
    "\u{e9}",
    "[[:upper:]]",
    "[]a]",
    "[a-]",
    r"[\]]",
    r"\n",
    "[^a\\n]",
    "(?:a|b)",
    "(?i:A)",
    "(?m:.)",
    "(?=a)",
    "(?!b)",
    "(?<=a)",
    "(?<!:)",
    "(?>a*)",
    r"\b",
    "^",
    "$",
    r"\A",
    r"\z",
    r"\Z",
    r"\p{Alpha}",
    r"\u00e9",
    r"\x41",
    r"\e",
    r"\t",
    "[\u{e9}-\u{f0}]",
    "[$^]",
    "#",
    "~",
    "[a~-]",
    r"[\h:]",
    "[[:punct:]]",
    "{",
    "}",
    "]",
    "a{,2}",
    "b{1,2}",
    "[[:word:]]",
    "[[:blank:]]",
    "[[:cntrl:]]",
];

const SUFFIXES: &[&str] = &["", "", "", "", "*", "+", "?", "*?", "+?", "{2}", "{0,3}", "++"];

const TEXTS: &[&str] = &[
    "",
    "a",
    "ab",
    "Maker:Line-Series-128:S1",
    "192.168.0.0_24",
    "a:b-c",
    "aab\nb0",
    "A\u{e9}0 _",
    "x.y-z",
    "aaa",
    "b:0\n",
    "\t~#$^]",
    "\u{663}\u{e9}\u{ea}",
    "cab/<>-",
    "line one\nline two",
    "{a}",
    "\u{1b}A\u{a0}",
];

fn pattern(random: &mut Random, depth: usize) -> String {
    let mut out = String::new();
    for _ in 0..random.below(4) + 1 {
        if depth > 0 && random.once_in(4) {
            let inner = pattern(random, depth - 1);
            let name = ["x", "y", "z"][depth];
            let open = if random.once_in(3) { "(".to_owned() } else { format!("(?<{name}>") };
            out.push_str(&format!("{open}{inner}){}", random.pick(&["", "", "?"])));
        } else {
            out.push_str(random.pick(ATOMS));
            out.push_str(random.pick(SUFFIXES));
        }
        if random.once_in(12) {
            out.push('|');
        }
    }
    out
}

fn ruby(patterns: &[String]) -> Vec<Option<Vec<Value>>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regexp.rb");
    let mut command = Command::new("ruby");
    command.args(["-E", "UTF-8:UTF-8"]).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("ruby is among the programs that tests need");
    let mut to = child.stdin.take().unwrap();
    let all = json!([patterns, TEXTS]).to_string();
    let writer = std::thread::spawn(move || to.write_all(all.as_bytes()));
    let out = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    serde_json::from_slice(&out.stdout).unwrap()
}

/// What each group of an expression holds on a text: a key for each, which is there if the group holds something.
fn rules(n: usize, pattern: &str) -> Vec<Value> {
    let rule = |name: &str, produce: &str| {
        let sources = json!({"s": {"key": "t", "regexp": pattern}});
        json!({format!("r{n}.{name}"): [{"synthesize_regexp": {"sources": sources, "produce": produce}}]})
    };
    vec![rule("x", "#[x]"), rule("y", "#[y]"), rule("z", "#[z]")]
}

#[test]
fn groups_hold_what_they_hold_in_ruby() {
    let cases = number("BRINE_CASES", 300) as usize;
    let mut random = Random::new(number("BRINE_SEED", 1));
    let mut patterns: Vec<String> = ATOMS.iter().map(|atom| format!("(?<z>{atom})")).collect();
    patterns.extend((0..cases).map(|_| format!("(?<z>{})", pattern(&mut random, 1))));
    let (mut same, mut refused) = (0, Vec::new());
    for some in patterns.chunks(200) {
        let dir = tempfile::tempdir().unwrap();
        let all: Vec<Value> = some.iter().enumerate().flat_map(|(n, pattern)| rules(n, pattern)).collect();
        std::fs::write(dir.path().join("transforms.yaml"), Value::Array(all).to_string()).unwrap();
        for (n, text) in TEXTS.iter().enumerate() {
            let folder = dir.path().join(format!("k/{n:02}"));
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("box.yaml"), json!({"t": text}).to_string()).unwrap();
        }
        let snapshot = load(dir.path());
        let unknown: Vec<&str> = snapshot
            .findings()
            .iter()
            .filter(|finding| matches!(finding.code, "regexp" | "regexp-too-slow"))
            .map(|finding| &*finding.message)
            .collect();
        for (n, (pattern, expected)) in some.iter().zip(ruby(some)).enumerate() {
            let Some(expected) = expected else { continue };
            let mut any = false;
            let differs = snapshot.pallets().zip(&expected).zip(TEXTS).find_map(|((id, found), text)| {
                ["x", "y", "z"].iter().find_map(|name| {
                    let value = snapshot.view(id).get(&format!("r{n}.{name}"));
                    any |= value.is_some();
                    let ours = value.map(|value| value.str().unwrap());
                    let theirs = found.get(name).and_then(Value::as_str);
                    (ours != theirs)
                        .then(|| format!("{pattern} on {text:?}: {name} is {ours:?}, not {theirs:?}"))
                })
            });
            match differs {
                None => same += 1,
                // One that is refused makes nothing at all.
                Some(_) if !any && !unknown.is_empty() => refused.push(pattern.clone()),
                Some(differs) => panic!("{differs}"),
            }
        }
    }
    eprintln!("{same} alike; refused here alone: {refused:?}");
    assert!(refused.len() * 5 < same, "{refused:?}");
}
