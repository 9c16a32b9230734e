//! The table itself, and sources that need no server: commands, tables, what is known already.

use crate::stock::{Case, compare, number, ours, settled};
use brine_core::target::fnmatch;
use brine_testing::Random;
use serde_json::json;
use std::fs;

#[test]
fn sources_are_asked_in_order_and_merged() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("pillar")).unwrap();
    fs::write(dir.path().join("pillar/top.sls"), "base: {'*': [a]}\n").unwrap();
    fs::write(dir.path().join("pillar/a.sls"), "l: [1]\nd: {a: 1, b: {{ pillar.get('l', 'none') }}}\n")
        .unwrap();
    let echo = |text: &str| json!({"cmd_json": format!("echo '{text}'")});
    let (one, two) =
        (echo(r#"{"l": [1, 2], "d": {"x": 1}}"#), echo(r#"{"l": [3], "d": {"a": 2, "x": {"y": 1}}}"#));
    let mut cases = Vec::new();
    for strategy in ["smart", "recurse", "aggregate", "overwrite", "list", "none", "odd"] {
        for lists in [false, true] {
            for first in [false, true] {
                let mut case = Case::new(json!({
                    "ext_pillar": [one, two], "pillar_source_merging_strategy": strategy, "pillar_merge_lists": lists,
                    "ext_pillar_first": first,
                }));
                cases.push(case);
                case = Case::new(json!({
                    "ext_pillar": [two, one], "pillar_source_merging_strategy": strategy, "pillar_merge_lists": lists,
                    "ext_pillar_first": first,
                }));
                case.over = json!({"l": ["over"], "d": {"x": 5}});
                cases.push(case);
            }
        }
    }
    for sources in [
        json!("cmd_json"),
        json!({"cmd_json": "x"}),
        json!([["cmd_json"]]),
        json!([{"cmd_json": []}]),
        json!([{"cmd_json": ["echo 1", "2"]}]),
        json!([{"cmd_json": {"command": "echo '{\"a\": 1}'"}}]),
        json!([{"cmd_json": {"comand": "echo"}}]),
        json!([{"cmd_json": null}]),
        json!([{"cmd_json": "echo '{\"a\": 1}'", "cmd_yaml": "echo 'b: 2'"}]),
        json!([{"cmd_json": "echo '{\"a\": 1}'", "cmd_yaml": {"x": 1}}]),
        json!([one, {"cmd_json": "false"}, {"cmd_json": "/nowhere"}, two]),
        json!([{"cmd_yaml": "echo '[1, 2]'"}]),
        json!([{"cmd_yaml": "echo text"}]),
        json!([{"cmd_yaml": "exit 3"}]),
        json!([]),
    ] {
        cases.push(Case::new(json!({"ext_pillar": sources})));
    }
    cases.push(Case::new(json!({"ext_pillar": [one, two], "exclude_ext_pillar": ["cmd_json"]})));
    for allowed in [json!(["cmd_json"]), json!(["cmd_yaml"]), json!(7)] {
        let mut case = Case::new(json!({"ext_pillar": [two], "on_demand_ext_pillar": allowed}));
        case.ext = one.clone();
        cases.push(case);
    }
    compare(dir.path(), &cases);
}

#[test]
fn commands() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script");
    fs::write(
        &script,
        "#!/bin/sh\nprintf '{\"id\": \"%s\", \"n\": %s}\\n' \"$1\" \"$#\"\necho '# err' >&2\n",
    )
    .unwrap();
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let script = script.display();
    let mut cases: Vec<Case> = [
        ("cmd_yaml", format!("{script} %s")),
        ("cmd_yaml", format!("{script} '%s' x; echo 'b: %s'")),
        ("cmd_yaml", "echo 'a: !!python/object:x.y {}'".into()),
        ("cmd_yaml", "printf 'd: 2020-01-02\\nl:\\n- 1\\n- [2]\\n'".into()),
        ("cmd_yamlex", "printf 'a: 1\\nb: !aggregate [1]\\nb: !aggregate [2]\\n'".into()),
        ("cmd_yamlex", "echo 'x: {y: [1, %s]}'".into()),
        ("cmd_json", "echo '{\"a\": [1, 2.5, null, \"%s\"]}'".into()),
        ("cmd_json", "echo {} ; echo".into()),
        ("cmd_json", "echo nope".into()),
        ("puppet", "echo 'parameters: {a: 1} #'".into()),
        ("puppet", "echo 'parameter: {a: 1} #'".into()),
    ]
    .into_iter()
    .map(|(name, command)| Case::source(name, json!(command)))
    .collect();
    let mut shell =
        Case::source("cmd_json", json!("echo '{\"a\": 1}'; true")).with(json!({"cmd_safe": false}));
    shell.functions = true;
    cases.push(shell);
    compare(dir.path(), &cases);
}

/// A minion chooses its id; no shell reads it.
#[test]
fn an_id_is_no_text_of_the_shell() {
    let dir = tempfile::tempdir().unwrap();
    for id in ["$(touch${IFS}evil)", "a;touch evil", "-n", "a b"] {
        let mut case = Case::source("cmd_yaml", json!(format!("cd {}; echo id: %s", dir.path().display())));
        case.id = id;
        let errors = "{'_errors': [\"Failed to load ext_pillar cmd_yaml: the minion's id cannot stand in a command\"]}";
        assert_eq!(ours(&case, &settled(&case, dir.path())), errors);
    }
    assert!(!dir.path().join("evil").exists());
}

#[test]
fn tables() {
    let dir = tempfile::tempdir().unwrap();
    let seed = number("BRINE_SEED", 1);
    let mut random = Random::new(seed);
    let mut cases = Vec::new();
    let mut texts = vec![
        "id,role,env\njerry,web,prod\nweb1,web,stage\n".to_owned(),
        "id,role\r\n\r\nweb1,\"a\"\"b\nc\",x,y\r\n".into(),
        String::new(),
        "role\nweb1\n".into(),
        "id,a,b\nweb1\n".into(),
        "id,a\nweb1,\"open\n".into(),
        "id,a\rweb1,b\r".into(),
    ];
    for _ in 0..number("BRINE_CASES", 25) {
        let parts = (0..random.below(30))
            .map(|_| random.pick(&["web1", ",", "\n", "\"", "id", "x", "\r\n", "\r", " ", "\t"]));
        texts.push(format!("id,a,b{}", parts.collect::<String>()));
    }
    for (n, text) in texts.iter().enumerate() {
        let path = dir.path().join(format!("{n}.csv"));
        fs::write(&path, text).unwrap();
        let path = path.to_string_lossy().into_owned();
        cases.push(Case::source("csv", json!(path)));
        cases.push(Case::source(
            "csv",
            json!({"path": path, "namespace": "ns", "restval": "none", "restkey": "more"}),
        ));
        cases.push(Case::source(
            "csv",
            json!({"path": path, "fieldnames": ["id", "z"], "dialect": "excel-tab"}),
        ));
        cases.push(Case::source("csv", json!([path, "a"])));
    }
    cases.push(Case::source("csv", json!({})));
    cases.push(Case::source("csv", json!({"path": "/nowhere"})));
    let path = dir.path().join("0.csv").to_string_lossy().into_owned();
    cases.push(Case::source("csv", json!({"path": path, "dialect": "odd"})));
    compare(dir.path(), &cases);
}

#[test]
fn what_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let groups = json!({"nodegroups": {
        "a": "web*", "b": "G@os:Debian and not web1", "c": ["G@os:Debian", "or", "L@x,y"], "d": "N@a and E@w.*", "e": "S@10.1.0.0/16",
        "f": "nobody", "g": "N@f or G@roles:b",
    }});
    let mut cases = vec![
        Case::source("nodegroups", json!({})).with(groups.clone()),
        Case::source("nodegroups", json!({"pillar_name": "ng"})).with(groups.clone()),
        Case::source("nodegroups", json!([])).with(json!({"nodegroups": {}})),
        Case::source("nodegroups", json!({"name": "x"})).with(groups),
    ];
    let extra = json!({"a": 1, "b": {"c": {"d": [1]}, "e": 2}, "f": "text"});
    for include in [
        json!({"include": "*"}),
        json!({"include": "<all>"}),
        json!({"include": ["a", "b:c"]}),
        json!({"include": ["b:c:d", "b:e", "nope", "b:nope", "nope:x"]}),
        json!({"include": ["f:x"]}),
        json!({"include": [1]}),
        json!({"include": 1}),
        json!({"include": "a"}),
        json!({}),
        json!(["*"]),
    ] {
        for extra in [json!({}), extra.clone()] {
            let mut case = Case::source("extra_minion_data_in_pillar", include.clone());
            case.extra = extra;
            cases.push(case);
        }
    }
    compare(dir.path(), &cases);
}

/// Every source of stock's is there, or says in one line that it is not.
#[test]
fn every_name_of_stocks_is_known() {
    let dir = std::path::PathBuf::from(std::env::var_os("BRINE_STOCK_DIR").unwrap()).join("3006.28/lib");
    let lib = fs::read_dir(dir).unwrap().flatten().map(|e| e.path().join("site-packages/salt/pillar"));
    let dir = lib.into_iter().find(|path| path.exists()).unwrap();
    let mut count = 0;
    for file in fs::read_dir(dir).unwrap().flatten() {
        let name = file.file_name().into_string().unwrap();
        let Some(name) = name.strip_suffix(".py").filter(|name| !matches!(*name, "__init__" | "sql_base"))
        else {
            continue;
        };
        let text = fs::read_to_string(file.path()).unwrap();
        let own = text.lines().find_map(|line| line.strip_prefix("__virtualname__ = \"")?.strip_suffix('"'));
        let name = own.unwrap_or(name);
        let case = Case::source(name, json!({}));
        let told = ours(&case, &json!({"ext_pillar": [{name: {}}]}));
        let refused = fnmatch(&told, "*not supported: it needs *");
        assert!(brine_pillar::ext::find(name).is_some() || refused, "{name}: {told}");
        count += 1;
    }
    assert!(count > 40, "{count}");
}
