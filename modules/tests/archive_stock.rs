//! Functions of `archive` that need no program, against stock's: archives that Python makes, listed, unpacked, and made again.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_core::call::{Args, CallError, Cx, Registry};
use brine_core::host::NoHost;
use brine_core::{Opts, map};
use brine_testing::{Random, Stock, json as to_json, map as to_map, number};
use serde_json::{Value as Json, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

const STOCK: &str = r#"
import io, json, logging, os, stat, sys, tarfile, zipfile
import salt.config, salt.loader
logging.disable(logging.CRITICAL)
os.umask(0o022)
opts = salt.config.DEFAULT_MINION_OPTS.copy()
opts.update({"file_client": "local", "grains": {"os": "Debian", "kernel": "Linux"}, "pillar": {}, "test": False})
mods = salt.loader.minion_mods(opts, utils=salt.loader.utils(opts))

def make(q):
    if q["kind"] == "zip":
        with zipfile.ZipFile(q["path"], "w", q["method"]) as z:
            for name, mode, text in q["members"]:
                info = zipfile.ZipInfo(name, (2020, 1, 2, 3, 4, 6))
                info.external_attr = mode << 16
                info.compress_type = q["method"]
                z.writestr(info, text)
    else:
        with tarfile.open(q["path"], "w:" + q["method"], format=q["format"]) as t:
            for name, mode, text in q["members"]:
                info = tarfile.TarInfo(name)
                info.mode = mode & 0o7777
                if stat.S_ISLNK(mode):
                    info.type, info.linkname = tarfile.SYMTYPE, text
                elif stat.S_ISDIR(mode):
                    info.type = tarfile.DIRTYPE
                else:
                    info.size = len(text.encode())
                t.addfile(info, io.BytesIO(text.encode()))
    cut = q.get("cut")
    if cut is not None:
        with open(q["path"], "r+b") as f:
            f.truncate(os.path.getsize(q["path"]) * cut // 100)

for question in sys.stdin:
    q = json.loads(question)
    if "names" in q:
        with zipfile.ZipFile(q["names"]) as z:
            ret = [z.testzip(), [[i.filename, i.external_attr, z.read(i).decode()] for i in z.infolist()]]
    elif "kind" in q:
        ret = make(q)
    else:
        try:
            ret = mods[q["fun"]](*q["args"], **q["kwargs"])
        except BaseException as exc:
            ret = f"{type(exc).__name__}: {exc}"
    print(json.dumps(ret), flush=True)
"#;

fn cx() -> Cx {
    let registry = Registry::new(brine_modules::ALL.iter().copied());
    let mut cx = Cx::new(Arc::new(Opts::new(map! {"test" => false})), Arc::new(registry), Arc::new(NoHost));
    cx.grains = Arc::new(map! {"os" => "Debian", "kernel" => "Linux"});
    cx
}

fn ours(cx: &Cx, question: &Json) -> Json {
    let positional = question["args"].as_array().unwrap().iter().map(brine_testing::value).collect();
    let args = Args { positional, keyword: to_map(&question["kwargs"]) };
    match cx.call(question["fun"].as_str().unwrap(), args) {
        Ok(value) => to_json(&value),
        Err(CallError::Detailed(detailed)) => format!("CommandExecutionError: {}", detailed.text).into(),
        Err(CallError::Execution(text)) => format!("CommandExecutionError: {text}").into(),
        Err(CallError::Invocation(text)) => format!("SaltInvocationError: {text}").into(),
        Err(CallError::Arguments(text)) => format!("TypeError: {text}").into(),
        Err(e) => e.to_string().into(),
    }
}

/// What is below a folder: names, modes, contents.
fn tree(folder: &Path, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let meta = fs::symlink_metadata(&path).unwrap();
        let what = if meta.is_symlink() {
            format!("{:?}", fs::read_link(&path).unwrap())
        } else if meta.is_dir() {
            tree(&path, found);
            String::new()
        } else {
            String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned()
        };
        let mode = if meta.is_symlink() { 0 } else { meta.permissions().mode() };
        found.push(format!("{} {mode:o} {what}", path.display()));
    }
}

/// Members that fit together: a name is a folder or a file, not both.
fn members(random: &mut Random, tar: bool) -> Vec<Json> {
    let mut members = Vec::new();
    for _ in 0..random.below(6) {
        let name = *random.pick(&[&"a", &"d/b", &"d/e/c", &"é", &"x y"]);
        let mode = *random.pick(&[&0o100_644_u32, &0o100_755, &0o104_711, &0o100_600]);
        let text = "text ".repeat(if random.once_in(9) { random.below(2000) } else { random.below(3) });
        members.push(json!([name, mode, text]));
    }
    if random.once_in(2) {
        let name = if tar { "d" } else { "d/" };
        members.insert(0, json!([name, 0o040_750, ""]));
        // Stock makes no folder for a link.
        if random.once_in(2) {
            members.push(json!(["d/link", 0o120_777, "b"]));
        }
    }
    members
}

#[test]
fn archives_are_listed_and_unpacked_as_by_stock() {
    let mut stock = Stock::start(STOCK);
    let cx = cx();
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let seed = number("BRINE_SEED", 1);
    let mut random = Random::new(seed);
    let mut wrong = Vec::new();
    for case in 0..number("BRINE_CASES", 150) {
        let tar = random.once_in(2);
        let (path, mut question) = if tar {
            let method = random.pick(&["", "gz", "bz2", "xz"]);
            (at("a.tar"), json!({"kind": "tar", "method": method, "format": random.below(3)}))
        } else {
            (at("a.zip"), json!({"kind": "zip", "method": random.pick(&[&0, &8, &12])}))
        };
        question["path"] = path.as_str().into();
        question["members"] = members(&mut random, tar).into();
        if random.once_in(8) {
            question["cut"] = random.below(100).into();
        }
        stock.ask(&question);
        let mut calls =
            vec![json!({"fun": "archive.list", "args": [path], "kwargs": {"verbose": random.once_in(2)}})];
        if random.once_in(3) {
            calls[0]["kwargs"]["strip_components"] = random.below(4).into();
        }
        if !tar {
            calls.push(json!({"fun": "archive.is_encrypted", "args": [path], "kwargs": {}}));
            let excludes = random.pick(&["", "a", "a, d/b"]);
            calls.push(json!({"fun": "archive.unzip", "args": [path, at("out")], "kwargs": {
                "excludes": excludes, "extract_perms": !random.once_in(3), "trim_output": random.below(3),
            }}));
        }
        for call in calls {
            let mut both = Vec::new();
            for who in ["stock", "ours"] {
                let ret = if who == "stock" { stock.ask(&call) } else { ours(&cx, &call) };
                let mut found = Vec::new();
                tree(Path::new(&at("out")), &mut found);
                found.sort();
                let _none = fs::remove_dir_all(at("out"));
                both.push((ret, found));
            }
            // How much of what is cut can be read is another in each library, and stock takes some of it for whole.
            let is_cut = tar && question.get("cut").is_some();
            if is_cut && both[1].0.is_string() {
                continue;
            }
            if both[0] != both[1] {
                wrong.push(format!(
                    "seed {seed} case {case}: {question}\n{call}\nstock {:?}\nours {:?}",
                    both[0], both[1]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n\n"));
}

#[test]
fn python_reads_what_is_packed() {
    let mut stock = Stock::start(STOCK);
    let cx = cx();
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    fs::create_dir_all(at("s/d/e")).unwrap();
    for (name, text) in [("s/a", "text"), ("s/d/b", ""), ("s/d/e/é", "more"), ("s/other", "x")] {
        fs::write(at(name), text).unwrap();
        fs::set_permissions(at(name), fs::Permissions::from_mode(0o640)).unwrap();
    }
    let cases = [
        (json!([at("z.zip"), at("s")]), json!({})),
        (json!([at("z.zip"), "d,a,none"]), json!({"cwd": at("s")})),
        (json!([at("z.zip"), [at("s/*")]]), json!({"zip64": true})),
        (json!([at("z.zip"), "d"]), json!({})),
        (json!([at("z.zip"), "d"]), json!({"cwd": "relative"})),
        (json!([at("z.zip"), "d"]), json!({"cwd": 5})),
        (json!([at("z.zip"), "d"]), json!({"cwd": at("s"), "runas": "nobodyknows"})),
        (json!([at("none/z.zip"), at("s")]), json!({"runas": ""})),
    ];
    for (args, kwargs) in cases {
        let call = json!({"fun": "archive.zip", "args": args, "kwargs": kwargs});
        let mut both = Vec::new();
        for who in ["stock", "ours"] {
            let mut ret = if who == "stock" { stock.ask(&call) } else { ours(&cx, &call) };
            if let Some(names) = ret.as_array_mut() {
                names.sort_by_key(ToString::to_string);
            }
            let mut inside = match fs::exists(at("z.zip")).unwrap() {
                true => stock.ask(&json!({"names": at("z.zip")})),
                false => Json::Null,
            };
            if let Some(names) = inside.get_mut(1).and_then(Json::as_array_mut) {
                names.sort_by_key(ToString::to_string);
            }
            let _none = fs::remove_file(at("z.zip"));
            both.push((ret, inside));
        }
        // Stock loses what kept it from being made.
        if call["args"][0] == at("none/z.zip") {
            assert!(both[1].0.as_str().unwrap().contains("No such file or directory"), "{:?}", both[1]);
            continue;
        }
        assert_eq!(both[0], both[1], "{call}");
    }
}
