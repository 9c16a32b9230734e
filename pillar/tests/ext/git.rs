//! `git`: repositories with branches and tags, compiled as stock does with pygit2.

use crate::stock::{Case, compare};
use serde_json::{Value as Json, json};
use std::fs;
use std::path::Path;
use std::process::Command;

fn git(dir: &Path, words: &[&str]) {
    let author = ["-c", "user.name=a", "-c", "user.email=a@b"];
    assert!(Command::new("git").args(author).args(words).current_dir(dir).status().unwrap().success());
}

fn commit(dir: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let file = dir.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "--quiet", "-m", "x"]);
}

/// Two repositories; their URLs.
fn repositories(dir: &Path) -> (String, String) {
    for name in ["a", "b"] {
        git(dir, &["init", "--quiet", "--initial-branch=master", name]);
    }
    let (a, b) = (dir.join("a"), dir.join("b"));
    commit(
        &a,
        &[
            ("top.sls", "'{{ saltenv }}':\n  '*':\n    - a\n    - sub.b\n  'G@os:Debian':\n    - deb\n"),
            ("a.sls", "who: a\nenv: {{ saltenv }}\nlist: [1]\nnest: {a: 1, both: a}\nid: {{ grains.id }}\n"),
            ("deb.sls", "include:\n  - a\n  - lib.x\ndeb: {{ opts.id }}\n"),
            ("lib/x.sls", "x: of a\n"),
            ("sub/b.sls", "{% import 'lib/m.jinja' as m %}\nsub: {{ m.v }}\n"),
            ("lib/m.jinja", "{% set v = 7 %}\n"),
            ("deep/top.sls", "base:\n  '*': [only]\n"),
            ("deep/only.sls", "only: deep\n"),
        ],
    );
    git(&a, &["tag", "v1"]);
    git(&a, &["checkout", "--quiet", "-b", "dev"]);
    commit(&a, &[("a.sls", "who: dev\nenv: {{ saltenv }}\n")]);
    git(&a, &["checkout", "--quiet", "-b", "prod/eu"]);
    commit(
        &a,
        &[
            ("a.sls", "who: prod\nenv: {{ saltenv }}\n"),
            ("top.sls", "live:\n  '*': [a]\nprod/eu:\n  'web*': [a]\n"),
        ],
    );
    commit(
        &b,
        &[
            ("top.sls", "base:\n  'web1':\n    - b\n    - ignore_missing: True\n"),
            ("b.sls", "include:\n  - lib.x\n  - shared\nwho: b\nlist: [2]\nnest: {b: 2, both: b}\n"),
            ("shared.sls", "shared: of b\n"),
            ("lib/x.sls", "x: of b\n"),
        ],
    );
    (format!("file://{}", a.display()), format!("file://{}", b.display()))
}

#[test]
fn branches_are_compiled_as_by_stock() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = repositories(dir.path());
    let source = |remotes: &[Json]| {
        let text = Json::Array(remotes.to_vec()).to_string().replace("A_URL", &a).replace("B_URL", &b);
        Case::source("git", serde_json::from_str(&text).unwrap())
            .with(json!({"git_pillar_provider": "pygit2"}))
    };
    let both = [json!("master A_URL"), json!("master B_URL")];
    let any = [json!("__env__ A_URL"), json!("__env__ B_URL")];
    let mut cases = vec![
        source(&both[..1]),
        source(&both),
        source(&[both[1].clone(), both[0].clone()]),
        source(&both).with(json!({"git_pillar_includes": false})),
        source(&both).with(json!({"pillar_merge_lists": true})),
        source(&both).with(json!({"pillar_source_merging_strategy": "overwrite"})),
        source(&[json!("A_URL")]).with(json!({"git_pillar_branch": "dev"})),
        source(&[json!("dev A_URL"), json!("master B_URL")]),
        source(&[json!("dev A_URL"), json!("master B_URL")]).with(json!({"pillarenv": "dev"})),
        source(&[json!("dev A_URL"), json!("master B_URL")]).with(json!({"pillarenv": "base"})),
        source(&[json!({"dev A_URL": [{"env": "base"}]}), both[1].clone()]),
        source(&[json!({"prod/eu A_URL": [{"env": "live"}]})]),
        source(&[json!("prod/eu A_URL")]),
        source(&[json!("v1 A_URL")]).with(json!({"git_pillar_base": "v1"})),
        source(&[json!({"master A_URL": [{"root": "deep"}]})]),
        source(&[json!({"master A_URL": [{"root": "nope"}]}), both[1].clone()]),
        source(&[both[1].clone(), json!({"master A_URL": [{"mountpoint": "mnt/a"}]})]),
        source(&[both[1].clone(), json!({"master A_URL": [{"mountpoint": "salt://lib"}, {"root": "lib"}]})]),
        source(&[json!({"__env__ A_URL": [{"all_saltenvs": "dev"}]}), any[1].clone()]),
        source(&[json!({"__env__ A_URL": [{"fallback": "master"}]})]).with(json!({"pillarenv": "none"})),
        source(&[json!({"__env__ A_URL": [{"base": "dev"}]})]),
        source(&[json!({"dev A_URL": [{"env": "__env__"}]})]),
        source(&[json!({"dev A_URL": [{"name": "one"}]}), json!({"dev A_URL": [{"name": "two"}]})]),
    ];
    for env in ["", "base", "dev", "prod/eu", "none"] {
        cases.push(
            source(&any).with(json!({"pillarenv": if env.is_empty() { Json::Null } else { json!(env) }})),
        );
    }
    // What stock cannot read is refused in its words.
    for bad in [
        json!({"master A_URL": []}),
        json!({"master A_URL": [{"base": "x"}]}),
        json!({"master A_URL": [{"nope": 1}]}),
    ] {
        cases.push(source(&[bad]));
    }
    cases.push(source(&[both[0].clone(), both[0].clone()]));
    compare(dir.path(), &cases);
}
