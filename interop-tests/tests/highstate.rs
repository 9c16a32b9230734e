//! `salt '*' state.apply` over the wire: with our minion on masters of every version, and minions of every version on our master,
//! it prints what it prints where all is stock.

use std::fs;
use std::path::Path;
use std::time::Duration;

use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::{Fleet, Result, Side};
use serde_json::Value;

/// A highstate with pillar, templates, folders, requisites of most kinds, and a state that fails.
const FILES: &[(&str, &str)] = &[
    (
        "srv/top.sls",
        "base:\n  '*':\n    - web\n    - late\n  'role:db':\n    - match: grain\n    - nothing.here\n",
    ),
    (
        "srv/web/init.sls",
        r#"include:
  - .base
{% set to = pillar['to'] %}
config:
  file.managed:
    - name: {{ to }}/app.conf
    - source: salt://web/app.conf.j2
    - template: jinja
    - mode: '0640'
    - context: {port: 8080}
    - require:
      - file: folders
{% for name in pillar['sites'] %}
{{ to }}/sites/{{ name }}:
  file.managed:
    - contents_pillar: texts:{{ name }}
    - require_in:
      - cmd: reload
{% endfor %}
reload:
  cmd.run:
    - name: echo reloaded
    - onchanges:
      - file: config
broken:
  file.managed:
    - name: {{ to }}/broken
    - source: salt://web/none
after broken:
  test.succeed_with_changes:
    - require:
      - file: broken
instead:
  test.succeed_without_changes:
    - onfail:
      - file: broken
"#,
    ),
    (
        "srv/web/base.sls",
        "folders:\n  file.directory:\n    - names: [{{ pillar['to'] }}/sites, {{ pillar['to'] }}/data]\n    - makedirs: true\nall:\n  file.recurse:\n    - name: {{ pillar['to'] }}/data\n    - source: salt://tree\n    - file_mode: '0600'\n    - clean: true\n",
    ),
    ("srv/web/app.conf.j2", "# {{ grains.id }} {{ saltenv }}\nport = {{ port }}\nname = {{ pillar.name }}\n"),
    // One file: stock takes those of a folder in an order of its own.
    ("srv/tree/sub/b c", "b\u{e4}\n"),
    (
        "srv/late.sls",
        "last:\n  test.show_notification:\n    - text: the end\n    - order: last\nnothing:\n  test.nop: []\n",
    ),
    ("pillar/top.sls", "base: {'*': [data]}\n"),
    (
        "pillar/data.sls",
        "to: $TO\nname: example\nsites: [one, two]\ntexts: {one: \"first\\n\", two: \"second\\nline\\n\"}\n",
    ),
];

fn plant(fleet: &Fleet, to: &Path) -> Result {
    for (name, text) in FILES {
        let path = fleet.path(name);
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        fs::write(path, text.replace("$TO", &to.display().to_string()))?;
    }
    Ok(())
}

/// Times, and the scratch directory's name, are never the same.
fn steady(text: &str, fleet: &Fleet) -> String {
    let text = text.replace(&fleet.root().display().to_string(), "$R");
    let times = ["Started:", "Duration:", "Total run time:"];
    // A process id stands alone in its line.
    let pid = |line: &str| line.len() > 2 && line.bytes().all(|b| b.is_ascii_digit());
    let keep = |line: &&str| !times.iter().any(|w| line.trim_start().starts_with(w)) && !pid(line.trim());
    // In one line of a state both stand at the end.
    let short = |line: &str| line.split(" - Started: ").next().unwrap_or_default().to_owned();
    text.lines().filter(keep).map(short).collect::<Vec<_>>().join("\n")
}

fn without_times(value: Value, fleet: &Fleet) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .filter(|(key, _)| !["duration", "start_time", "pid"].contains(&key.as_str()))
            .map(|(key, value)| (steady(&key, fleet), without_times(value, fleet)))
            .collect(),
        Value::Array(list) => list.into_iter().map(|value| without_times(value, fleet)).collect(),
        Value::String(text) => Value::String(steady(&text, fleet)),
        other => other,
    }
}

/// What was printed for people and for programs, each with its exit code: what it would do, done, and done again.
fn printed(master: &str, minion: &str) -> Result<Vec<(String, Value)>> {
    let mut fleet = Fleet::new(Side::parse(master)?, Side::parse(minion)?)?;
    let to = fleet.path("to");
    plant(&fleet, &to)?;
    fleet.settings.master_lines = vec![
        "auto_accept: true".into(),
        format!("file_roots: {{base: [{}]}}", fleet.path("srv").display()),
        format!("pillar_roots: {{base: [{}]}}", fleet.path("pillar").display()),
    ];
    fleet.start_master()?;
    fleet.start_minion("m1", "m1", &[])?;
    fleet.wait_ping("m1", Duration::from_secs(60))?;
    let mut all = Vec::new();
    for words in [
        &["--out=highstate", "--no-color", "m1", "state.apply", "test=True"][..],
        &["--out=highstate", "--no-color", "m1", "state.apply"],
        &["--out=json", "m1", "state.highstate"],
        &["--out=highstate", "--no-color", "--state-output=changes", "m1", "state.apply", "web.base,late"],
        &["--out=json", "m1", "state.sls", "none"],
        &["--out=json", "m1", "state.show_lowstate"],
    ] {
        let ran = fleet.salt(&[&["-t", "120"], words].concat())?;
        let text = steady(&ran.out, &fleet);
        let value = serde_json::from_str(&ran.out).map_or(Value::Null, |value| without_times(value, &fleet));
        let text = if value.is_null() { text } else { String::new() };
        all.push((format!("{words:?} exit code {:?}\n{text}", ran.code), value));
    }
    hold(all.iter().any(|(text, _)| text.contains("Succeeded: ")), || format!("no highstate: {all:?}"))?;
    Ok(all)
}

/// The first line that differs.
fn same_lines(what: &str, got: &str, want: &str) -> Result {
    let at = got.lines().zip(want.lines()).take_while(|(a, b)| a == b).count();
    let from = |text: &str| text.lines().skip(at.saturating_sub(6)).take(10).collect::<Vec<_>>().join("\n");
    same(&format!("{what}: line {at}"), from(got), from(want))
}

fn pairs(want: (&str, &str), pairs: &[(&str, &str)]) -> Result {
    let want = printed(want.0, want.1)?;
    for (master, minion) in pairs {
        for (got, want) in printed(master, minion)?.iter().zip(&want) {
            same_lines(&format!("{minion} on {master}"), &got.0, &want.0)?;
            same(&format!("{minion} on {master}: {}", want.0), &got.1, &want.1)?;
        }
    }
    Ok(())
}

#[test]
fn as_3006() -> Result {
    pairs(("3006", "3006"), &[("3006", "ours"), ("ours", "3006"), ("ours", "ours")])
}

#[test]
fn as_3006_on_other_masters() -> Result {
    // The command of another version may print otherwise, so what is compared is printed by its own.
    for version in ["3007", "3008"] {
        let (want, got) = (printed(version, "3006")?, printed(version, "ours")?);
        for (got, want) in got.iter().zip(&want) {
            same_lines(&format!("ours on {version}"), &got.0, &want.0)?;
            same(&format!("ours on {version}: {}", want.0), &got.1, &want.1)?;
        }
    }
    Ok(())
}

#[test]
fn of_newer_minions() -> Result {
    for version in ["3007", "3008"] {
        let (want, got) = (printed("3006", version)?, printed("ours", version)?);
        for (got, want) in got.iter().zip(&want) {
            same_lines(&format!("{version} on ours"), &got.0, &want.0)?;
            same(&format!("{version} on ours: {}", want.0), &got.1, &want.1)?;
        }
    }
    Ok(())
}
