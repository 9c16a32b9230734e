//! `_schedule.conf`: the file among a daemon's configuration that keeps what was added to its schedule. The daemon writes it;
//! so does the module `schedule` when it is told that no daemon runs.

use crate::yaml::{self, DumpOptions, Flow};
use brine_core::Opts;
use brine_protocol::{Map, Value, map};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The name of the file.
pub const NAME: &str = "_schedule.conf";

/// Where it is: in the directory that `default_include` names, from that of the daemon's own file on.
pub fn path(opts: &Opts) -> PathBuf {
    let conf = match opts.str("conf_dir") {
        "" => opts.path("conf_file").parent().unwrap_or(Path::new("")).to_owned(),
        dir => PathBuf::from(dir),
    };
    let include = match opts.str("default_include") {
        "" => "minion.d/*.conf",
        include => include,
    };
    conf.join(Path::new(include).parent().unwrap_or(Path::new(""))).join(NAME)
}

/// The jobs and settings in it; none if there is no such file, or none that can be read.
pub fn read(path: &Path) -> Map {
    let text = fs::read_to_string(path).unwrap_or_default();
    match yaml::load(&text) {
        Ok(Value::Map(mut map)) => match map.remove("schedule") {
            Some(Value::Map(schedule)) => schedule,
            _ => Map::new(),
        },
        _ => Map::new(),
    }
}

/// Writes it, readable by its owner alone since arguments may be secret, if it does not say so already. With `sort`, all keys
/// are in order; else they stay as they are.
///
/// # Errors
/// That of the system.
pub fn write(path: &Path, schedule: &Map, sort: bool) -> io::Result<()> {
    let value = Value::from(map! { "schedule" => schedule.clone() });
    let options = DumpOptions { flow: Flow::Leaves, sort_keys: sort, ..DumpOptions::default() };
    let text = yaml::dump(&value, options);
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    // Beside it first: a reader sees the old or the new one. The name does not end in `.conf`, so none reads it.
    let beside = path.with_extension(format!("conf.{}", std::process::id()));
    let _ = fs::remove_file(&beside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes()).and_then(|()| fs::rename(&beside, path)).inspect_err(|_| {
        let _ = fs::remove_file(&beside);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_reads_as_stock_writes_it() {
        let dir = tempfile::tempdir().unwrap();
        let conf = dir.path().join("minion").to_string_lossy().into_owned();
        let opts = Opts::new(map! { "conf_file" => conf, "default_include" => "minion.d/*.conf" });
        let path = path(&opts);
        assert_eq!(path, dir.path().join("minion.d/_schedule.conf"));
        assert_eq!(read(&path), Map::new());
        let schedule = map! {
            "j" => map! { "function" => "cmd.run", "enabled" => true, "maxrunning" => 2, "minutes" => 60,
                "jid_include" => true, "return_job" => false, "run_on_start" => true, "splay" => Value::Nil },
            "a" => map! { "function" => "test.arg", "args" => vec!["x", "y"] },
            "enabled" => true,
        };
        write(&path, &schedule, true).unwrap();
        // PyYAML's own.
        let stock = "schedule:\n  a:\n    args: [x, y]\n    function: test.arg\n  enabled: true\n  j: {enabled: true, \
                     function: cmd.run, jid_include: true, maxrunning: 2, minutes: 60,\n    return_job: false, \
                     run_on_start: true, splay: null}\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), stock);
        let mut back = read(&path);
        back.sort_by_key_text();
        assert_eq!(back.get("j").and_then(|j| j.get("minutes")), Some(&60.into()));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        fs::write(&path, "a: [").unwrap();
        assert_eq!(read(&path), Map::new());
    }
}
