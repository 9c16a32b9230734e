//! Operations, formats and methods against Python itself, on generated values, in one process.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose others and more.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod common;

use common::cases::Case;
use common::{Random, make, python};
use std::collections::BTreeMap;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// What differs, one case for each shape of difference, the shortest of it.
fn compare(cases: &[Case]) -> (usize, Vec<String>) {
    let sources: Vec<String> = cases.iter().map(Case::py).collect();
    let answers = python(&sources);
    let mut compared = 0;
    let mut wrong: BTreeMap<String, String> = BTreeMap::new();
    for ((case, source), answer) in cases.iter().zip(&sources).zip(&answers) {
        let Some(answer) = answer else { continue };
        compared += 1;
        let ours = case.ours();
        if ours != *answer {
            let shape = match case {
                Case::Method(_, name, ..) => format!("method {name}"),
                other => format!("{other:?}").split('(').next().unwrap_or_default().to_owned(),
            };
            let text = format!("{source}\n    python {answer}\n    ours   {ours}");
            let kept = wrong.entry(shape).or_insert_with(|| text.clone());
            if text.len() < kept.len() {
                *kept = text;
            }
        }
    }
    (compared, wrong.into_values().collect())
}

#[test]
fn everything_is_as_in_python() {
    let seed = number("BRINE_SEED", 1);
    let mut random = Random::new(seed);
    let mut cases = Vec::new();
    while cases.len() < number("BRINE_CASES", 30_000) as usize {
        // Two NaN are one here, as numbers have no identity.
        let fits = |case: &Case| !case.finds_members() || !case.py().contains("NaN");
        cases.extend(make::case(&mut random).filter(fits));
    }
    let (compared, wrong) = compare(&cases);
    println!("seed {seed}: {compared} cases compared");
    assert!(wrong.is_empty(), "seed {seed}: {} kinds differ:\n{}", wrong.len(), wrong.join("\n"));
}
