//! Custom modules, copied from the file server to `extension_modules` of a minion or a master: Python files, which need the bridge to
//! be called.

use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What is wanted of a kind: the arguments of `sync_*`.
pub struct Asked<'a> {
    /// Environments, split by commas; by default those that the top file names.
    pub saltenv: Option<&'a Value>,
    /// Names that are meant: a list, or lists by kind. By default the option `extmod_whitelist`.
    pub whitelist: Option<&'a Value>,
    /// Names that are not, in the same way.
    pub blacklist: Option<&'a Value>,
}

/// Names of a list that an argument or an option gives; `None` where it says nothing of this kind.
fn list(cx: &Cx, given: Option<&Value>, option: &str, kind: &str) -> Option<Vec<String>> {
    let split = |text: &str| text.split(',').map(str::to_owned).collect();
    let all: &Map = match given.filter(|given| !given.is_nil()) {
        None => cx.opts.get(option)?.as_map()?,
        Some(Value::Str(text)) => return Some(split(text)),
        Some(Value::Map(all)) => all,
        Some(other) => {
            tracing::error!("{option} must be a string or dictionary: {}", python_str(other));
            return None;
        }
    };
    Some(match all.get(kind)? {
        Value::List(names) => names.iter().map(python_str).collect(),
        other => split(&python_str(other)),
    })
}

/// The environments that the top file names for this minion; `base` where it names none.
fn environments(cx: &Cx, given: Option<&Value>) -> Vec<String> {
    match given.filter(|given| !given.is_nil()) {
        Some(Value::List(names)) => names.iter().map(python_str).collect(),
        Some(other) => python_str(other).split(',').map(str::to_owned).collect(),
        None => {
            let top = cx.call("state.show_top", Args::none()).ok();
            let named: Vec<String> = top
                .as_ref()
                .and_then(Value::as_map)
                .into_iter()
                .flat_map(Map::keys)
                .map(python_str)
                .collect();
            if named.is_empty() { vec!["base".into()] } else { named }
        }
    }
}

/// Copies what is new of a kind. Returns the names of those files: `modules.name`.
///
/// # Errors
/// The call was cancelled. What else fails is logged, and what was copied until then is returned.
pub fn sync(cx: &Cx, kind: &str, asked: &Asked<'_>) -> Result<Vec<String>> {
    let mut new = Vec::new();
    match copied(cx, kind, asked, &mut new) {
        Ok(()) => {}
        Err(CallError::Cancelled) => return Err(CallError::Cancelled),
        Err(e) => tracing::error!("Failed to sync {kind} module: {}", e.text()),
    }
    for name in &new {
        tracing::info!("{name} is written in Python: it can be called once there is a bridge to Python");
    }
    Ok(new)
}

fn copied(cx: &Cx, kind: &str, asked: &Asked<'_>, new: &mut Vec<String>) -> Result<()> {
    let folder = cx.opts.path("extension_modules");
    if !folder.is_absolute() {
        return Err(CallError::execution("the option extension_modules names no folder"));
    }
    let folder = folder.join(kind);
    let (white, black) = (
        list(cx, asked.whitelist, "extmod_whitelist", kind),
        list(cx, asked.blacklist, "extmod_blacklist", kind),
    );
    private_folder(&folder)?;
    let mut there = BTreeSet::new();
    for saltenv in environments(cx, asked.saltenv) {
        tracing::info!("Syncing {kind} for environment '{saltenv}'");
        let prefix = format!("_{kind}/");
        let args = Args::positional([saltenv.as_str(), &prefix]);
        for path in cx.call("cp.list_master", args)?.as_list().unwrap_or_default().iter().map(python_str) {
            let Some(relative) = path.strip_prefix(&prefix) else { continue };
            let Some((stem, ending)) = relative.rsplit_once('.') else { continue };
            let plain =
                Path::new(relative).components().all(|part| matches!(part, std::path::Component::Normal(_)));
            if !plain || !["py", "pyx", "so", "zip"].contains(&ending) {
                continue;
            }
            let name = stem.replace('/', ".");
            if white.as_ref().is_some_and(|white| !white.contains(&name))
                || black.as_ref().is_some_and(|black| black.contains(&name))
            {
                continue;
            }
            let args = Args::positional([format!("salt://{path}"), saltenv.clone()]);
            let Value::Str(source) = cx.call("cp.cache_file", args)? else { continue };
            let contents = std::fs::read(&source)?;
            let dest = folder.join(relative);
            there.insert(dest.clone());
            if std::fs::read(&dest).is_ok_and(|before| before == contents) {
                continue;
            }
            private_folder(dest.parent().unwrap_or(&folder))?;
            let mut file = tempfile::NamedTempFile::new_in(dest.parent().unwrap_or(&folder))?;
            file.write_all(&contents)?;
            file.persist(&dest).map_err(|e| e.error)?;
            new.push(format!("{kind}.{name}"));
        }
    }
    if cx.opts.flag("clean_dynamic_modules") {
        clean(&folder, &there)?;
    }
    Ok(())
}

fn private_folder(folder: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    Ok(std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?)
}

/// Removes files that the file server has no more, and folders that are empty then.
fn clean(folder: &Path, there: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            clean(&path, there)?;
            // Fails where something is left in there.
            let _left = std::fs::remove_dir(&path);
        } else if !there.contains(&path) {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}
