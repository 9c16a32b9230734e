//! Salt's templates against stock's own `render_jinja_tmpl`, in one process: the same text, or the same error with its excerpt.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

#[path = "common/stock.rs"]
mod stock;

use brine_core::call::{
    Args as CallArgs, CallError, Function, Module, Param, ParamKind, Registry, Result as CallResult,
};
use brine_core::files::{Files, Listing};
use brine_core::host::NoHost;
use brine_core::{Cx, Map, Opts, Value, map};
use brine_render::template::{JinjaRequest, Session, render_jinja};
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stock::Stock;

/// A folder, without copies.
struct Folder(PathBuf);

impl Files for Folder {
    fn cache_file(&self, path: &str, _: &str) -> CallResult<Option<PathBuf>> {
        let file = self.0.join(path);
        Ok(file.is_file().then_some(file))
    }

    fn list(&self, _: &str, _: Listing) -> CallResult<Vec<String>> {
        Ok(Vec::new())
    }

    fn envs(&self) -> CallResult<Vec<String>> {
        Ok(vec!["base".into()])
    }
}

fn text_of(args: &CallArgs) -> String {
    let given = args.positional.first().or_else(|| args.keyword.get("text"));
    given.and_then(Value::as_str).unwrap_or("no").to_owned()
}

const TEXT: &[Param] = &[Param { name: "text", kind: ParamKind::Default(|| "no".into()) }];
const TEST: Module = Module {
    name: "test",
    functions: &[
        Function { name: "ping", doc: "", params: &[], run: |_, _| Ok(true.into()) },
        Function { name: "echo", doc: "", params: TEXT, run: |_, args| Ok(text_of(&args).into()) },
        Function {
            name: "refuse",
            doc: "",
            params: TEXT,
            run: |_, a| Err(CallError::execution(text_of(&a))),
        },
        Function {
            name: "invoke",
            doc: "",
            params: TEXT,
            run: |_, a| Err(CallError::invocation(text_of(&a))),
        },
    ],
};

/// One tree: its name, its files, the first of which is rendered.
struct Tree {
    name: String,
    files: Vec<(String, String)>,
}

fn trees() -> Vec<Tree> {
    let mut trees: Vec<Tree> = Vec::new();
    for line in include_str!("data/trees.txt").split_inclusive('\n') {
        if let Some(name) = line.strip_prefix("=== ") {
            trees.push(Tree { name: name.trim().into(), files: Vec::new() });
        } else if let Some(path) = line.strip_prefix("--- ") {
            trees.last_mut().unwrap().files.push((path.trim().into(), String::new()));
        } else {
            trees.last_mut().unwrap().files.last_mut().unwrap().1.push_str(line);
        }
    }
    for tree in &mut trees {
        if tree.name == "no newline at the end" {
            let text = &mut tree.files[0].1;
            text.pop();
        }
        if tree.name == "line ends of Windows" {
            tree.files[0].1 = tree.files[0].1.replace('\n', "\r\n");
        }
    }
    trees
}

fn sls_of(path: &str) -> String {
    let name = path.trim_end_matches(".sls");
    name.strip_suffix("/init").unwrap_or(name).replace('/', ".")
}

fn ours(tree: &Tree, dir: &Path, opts: Map) -> Json {
    for (path, text) in &tree.files {
        let file = dir.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let mut cx = Cx::new(Arc::new(Opts::new(opts)), Arc::new(Registry::new([&TEST])), Arc::new(NoHost));
    cx.grains = Arc::new(map! {"os" => "Debian", "id" => "me", "l" => vec![Value::from(1), Value::from(2)]});
    let inner = map! {"b" => vec![Value::from(1), map! {"c" => "d"}.into()]};
    cx.pillar = Arc::new(map! {"a" => inner, "s" => "it's\nme"});
    let session = Session::new(&cx, Arc::new(Folder(dir.to_path_buf())));
    let (main, text) = &tree.files[0];
    let path = dir.join(main).display().to_string();
    let sls = sls_of(main);
    let request = JinjaRequest { saltenv: "base", sls: Some(&sls), tmplpath: Some(&path), vars: Vec::new() };
    match render_jinja(&session, text, &request) {
        Ok(text) => json!({"text": text}),
        Err(e) => json!({"error": e.to_string().replace(&dir.display().to_string(), "@")}),
    }
}

/// Where stock shows a traceback of Python's, the text up to it.
fn without_traceback(answer: &Json) -> Json {
    let Some(text) = answer["error"].as_str() else { return answer.clone() };
    match text.split_once("Traceback (most recent call last)") {
        Some((said, _)) => json!({"error": said}),
        None => answer.clone(),
    }
}

#[test]
fn trees_render_as_in_stock() {
    let trees = trees();
    let questions: Vec<Json> = trees
        .iter()
        .map(|tree| {
            let files: serde_json::Map<String, Json> =
                tree.files.iter().map(|(p, t)| (p.clone(), t.clone().into())).collect();
            json!({"files": files, "main": tree.files[0].0, "sls": sls_of(&tree.files[0].0)})
        })
        .collect();
    let mut stock = Stock::start(include_str!("data/stock_templates.py"));
    let mut wrong = Vec::new();
    for (tree, theirs) in trees.iter().zip(stock.ask(&questions)) {
        let dir = tempfile::tempdir().unwrap();
        let ours = without_traceback(&ours(tree, dir.path(), map! {"file_client" => "local"}));
        let theirs = without_traceback(&theirs);
        if ours != theirs {
            let text = |a: &Json| a["text"].as_str().or(a["error"].as_str()).unwrap_or("?").to_owned();
            wrong.push(format!("== {}\nstock {}\nours  {}", tree.name, text(&theirs), text(&ours)));
        }
    }
    println!("{} trees compared", trees.len());
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), trees.len(), wrong.join("\n"));
}

/// Each option of Jinja's environment, as a dict of options and a template that it changes.
fn option_cases() -> Vec<(Map, &'static str, &'static str)> {
    let blocks = "{% if true %}\n  {% set x = 1 %}\na: {{ x }}\n{% endif %}\n";
    let marks = map! {
        "variable_start_string" => "<<", "variable_end_string" => ">>", "block_start_string" => "[%", "block_end_string" => "%]",
        "comment_start_string" => "[#", "comment_end_string" => "#]", "line_statement_prefix" => "%%", "line_comment_prefix" => "//",
        "newline_sequence" => "\r\n", "keep_trailing_newline" => true, "nonsense" => 1
    };
    let marked =
        "a: << 1 >>[# no #]\n[% if true %]b[% endif %]\n%% for x in [1, 2]\n- << x >> // said\n%% endfor\n";
    vec![
        (map! {"jinja_trim_blocks" => true}, "a", blocks),
        (map! {"jinja_lstrip_blocks" => true}, "a", blocks),
        (map! {"jinja_sls_env" => map! {"trim_blocks" => true}}, "a", blocks),
        (map! {"jinja_sls_env" => map! {"LSTRIP_BLOCKS" => true}}, "a", blocks),
        (map! {"jinja_sls_env" => marks.clone()}, "a", marked),
        (map! {"jinja_env" => marks}, "", marked),
        (
            map! {"jinja_env" => map! {"trim_blocks" => true}, "jinja_sls_env" => map! {"lstrip_blocks" => true}},
            "",
            blocks,
        ),
        (map! {"allow_undefined" => true}, "a", "[{{ nope }}]\n"),
    ]
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Map(map) => map.iter().map(|(k, v)| (k.as_str().unwrap().to_owned(), json_of(v))).collect(),
        Value::Bool(b) => (*b).into(),
        Value::Int(i) => i64::try_from(*i).unwrap().into(),
        other => other.as_str().unwrap().into(),
    }
}

#[test]
fn options_change_how_templates_are_read() {
    let cases = option_cases();
    let questions: Vec<Json> = cases
        .iter()
        .map(|(opts, sls, text)| {
            let main = if sls.is_empty() { "t.txt" } else { "a.sls" };
            json!({"files": {main: text}, "main": main, "sls": sls, "opts": json_of(&opts.clone().into())})
        })
        .collect();
    let mut stock = Stock::start(include_str!("data/stock_templates.py"));
    for ((opts, sls, text), theirs) in cases.iter().zip(stock.ask(&questions)) {
        let dir = tempfile::tempdir().unwrap();
        let cx =
            Cx::new(Arc::new(Opts::new(opts.clone())), Arc::new(Registry::new([&TEST])), Arc::new(NoHost));
        let session = Session::new(&cx, Arc::new(Folder(dir.path().to_path_buf())));
        let path = dir.path().join("a.sls").display().to_string();
        let request =
            JinjaRequest { saltenv: "base", sls: Some(sls), tmplpath: Some(&path), vars: Vec::new() };
        let ours = match render_jinja(&session, text, &request) {
            Ok(text) => json!({"text": text}),
            Err(e) => json!({"error": e.to_string()}),
        };
        assert_eq!(ours, theirs, "{opts:?}");
    }
}
