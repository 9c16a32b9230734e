//! The body of the fuzz target on texts that are nearly boxes and transforms. `BRINE_CASES` and `BRINE_SEED` choose how many, and which.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../../../fuzz/warehouses.rs"]
mod warehouses;

use brine_testing::{Random, number};
use std::path::Path;

/// Pieces of YAML that mean something.
const PIECES: &[&str] = &[
    "\n",
    "  ",
    "- ",
    ": ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!str ",
    "!ruby/object:X ",
    "|\n",
    ">-\n",
    "\"",
    "'",
    "#[k.a]",
    "#[",
    "~",
    "010",
    "1:30",
    "---\n",
    "...\n",
    "? ",
    "\\",
    "\t",
    "\u{feff}",
    "\u{e9}",
    "- k.a:\n  - synthesize: x\n",
    "- k:\n  - concatenate: ','\n",
    "  - inherit: ~\n",
    "(?<x>.)",
    "k: [1, 2]\n",
    "%YAML 1.1\n",
    "\0",
    "k.a",
    "pallet",
];

#[test]
fn no_text_makes_it_panic_or_go_deep() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/inputs/edge");
    let read = |path: &str| std::fs::read(folder.join(path)).unwrap();
    let mut whole = read("transforms.yaml");
    whole.push(0);
    whole.extend(read("t/types/t.yaml"));
    for seed in 0..number("BRINE_CASES", 1500) {
        let mut random = Random::new(number("BRINE_SEED", 1) + seed);
        let mut text = if random.once_in(3) { Vec::new() } else { whole.clone() };
        for _ in 0..random.below(30) + 1 {
            let at = random.below(text.len() + 1);
            if random.once_in(3) {
                text.truncate(at.max(text.len().saturating_sub(random.below(100))));
            } else if random.once_in(3) {
                let end = (at + random.below(20)).min(text.len());
                text.drain(at..end);
            } else {
                let piece = random.pick(PIECES).as_bytes();
                text.splice(at..at, piece.iter().copied());
            }
        }
        warehouses::warehouse(&text);
    }
}
