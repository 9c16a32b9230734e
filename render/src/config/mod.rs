//! The configuration files of master and minion: read, included, merged over the defaults, and put in order the way
//! stock does.
//!
//! The id of a host is not found here: who calls hands in how to find it.

mod error;
mod findings;
mod finish;
mod glob;
mod instead;
mod names;
mod read;
mod types;

pub use error::ConfigError;
pub use findings::Findings;
pub use glob::glob;
pub use names::Names;

use brine_core::Opts;
use brine_core::options::Daemon;
use brine_protocol::{Map, Value};
use read::Reader;
use std::path::{Path, PathBuf};

/// Where the configuration lives unless told otherwise.
pub const CONFIG_DIR: &str = "/etc/salt";

/// Options, and what should be said about them once there is a log.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The merged options. `conf_file` is the file read, `__role` is `master` or `minion`.
    pub opts: Opts,
    /// Warnings, each a sentence that names its file, key and line.
    pub warnings: Vec<String>,
    /// The files that were read, in order.
    pub files: Vec<PathBuf>,
}

/// An id found for this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundId {
    /// The id.
    pub id: String,
    /// It is an address, so no domain is appended to it.
    pub is_address: bool,
}

/// How to find the host's id when the configuration names none; it sees the options merged so far.
pub type FindId<'a> = &'a dyn Fn(&Opts) -> Result<FoundId, String>;

/// The environment variables that matter, read through this so that tests need not change the process's own.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The process's environment.
pub fn process_env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The file of a daemon: in the directory given with `-c`, else in [`CONFIG_DIR`].
pub fn config_file(daemon: Daemon, config_dir: Option<&Path>) -> PathBuf {
    config_dir.unwrap_or(Path::new(CONFIG_DIR)).join(daemon.name())
}

/// Reads `salt-master`'s options from `path` (see [`config_file`]).
///
/// `SALT_MASTER_CONFIG`, or else `SALT_CONFIG_DIR`, replaces the default path, and only that. A missing file leaves
/// the defaults. Relative includes (`default_include`, `include`) stand beside `path`. An option `id` that is not
/// set becomes the host's id with `_master` at its end.
pub fn master_config(path: &Path, env: Env<'_>, find_id: FindId<'_>) -> Result<Loaded, ConfigError> {
    load(Daemon::Master, path, env, find_id)
}

/// Reads `salt-minion`'s options from `path` (see [`config_file`]), as [`master_config`] with
/// `SALT_MINION_CONFIG`.
pub fn minion_config(path: &Path, env: Env<'_>, find_id: FindId<'_>) -> Result<Loaded, ConfigError> {
    load(Daemon::Minion, path, env, find_id)
}

/// Reads what the commands on the master's host need: the master's options, overlaid by the user's own file
/// (`~/.saltrc`, or `saltrc` in the user's configuration directory, or the file named by `SALT_CLIENT_CONFIG`).
/// `interface` becomes an address one can connect to, `token_file` an absolute path.
pub fn client_config(path: &Path, env: Env<'_>, find_id: FindId<'_>) -> Result<Loaded, ConfigError> {
    let mut loaded = load(Daemon::Master, path, env, find_id)?;
    let home = env("HOME").unwrap_or_else(|| "/".into());
    let xdg = PathBuf::from(env("XDG_CONFIG_HOME").unwrap_or_else(|| format!("{home}/.config"))).join("salt");
    let (dir, name) = if xdg.is_dir() { (xdg, "saltrc") } else { (PathBuf::from(&home), ".saltrc") };
    let saltrc = match env("SALT_CLIENT_CONFIG").map(PathBuf::from) {
        Some(named) if named.is_file() => named,
        _ => dir.join(name),
    };
    let mut reader = Reader::new(Daemon::Master, &home);
    let own = reader.file(&saltrc)?;
    let opts = loaded.opts.map_mut();
    opts.entry_or("token_file", || dir.join("salt_token").to_string_lossy().into_owned().into());
    opts.update(types::check(Daemon::Master, &own, &reader, &mut loaded.warnings));
    if let Some(file) = opts.get_str("token_file") {
        let file = read::expand_user(file, &home);
        opts.insert("token_file", file.to_string_lossy().into_owned());
    }
    let interface = match opts.get_str("interface") {
        Some("0.0.0.0") => Some("127.0.0.1"),
        Some("::") => Some("::1"),
        _ => None,
    };
    if let Some(interface) = interface {
        opts.insert("interface", interface);
    }
    loaded.files.extend(reader.files);
    Ok(loaded)
}

fn load(daemon: Daemon, path: &Path, env: Env<'_>, find_id: FindId<'_>) -> Result<Loaded, ConfigError> {
    let home = env("HOME").unwrap_or_else(|| "/".into());
    let mut reader = Reader::new(daemon, &home);
    let main = main_file(daemon, path, env);
    let mut overrides = reader.file(&main)?;
    let read_main = !reader.files.is_empty();
    let default_include = overrides.get("default_include").cloned().unwrap_or_else(|| {
        daemon.row("default_include").and_then(|row| row.default.value()).unwrap_or_default()
    });
    let include = overrides.get("include").cloned().unwrap_or_default();
    for (include, verbose) in [(default_include, false), (include, true)] {
        let included = reader.includes(&include, path, verbose, 0)?;
        overrides.update(included);
    }
    let mut warnings = std::mem::take(&mut reader.warnings);
    let overrides = types::check(daemon, &overrides, &reader, &mut warnings);
    let mut opts = daemon.defaults();
    opts.insert("user", current_user());
    opts.insert("conf_file", config_file(daemon, None).to_string_lossy().into_owned());
    if read_main {
        opts.insert("conf_file", main.to_string_lossy().into_owned());
    }
    opts.insert("__role", daemon.name());
    let mut opts = finish::finish(daemon, opts, overrides, find_id, &mut warnings)?;
    crate::sdb::apply(&mut opts).map_err(|e| ConfigError::Value(e.to_string()))?;
    Ok(Loaded { opts: Opts::new(opts), warnings, files: reader.files })
}

/// The environment counts only where no other path than the default was asked for.
fn main_file(daemon: Daemon, path: &Path, env: Env<'_>) -> PathBuf {
    if path != config_file(daemon, None) {
        return path.to_owned();
    }
    let name = match daemon {
        Daemon::Master => "SALT_MASTER_CONFIG",
        Daemon::Minion => "SALT_MINION_CONFIG",
    };
    let named = match env(name).filter(|v| !v.is_empty()) {
        Some(file) => Some(PathBuf::from(file)),
        None => {
            env("SALT_CONFIG_DIR").filter(|v| !v.is_empty()).map(|dir| Path::new(&dir).join(daemon.name()))
        }
    };
    named.filter(|file| file.is_file()).unwrap_or_else(|| path.to_owned())
}

fn current_user() -> Value {
    let uid = nix::unistd::Uid::effective();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => user.name.into(),
        _ => uid.to_string().into(),
    }
}

/// Salt's `dictupdate.update` with lists merged: maps recursively, lists by adding what is not there yet.
fn merge(into: &mut Map, from: Map) {
    for (key, value) in from {
        match (into.get_key_mut(&key), value) {
            (Some(Value::Map(old)), Value::Map(new)) => merge(old, new),
            (Some(Value::List(old)), Value::List(new)) => {
                for item in new {
                    if !old.contains(&item) {
                        old.push(item);
                    }
                }
            }
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}
