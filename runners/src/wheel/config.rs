//! The master's configuration files, read and changed. What is changed is in force after a restart.
//!
//! Written are the main file and files of the directory of `default_include` beside it, and only such as can be loaded.

use std::path::{Path, PathBuf};

use brine_core::call::{CallError, Cx, Result, exec, module};
use brine_core::{Map, Value};
use brine_render::config::{Names, master_config};
use brine_render::yaml::{load_named, safe_dump};
use brine_store::fs::Dir;

module! { "config": apply, update_config, values }

/// The mode of files that are new.
const MODE: u32 = 0o640;

fn main_file(cx: &Cx) -> PathBuf {
    let path = cx.opts.path("conf_file");
    if path.is_dir() { path.join("master") } else { path }
}

fn loaded(path: &Path) -> Result<Map> {
    let no_env = |_: &str| None;
    let find_id = |_: &brine_core::Opts| Ok(Names::of_this_machine().id());
    let loaded = master_config(path, &no_env, &find_id).map_err(|e| CallError::execution(e.to_string()))?;
    Ok(loaded.opts.map().clone())
}

/// The options as the files have them now.
///
/// Example: `wheel.cmd("config.values")`
#[exec]
fn values(cx: &Cx) -> Result<Map> {
    loaded(&main_file(cx))
}

/// Puts text in place of a file, which keeps its mode. Text that the master could not load leaves it as it is.
fn replace(dir: &Dir, name: &str, text: &str) -> Result<()> {
    let mode = dir.mode(name).map_or(MODE, |mode| mode & 0o7777);
    let trial = format!("{name}.new");
    dir.write(&trial, text.as_bytes(), mode)?;
    let path = dir.path().join(&trial);
    if let Err(e) = loaded(&path) {
        dir.remove(&trial)?;
        return Err(e);
    }
    Ok(std::fs::rename(&path, dir.path().join(name))?)
}

/// Set one option in the main file, whose comments are lost by that.
///
/// Example: `wheel.cmd("config.apply", ["timeout", 10])`
#[exec]
fn apply(cx: &Cx, key: String, value: Value) -> Result<()> {
    let path = main_file(cx);
    let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Err(CallError::execution("There is no configuration file"));
    };
    let text = match std::fs::read_to_string(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        other => other?,
    };
    let old = load_named(&text, &path.display().to_string()).map_err(|e| CallError::execution(e.to_string()))?;
    let mut options = match old {
        Value::Map(options) => options,
        Value::Nil => Map::new(),
        _ => return Err(CallError::execution(format!("{} is no dictionary", path.display()))),
    };
    options.insert(key, value);
    replace(&Dir::at(parent), name, &safe_dump(&options.into()))
}

/// Write a dict of options to `<file_name>.conf` in the directory of `default_include`, `master.d`.
///
/// Example: `wheel.cmd("config.update_config", ["gui", {"timeout": 10}])`
#[exec]
fn update_config(cx: &Cx, file_name: String, yaml_contents: Value) -> Result<String> {
    let main = main_file(cx);
    let beside = main.parent().unwrap_or(Path::new("/"));
    let include = cx.opts.path("default_include");
    let dir = Dir::at(beside.join(include.parent().unwrap_or(Path::new("master.d"))));
    let name = format!("{file_name}.conf");
    if file_name.is_empty() || file_name.starts_with('.') || dir.sub(&name).is_err() {
        return Ok("Invalid path".into());
    }
    let keys_are_text = yaml_contents.as_map().is_some_and(|map| map.keys().all(|key| key.as_str().is_some()));
    if !keys_are_text {
        return Ok("Options are a dictionary".into());
    }
    if dir.has_other(&name) {
        return Ok("Invalid path".into());
    }
    dir.ensure(0o755)?;
    match replace(&dir, &name, &safe_dump(&yaml_contents)) {
        Ok(()) => Ok(format!("Wrote {name}")),
        Err(e) => Ok(e.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call};
    use crate::run::Kind;
    use brine_core::call::Args;
    use brine_core::map;

    #[test]
    fn cve_2021_25282_configuration_is_written_in_its_place_only() {
        let tmp = tempfile::tempdir().unwrap();
        std::fs::write(tmp.path().join("master"), "# mine\ntimeout: 7\n").unwrap();
        let cx = Fake::default().cx(Kind::Wheel, tmp.path(), Map::new());
        let run = |fun: &str, args: Vec<Value>| call(&cx, fun, Args { positional: args, ..Args::none() });
        let values = || run("config.values", vec![]).unwrap();
        assert_eq!(values().get("timeout"), Some(&7.into()));
        let options: Value = map! {"worker_threads" => 9}.into();
        let update = |name: &str| run("config.update_config", vec![name.into(), options.clone()]).unwrap();
        assert_eq!(update("gui"), "Wrote gui.conf".into());
        assert_eq!(std::fs::read_to_string(tmp.path().join("master.d/gui.conf")).unwrap(), "worker_threads: 9\n");
        assert_eq!(values().get("worker_threads"), Some(&9.into()));
        std::os::unix::fs::symlink(tmp.path().join("master"), tmp.path().join("master.d/link.conf")).unwrap();
        for name in ["../x", "/etc/x", "a/b", "", "..", ".hidden", "link", "a\0b"] {
            assert_eq!(update(name), "Invalid path".into(), "{name:?}");
        }
        let list = run("config.update_config", vec!["gui".into(), vec!["a"].into()]).unwrap();
        assert_eq!(list, "Options are a dictionary".into());
        run("config.apply", vec!["timeout".into(), 8.into()]).unwrap();
        assert_eq!(std::fs::read_to_string(tmp.path().join("master")).unwrap(), "timeout: 8\n");
        assert_eq!(values().get("timeout"), Some(&8.into()));
        assert_eq!(std::fs::read_dir(tmp.path().join("master.d")).unwrap().count(), 2);
    }
}
