//! Pillar of a master, as our minion and stock's get it: the same data on masters of every version, and jobs that find their minions
//! by it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::{Fleet, Result, Side, cli, config, daemon, wait};
use serde_json::{Value, json};

/// A tree with every kind of matcher, includes, and an environment of its own.
fn tree(base: &Path, dev: &Path) -> Result {
    let files = [
        (
            "top.sls",
            "base:\n  '*':\n    - common\n  'm?n':\n    - match: pcre\n    - by.pcre\n  'role:web':\n    - match: grain\n    - by.grain\n  \
             'role:w.b':\n    - match: grain_pcre\n    - by.grain_pcre\n  'min,other':\n    - match: list\n    - by.list\n  \
             'G@role:web and not E@x.*':\n    - match: compound\n    - by.compound\n  group:\n    - match: nodegroup\n    - by.nodegroup\n  \
             'role:db':\n    - match: grain\n    - by.nothing\n",
        ),
        (
            "common/init.sls",
            "include:\n  - .part\n  - common.keyed:\n      key: a:b\n      defaults: {word: given}\nall: {deep: {k: v}}\n",
        ),
        ("common/part.sls", "all: {deep: {k: lost, l: part}}\nlist: [1, 2.5, null, true]\n"),
        ("common/keyed.sls", "word: {{ word }}\n"),
        ("by/pcre.sls", "pcre: {{ grains.id }}\n"),
        ("by/grain.sls", "grain: {{ salt['grains.get']('role') }} {{ opts.id }}\n"),
        ("by/grain_pcre.sls", "#!jinja|json\n{\"grain_pcre\": \"{{ saltenv }}\"}\n"),
        ("by/list.sls", "list_: {{ salt['pillar.get']('none', 'default') }}\n"),
        ("by/compound.sls", "compound: {{ grains.role == 'web' }}\n"),
        ("by/nodegroup.sls", "nodegroup: {% for n in range(3) %}{{ n }}{% endfor %}\n"),
        ("by/nothing.sls", "nothing: 1\n"),
    ];
    for dir in [base.join("common"), base.join("by"), dev.to_owned()] {
        fs::create_dir_all(dir)?;
    }
    for (name, text) in files {
        fs::write(base.join(name), text)?;
    }
    fs::write(dev.join("top.sls"), "dev:\n  '*':\n    - only\n")?;
    fs::write(dev.join("only.sls"), "dev: {{ saltenv }}\n")?;
    Ok(())
}

fn common(more: Value) -> Value {
    let mut all = json!({"ext": {"a": [1, 2]}});
    for (key, value) in more.as_object().into_iter().flatten() {
        all[key] = value.clone();
    }
    all
}

fn of_base() -> Value {
    json!({
        "all": {"deep": {"k": "v", "l": "part"}}, "list": [1, 2.5, null, true], "a": {"b": {"word": "given"}},
        "grain": "web min", "grain_pcre": "base", "list_": "default", "compound": true, "nodegroup": 12,
    })
}

fn fleet(master: Side) -> Result<Fleet> {
    let mut fleet = Fleet::new(master, Side::Ours)?;
    let (base, dev) = (fleet.path("srv"), fleet.path("dev"));
    tree(&base, &dev)?;
    fleet.settings.master_lines = vec![
        "auto_accept: true".into(),
        format!("pillar_roots: {{base: [{}], dev: [{}]}}", base.display(), dev.display()),
        "ext_pillar: [{cmd_yaml: 'echo \"ext: {a: [1, 2]}\"'}]".into(),
    ];
    // What the fleet's own files say already is replaced in files beside them.
    let beside = fleet.path("etc/master.d");
    fs::create_dir_all(&beside)?;
    fs::write(beside.join("groups.conf"), "nodegroups: {group: 'min or none'}\n")?;
    Ok(fleet)
}

/// Gives a minion, before it starts, the grain that the tree asks for.
fn with_role(fleet: &Fleet, name: &str) -> Result {
    let beside = fleet.path(name).join("minion.d");
    fs::create_dir_all(&beside)?;
    Ok(fs::write(beside.join("role.conf"), "grains: {role: web}\n")?)
}

/// The pillar that a minion of some version gets.
fn items(fleet: &Fleet, minion: Side, args: &[&str]) -> Result<Value> {
    let name = minion.to_string().replace('.', "-");
    config::write_minion(fleet.root(), &name, "min", &fleet.settings, &[])?;
    with_role(fleet, &name)?;
    let mut cmd = daemon::command(None, &minion.program("salt-call")?);
    cmd.arg("-c").arg(fleet.path(&name)).args(["--out", "json", "-l", "quiet", "pillar.items"]).args(args);
    // One id and one key: the versions take turns.
    let pki = fleet.path(&name).join("pki");
    fs::create_dir_all(&pki)?;
    let first = fleet.path("first");
    if first.exists() {
        for file in ["minion.pem", "minion.pub"] {
            fs::copy(first.join(file), pki.join(file))?;
        }
    }
    // Since 3008 it masks, unless told not to.
    if minion.to_string().contains("3008") {
        cmd.arg("unmask=True");
    }
    let ran = cli::run(cmd, b"", Duration::from_secs(90))?.ok()?;
    if !first.exists() {
        fs::create_dir_all(&first)?;
        for file in ["minion.pem", "minion.pub"] {
            fs::copy(pki.join(file), first.join(file))?;
        }
    }
    Ok(serde_json::from_str::<Value>(&ran.out)?["local"].clone())
}

fn on(master: &str, minions: &[&str]) -> Result {
    let mut fleet = fleet(Side::parse(master)?)?;
    fleet.start_master()?;
    for name in minions {
        let minion = Side::parse(name)?;
        let mut both = of_base();
        both["dev"] = "dev".into();
        same(name, items(&fleet, minion, &[])?, common(both))?;
        same(name, items(&fleet, minion, &["pillarenv=dev"])?, common(json!({"dev": "dev"})))?;
        let mut over = of_base();
        over["all"]["deep"]["k"] = "over".into();
        same(
            name,
            items(&fleet, minion, &["pillarenv=base", "pillar={all: {deep: {k: over}}}"])?,
            common(over),
        )?;
    }
    // What is wrong with it is told, but not what stands there.
    fs::write(fleet.path("srv/by/compound.sls"), "secret: {{ hunter2() }}\n")?;
    for name in minions {
        let broken = items(&fleet, Side::parse(name)?, &["pillarenv=base"])?;
        let text = "Rendering SLS 'by.compound' failed. Please see master log for details.";
        same(name, &broken["_errors"], &json!([text]))?;
        same(name, &broken["grain"], &json!("web min"))?;
    }
    Ok(())
}

#[test]
fn of_3006() -> Result {
    on("3006", &["3006", "ours"])
}

#[test]
fn of_3007() -> Result {
    on("3007", &["ours"])
}

#[test]
fn of_3008() -> Result {
    on("3008", &["ours"])
}

#[test]
fn of_ours() -> Result {
    on("ours", &["ours", "3006", "3007", "3008"])
}

/// Jobs find minions by pillar, also when it has changed; nothing of it lies about in the clear.
fn targets(master: &str, minion: &str) -> Result {
    let mut fleet = fleet(Side::parse(master)?)?;
    fleet.settings.master_lines.push("log_level_logfile: trace".into());
    fs::write(fleet.path("srv/common/secret.sls"), "password: hunter2-{{ 3 * 5 }}\n")?;
    fs::write(fleet.path("srv/common/init.sls"), "include: [common.secret]\nall: {deep: {k: v}}\n")?;
    fleet.start_master()?;
    with_role(&fleet, "min")?;
    fleet.start_minion_as(Side::parse(minion)?, "min", "min", &[])?;
    fleet.wait_ping("min", Duration::from_secs(60))?;
    for (kind, words) in [
        ("-I", "all:deep:k:v"),
        ("-I", "password:hunter2-*"),
        ("-J", "all:deep:k:^v$"),
        ("-C", "I@all:deep:k:v and J@grain:^web"),
        ("-C", "G@role:web and not I@all:deep:k:x"),
    ] {
        same(words, fleet.salt(&[kind, words, "test.ping"])?.ret("min")?, json!(true))?;
    }
    let nobody = fleet.salt(&["-I", "all:deep:k:new", "test.ping"])?;
    hold(!nobody.out.contains("true"), || nobody.out.clone())?;
    fs::write(fleet.path("srv/common/init.sls"), "include: [common.secret]\nall: {deep: {k: new}}\n")?;
    same("refresh", fleet.salt(&["min", "saltutil.refresh_pillar", "wait=True"])?.ret("min")?, json!(true))?;
    wait::until("the new pillar counts", Duration::from_secs(30), || {
        Ok(fleet.salt(&["-I", "all:deep:k:new", "test.ping"])?.out.contains("true").then_some(()))
    })?;
    same("get", fleet.salt(&["min", "pillar.get", "all:deep:k"])?.ret("min")?, json!("new"))?;
    if master == "ours" {
        secret_is_nowhere(&fleet.path("cache"))?;
        hold(!fleet.logs().contains("hunter2-15"), || "a secret is in a log".to_owned())?;
    }
    Ok(())
}

/// Fails if a file below has the secret in it.
fn secret_is_nowhere(dir: &Path) -> Result {
    for entry in fs::read_dir(dir)?.flatten() {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            secret_is_nowhere(&path)?;
        } else if entry.file_type()?.is_file() {
            let bytes = fs::read(&path).unwrap_or_default();
            let found = bytes.windows(10).any(|w| w == b"hunter2-15");
            hold(!found, || format!("{} has the secret", path.display()))?;
        }
    }
    Ok(())
}

#[test]
fn targets_of_ours_and_a_stock_minion() -> Result {
    targets("ours", "3006")
}

#[test]
fn targets_of_ours() -> Result {
    targets("ours", "ours")
}

#[test]
fn targets_of_stock_and_our_minion() -> Result {
    targets("3006", "ours")
}
