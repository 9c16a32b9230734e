//! What the minion keeps on disk, and the program itself.

use brine_core::call::{Cx, Result, exec};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use brine_protocol::msgpack::decode;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Kept by `clear_cache`: returns that the master does not have yet.
const SPOOL: &str = "spool";

/// Remove all files of the minion's cache. Folders stay, and so do returns that the master has not taken yet.
///
/// CLI Example: salt '*' saltutil.clear_cache
#[exec]
pub(super) fn clear_cache(cx: &Cx) -> Result<bool> {
    let cachedir = cx.opts.path("cachedir");
    if cachedir.as_os_str().is_empty() {
        return Ok(true);
    }
    Ok(done("clear_cache", remove_files(&cachedir, true)))
}

fn done(function: &str, result: std::io::Result<()>) -> bool {
    if let Err(e) = &result {
        tracing::error!("Attempt to clear cache with saltutil.{function} FAILED with: {e}");
    }
    result.is_ok()
}

/// Below `folder`; links are removed, not followed.
fn remove_files(folder: &Path, top: bool) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            if !(top && entry.file_name() == SPOOL) {
                remove_files(&entry.path(), false)?;
            }
        } else if let Err(e) = std::fs::remove_file(entry.path())
            && e.kind() != std::io::ErrorKind::NotFound
        {
            return Err(e);
        }
    }
    Ok(())
}

/// Remove what the minion keeps of jobs that are older than this many hours.
///
/// CLI Example: salt '*' saltutil.clear_job_cache hours=12
#[exec]
pub(super) fn clear_job_cache(cx: &Cx, #[default(24)] hours: f64) -> Result<bool> {
    let age = Duration::try_from_secs_f64(hours.max(0.0) * 3600.0).unwrap_or(Duration::MAX);
    let Some(limit) = SystemTime::now().checked_sub(age) else { return Ok(true) };
    Ok(done("clear_job_cache", remove_older(&cx.opts.path("cachedir").join("minion_jobs"), limit)))
}

fn remove_older(folder: &Path, limit: SystemTime) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() && entry.metadata()?.modified()? < limit {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// What a job returned, if the minion keeps that (`cache_jobs`).
///
/// CLI Example: salt '*' saltutil.find_cached_job 20261125130000000000
#[exec]
pub(super) fn find_cached_job(cx: &Cx, jid: Value) -> Result {
    let jid = python_str(&jid);
    let folder = cx.opts.path("cachedir").join("minion_jobs").join(&jid);
    // A job id becomes a path only if it is one.
    if !brine_core::jid::is_safe_jid(&jid) || !folder.is_dir() {
        return Ok(if cx.opts.flag("cache_jobs") {
            format!("Local jobs cache directory {} not found", folder.display()).into()
        } else {
            "Local jobs cache directory not found; you may need to enable cache_jobs on this minion".into()
        });
    }
    let path = folder.join("return.p");
    let bytes = std::fs::read(&path).map_err(|e| crate::hashutil::file_error(&e, &path.to_string_lossy()))?;
    Ok(decode(&bytes).ok().filter(|value| value.as_map().is_some()).unwrap_or_default())
}

/// The Python modules that were fetched from the file server, by kind.
///
/// CLI Example: salt '*' saltutil.list_extmods
#[exec]
pub(super) fn list_extmods(cx: &Cx) -> Result<Map> {
    let mut kinds = Map::new();
    for kind in folders(&cx.opts.path("cachedir").join("extmods")) {
        let mut names = BTreeSet::new();
        add_names(&kind, &mut names)?;
        let name = kind.file_name().unwrap_or_default().to_string_lossy().into_owned();
        kinds.insert(name, names.into_iter().collect::<Value>());
    }
    Ok(kinds)
}

fn folders(parent: &Path) -> Vec<std::path::PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(parent)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()).filter(|path| path.is_dir()))
        .collect();
    found.sort();
    found
}

fn add_names(folder: &Path, names: &mut BTreeSet<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            add_names(&entry.path(), names)?;
        } else {
            let name = entry.file_name().to_string_lossy().into_owned();
            names.insert(name.split('.').next().unwrap_or_default().to_owned());
        }
    }
    Ok(())
}

/// Update an Esky build of the minion. This is none.
///
/// CLI Example: salt '*' saltutil.update
#[exec]
pub(super) fn update(_version: Option<Value>) -> Result<Map> {
    Ok(map! { "_error" => "Esky not available as import" })
}

/// Throw away the minion's keys, its master's among them, and make new ones. The master has to accept the new key
/// before it can reach this minion again.
///
/// CLI Example: salt '*' saltutil.regen_keys
#[exec]
pub(super) fn regen_keys(cx: &Cx) -> Result {
    cx.host.rekey()?;
    Ok(Value::Nil)
}
