//! `slsutil`, `jinja`, `sdb` and `nacl` against stock's own modules, in one process of stock's Python.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use brine_core::call::{Args, CallError, Registry};
use brine_core::files::{Files, Listing};
use brine_core::{Cx, Map, Opts, Value, map};
use brine_python::{Obj, repr};
use brine_testing::Around;
use serde_json::{Value as Json, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// One folder as the environment `base`.
struct Folder(PathBuf);

impl Files for Folder {
    fn cache_file(&self, path: &str, saltenv: &str) -> Result<Option<PathBuf>, CallError> {
        let file = self.0.join(path);
        Ok((saltenv == "base" && file.is_file()).then_some(file))
    }

    fn list(&self, saltenv: &str, what: Listing) -> Result<Vec<String>, CallError> {
        let mut found = Vec::new();
        let mut todo = vec![String::new()];
        while let Some(dir) = todo.pop() {
            for entry in std::fs::read_dir(self.0.join(&dir)).unwrap().flatten() {
                let name = entry.file_name().into_string().unwrap();
                let path = if dir.is_empty() { name } else { format!("{dir}/{name}") };
                let is_dir = entry.path().is_dir();
                if is_dir == (what == Listing::Dirs) {
                    found.push(path.clone());
                }
                if is_dir {
                    todo.push(path);
                }
            }
        }
        Ok(if saltenv == "base" { found } else { Vec::new() })
    }

    fn envs(&self) -> Result<Vec<String>, CallError> {
        Ok(vec!["base".into()])
    }
}

const STOCK: &str = r#"
import collections, json, logging, sys
import salt.config, salt.loader
logging.disable(logging.CRITICAL)
head = json.loads(sys.stdin.readline())
opts = salt.config.DEFAULT_MINION_OPTS.copy()
opts.update({"file_client": "local", "grains": {}, "pillar": {}, "cachedir": head["dir"] + "/cache", "conf_file": head["dir"] + "/minion", "file_roots": {"base": [head["dir"] + "/tree"]}})
opts.update(head["opts"])
mods = salt.loader.minion_mods(opts, utils=salt.loader.utils(opts))

def plain(x):
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    return x

answers = []
for line in sys.stdin:
    fun, args, kwargs = json.loads(line)
    try:
        answers.append(repr(plain(mods[fun](*args, **kwargs))))
    except BaseException as exc:
        answers.append(f"{type(exc).__name__}: {exc}")
json.dump(answers, sys.stdout)
"#;

fn stock(calls: &[Json], dir: &Path, opts: &Json) -> Vec<String> {
    let root = std::env::var("BRINE_STOCK_DIR").expect("BRINE_STOCK_DIR: where stock Salt is installed");
    let mut child = Command::new(format!("{root}/3006.28/bin/python"))
        .args(["-B", "-c", STOCK])
        .env("LANG", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut text = format!("{}\n", json!({"dir": dir, "opts": opts}));
    text.extend(calls.iter().map(|call| format!("{call}\n")));
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(b) => (*b).into(),
        Json::Number(n) => n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap()), Value::from),
        Json::String(s) => s.as_str().into(),
        Json::Array(items) => items.iter().map(value).collect::<Vec<_>>().into(),
        Json::Object(pairs) => {
            let mut map = Map::new();
            for (key, each) in pairs {
                map.insert(key.as_str(), value(each));
            }
            map.into()
        }
    }
}

fn cx(dir: &Path, opts: &Json) -> Cx {
    let Value::Map(mut all) = value(opts) else { panic!("options are a map") };
    all.insert("renderer", "jinja|yaml");
    all.insert("conf_file", dir.join("minion").display().to_string());
    let host = Around::files(Arc::new(Folder(dir.join("tree"))));
    let registry = Registry::new(brine_modules::ALL.iter().copied());
    Cx::new(Arc::new(Opts::new(all)), Arc::new(registry), Arc::new(host))
}

fn ours(cx: &Cx, call: &Json) -> String {
    let Value::List(positional) = value(&call[1]) else { panic!() };
    let Value::Map(keyword) = value(&call[2]) else { panic!() };
    match cx.call(call[0].as_str().unwrap(), Args { positional, keyword }) {
        Ok(value) => repr(&Obj::from(&value)).unwrap(),
        Err(CallError::Execution(text)) => format!("CommandExecutionError: {text}"),
        Err(CallError::Invocation(text)) => format!("SaltInvocationError: {text}"),
        Err(CallError::Arguments(text)) => format!("TypeError: {text}"),
        Err(e) => e.to_string(),
    }
}

fn compare(calls: &[Json], opts: &Json) {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    std::fs::create_dir_all(tree.join("d/e")).unwrap();
    for (name, text) in [
        ("d/map.jinja", "{% set m = {'a': [1, none, 2.5], 3: saltenv, 'p': opts.renderer} %}"),
        ("d/a.yaml", "a: [1, 012, 2001-01-01]\n1: x\n"),
        ("d/a.json", "{\"a\": [1, null]}"),
        ("d/t.sls", "a: {{ [1, 2] | length }}\n"),
        ("store.yaml", "x: {y: [1, {z: 2}]}\n"),
    ] {
        std::fs::write(tree.join(name), text).unwrap();
    }
    let place = |json: &Json| -> Json {
        serde_json::from_str(&json.to_string().replace("TREE", tree.to_str().unwrap())).unwrap()
    };
    let (calls, opts) = (calls.iter().map(place).collect::<Vec<_>>(), place(opts));
    let theirs = stock(&calls, dir.path(), &opts);
    // Each begins with a database of its own.
    let _absent = std::fs::remove_file(dir.path().join("db"));
    let cx = cx(dir.path(), &opts);
    let wrong: Vec<String> = calls
        .iter()
        .zip(&theirs)
        .filter_map(|(call, theirs)| {
            let ours = ours(&cx, call);
            // One class is the other's kind.
            let theirs = theirs.replace("ArgumentValueError: ", "CommandExecutionError: ");
            (ours != theirs).then(|| format!("{call}\n    stock {theirs}\n    ours  {ours}"))
        })
        .collect();
    println!("{} calls compared", calls.len());
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), calls.len(), wrong.join("\n"));
}

#[test]
fn slsutil_is_as_in_stock() {
    let call = |fun: &str, args: Json, kwargs: Json| json!([format!("slsutil.{fun}"), args, kwargs]);
    let mut calls = vec![
        call("renderer", json!([]), json!({})),
        call("renderer", json!(["a", "b"]), json!({})),
        call("renderer", json!(["salt://nothing"]), json!({})),
        call("renderer", json!(["rel/path"]), json!({})),
        call("renderer", json!(["TREE/d/t.sls"]), json!({})),
        call("renderer", json!(["file://TREE/d/t.sls"]), json!({})),
        call("renderer", json!(["TREE"]), json!({})),
        call("renderer", json!(["/nowhere/at/all"]), json!({})),
        call("renderer", json!(["salt://d/a.yaml"]), json!({"default_renderer": "yaml"})),
        call("renderer", json!(["salt://d/a.json"]), json!({"default_renderer": "json"})),
        call("renderer", json!(["salt://d/t.sls"]), json!({"saltenv": "dev"})),
        call(
            "renderer",
            json!([]),
            json!({"string": "{{ name }} {{ saltenv }} {{ sls }}", "default_renderer": "jinja", "name": "x"}),
        ),
        call(
            "renderer",
            json!([]),
            json!({"string": "{{ a }} {{ sls }}", "context": {"a": 1}, "sls": "q.r"}),
        ),
        call("renderer", json!([]), json!({"string": "{{ x"})),
        call("renderer", json!([]), json!({"string": "#!nope\na"})),
        call("renderer", json!([]), json!({"string": "a", "default_renderer": "nope"})),
        call(
            "renderer",
            json!([]),
            json!({"string": "#!jinja|yaml\na: {{ salt['slsutil.renderer'](string='b: {{ 1 }}') }}"}),
        ),
    ];
    let name = ["d/e", "d/e/..", "d", "zz", "", "."];
    let files = [
        json!("a.yaml"),
        json!(["nope", "map.jinja"]),
        json!("nope"),
        json!({}),
        json!("d"),
        json!("../x"),
        json!("/d"),
    ];
    for start in name {
        calls.extend(files.iter().map(|file| call("findup", json!([start, file]), json!({}))));
    }
    for path in ["d", "d/e", "d/a.yaml", "nope", ""] {
        for fun in ["path_exists", "file_exists", "dir_exists"] {
            calls.push(call(fun, json!([path]), json!({})));
            calls.push(call(fun, json!([path, "dev"]), json!({})));
        }
    }
    for kwargs in [
        json!({}),
        json!({"width": 10}),
        json!({"width": 4}),
        json!({"width": 5, "commentchar": "é"}),
        json!({"commentchar": " *", "borderchar": "*", "blockstart": "/**", "blockend": " */"}),
        json!({"title": "Copyright 2019 VMware, Inc.", "text": "x y ".repeat(40), "width": 60, "newline": true}),
        json!({"title": "", "text": ""}),
        json!({"commentchar": "//", "borderchar": "", "width": 30}),
        json!({"title": "é".repeat(80), "text": "ab-cd ".repeat(30), "width": 21}),
        json!({"borderchar": "=+", "commentchar": ""}),
        json!({"text": "a\n\n  b\tc\n", "title": " t "}),
    ] {
        calls.push(call("banner", json!([]), kwargs));
    }
    for args in [json!([true, "y", "n"]), json!([""]), json!([[0]]), json!([0, 1, 2]), json!([])] {
        calls.push(call("boolstr", args, json!({})));
    }
    let (a, b) =
        (json!({"a": {"b": 1, "l": [1, 2]}, "c": 3}), json!({"a": {"d": 2, "l": [2, 3]}, "c": {"x": 1}}));
    for strategy in ["smart", "recurse", "aggregate", "overwrite", "list", "none", "odd"] {
        for lists in [true, false] {
            calls.push(call("merge", json!([a, b]), json!({"strategy": strategy, "merge_lists": lists})));
            calls.push(call(
                "merge_all",
                json!([[a, b, a]]),
                json!({"strategy": strategy, "merge_lists": lists}),
            ));
        }
    }
    calls.push(call("update", json!([a, b]), json!({})));
    calls.push(call("update", json!([a, b]), json!({"merge_lists": true})));
    calls.push(call("update", json!([a, b]), json!({"recursive_update": false})));
    calls.push(call("merge", json!([1, 2]), json!({})));
    calls.push(call("merge_all", json!([[1]]), json!({})));
    compare(&calls, &json!({}));
}

#[test]
fn serializers_are_as_in_stock() {
    let mut calls = Vec::new();
    let values =
        [json!({"a": 1}), json!([1, null, 2.5, "x"]), json!("text"), json!({"s": {"k": "v"}}), json!(null)];
    let texts = ["a: 1", "{\"a\": 1}", "[s]\nk = v\n", "a", "", "a: b: c"];
    for name in ["json", "yaml", "python", "configparser", "keyvalue", "nope", "toml"] {
        for value in &values {
            calls.push(json!(["slsutil.serialize", [name, value], {}]));
        }
        for text in texts {
            calls.push(json!(["slsutil.deserialize", [name, text], {}]));
        }
    }
    calls.push(json!(["slsutil.serialize", ["yaml", {"a": [1]}], {"default_flow_style": true}]));
    calls.push(json!(["slsutil.serialize", ["json", {"b": 1, "a": 2}], {"indent": 2, "sort_keys": true}]));
    calls.push(json!(["slsutil.serialize", ["json", {"a": 1}], {"__pub_fun": "x"}]));
    compare(&calls, &json!({}));
}

#[test]
fn jinja_is_as_in_stock() {
    let calls = [
        json!(["jinja.load_map", ["d/map.jinja", "m"], {}]),
        json!(["jinja.load_map", ["d/map.jinja", "zz"], {}]),
        json!(["jinja.import_yaml", ["d/a.yaml"], {}]),
        json!(["jinja.import_json", ["d/a.json"], {}]),
    ];
    compare(&calls, &json!({}));
}

#[test]
fn sdb_is_as_in_stock() {
    let opts = json!({
        "store": {"driver": "yaml", "files": ["TREE/store.yaml", "/nowhere", "TREE/d/a.json"]},
        "env": {"driver": "env"}, "none": {"driver": "nope"}, "empty": {},
        "db": {"driver": "sqlite3", "database": "TREE/../db"},
        "own": {"driver": "sqlite3", "database": "TREE/../db", "table": "we\"ird", "get_query": "select value from \"we\"\"ird\" where key=:key"},
        "nodb": {"driver": "sqlite3"},
    });
    let mut calls = Vec::new();
    for uri in [
        "sdb://store/x:y",
        "sdb://store/x:y:1:z",
        "sdb://store/x:y:0",
        "sdb://store/nope",
        "sdb://store/1",
        "sdb://store/a",
        "sdb://env/BRINE_NOTHING",
        "sdb://none/x",
        "sdb://empty/x",
        "sdb://store",
        "sdb://store/",
        "sdb://",
        "x",
        "sdb://db/k",
        "sdb://nodb/k",
    ] {
        for strict in [false, true] {
            calls.push(json!(["sdb.get", [uri], {"strict": strict}]));
        }
    }
    for value in [json!("text"), json!({"a": [1, null, 2.5]}), json!(null), json!("é")] {
        for store in ["db", "own"] {
            calls.push(json!(["sdb.set", [format!("sdb://{store}/k"), value], {}]));
            calls.push(json!(["sdb.get", [format!("sdb://{store}/k")], {}]));
            calls.push(json!(["sdb.get", [format!("sdb://{store}/other")], {}]));
        }
    }
    calls.push(json!(["sdb.set", ["sdb://store/k", 1], {}]));
    calls.push(json!(["sdb.set", ["nothing", 1], {}]));
    calls.push(json!(["sdb.set", ["sdb://nope/k", 1], {}]));
    calls.push(json!(["sdb.delete", ["sdb://db/k"], {}]));
    calls.push(json!(["sdb.delete", ["x"], {}]));
    calls.push(json!(["sdb.get_or_set_hash", ["x"], {}]));
    calls.push(json!(["sdb.get_or_set_hash", ["sdb://store/x"], {}]));
    compare(&calls, &opts);
}

#[test]
fn keys_are_made_and_used() {
    let dir = tempfile::tempdir().unwrap();
    let cx = cx(dir.path(), &json!({}));
    let call = |fun: &str, positional: &[&str], keyword: Map| {
        let args = Args { positional: positional.iter().map(|p| Value::from(*p)).collect(), keyword };
        cx.call(fun, args)
    };
    let key = dir.path().join("key").display().to_string();
    let files = || map! {"sk_file" => key.clone()};
    let made = call("nacl.keygen", &[], files()).unwrap();
    assert_eq!(made, format!("saved sk_file:{key}  pk_file: {key}.pub").into());
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&key).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        call("nacl.keygen", &[], files()).unwrap_err().to_string(),
        format!("Exception: sk_file:{key} and pk_file:{key}.pub already exist.")
    );
    let public = std::fs::read(format!("{key}.pub")).unwrap();
    std::fs::remove_file(format!("{key}.pub")).unwrap();
    assert_eq!(call("nacl.keygen", &[], files()).unwrap(), format!("saved pk_file: {key}.pub").into());
    assert_eq!(std::fs::read(format!("{key}.pub")).unwrap(), public);

    let pk = || map! {"pk_file" => format!("{key}.pub")};
    let sealed = call("nacl.enc", &["text"], pk()).unwrap();
    let text = String::from_utf8(sealed.as_bytes().unwrap().to_vec()).unwrap();
    assert_eq!(call("nacl.dec", &[&text], files()).unwrap(), Value::Bytes(b"text".into()));
    assert_eq!(call("nacl.sealedbox_decrypt", &[&text], files()).unwrap(), Value::Bytes(b"text".into()));
    let secret = call("nacl.enc", &["text"], map! {"keyfile" => key.clone()}).unwrap();
    let secret = String::from_utf8(secret.as_bytes().unwrap().to_vec()).unwrap();
    assert_eq!(call("nacl.secretbox_decrypt", &[&secret], files()).unwrap(), Value::Bytes(b"text".into()));
    let keys = call("nacl.keygen", &[], Map::new()).unwrap();
    assert!(keys.as_map().unwrap().contains("sk") && keys.as_map().unwrap().contains("pk"));

    let plain = dir.path().join("plain").display().to_string();
    let out = dir.path().join("out").display().to_string();
    std::fs::write(&plain, "of a file").unwrap();
    let mut to = pk();
    to.insert("out", out.clone());
    assert_eq!(call("nacl.enc_file", &[&plain], to.clone()).unwrap(), format!("Wrote: {out}").into());
    assert!(call("nacl.enc_file", &[&plain], to).unwrap_err().to_string().ends_with("already exist."));
    assert_eq!(call("nacl.dec_file", &[&out], files()).unwrap(), Value::Bytes(b"of a file".into()));
}
