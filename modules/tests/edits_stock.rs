//! Functions that edit files, and unified diffs, against stock's: random files, random arguments.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose others and more.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_core::call::{Args, CallError, Cx, Registry};
use brine_core::difflib::unified_diff;
use brine_core::host::NoHost;
use brine_core::text::splitlines;
use brine_core::{Opts, map};
use brine_testing::{Random, Stock, map as to_map, number};
use serde_json::{Map, Value as Json, json};
use std::path::Path;
use std::sync::Arc;

const STOCK: &str = r#"
import difflib, json, logging, os, sys
import salt.config, salt.loader
logging.disable(logging.CRITICAL)
opts = salt.config.DEFAULT_MINION_OPTS.copy()
opts.update({"file_client": "local", "grains": {"os": "Debian", "kernel": "Linux"}, "pillar": {}, "test": False})
mods = salt.loader.minion_mods(opts, utils=salt.loader.utils(opts))

def text(path):
    try:
        with open(path, "rb") as f:
            return f.read().decode("latin-1")
    except OSError:
        return None

for question in sys.stdin:
    q = json.loads(question)
    if "diff" in q:
        a, b = q["diff"]
        ret = "".join(difflib.unified_diff(a.splitlines(True), b.splitlines(True), n=q["around"]))
        print(json.dumps(ret), flush=True)
        continue
    path = q["path"]
    with open(path, "wb") as f:
        f.write(q["text"].encode("latin-1"))
    try:
        ret = mods[q["fun"]](path, **q["kwargs"])
    except BaseException as exc:
        ret = f"{type(exc).__name__}: {exc}"
    out = [ret, text(path), text(path + ".bak")]
    if out[2] is not None:
        os.remove(path + ".bak")
    print(json.dumps(out), flush=True)
"#;

fn cx() -> Cx {
    let registry = Registry::new(brine_modules::ALL.iter().copied());
    let opts = Opts::new(map! {"test" => false});
    let mut cx = Cx::new(Arc::new(opts), Arc::new(registry), Arc::new(NoHost));
    cx.grains = Arc::new(map! {"os" => "Debian", "kernel" => "Linux"});
    cx
}

fn said(e: &CallError) -> String {
    match e {
        CallError::Execution(text) => format!("CommandExecutionError: {text}"),
        CallError::Invocation(text) => format!("SaltInvocationError: {text}"),
        other => other.to_string(),
    }
}

fn latin1(path: &str) -> Json {
    std::fs::read(path)
        .map_or(Json::Null, |bytes| bytes.iter().map(|b| char::from(*b)).collect::<String>().into())
}

fn ours(cx: &Cx, question: &Json) -> Json {
    let path = question["path"].as_str().unwrap();
    let bytes: Vec<u8> = question["text"].as_str().unwrap().chars().map(|c| c as u8).collect();
    std::fs::write(path, bytes).unwrap();
    let args = Args { positional: vec![path.into()], keyword: to_map(&question["kwargs"]) };
    let ret = match cx.call(question["fun"].as_str().unwrap(), args) {
        Ok(value) => match value.as_bool() {
            Some(on) => on.into(),
            None => value.as_str().map_or(Json::Null, Json::from),
        },
        Err(e) => said(&e).into(),
    };
    let backup = format!("{path}.bak");
    let out = json!([ret, latin1(path), latin1(&backup)]);
    let _none = std::fs::remove_file(&backup);
    out
}

/// Lines of few kinds, so that much of it is found.
fn text(random: &mut Random) -> String {
    const LINES: &[&str] = &[
        "alpha=1",
        "  alpha = 2",
        "#alpha=1",
        "# beta",
        "beta",
        "\tbeta gamma",
        "",
        "  ",
        "gamma",
        "BEGIN",
        "END",
        "delta.x",
        "caf\u{c3}\u{a9}",
        "#  gamma",
        "alpha",
        "END BEGIN",
        "beta=alpha",
        "##beta",
    ];
    let end = *random.pick(&[&"\n", &"\n", &"\n", &"\n", &"\r\n", &"\r"]);
    let mut out = String::new();
    for _ in 0..random.below(9) {
        out.push_str(random.pick(LINES));
        out.push_str(if random.once_in(30) { "\r\n" } else { end });
    }
    if random.once_in(4) {
        out.push_str(random.pick(LINES));
    }
    out
}

fn some(random: &mut Random, to: &mut Map<String, Json>, name: &str, once_in: usize, values: &[Json]) {
    if random.once_in(once_in) {
        to.insert(name.to_owned(), values[random.below(values.len())].clone());
    }
}

fn patterns() -> Vec<Json> {
    [
        "alpha",
        "beta",
        "^beta",
        "gamma$",
        "al.*a",
        "^$",
        "BEGIN",
        "END",
        "nothing",
        "(al)(pha)",
        "[a-c]eta",
        r"\s+",
        r"\w+=",
        "^#",
        ".",
        "b(?=eta)",
        "(?i)ALPHA",
        "(",
        "a*",
        r"delta\.x",
        "delta.x",
        "caf.$",
        "caf.{2}",
        "é",
        "^(?!#)beta",
        r"\bbeta\b",
        "alpha=1\nbeta",
    ]
    .map(Json::from)
    .into()
}

fn question(random: &mut Random) -> (String, Json) {
    let truth = [json!(true), json!(false)];
    let content = ["alpha=1", "beta", "  new", "new line", "", "END", "#alpha=1", "two\nlines", "new\n", "é"]
        .map(Json::from);
    let mut kwargs = Map::new();
    let k = &mut kwargs;
    let fun = match random.below(6) {
        0 | 1 => {
            some(random, k, "content", 1, &content);
            some(random, k, "match", 2, &patterns());
            some(
                random,
                k,
                "mode",
                1,
                &["ensure", "replace", "delete", "insert", "Insert", "odd"].map(Json::from),
            );
            some(random, k, "location", 5, &["start", "end", "odd"].map(Json::from));
            some(random, k, "before", 2, &patterns());
            some(random, k, "after", 2, &patterns());
            some(random, k, "indent", 3, &truth);
            some(random, k, "show_changes", 5, &truth);
            "file.line"
        }
        2 | 3 => {
            some(random, k, "pattern", 1, &patterns());
            some(
                random,
                k,
                "repl",
                1,
                &[r"x", r"\1-\2", r"<\g<0>>", "beta", r"\\n", r"\n", "", "é", r"a\d"].map(Json::from),
            );
            some(random, k, "count", 3, &[json!(0), json!(1), json!(2)]);
            some(
                random,
                k,
                "flags",
                2,
                &[
                    json!(0),
                    json!(8),
                    json!(["I", "M"]),
                    json!("DOTALL"),
                    json!(10),
                    json!("Q"),
                    json!(["X"]),
                    json!(32),
                ],
            );
            some(random, k, "append_if_not_found", 4, &truth);
            some(random, k, "prepend_if_not_found", 4, &truth);
            some(random, k, "not_found_content", 4, &["beta", "new", "gamma"].map(Json::from));
            some(random, k, "backup", 3, &[json!(false), json!(".bak")]);
            some(random, k, "dry_run", 5, &truth);
            some(random, k, "search_only", 8, &truth);
            some(random, k, "show_changes", 5, &truth);
            some(random, k, "preserve_inode", 4, &truth);
            some(random, k, "backslash_literal", 4, &truth);
            some(random, k, "encoding", 8, &["utf-8", "latin-1", "utf-16"].map(Json::from));
            "file.replace"
        }
        4 => {
            some(random, k, "marker_start", 1, &["BEGIN", "#alpha", "beta"].map(Json::from));
            some(random, k, "marker_end", 1, &["END", "gamma", "beta"].map(Json::from));
            some(random, k, "content", 1, &content);
            some(random, k, "append_if_not_found", 3, &truth);
            some(random, k, "prepend_if_not_found", 4, &truth);
            some(random, k, "insert_before_match", 4, &patterns());
            some(random, k, "insert_after_match", 4, &patterns());
            some(random, k, "append_newline", 2, &[json!(true), json!(false), Json::Null]);
            some(random, k, "dry_run", 5, &truth);
            some(random, k, "show_changes", 5, &truth);
            "file.blockreplace"
        }
        _ => {
            some(random, k, "regex", 1, &patterns());
            some(random, k, "char", 3, &["#", "//", ";"].map(Json::from));
            some(random, k, "backup", 3, &[json!(false), json!(".bak")]);
            if random.once_in(3) {
                some(random, k, "cmnt", 1, &truth);
                "file.comment_line"
            } else if random.once_in(2) {
                "file.uncomment"
            } else {
                "file.comment"
            }
        }
    };
    (fun.to_owned(), kwargs.into())
}

#[test]
fn files_are_edited_as_by_stock() {
    let (seed, cases) = (number("BRINE_SEED", 1), number("BRINE_CASES", 1500));
    let mut random = Random::new(seed);
    let mut stock = Stock::start(STOCK);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f").to_string_lossy().into_owned();
    let cx = cx();
    let mut wrong = Vec::new();
    for n in 0..cases {
        let text = text(&mut random);
        let (fun, kwargs) = question(&mut random);
        let question = json!({"path": path, "fun": fun, "kwargs": kwargs, "text": text});
        let (theirs, mine) = (stock.ask(&question), ours(&cx, &question));
        // Stock writes first and then finds that it cannot; what is in the file then is its own affair.
        let torn = theirs[0].as_str().is_some_and(|said| said.starts_with("Unicode"));
        if theirs[0] != mine[0] || !torn && theirs != mine {
            wrong.push(format!("{n}: {question}\n  stock {theirs}\n  ours  {mine}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "seed {seed}: {} of {cases}\n{}",
        wrong.len(),
        wrong[..wrong.len().min(12)].join("\n")
    );
    assert_eq!(
        std::fs::read_dir(Path::new(&path).parent().unwrap()).unwrap().count(),
        1,
        "something was left behind"
    );
}

#[test]
fn diffs_are_pythons() {
    let mut random = Random::new(number("BRINE_SEED", 1));
    let mut stock = Stock::start(STOCK);
    for n in 0..400 {
        let most = if n % 10 == 0 { 260 } else { 14 };
        let text = |random: &mut Random| -> String {
            let length = random.below(most);
            (0..length)
                .map(|_| *random.pick(&[&"a\n", &"b\n", &"c\r\n", &"d\x0c", &"e", &"f\n", &"g\n"]))
                .collect()
        };
        let a = text(&mut random);
        let b = if random.once_in(2) { a.replacen("b\n", "x\n", 2) } else { text(&mut random) };
        let around = random.below(4);
        let theirs = stock.ask(&json!({"diff": [a, b], "around": around}));
        let mine = unified_diff(&splitlines(&a, true), &splitlines(&b, true), ("", ""), around).concat();
        assert_eq!(theirs, Json::from(mine), "{a:?} {b:?} {around}");
    }
}
