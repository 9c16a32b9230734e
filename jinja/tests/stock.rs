//! Templates against stock 3006.28's own Jinja2, in one process: the same tree, or the same error in the same line.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose other templates and more. `BRINE_TEMPLATES` names a folder: all files in it are compared, too.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod common;

use brine_jinja::{ErrorKind, Syntax, parse};
use common::dump::dump;
use common::grammar::{Grammar, syntaxes};
use common::stock::Stock;
use serde_json::{Value as Json, json};
use std::path::Path;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

fn ours(source: &str, syntax: &Syntax) -> Json {
    match parse(source, syntax) {
        Ok(template) => json!({"tree": dump(&template)}),
        Err(error) => match error.kind {
            ErrorKind::Syntax => json!({"syntax": error.message, "line": error.line}),
            ErrorKind::Assertion => json!({"assertion": error.message, "line": error.line}),
            ErrorKind::Value => json!({"value": error.message}),
            ErrorKind::Limit => json!({"limit": error.message}),
        },
    }
}

/// What cannot be compared: Python's stack has ended; its text has half a pair of surrogates, which ours cannot have; or a
/// character has been named.
fn incomparable(stock: &Json, ours: &Json) -> bool {
    let ours = ours["syntax"].as_str().unwrap_or_default();
    let halves = ours == "surrogates not allowed";
    stock.get("deep").is_some()
        || (halves && (stock.get("surrogates").is_some() || stock.get("line").is_some()))
        || ours.starts_with("characters are not known by name: ")
}

/// Compares templates, each with the number of its syntax; fails with the shortest that differs.
fn compare(name: &str, templates: &[(usize, String)]) {
    let syntaxes = syntaxes();
    let mut stock = Stock::start(&syntaxes);
    let questions: Vec<Json> = templates.iter().map(|(syntax, source)| json!([syntax, source])).collect();
    let answers = stock.ask(&questions);
    let mut wrong = Vec::new();
    let (mut trees, mut skipped) = (0, 0);
    for ((syntax, source), answer) in templates.iter().zip(&answers) {
        trees += u32::from(answer.get("tree").is_some());
        let ours = ours(source, &syntaxes[*syntax]);
        if incomparable(answer, &ours) {
            skipped += 1;
        } else if ours != *answer {
            wrong.push((source, syntax, answer, ours));
        }
    }
    println!(
        "{name}: {} templates, {trees} of them trees, {skipped} not compared, {} differ",
        templates.len(),
        wrong.len()
    );
    wrong.sort_by_key(|(source, ..)| source.len());
    for (source, syntax, answer, ours) in wrong.iter().take(5) {
        println!("--- syntax {syntax}: {source:?}\nstock {answer}\nours  {ours}");
    }
    assert!(wrong.is_empty(), "{} differ", wrong.len());
}

#[test]
fn random_templates_are_read_as_by_stock() {
    let syntaxes = syntaxes();
    let seed = number("BRINE_SEED", 1) << 32;
    let templates: Vec<_> = (0..number("BRINE_CASES", 20_000))
        .map(|i| {
            // Half with the syntax that is nearly always used.
            let syntax = (i as usize % (2 * syntaxes.len())).saturating_sub(syntaxes.len());
            (syntax, Grammar::new(seed + i, &syntaxes[syntax]).template())
        })
        .collect();
    compare("random", &templates);
}

#[test]
fn what_formulas_write_is_read_as_by_stock() {
    let shapes = include_str!("data/shapes.jinja");
    let mut templates: Vec<_> = shapes.split("=====\n").map(|shape| (0, shape.to_owned())).collect();
    for (_, shape) in &templates {
        let read = parse(shape, &Syntax::default()).map(drop);
        assert_eq!(read, Ok(()), "{shape}");
    }
    let trimming: Vec<_> = templates.iter().map(|(_, shape)| (1, shape.clone())).collect();
    templates.extend(trimming);
    // Cut off in every line, so that errors are in all places.
    for shape in shapes.split("=====\n") {
        let cuts = shape.char_indices().filter(|(i, c)| *c == '\n' || i % 7 == 0).map(|(i, _)| i);
        templates.extend(cuts.map(|at| (0, shape[..at].to_owned())));
    }
    compare("shapes", &templates);
}

/// Each place where a character is asked about, for characters of every kind.
#[test]
fn characters_are_what_they_are_in_python() {
    let step = number("BRINE_STEP", 61) as usize;
    let mut chars: Vec<char> = ('\0'..='\u{24ff}').collect();
    chars.extend(('\u{2500}'..=char::MAX).step_by(step));
    let templates: Vec<_> = chars
        .chunks(16)
        .flat_map(|run| run.iter().map(|c| (0, format!("{{{{ a{c}b{c} }}}}{{{{ {c} }}}}"))))
        .collect();
    compare("characters", &templates);
}

fn files(dir: &Path, out: &mut Vec<(usize, String)>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            files(&path, out);
        } else if let Ok(text) = std::fs::read_to_string(&path)
            && text.contains('{')
            && text.len() < 1 << 20
        {
            out.push((0, text));
        }
    }
}

#[test]
fn templates_of_a_folder_are_read_as_by_stock() {
    let Some(dir) = std::env::var_os("BRINE_TEMPLATES") else { return };
    let mut templates = Vec::new();
    files(Path::new(&dir), &mut templates);
    compare("files", &templates);
}
