//! Boxes against Ruby's own reader, which Pallet Jack uses: what type a plain scalar has, and what text becomes of it; anchors, aliases
//! and merge keys. `BRINE_CASES` and `BRINE_SEED` choose how many documents, and which.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use brine_testing::{Random, number};
use common::{load, texts};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What Ruby makes of documents.
fn ruby(documents: &[String]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/psych.rb");
    let mut command = Command::new("ruby");
    command.arg(script).env("TZ", "UTC").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("ruby is among the programs that tests need");
    let mut to = child.stdin.take().unwrap();
    let all: String = documents.iter().map(|text| format!("{text}\0")).collect();
    let writer = std::thread::spawn(move || to.write_all(all.as_bytes()));
    let out = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let lines = String::from_utf8(out.stdout).unwrap();
    let values: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(values.len(), documents.len());
    values
}

/// What we make of them, each as the box of a pallet; nothing of one with a fault.
fn ours(documents: &[String]) -> Vec<Option<Value>> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("transforms.yaml"), "[]\n").unwrap();
    for (n, text) in documents.iter().enumerate() {
        let folder = dir.path().join(format!("k/{n:06}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("box.yaml"), text).unwrap();
    }
    let snapshot = load(dir.path());
    let value = |id| {
        let map = snapshot.pallet(id).boxes().next().unwrap().1.cloned();
        map.map(|map| texts(&map.into()))
    };
    snapshot.pallets().map(value).collect()
}

fn compare(documents: &[String]) -> (usize, usize) {
    let (mut same, mut refused) = (0, 0);
    for ((text, theirs), ours) in documents.iter().zip(ruby(documents)).zip(ours(documents)) {
        if theirs.is_null() {
            refused += 1;
            continue;
        }
        // As text, so that the order of keys counts.
        assert_eq!(ours.map(|ours| ours.to_string()), Some(theirs.to_string()), "{text}");
        same += 1;
    }
    (same, refused)
}

/// Shapes of scalars that mean something; `0` stands for any digit, `a` for a letter.
const SHAPES: &[&str] = &[
    "0",
    "00",
    "-0",
    "+00",
    "0_00",
    "0,000",
    "0__0",
    "00.0",
    "0.",
    ".0",
    "-.0",
    "0.0e+0",
    "0.0E-00",
    "0e0",
    "0x0a",
    "0xFF",
    "0X0",
    "0b01",
    "0b02",
    "0o0",
    "007",
    "08",
    "0:0",
    "0:00",
    "0:00:00",
    "-0:00",
    "0:00:00.0",
    "0:60",
    "0_0:0:0",
    "0000-00-00",
    "0000-0-0",
    "0000-00-00 00:00:00",
    "0000-00-00T00:00:00Z",
    "0000-0-0 0:00:00.00 +0",
    "0000-00-00 00:00:00 -00:00",
    "2017-01-16 10:20:30 -00:30",
    "0000-00-00 00:00:00 +0000",
    "0000-00-00t00:00:00.000",
    "-0000-00-00 00:00:00",
    ".inf",
    "-.inf",
    "+.INF",
    ".nan",
    ".NaN",
    "~",
    "null",
    "Null",
    "NULL",
    "nul",
    "yes",
    "Yes",
    "yES",
    "no",
    "NO",
    "on",
    "off",
    "Off",
    "true",
    "TRUE",
    "false",
    "y",
    "n",
    "Y",
    "t",
    "f",
    "o",
    ":a",
    "::0",
    ":a b",
    ":'a'",
    ":\"a\"b\"",
    ":",
    "a:0",
    "0a",
    "0.0.0.0",
    "0.0.0.0_00",
    "00:aa:00:00:0a:00",
    "aa::0",
    "=",
    "<<a",
    "a_0",
    "_0",
    "0-0",
    "1.10",
    "1e400",
    "1.0e+400",
    "123456789012345678901234567890",
    "0.1",
    "100000000000000000.0",
    "1000000000000000.0",
    "999999999999999.0",
    "1000000000000000.5",
    "1020060632635269.0",
    "1021068632635269.2",
    "0.00001",
    "0.0001",
    "-0.0",
    "\u{e9}a",
    "\u{e9}",
    "(0)",
    "$0",
    "/a/0",
    "^0",
    "0%",
    "+",
    "-",
    "--",
    ".",
    "..",
    "+.",
    "1_",
    "1,",
    "0_",
    "0x_",
    "0b_",
];

fn scalar(random: &mut Random) -> String {
    let shape = random.pick(SHAPES);
    let mut out = String::new();
    for c in shape.chars() {
        match c {
            '0' if !random.once_in(4) => out.push(char::from(b'0' + random.below(10) as u8)),
            'a' => out.push(char::from(b'a' + random.below(26) as u8)),
            c => out.push(c),
        }
        if random.once_in(40) {
            out.push_str(["0", ":", "-", ".", "_", ",", "+", "e", "Z", "1"][random.below(10)]);
        }
        if random.once_in(60) {
            out.pop();
        }
    }
    out
}

#[test]
fn plain_scalars_have_the_texts_that_ruby_gives_them() {
    let cases = number("BRINE_CASES", 3000) as usize;
    let mut random = Random::new(number("BRINE_SEED", 1));
    let mut documents: Vec<String> = SHAPES.iter().map(|shape| format!("v: {shape}\n")).collect();
    documents.extend((0..cases).map(|_| format!("v: {}\n", scalar(&mut random))));
    documents.extend((0..cases / 10).map(|_| format!("{}: v\n", scalar(&mut random))));
    let (same, refused) = compare(&documents);
    eprintln!("{same} alike, {refused} refused by Ruby");
    assert!(same > refused * 5);
}

#[test]
fn documents_are_as_ruby_reads_them() {
    let documents = [
        "a: &x {p: 1, q: 2}\nb: *x\nc: {<<: *x, q: 3}\n",
        "a: &x {p: 1}\nb: &y {p: 2, r: 3}\nc: {<<: [*x, *y], s: 4}\nd: {s: 0, p: 9, <<: *y}\n",
        "a: &x [1, 2]\nb: {<<: *x}\nc: {<<: 5}\nd: {<<: [1]}\n",
        "a: &x 010\nb: *x\nc: &y ~\nd: *y\n",
        "a: &x 1\nb: &x 2\nc: *x\n",
        "a: {p: 1}\n\"<<\": {q: 2}\n",
        "!!str <<: {q: 2}\n",
        "a: 1\na: 2\nb: 3\n",
        "a: |\n  one\n  two\n\nb: >\n  folded\n  text\n\n  more\n",
        "a: |\n  no end",
        "a: |+\n  kept\n\n",
        "a: |-\n  stripped\n",
        "a: >-\n  folded",
        "a: |\n  no\n",
        "a: '010'\nb: \"yes\"\nc: !!str 010\nd: !str yes\ne: ! '010'\nf: !!float 3\ng: !!int '5'\n",
        "a: one\n  two\n\n  three\n",
        "a: n\n\n  no\n",
        "--- # comment\na: 1\n--- \nb: 2\n",
        "%YAML 1.1\n---\na: 1\n",
        "{a: 1, b: [x, {c: d}], ? e : f}\n",
        "? a\n: b\n? c\n",
        "a:\n- 1\n- 2\nb:\n  - - 3\n",
        "\u{feff}a: 1\n",
        "a: \"\\u00e9\\n\\x41\"\n",
        "a: {}\nb: []\n",
        "a: #\nb: 'it''s'\n",
        "1: a\n1.0: b\n~: c\ntrue: d\n2017-01-16: e\n:f: g\n",
        "a: !unknown 010\nb: !unknown {c: 010}\nd: !unknown [010]\n",
    ];
    let documents: Vec<String> = documents.iter().map(|text| (*text).to_owned()).collect();
    let (same, refused) = compare(&documents);
    assert_eq!((same, refused), (documents.len(), 0));
}
