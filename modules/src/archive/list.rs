//! `archive.list` and `archive.is_encrypted`: what an archive holds, told without unpacking it.

use crate::detailed;
use crate::grains_core::read::which;
use crate::tools;
use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::text::python_str;
use brine_core::{Map, Value, map, shlex};
use brine_files::archive::tar::{Fault, Listed};
use brine_files::archive::{guess, tar, zip};
use brine_files::url::Url;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

/// The archive in the minion's cache, or where it is.
fn cached(cx: &Cx, name: &str, saltenv: Value, source_hash: Value, use_etag: Value) -> Result<String> {
    let args = Args::positional([Value::from(name), saltenv]);
    let args = args.with("source_hash", source_hash).with("use_etag", use_etag);
    match cx.call("cp.cache_file", args)?.as_str() {
        Some(path) if !path.is_empty() => Ok(path.to_owned()),
        _ => Err(CallError::execution(format!("Failed to cache {name}"))),
    }
}

/// Removes an archive that is not needed any more.
fn clean_up(path: &str) {
    match std::fs::remove_file(path) {
        Ok(()) => tracing::debug!("Cleaned cached archive {path}"),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => tracing::warn!("Failed to clean cached archive {path}: {e}"),
    }
}

/// The same error, which also tells where the archive is.
fn located(e: CallError, path: &str) -> CallError {
    let (message, mut info) = match &e {
        CallError::Detailed(detailed) => {
            let message = detailed.text.split(" Additional info follows:").next().unwrap_or_default();
            let message = message.strip_suffix('.').unwrap_or(message);
            (message.to_owned(), detailed.info.as_map().cloned().unwrap_or_default())
        }
        e if e.is_execution() => (e.text(), Map::new()),
        _ => return e,
    };
    info.insert("archive location", path);
    detailed::error(&message, info)
}

fn unable(name: &str) -> CallError {
    CallError::execution(format!(
        "Unable to list contents of {name}. If this is an XZ-compressed tar archive, install XZ Utils to enable listing its contents. \
         If it is compressed using something other than XZ, it may be necessary to specify CLI options to decompress the archive. See \
         the documentation for details."
    ))
}

/// What a program makes of the archive, read as a tar archive.
fn through(cx: &Cx, name: &str, path: &str, command: &str) -> Result<Listed> {
    let words = shlex::split(command)?;
    let Some((program, rest)) = words.split_first() else { return Err(unable(name)) };
    let failed = |e: std::io::Error| brine_files::file_error(&e, Path::new(program));
    let mut child = Command::new(program)
        .args(rest)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let _tracked = i32::try_from(child.id()).map(|pid| cx.job.track_process(pid));
    let errors = child.stderr.take().map(|mut errors| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = errors.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        })
    });
    let listed = match child.stdout.take() {
        Some(mut out) => tar::list(Path::new(path), Some(&mut out)),
        None => Err(Fault::NotTar),
    };
    let code = child.wait().map_err(failed)?;
    let said = errors.and_then(|errors| errors.join().ok()).unwrap_or_default();
    match listed {
        Ok(listed) => Ok(listed),
        Err(Fault::Other(e)) => Err(e),
        Err(Fault::NotTar) if !code.success() => {
            Err(detailed::error(&format!("Failed to decompress {name}"), map! {"error" => said}))
        }
        Err(Fault::NotTar) => Err(unable(name)),
    }
}

fn list_tar(cx: &Cx, name: &str, path: &str, options: &Value) -> Result<Listed> {
    match tar::list(Path::new(path), None) {
        Ok(listed) => Ok(listed),
        Err(Fault::Other(e)) => Err(e),
        Err(Fault::NotTar) if which("tar").is_none() => Err(CallError::execution("'tar' command not available")),
        Err(Fault::NotTar) => match options.as_str() {
            Some(command) => through(cx, name, path, command),
            None => Err(unable(name)),
        },
    }
}

fn list_zip(name: &str, path: &str) -> Result<Listed> {
    let zip = zip::Zip::open(Path::new(path)).map_err(|fault| match fault {
        zip::Fault::Bad(_) => CallError::execution(format!("{name} is not a ZIP file")),
        zip::Fault::Runtime(text) => CallError::exception("RuntimeError", text),
        zip::Fault::Other(e) => e,
    })?;
    let mut dirs = BTreeSet::new();
    let mut listed = Listed::default();
    for entry in zip.entries() {
        let name = entry.name.clone();
        match () {
            () if entry.is_link() => listed.links.push(name),
            () if entry.has_dir_mode() => drop(dirs.insert(name)),
            () => listed.files.push(name),
        }
    }
    // Archives of other systems have no entries for folders, or none that say so by their mode.
    for file in listed.files.clone() {
        if let Some(end) = file.rfind('/') {
            let dir = &file[..=end];
            if let Some(at) = listed.files.iter().position(|file| file == dir) {
                listed.files.remove(at);
            }
            dirs.insert(dir.to_owned());
        }
    }
    listed.dirs = dirs.into_iter().collect();
    Ok(listed)
}

fn list_rar(cx: &Cx, name: &str) -> Result<Listed> {
    if which("rar").is_none() {
        return Err(CallError::execution("rar command not available, is it installed?"));
    }
    let out = tools::said(cx, ["rar", "lt", name].map(Value::from).into(), false)?;
    let mut listed = Listed::default();
    let mut found = None;
    for line in out.lines() {
        let line = line.trim_start();
        if let Some(rest) = line.strip_prefix("Name:") {
            found = Some(rest.trim_start().to_owned());
        } else if let (Some(kind), Some(path)) = (line.strip_prefix("Type:"), found.take()) {
            match kind.trim_start() == "Directory" {
                true => listed.dirs.push(format!("{path}/")),
                false => listed.files.push(path),
            }
        }
    }
    if listed.dirs.is_empty() && listed.files.is_empty() {
        let text = format!(
            "Failed to list {name}, is it a rar file? If so, the installed version of rar may be too old to list data in a parsable \
             format. Installing the rarfile Python module may be an easier workaround if newer rar is not readily available."
        );
        return Err(detailed::error(&text, map! {"error" => out}));
    }
    Ok(listed)
}

/// How many folders are taken off the beginning of names.
fn stripped(given: &Value) -> Result<usize> {
    if !given.truthy() {
        return Ok(0);
    }
    let refused = || CallError::execution("'strip_components' must be a positive integer");
    match given {
        Value::Str(text) if text.trim().parse::<i64>().is_ok() => {
            Err(CallError::Arguments("'<=' not supported between instances of 'str' and 'int'".into()))
        }
        other => other.as_int().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0).ok_or_else(refused),
    }
}

fn strip(names: Vec<String>, count: usize) -> Vec<String> {
    let rest = |name: String| name.splitn(count + 1, '/').nth(count).map(str::to_owned);
    let mut names: Vec<String> = names.into_iter().filter_map(rest).filter(|name| !name.is_empty()).collect();
    names.sort();
    names
}

/// Where all names begin alike.
fn common<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let mut names = names;
    let mut common = names.next().cloned().unwrap_or_default();
    for name in names {
        let length: usize =
            common.chars().zip(name.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
        common.truncate(length);
    }
    common
}

/// The names by what they are of, and those of the uppermost level.
fn sorted_out(mut listed: Listed) -> Map {
    for names in [&mut listed.dirs, &mut listed.files, &mut listed.links] {
        names.sort();
    }
    let slashes = |name: &str| name.matches('/').count();
    let mut top: Vec<String> = listed.dirs.iter().filter(|name| slashes(name) == 1).cloned().collect();
    let common = common(listed.dirs.iter().chain(&listed.files).chain(&listed.links));
    if let Some((first, _)) = common.split_once('/') {
        let first = format!("{first}/");
        if !top.contains(&first) {
            top.push(first);
        }
    }
    let upper = |names: &[String]| -> Vec<String> {
        names.iter().filter(|name| slashes(name) == 0).cloned().collect()
    };
    let (files, links) = (upper(&listed.files), upper(&listed.links));
    map! {
        "dirs" => listed.dirs, "files" => listed.files, "links" => listed.links,
        "top_level_dirs" => top, "top_level_files" => files, "top_level_links" => links,
    }
}

/// List what is in a tar, zip or rar archive: a path, or a URL that `cp.cache_file` knows. With `verbose`, by what it is.
///
/// CLI Example: salt '*' archive.list /path/to/myfile.tar.gz strip_components=1
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn list_(
    cx: &Cx,
    name: String,
    #[default(())] archive_format: Value,
    #[default(())] options: Value,
    #[default(())] strip_components: Value,
    #[default(false)] clean: Value,
    #[default(false)] verbose: Value,
    #[default("base")] saltenv: Value,
    #[default(())] source_hash: Value,
    #[default(false)] use_etag: Value,
) -> Result {
    let path = cached(cx, &name, saltenv, source_hash, use_etag)?;
    let listed = || -> Result {
        let strip_count = stripped(&strip_components)?;
        let url = Url::parse(&name, true);
        let format = if archive_format.truthy() {
            python_str(&archive_format)
        } else {
            let guessed = guess(if url.path.is_empty() { &url.netloc } else { &url.path });
            let text = "Unable to guess archive format, please pass an 'archive_format' argument.";
            guessed.ok_or_else(|| CallError::execution(text))?.to_owned()
        };
        let found = match format.as_str() {
            "tar" => list_tar(cx, &name, &path, &options),
            "zip" => list_zip(&name, &path),
            "rar" => list_rar(cx, &name),
            other => return Err(CallError::execution(format!("Unsupported archive format '{other}'"))),
        };
        let mut found = found.map_err(|e| match e {
            CallError::Cancelled => e,
            e if e.is_os_error() => {
                CallError::execution(format!("Failed to list contents of {name}: {}", e.text()))
            }
            e if e.is_execution() => e,
            e => CallError::execution(format!("Uncaught exception '{}' when listing contents of {name}", e.text())),
        })?;
        if clean.truthy() {
            clean_up(&path);
        }
        if strip_count > 0 {
            for names in [&mut found.dirs, &mut found.files, &mut found.links] {
                *names = strip(std::mem::take(names), strip_count);
            }
        }
        if verbose.truthy() {
            return Ok(sorted_out(found).into());
        }
        let mut all = [found.dirs, found.files, found.links].concat();
        all.sort();
        Ok(all.into())
    };
    listed().map_err(|e| located(e, &path))
}

/// Whether a zip archive is protected by a password.
///
/// CLI Example: salt '*' archive.is_encrypted /path/to/myfile.zip
#[exec]
pub(super) fn is_encrypted(
    cx: &Cx,
    name: String,
    #[default(false)] clean: Value,
    #[default("base")] saltenv: Value,
    #[default(())] source_hash: Value,
    #[default(false)] use_etag: Value,
) -> Result<bool> {
    let path = cached(cx, &name, saltenv, source_hash, use_etag)?;
    let asked = zip::Zip::open(Path::new(&path)).and_then(|mut zip| zip.is_encrypted());
    let info = || map! {"archive location" => path.as_str()};
    let encrypted = match asked {
        Ok(encrypted) => encrypted,
        Err(zip::Fault::Runtime(_)) => true,
        Err(zip::Fault::Bad(_)) => return Err(detailed::error(&format!("{name} is not a ZIP file"), info())),
        Err(zip::Fault::Other(e)) => return Err(detailed::error(&e.text(), info())),
    };
    if clean.truthy() {
        clean_up(&path);
    }
    Ok(encrypted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_out() {
        let text = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let listed = Listed { dirs: vec![], files: text(&["a/b/c", "a/b/d"]), links: text(&["a/l"]) };
        let out = sorted_out(listed);
        assert_eq!(out.get("top_level_dirs"), Some(&text(&["a/"]).into()));
        let listed = Listed { dirs: text(&["b/", "a/", "a/c/"]), files: text(&["f"]), links: vec![] };
        let out = sorted_out(listed);
        assert_eq!(out.get("top_level_dirs"), Some(&text(&["a/", "b/"]).into()));
        assert_eq!(out.get("top_level_files"), Some(&text(&["f"]).into()));
        assert_eq!(strip(text(&["a/", "a/c/", "a/b", "x"]), 1), ["b", "c/"]);
        assert!(stripped(&(-1).into()).is_err() && stripped(&"x".into()).is_err());
        assert_eq!(stripped(&2.into()).unwrap(), 2);
    }
}
