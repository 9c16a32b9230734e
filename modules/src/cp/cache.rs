//! Files brought into the cache, and found there.

use super::client::{below, cached, env, listed, place, place_of, text};
use super::fetch::{one, without_login};
use crate::file::hash;
use crate::python::path::join;
use brine_core::call::{Cx, Result, exec};
use brine_core::files::Listing;
use brine_core::target::{Anchor, Regex, fnmatch};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use brine_files::url::{Url, split_env};
use brine_files::{Got, Order};
use brine_protocol::ids::RelPath;
use std::path::Path;

/// Brings what a URL names into the cache and returns where it is there. What other servers than the master have is fetched
/// once in a job.
///
/// CLI Example: salt '*' cp.cache_file salt://path/to/file
#[exec]
pub(super) fn cache_file(
    cx: &Cx,
    path: String,
    saltenv: Option<String>,
    source_hash: Option<Value>,
    #[default(true)] verify_ssl: Value,
    #[default(false)] use_etag: bool,
) -> Result {
    let saltenv = env(cx, saltenv);
    let remote = matches!(Url::parse(&path, true).scheme.as_str(), "http" | "https" | "ftp" | "swift" | "s3");
    let key = format!("cp.cache_file_|-{path}_|-{saltenv}");
    if let Some(known) = cx.job.context(&key).filter(|_| remote) {
        if known.as_str().is_some_and(|known| Path::new(known).is_file()) {
            return Ok(known);
        }
        cx.job.remove_context(&key);
    }
    let (path, own) = split_env(&path);
    let saltenv = own.unwrap_or(saltenv);
    let hash = source_hash.as_ref().filter(|hash| !hash.is_nil()).map(python_str);
    let order = Order {
        source_hash: hash.as_deref(),
        verify_ssl: verify_ssl.truthy(),
        use_etag,
        ..Order::new(&path, &saltenv)
    };
    let result: Value = match brine_files::get_url(cx, &order)? {
        Got::At(path) => text(path).into(),
        _ => false.into(),
    };
    if !result.truthy() && !use_etag {
        tracing::error!("Unable to cache file '{}' from saltenv '{saltenv}'.", without_login(&path));
    }
    if remote {
        cx.job.set_context(&key, result.clone());
    }
    Ok(result)
}

/// Brings several files into the cache: a list, or one text with commas between.
///
/// CLI Example: salt '*' cp.cache_files salt://pathto/file1,salt://pathto/file1
#[exec]
pub(super) fn cache_files(cx: &Cx, paths: Value, saltenv: Option<String>) -> Result<Vec<Value>> {
    let saltenv = env(cx, saltenv);
    let paths: Vec<String> = match &paths {
        Value::List(list) => list.iter().map(python_str).collect(),
        text => python_str(text).split(',').map(str::to_owned).collect(),
    };
    paths.iter().map(|path| cached(cx, path, &saltenv)).collect()
}

/// Whether a name is to be taken, as the patterns say: shell patterns, or regular expressions after `E@`.
fn wanted(name: &str, include: Option<&str>, exclude: Option<&str>) -> bool {
    let hit = |pattern: &str| match pattern.strip_prefix("E@") {
        Some(regex) => Regex::new(regex, Anchor::Search).is_ok_and(|r| r.is_match(name).unwrap_or(false)),
        None => fnmatch(name, pattern),
    };
    match (include.filter(|p| !p.is_empty()), exclude.filter(|p| !p.is_empty())) {
        (None, None) => true,
        (Some(include), None) => hit(include),
        (None, Some(exclude)) => !hit(exclude),
        (Some(include), Some(exclude)) => hit(include) && !hit(exclude),
    }
}

/// Brings a folder of the tree into the cache.
///
/// CLI Example: salt '*' cp.cache_dir salt://path/to/dir
#[exec]
pub(super) fn cache_dir(
    cx: &Cx,
    path: String,
    saltenv: Option<String>,
    #[default(false)] include_empty: bool,
    include_pat: Option<String>,
    exclude_pat: Option<String>,
) -> Result<Vec<String>> {
    let saltenv = env(cx, saltenv);
    let path = below(&path)?;
    let path = if path.ends_with('/') { path } else { format!("{path}/") };
    let files = cx.host.files();
    let mut done = Vec::new();
    for name in files.list(&saltenv, Listing::Files)? {
        if name.starts_with(&path) && wanted(&name, include_pat.as_deref(), exclude_pat.as_deref()) {
            cx.cancel.check()?;
            let Some(name) = listed(&name) else { continue };
            done.extend(files.cache_file(&name, &saltenv)?.map(text));
        }
    }
    if include_empty {
        for name in files.list(&saltenv, Listing::EmptyDirs)?.iter().filter(|name| name.starts_with(&path)) {
            if let Some(dir) = listed(name).and_then(|name| place(cx, &name, &saltenv)) {
                std::fs::create_dir_all(&dir).map_err(|e| crate::hashutil::file_error(&e, &dir))?;
                done.push(dir);
            }
        }
    }
    Ok(done)
}

/// Brings all files of an environment into the cache.
///
/// CLI Example: salt '*' cp.cache_master
#[exec]
pub(super) fn cache_master(cx: &Cx, saltenv: Option<String>) -> Result<Vec<Value>> {
    let saltenv = env(cx, saltenv);
    let mut done = Vec::new();
    for name in cx.host.files().list(&saltenv, Listing::Files)? {
        cx.cancel.check()?;
        done.push(match listed(&name) {
            Some(name) => one(cx, &name, &saltenv)?,
            None => false.into(),
        });
    }
    Ok(done)
}

/// Copies a file of this machine into the cache.
///
/// CLI Example: salt '*' cp.cache_local_file /etc/hosts
#[exec]
pub(super) fn cache_local_file(cx: &Cx, path: String) -> Result<String> {
    if !Path::new(&path).exists() {
        return Ok(String::new());
    }
    let sum = |path: &str| hash::of_file(path, form(cx));
    let known = found(cx, &path, &env(cx, None));
    if !known.is_empty() && sum(&known)? == sum(&path)? {
        return Ok(known);
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    let dest = join(cx.opts.str("cachedir"), &["localfiles", &parts.join("/")]);
    super::client::folder(&dest, true)?;
    std::fs::File::open(&path).map_err(|e| crate::hashutil::file_error(&e, &path))?;
    brine_files::put(Path::new(&path), Path::new(&dest)).map_err(|e| crate::hashutil::file_error(&e, &dest))?;
    Ok(dest)
}

/// The kind of checksums in use.
fn form(cx: &Cx) -> &str {
    match cx.opts.str("hash_type") {
        "" => "sha256",
        form => form,
    }
}

/// Where the cache has or would have what a URL names.
///
/// CLI Example: salt '*' cp.cache_dest salt://my/file
#[exec]
pub(super) fn cache_dest(cx: &Cx, url: String, saltenv: Option<String>) -> Result<String> {
    let saltenv = env(cx, saltenv);
    if Url::parse(&url, true).scheme.is_empty() {
        return Ok(url);
    }
    let (path, own) = split_env(&url);
    let saltenv = own.unwrap_or(saltenv);
    Ok(match path.strip_prefix("salt://") {
        Some(path) => place(cx, path, &saltenv).unwrap_or_else(|| "Invalid path".into()),
        None => place_of(cx, &url, &saltenv),
    })
}

/// Where a file is in the cache; empty text where it is not.
fn found(cx: &Cx, path: &str, saltenv: &str) -> String {
    let (path, own) = split_env(path);
    let saltenv = own.unwrap_or_else(|| saltenv.to_owned());
    let name = path.strip_prefix("salt://").unwrap_or(&path);
    let escaped = name.starts_with('|');
    let local = name.trim_start_matches(['|', '/']);
    let local = match RelPath::parse(local) {
        Ok(path) => join(cx.opts.str("cachedir"), &["localfiles", path.as_str()]),
        Err(_) => String::new(),
    };
    let exists = |at: &String| !at.is_empty() && Path::new(at).exists();
    match [place(cx, name, &saltenv).unwrap_or_default(), local].into_iter().find(exists) {
        Some(at) if escaped => format!("|{at}"),
        Some(at) => at,
        None => Some(place_of(cx, name, &saltenv)).filter(exists).unwrap_or_default(),
    }
}

/// Where a file is in the cache; empty text where it is not.
///
/// CLI Example: salt '*' cp.is_cached salt://path/to/file
#[exec]
pub(super) fn is_cached(cx: &Cx, path: String, saltenv: Option<String>) -> Result<String> {
    Ok(found(cx, &path, &env(cx, saltenv)))
}

/// What the file server says of a file of the tree, and its kind of checksum of one on this machine.
fn local_hash(cx: &Cx, path: &str) -> Result<Value> {
    if !Path::new(path).is_file() {
        tracing::warn!("specified file {path} is not present to generate hash: Unsupported path: {path}");
        // Stock means two results here.
        return Ok(vec![Map::new().into(), Value::Nil].into());
    }
    Ok(map! {"hsum" => hash::of_file(path, form(cx))?, "hash_type" => form(cx)}.into())
}

/// The checksum of a file of the tree, or of one on this machine.
///
/// CLI Example: salt '*' cp.hash_file salt://path/to/file
#[exec]
pub(super) fn hash_file(cx: &Cx, path: String, saltenv: Option<String>) -> Result {
    let (path, own) = split_env(&path);
    let saltenv = own.unwrap_or_else(|| env(cx, saltenv));
    if path.starts_with("salt://") {
        return cx.host.files().hash_file(&path, &saltenv);
    }
    local_hash(cx, &path)
}

/// The mode of a file of the tree, or of one on this machine: as `0644`, or as a number with `octal=False`.
///
/// CLI Example: salt '*' cp.stat_file salt://path/to/file octal=True
#[exec]
pub(super) fn stat_file(
    cx: &Cx,
    path: String,
    saltenv: Option<String>,
    #[default(true)] octal: Value,
) -> Result {
    use std::os::unix::fs::MetadataExt;
    let (path, own) = split_env(&path);
    let saltenv = own.unwrap_or_else(|| env(cx, saltenv));
    let mode = if path.starts_with("salt://") {
        cx.host.files().stat_file(&path, &saltenv)?.and_then(|stat| stat.first().copied())
    } else {
        std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file).map(|meta| i64::from(meta.mode()))
    };
    let Some(mode) = mode else { return Ok(Value::Nil) };
    if octal != Value::Bool(true) {
        return Ok(mode.into());
    }
    let text = format!("{mode:o}");
    Ok(text[text.len().saturating_sub(4)..].into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_choose_names() {
        assert!(wanted("a/b.txt", None, None));
        assert!(wanted("a/b.txt", Some("*.txt"), None) && !wanted("a/b.txt", Some("*.md"), None));
        assert!(!wanted("a/b.txt", None, Some("E@b\\.")));
        assert!(wanted("a/b.txt", Some("a/*"), Some("*.md")) && !wanted("a/b.txt", Some("a/*"), Some("*.txt")));
    }
}
