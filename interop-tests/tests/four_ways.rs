//! Every state function four ways: what it would do, done, done again, and what it would do then; by stock's 3006.28 and
//! by ours, in two equal throw-away roots. What they return, the files, and what else a case looks at must be equal.
//!
//! The cases are in `states/*.yaml` (see `states/README.md`). `BRINE_CASES` takes those whose name holds a word.

use std::env;
use std::path::Path;

use brine_interop_tests::roots::{Init, Pair, list, yaml};
use brine_interop_tests::{Failure, Result};
use serde_json::{Map, Value, json};

macro_rules! files {
    ($($file:ident),* $(,)?) => {
        const FILES: &[&str] = &[$(stringify!($file)),*];
        $(#[test] fn $file() -> Result { run(stringify!($file)) })*
    };
}

files! {
    acl,
    alias,
    alternatives,
    archive,
    cmd,
    cron,
    debconf,
    environ,
    event,
    file_edit,
    file_whole,
    git,
    grains,
    group,
    host,
    ini_manage,
    iptables,
    kmod,
    locale,
    module,
    mount,
    pip,
    pkg,
    pkgrepo,
    saltutil,
    schedule,
    service,
    ssh_auth,
    ssh_known_hosts,
    sysctl,
    test,
    timezone,
    user,
    virtualenv,
}

/// Where a case works.
const HERE: &str = "/t";

#[test]
fn every_file_of_cases_is_run() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/states");
    for entry in std::fs::read_dir(folder).expect("the folder of cases") {
        let name = entry.expect("an entry").file_name().into_string().expect("text");
        if let Some(stem) = name.strip_suffix(".yaml") {
            assert!(FILES.contains(&stem), "states/{name} is not listed in tests/four_ways.rs");
        }
    }
}

fn run(file: &str) -> Result {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("states");
    let all = yaml(&folder.join(file).with_extension("yaml"))?;
    let init = match (all["boot"].as_str(), all["network"].as_str()) {
        (Some("systemd"), _) => Init::Systemd,
        (_, Some("own")) => Init::Apart,
        _ => Init::None,
    };
    let before = all["prepare"].as_str().unwrap_or_default();
    let mut pair = Pair::new(init, before)?;
    let wanted = env::var("BRINE_CASES").unwrap_or_default();
    let wanted = |name: &str| wanted.split(',').any(|word| name.contains(word));
    let mut faults = Vec::new();
    let mut count = 0;
    for case in all["cases"].as_array().ok_or("no list of cases")? {
        let name = case["name"].as_str().ok_or("a case without name")?;
        if !wanted(name) {
            continue;
        }
        count += 1;
        match (one(&mut pair, case), case["differs"].as_str()) {
            (Ok(()), None) | (Err(_), Some(_)) => {}
            (Ok(()), Some(reason)) => {
                faults.push(format!("{file}: {name}: is equal, though listed as different: {reason}"));
            }
            (Err(e), None) => faults.push(format!("{file}: {name}: {e}\n")),
        }
    }
    eprintln!("{file}: {count} cases");
    if faults.is_empty() { Ok(()) } else { Err(Failure(faults.join("\n"))) }
}

fn one(pair: &mut Pair, case: &Value) -> Result {
    let sls = match &case["sls"] {
        Value::String(text) => text.clone(),
        data => format!("#!json\n{data}"),
    };
    let mut files: Map<String, Value> = case["files"].as_object().cloned().unwrap_or_default();
    files.insert("/srv/four/states/case.sls".into(), sls.into());
    let pillar = &case["pillar"];
    let top = if pillar.is_null() { "{}".to_owned() } else { json!({"base": {"*": ["data"]}}).to_string() };
    files.insert("/srv/four/pillar/top.sls".into(), top.into());
    files.insert("/srv/four/pillar/data.sls".into(), format!("#!json\n{pillar}").into());
    let clean =
        format!("rm -rf {HERE} /srv/four/states /srv/four/pillar /srv/four/root; mkdir -m 755 {HERE}");
    let setup = case["setup"].as_str().unwrap_or_default();
    for root in [&mut pair.stock, &mut pair.ours] {
        root.sh("/", &clean)?;
        root.ask(&json!({"do": "write", "files": files}))?;
        root.sh(HERE, setup)?;
    }
    let steps = match case["steps"].as_array() {
        Some(steps) => steps.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        None => ["test", "apply", "again", "test again"].map(str::to_owned).to_vec(),
    };
    for step in steps {
        if let Some(script) = step.strip_prefix("sh ") {
            pair.stock.sh(HERE, script)?;
            pair.ours.sh(HERE, script)?;
            continue;
        }
        let mut kwargs = case["kwargs"].as_object().cloned().unwrap_or_default();
        if step.starts_with("test") {
            kwargs.insert("test".into(), true.into());
        }
        let (ignore, any_order) = (list(&case["ignore"]), list(&case["any_order"]));
        pair.call(&step, &["state.sls", "case"], &kwargs, &case["opts"], &ignore, &any_order)?;
        let mut paths = vec![HERE.to_owned()];
        paths.extend(list(&case["look"]));
        pair.trees(&step, &paths, &[])?;
        if let Some(script) = case["dump"].as_str() {
            pair.same_output(&step, HERE, script)?;
        }
    }
    Ok(())
}
