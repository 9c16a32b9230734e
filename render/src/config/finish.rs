//! What stock does to merged options: derived paths, `root_dir`, ids, spellings of old, values that must mean something.

use super::error::ConfigError;
use super::{FindId, glob};
use brine_core::Opts;
use brine_core::options::Daemon;
use brine_core::target::{INVENTORY, is_pattern};
use brine_core::text::python_str;
use brine_protocol::{Map, Value, map};
use std::path::Path;

/// Room for a pipe to a local client with `ipc_write_buffer: dynamic`, in bytes.
const DYNAMIC_IPC_BUFFER: i64 = 64 << 20;

/// Defaults and overrides as one set of options.
pub(super) fn finish(
    daemon: Daemon,
    defaults: Map,
    mut overrides: Map,
    find_id: FindId<'_>,
    warnings: &mut Vec<String>,
) -> Result<Map, ConfigError> {
    log_dir(&defaults, &mut overrides);
    let buffer_dynamic = overrides.get_str("ipc_write_buffer") == Some("dynamic");
    let mut opts = defaults;
    opts.update(overrides);
    spellings(daemon, &mut opts, warnings);
    if daemon == Daemon::Master && opts.get("external_auth").is_some_and(|e| e.get("rest").is_some()) {
        opts.insert("keep_acl_in_token", true);
    }
    if buffer_dynamic {
        opts.insert("ipc_write_buffer", DYNAMIC_IPC_BUFFER);
    }
    set_id(daemon, &mut opts, find_id)?;
    if daemon == Daemon::Minion {
        append_minionid(&mut opts);
    }
    derived_paths(daemon, &mut opts);
    root_dir(daemon, &mut opts);
    values(daemon, &mut opts, warnings)?;
    Ok(opts)
}

fn text(opts: &Map, key: &str) -> String {
    opts.get(key).filter(|v| !v.is_nil()).map(python_str).unwrap_or_default()
}

/// `log_dir` moves the log file unless that has an absolute path.
fn log_dir(defaults: &Map, overrides: &mut Map) {
    let Some(dir) = overrides.get_str("log_dir").filter(|d| !d.is_empty()).map(str::to_owned) else { return };
    let file = match overrides.get_str("log_file").filter(|f| !f.is_empty()) {
        Some(file) => Path::new(&dir).join(file),
        None => Path::new(&dir).join(Path::new(&text(defaults, "log_file")).file_name().unwrap_or_default()),
    };
    overrides.insert("log_file", file.to_string_lossy().into_owned());
}

/// Older names and forms that mean the same.
fn spellings(daemon: Daemon, opts: &mut Map, warnings: &mut Vec<String>) {
    if let Some(environment) = opts.get("environment").cloned() {
        let saltenv = opts.get("saltenv").cloned().unwrap_or_default();
        let name = daemon.name();
        if saltenv.is_nil() {
            warnings.push(format!(
                "The 'environment' {name} config option has been renamed to 'saltenv'. Using {} as the 'saltenv' config value.",
                python_str(&environment)
            ));
            opts.insert("saltenv", environment);
        } else {
            warnings.push(format!(
                "The 'saltenv' and 'environment' {name} config options cannot both be used. Ignoring 'environment' in favor of 'saltenv'."
            ));
            opts.insert("environment", saltenv);
        }
    }
    if let Some(Value::List(backends)) = opts.get_mut("fileserver_backend") {
        for backend in backends {
            if let Some(old @ ("git" | "hg" | "svn" | "minion")) = backend.as_str() {
                *backend = Value::Str(format!("{old}fs"));
            }
        }
    }
    if daemon == Daemon::Minion && opts.get("grains").is_some_and(|g| g.as_map().is_none()) {
        opts.insert("grains", Map::new());
    }
    if let Some(Value::List(returners)) = opts.get("return") {
        let joined = returners.iter().map(python_str).collect::<Vec<_>>().join(",");
        opts.insert("return", joined);
    }
}

fn set_id(daemon: Daemon, opts: &mut Map, find_id: FindId<'_>) -> Result<(), ConfigError> {
    let configured = text(opts, "id");
    let found = configured.is_empty();
    let (mut id, is_address) = if found {
        let found = find_id(&Opts::new(opts.clone())).map_err(ConfigError::Id)?;
        (found.id, found.is_address)
    } else {
        (configured, false)
    };
    let domain = text(opts, "append_domain");
    if !is_address && !domain.is_empty() && !id.ends_with(&domain) && !id.ends_with('.') {
        id = format!("{id}.{domain}");
    }
    if daemon == Daemon::Master && found {
        id.push_str("_master");
    }
    opts.insert("id", id);
    Ok(())
}

/// `append_minionid_config_dirs`: directories of their own for several minions on one host.
fn append_minionid(opts: &mut Map) {
    let Some(Value::List(keys)) = opts.get("append_minionid_config_dirs").cloned() else { return };
    let id = text(opts, "id");
    for key in keys.iter().filter_map(Value::as_str) {
        let old = text(opts, key);
        let old = Path::new(&old);
        let beside = |middle: &Path| {
            old.parent().unwrap_or(Path::new("")).join(middle).join(old.file_name().unwrap_or_default())
        };
        let new = match key {
            "pki_dir" | "cachedir" | "extension_modules" => old.join(&id),
            "default_include" => beside(Path::new(&id)),
            "pidfile" => beside(&Path::new("salt").join(&id)),
            _ => continue,
        };
        opts.insert(key, new.to_string_lossy().into_owned());
    }
}

fn derived_paths(daemon: Daemon, opts: &mut Map) {
    let cachedir = text(opts, "cachedir");
    // A socket's path must be short; every program of either side applies this rule, so that they meet.
    if text(opts, "sock_dir").chars().count() > cachedir.chars().count() + 10 {
        opts.insert("sock_dir", join(&cachedir, ".salt-unix"));
    }
    if daemon == Daemon::Master {
        opts.insert("token_dir", join(&cachedir, "tokens"));
        opts.insert("syndic_dir", join(&cachedir, "syndics"));
    }
    if !opts.get("extension_modules").is_some_and(Value::truthy) {
        opts.insert("extension_modules", join(&cachedir, "extmods"));
    }
    if !opts.get("utils_dirs").is_some_and(Value::truthy) {
        let utils = join(&text(opts, "extension_modules"), "utils");
        opts.insert("utils_dirs", vec![utils]);
    }
}

/// Python's `os.path.join` of two parts.
fn join(base: &str, name: &str) -> String {
    Path::new(base).join(name).to_string_lossy().into_owned()
}

/// Relative paths, and those below the default root, move below `root_dir`; other absolute paths stay.
fn root_dir(daemon: Daemon, opts: &mut Map) {
    const MASTER: &[&str] = &[
        "pki_dir",
        "cachedir",
        "pidfile",
        "sock_dir",
        "extension_modules",
        "autosign_file",
        "autoreject_file",
        "token_dir",
        "syndic_dir",
        "sqlite_queue_dir",
        "autosign_grains_dir",
    ];
    const MINION: &[&str] = &["pki_dir", "cachedir", "sock_dir", "extension_modules", "pidfile"];
    // These may be addresses of a log service.
    const LOGS: &[&str] = &["log_file", "key_logfile", "ssh_log_file"];
    let root = text(opts, "root_dir");
    let root = match std::path::absolute(if root.is_empty() { "/" } else { &root }) {
        Ok(path) => path.to_string_lossy().into_owned(),
        Err(_) => "/".into(),
    };
    let (paths, logs) = if daemon == Daemon::Master { (MASTER, LOGS) } else { (MINION, &LOGS[..2]) };
    let logs =
        logs.iter().filter(|key| !text(opts, key).split('/').next().is_some_and(|head| head.contains(':')));
    let keys: Vec<&str> = paths.iter().chain(logs).copied().collect();
    for key in keys {
        let Some(path) = opts.get_str(key) else { continue };
        // The default root is `/`, of which stock keeps an empty prefix: every absolute path is below it.
        let inner = match path.strip_prefix(root.trim_end_matches('/')) {
            Some(inner) if inner.is_empty() || inner.starts_with('/') => inner,
            _ => path,
        };
        let below = inner.trim_start_matches('/');
        let root = root.trim_end_matches('/');
        let placed = if below.is_empty() { format!("{root}/") } else { format!("{root}/{below}") };
        opts.insert(key, normal(&placed));
    }
}

/// Python's `normpath` of an absolute path: by text alone, without doubled slashes, `.` and `..`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn values(daemon: Daemon, opts: &mut Map, warnings: &mut Vec<String>) -> Result<(), ConfigError> {
    // Open doors must be asked for with exactly `True`.
    for key in ["open_mode", "auto_accept"] {
        if key == "open_mode" || daemon == Daemon::Master {
            let on = opts.get(key) == Some(&Value::Bool(true));
            opts.insert(key, on);
        }
    }
    let hash_type = text(opts, "hash_type").to_lowercase();
    opts.insert("hash_type", hash_type);
    for (key, default) in [("file_roots", "/srv/salt"), ("pillar_roots", "/srv/pillar")] {
        let roots = match opts.get(key) {
            Some(Value::Map(roots)) => normal_roots(roots),
            _ => {
                warnings.push(format!("The {key} parameter is not properly formatted, using defaults"));
                map! {"base" => vec![default]}
            }
        };
        opts.insert(key, roots);
    }
    for key in ["file_ignore_glob", "file_ignore_regex"] {
        if let Some(Value::Str(one)) = opts.get(key).cloned() {
            opts.insert(key, if one.is_empty() { Value::List(Vec::new()) } else { vec![one].into() });
        }
    }
    if daemon == Daemon::Master {
        let mut nodegroups = match opts.get("nodegroups") {
            Some(Value::Map(groups)) => groups.clone(),
            // A list of maps with one entry each.
            Some(Value::List(list)) => list
                .iter()
                .filter_map(Value::as_map)
                .flat_map(|m| m.iter().map(|(k, v)| (k.clone(), v.clone())))
                .collect(),
            _ => Map::new(),
        };
        if inventory_groups(opts) {
            nodegroups.insert(INVENTORY.0, INVENTORY.1);
        }
        opts.insert("nodegroups", nodegroups);
        let threads = opts.get("worker_threads").and_then(Value::as_int);
        if threads.is_some_and(|n| n < 3) && opts.get("peer").is_some_and(Value::truthy) {
            warnings.push(format!(
                "The 'worker_threads' setting in '{}' cannot be lower than 3. Resetting it to the default value of 3.",
                text(opts, "conf_file")
            ));
            opts.insert("worker_threads", 3);
        }
    } else {
        opts.entry_or("beacons", || Map::new().into());
    }
    algorithms(daemon, opts)
}

fn algorithms(daemon: Daemon, opts: &Map) -> Result<(), ConfigError> {
    const SIGNING: &[&str] = &["PKCS1v15-SHA1", "PKCS1v15-SHA224"];
    const ENCRYPTION: &[&str] = &["OAEP-SHA1", "OAEP-SHA224"];
    let checks: &[(&str, &str, &[&str])] = match daemon {
        Daemon::Master => &[("publish_signing_algorithm", "publish signing", SIGNING)],
        Daemon::Minion => {
            &[("encryption_algorithm", "encryption", ENCRYPTION), ("signing_algorithm", "signing", SIGNING)]
        }
    };
    for (key, what, valid) in checks {
        let value = text(opts, key);
        if !valid.contains(&value.as_str()) {
            return Err(ConfigError::Value(format!(
                "The {what} algorithm '{value}' is not valid. Please specify one of {}.",
                valid.join(",")
            )));
        }
    }
    Ok(())
}

/// Whether a source of pillar tells minions the pallets of an inventory that they stand below.
fn inventory_groups(opts: &Map) -> bool {
    let sources = opts.get("ext_pillar").and_then(Value::as_list).unwrap_or_default();
    sources.iter().any(|source| {
        source.get("palletjack").and_then(|options| options.get("nodegroups")).is_some_and(Value::truthy)
    })
}

/// Environments as text, directories as lists with patterns expanded.
fn normal_roots(roots: &Map) -> Map {
    roots
        .iter()
        .map(|(saltenv, dirs)| {
            let dirs = dirs.as_list().unwrap_or_default().iter().map(python_str).flat_map(|dir| {
                if is_pattern(&dir) {
                    glob(Path::new(&dir)).into_iter().map(|p| p.to_string_lossy().into_owned()).collect()
                } else {
                    vec![dir]
                }
            });
            (python_str(saltenv), Value::List(dirs.map(Value::Str).collect()))
        })
        .collect()
}
