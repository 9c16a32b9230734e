//! `salt-call --local` on state and pillar trees of its own machine.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A configuration with these files below `pillar`, `dev` and `salt`.
fn tree(files: &[(&str, &str)], more: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().display();
    let config = format!(
        "id: m1\nroot_dir: {root}\nsock_dir: /sock\nfile_client: local\nlog_level: quiet\nenable_fqdns_grains: false\n\
         grains: {{os: Testos, os_family: Debian}}\nfile_roots: {{base: [{root}/salt]}}\n\
         pillar_roots: {{base: [{root}/pillar], dev: [{root}/dev]}}\n{more}\n"
    );
    for (path, text) in files.iter().chain(&[("conf/minion", config.as_str())]) {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn call(dir: &Path, words: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_salt-call"))
        .arg("-c")
        .arg(dir.join("conf"))
        .args(["--local", "--out=json", "--out-indent=-1"])
        .args(words)
        .env_remove("SALT_CONFIG_DIR")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout).trim_end().to_owned(), text(stderr))
}

fn local(value: &str) -> String {
    format!("{{\"local\": {value}}}")
}

#[test]
fn pillar_is_compiled_for_the_call() {
    let dir = tree(
        &[
            ("pillar/top.sls", "base:\n  'os:Test*':\n    - match: grain\n    - web\n    - nosuch\n"),
            ("pillar/web/init.sls", "include:\n  - .more\nport: {{ 79 + 1 }}\nos: {{ grains.os }}\n"),
            ("pillar/web/more.sls", "port: 1\nhosts: [a, b]\n"),
            ("dev/top.sls", "dev:\n  '*':\n    - only\n"),
            ("dev/only.sls", "dev: true\n"),
        ],
        "",
    );
    let run = |words: &[&str]| call(dir.path(), words);
    assert_eq!(run(&["pillar.get", "port"]).1, local("80"));
    assert_eq!(run(&["pillar.get", "hosts:1"]).1, local("\"b\""));
    let errors = r#"["Specified SLS 'nosuch' in environment 'base' is not available on the salt master"]"#;
    assert_eq!(
        run(&["pillar.items"]),
        (
            0,
            local(&format!(
                r#"{{"port": 80, "hosts": ["a", "b"], "os": "Testos", "dev": true, "_errors": {errors}}}"#
            )),
            String::new()
        )
    );
    // Pillar of one environment goes over the pillar in force, as in stock.
    assert!(run(&["pillar.items", "pillarenv=dev"]).1.contains(r#""dev": true"#));
    assert_eq!(run(&["pillar.get", "x", "pillar={x: 1}"]).0, 1);
    assert!(run(&["pillar.items", "pillar={over: 1}"]).1.contains(r#""over": 1"#));
}

#[test]
fn a_top_file_that_is_none_ends_the_call() {
    let dir = tree(&[("pillar/top.sls", "- 1\n")], "");
    let (code, out, err) = call(dir.path(), &["pillar.items"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.ends_with("AttributeError: 'list' object has no attribute 'items'\n"), "{err}");
    let broken = tree(&[("pillar/top.sls", "base: [1\n")], "");
    let (code, out, _) = call(broken.path(), &["pillar.items"]);
    assert!(code == 0 && out.contains("Rendering Primary Top file failed, render error:"), "{out}");
}

#[test]
fn files_come_from_the_roots_by_way_of_the_cache() {
    let dir = tree(&[("salt/web/x.conf", "port: {{ pillar.get('port', 5) }}\n"), ("secret", "s")], "");
    let run = |words: &[&str]| call(dir.path(), words);
    let cached = dir.path().join("var/cache/salt/minion/files/base/web/x.conf");
    assert_eq!(run(&["cp.cache_file", "salt://web/x.conf"]).1, local(&format!("\"{}\"", cached.display())));
    assert!(cached.is_file());
    assert_eq!(run(&["cp.list_master"]).1, local(r#"["web/x.conf"]"#));
    assert_eq!(run(&["cp.get_file_str", "salt://../secret"]).1, local("false"));
    assert_eq!(
        run(&["slsutil.renderer", "path=salt://web/x.conf", "default_renderer=jinja"]).1,
        local("\"port: 5\\n\"")
    );
}

#[test]
fn files_that_states_replace_are_backed_up_where_that_is_told() {
    for (option, count) in [("backup_mode: minion", 2), ("backup_mode: master", 0), ("", 0)] {
        let dir = tree(&[("f", "one")], option);
        let file = dir.path().join("f").display().to_string();
        let run = |words: &[&str]| call(dir.path(), words).1;
        for text in ["two", "three"] {
            let contents = format!("contents={text}");
            let ret = run(&["state.single", "file.managed", &file, &contents]);
            assert!(ret.contains(r#""result": true"#), "{ret}");
        }
        let all = run(&["file.list_backups", &file]);
        assert_eq!(all.matches("\"Location\"").count(), count, "{option}: {all}");
        if count == 0 {
            continue;
        }
        // 0 is the newest one; what is put back is backed up before.
        assert!(run(&["file.restore_backup", &file, "1"]).contains("Successfully restored"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "one");
        let all = run(&["file.list_backups", &file]);
        assert_eq!(all.matches("\"Location\"").count(), 3, "{all}");
        assert!(run(&["file.delete_backup", &file, "0"]).contains("Successfully removed"));
        assert!(run(&["file.delete_backup", &file, "2"]).contains("does not exist"));
        // What the state itself says goes first.
        run(&["state.single", "file.managed", &file, "contents=four", "backup=master"]);
        let all = run(&["file.list_backups", &file]);
        assert_eq!(all.matches("\"Location\"").count(), 2, "{all}");
    }
}
