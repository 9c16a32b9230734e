//! The same repositories with the same options, read here and by stock's `gitfs` with pygit2.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose others and more.

use super::common::{Made, opts, read};
use brine_core::Map;
use brine_files::Backend;
use brine_files::git::GitFs;
use brine_protocol::ids::SaltEnv;
use brine_testing::{Random, Stock, number, value};
use serde_json::{Map as JsonMap, Value as Json, json};
use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use tempfile::TempDir;

/// Two repositories with everything that trees can hold.
fn repositories(dir: &TempDir) -> (Made, Made, Vec<String>) {
    let a = Made::new(dir.path().join("a"));
    let first = a.commit(&[
        ("top.sls", "top"),
        ("sub/init.sls", "init"),
        ("sub/deep/er/f", "deep"),
        ("a b/\u{e9} \u{65e5}.txt", "names"),
        ("run", "#!/bin/sh"),
        ("empty", ""),
    ]);
    for (target, at) in [
        ("top.sls", "link"),
        ("../top.sls", "sub/up"),
        ("link", "chain"),
        ("sub", "dirlink"),
        ("nowhere", "dangling"),
        ("../../../etc/passwd", "out"),
        ("/top.sls", "abs"),
        ("self", "self"),
        ("./sub/../sub/init.sls", "dots"),
    ] {
        symlink(target, a.dir.join(at)).unwrap();
    }
    std::fs::set_permissions(a.dir.join("run"), PermissionsExt::from_mode(0o755)).unwrap();
    a.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{first},module")]);
    a.commit(&[]);
    a.git(&["tag", "light"]);
    a.git(&["tag", "-a", "-m", "x", "v1.0"]);
    a.branch("dev", &[("top.sls", "dev"), ("dev/only", "d")]);
    a.branch("feature/x", &[("x", "x")]);
    a.branch("deadbeef", &[("x", "hex")]);
    a.git(&["tag", "dev", "feature/x"]);
    a.git(&["checkout", "--quiet", "--orphan", "void"]);
    a.git(&["rm", "-rfq", "--cached", "."]);
    let tree = a.git(&["mktree"]);
    let void = a.git(&["commit-tree", "-m", "x", &tree]);
    a.git(&["update-ref", "refs/heads/void", &void]);
    let b = Made::new(dir.path().join("b"));
    b.commit(&[("top.sls", "of b"), ("b", "b"), ("sub/b", "b")]);
    b.branch("qa", &[("b", "qa")]);
    (a, b, vec![first.clone(), first[..7].to_owned(), first[..4].to_uppercase()])
}

/// An option, or an option of one remote.
fn random(random: &mut Random, name: &str) -> Json {
    let reference = |r: &mut Random| {
        json!(r.pick(&["master", "dev", "v1.0", "feature/x", "qa", "light", "nope", "void", "SHA"]))
    };
    match name {
        "base" | "fallback" | "all_saltenvs" => reference(random),
        "mountpoint" => json!(random.pick(&["", "m", "salt://a/b", "/x/", "sub"])),
        "root" => json!(random.pick(&["", "sub", "sub/deep", "top.sls", "nope", "sub/", "dirlink"])),
        "saltenv_whitelist" => json!([random.pick(&["base", "d*", "v.*", ".*e.*"])]),
        "saltenv_blacklist" => json!([random.pick(&["base", "d*", "v\\d", "feature/*"])]),
        "disable_saltenv_mapping" => json!(random.once_in(2)),
        "ref_types" => {
            let kinds = [
                json!(["branch"]),
                json!(["tag", "Branch"]),
                json!(["sha"]),
                json!("tag, sha"),
                json!(["x"]),
            ];
            kinds[random.below(kinds.len())].clone()
        }
        "saltenv" => {
            let one = |r: &mut Random| {
                let env = r.pick(&["base", "live", "dev", "prod"]).to_owned();
                let mut conf = vec![json!({"ref": reference(r)})];
                if r.once_in(3) {
                    conf.push(json!({"root": "sub"}));
                }
                if r.once_in(3) {
                    conf.push(json!({"mountpoint": "salt://e"}));
                }
                json!({env: conf})
            };
            Json::Array((0..1 + random.below(2)).map(|_| one(random)).collect())
        }
        "name" => json!(random.pick(&["one", "two"])),
        "refspecs" => json!(["+refs/heads/*:refs/remotes/origin/*"]),
        _ => json!(random.pick(&["x", "1", ""])),
    }
}

const OVERRIDES: &[&str] = &[
    "base",
    "fallback",
    "mountpoint",
    "root",
    "saltenv_whitelist",
    "saltenv_blacklist",
    "disable_saltenv_mapping",
    "ref_types",
    "saltenv",
    "refspecs",
];

fn case(random_: &mut Random, a: &str, b: &str, sha: &str) -> Json {
    let mut opts = JsonMap::new();
    for _ in 0..random_.below(3) {
        let name = random_.pick(OVERRIDES);
        opts.insert(format!("gitfs_{name}"), random(random_, name));
    }
    let mut remotes = Vec::new();
    let urls = match random_.below(6) {
        0 => vec![b, a],
        1 => vec![a, b],
        2 => vec![a, a],
        3 => vec![a, "nope"],
        _ => vec![a],
    };
    for url in urls {
        let mut own = Vec::new();
        for _ in 0..random_.below(3) {
            let name = match random_.below(14) {
                0 => "name",
                1 => "all_saltenvs",
                2 if random_.once_in(4) => "wrong",
                n => OVERRIDES[n % OVERRIDES.len()],
            };
            let value = random(random_, name);
            own.push(json!({name: value}));
        }
        remotes.push(if url == "nope" || (own.is_empty() && !random_.once_in(12)) {
            json!(url)
        } else {
            json!({url: own})
        });
    }
    opts.insert("gitfs_remotes".into(), remotes.into());
    serde_json::from_str(&Json::Object(opts).to_string().replace("SHA", sha)).unwrap()
}

fn ours(dir: &TempDir, given: &Json, envs: &[&str], paths: &[&str]) -> Json {
    let over: Map = value(given).as_map().unwrap().clone();
    let fs = match GitFs::new(&opts(dir, over)) {
        Ok(fs) => fs,
        Err(e) => {
            // Salt 3008 has two more options.
            return json!({"error": e.to_string(), "detail": e.detail.replace(" proxy, depth,", "")});
        }
    };
    fs.update().unwrap();
    let mut all = BTreeMap::new();
    for env in envs {
        let listed = fs.list(&SaltEnv::parse(env).unwrap()).unwrap();
        let found: BTreeMap<&str, Json> = paths
            .iter()
            .filter_map(|path| {
                let text = read(&fs, path, env)?;
                let path_ = brine_protocol::ids::RelPath::parse(path).unwrap();
                let mode = fs.find(&path_, &SaltEnv::parse(env).unwrap()).unwrap()?.meta.permissions().mode();
                Some((*path, json!([text, mode])))
            })
            .collect();
        let links: BTreeMap<&str, &str> =
            listed.links.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        all.insert(*env, json!({"files": listed.files, "dirs": listed.dirs, "links": links, "found": found}));
    }
    json!({"envs": fs.envs().unwrap(), "of": all})
}

#[test]
fn trees_are_what_stock_makes_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b, shas) = repositories(&dir);
    let mut stock = Stock::start(include_str!("../data/stock_gitfs.py"));
    let seed = number("BRINE_SEED", 1);
    let mut random = Random::new(seed);
    let mut envs =
        vec!["base", "dev", "feature/x", "v1.0", "light", "deadbeef", "void", "live", "prod", "qa", "nope"];
    envs.extend(shas.iter().map(String::as_str));
    let mut paths = Vec::new();
    for path in [
        "top.sls",
        "sub/init.sls",
        "init.sls",
        "deep/er/f",
        "er/f",
        "sub/deep/er/f",
        "a b/\u{e9} \u{65e5}.txt",
        "run",
        "empty",
        "link",
        "sub/up",
        "up",
        "chain",
        "dirlink",
        "dirlink/init.sls",
        "dangling",
        "out",
        "abs",
        "self",
        "dots",
        "module",
        "sub",
        "dev/only",
        "x",
        "b",
        "sub/b",
    ] {
        for mountpoint in ["", "m/", "a/b/", "x/", "sub/", "e/"] {
            paths.push(format!("{mountpoint}{path}"));
        }
    }
    let all_paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let mut wrong = Vec::new();
    let cases = number("BRINE_CASES", 16);
    for n in 0..cases {
        let given = case(&mut random, &a.url(), &b.url(), &shas[0]);
        let mut paths: Vec<&str> = (0..8).map(|_| random.pick(&all_paths)).collect();
        paths.extend(["top.sls", "sub/init.sls", "link"]);
        let of_stock = tempfile::tempdir_in(dir.path()).unwrap();
        let question = json!({
            "opts": given, "cachedir": of_stock.path().to_string_lossy(), "envs": envs, "paths": paths,
        });
        let theirs = stock.ask(&question);
        let own_dir = tempfile::tempdir_in(dir.path()).unwrap();
        let own = ours(&own_dir, &given, &envs, &paths);
        if own != theirs {
            let differ = |env: &str| {
                let parts = ["files", "dirs", "links", "found"].into_iter();
                let parts = parts.filter(|part| theirs["of"][env][*part] != own["of"][env][*part]);
                let text =
                    |part| format!("{part}: stock {} ours {}", theirs["of"][env][part], own["of"][env][part]);
                format!("{env} {}", parts.map(text).collect::<Vec<_>>().join(" "))
            };
            let parts: Vec<String> =
                envs.iter().filter(|e| theirs["of"][**e] != own["of"][**e]).map(|e| differ(e)).collect();
            let top = |all: &Json| format!("{} {} {}", all["error"], all["detail"], all["envs"]);
            wrong.push(format!(
                "case {n} {given}\n  stock {}\n  ours  {}\n  {}",
                top(&theirs),
                top(&own),
                parts.join("\n  ")
            ));
        }
    }
    println!("seed {seed}: {cases} sets of options compared");
    assert!(
        wrong.is_empty(),
        "seed {seed}: {} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(6)].join("\n")
    );
}
