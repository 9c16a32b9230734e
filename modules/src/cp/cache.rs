//! Files brought into the cache, and found there.

use super::client::{below, cached, env, or_false, place, scheme, split};
use crate::file::hash;
use crate::python::path::join;
use brine_core::call::{Cx, Result, exec};
use brine_core::files::Listing;
use brine_core::target::{Anchor, Regex, fnmatch};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::path::Path;

/// Brings a file into the cache and returns where it is there.
///
/// CLI Example: salt '*' cp.cache_file salt://path/to/file
#[exec]
pub(super) fn cache_file(
    cx: &Cx,
    path: String,
    saltenv: Option<String>,
    source_hash: Option<Value>,
    #[default(true)] verify_ssl: Value,
    #[default(false)] use_etag: Value,
) -> Result {
    // They say how to fetch with HTTP, which is not done here.
    let _http = (source_hash, verify_ssl, use_etag);
    let saltenv = env(cx, saltenv);
    let found = cached(cx, &path, &saltenv)?;
    if found.is_none() {
        tracing::error!("Unable to cache file '{path}' from saltenv '{saltenv}'.");
    }
    Ok(or_false(found))
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
    paths.iter().map(|path| cached(cx, path, &saltenv).map(or_false)).collect()
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
    let (path, own) = split(&path);
    let saltenv = own.unwrap_or_else(|| env(cx, saltenv));
    let path = below(&path)?;
    let path = if path.ends_with('/') { path.to_owned() } else { format!("{path}/") };
    let files = cx.host.files();
    let mut done = Vec::new();
    for name in files.list(&saltenv, Listing::Files)? {
        if name.starts_with(&path) && wanted(&name, include_pat.as_deref(), exclude_pat.as_deref()) {
            done.extend(files.cache_file(&name, &saltenv)?.map(|p| p.to_string_lossy().into_owned()));
        }
    }
    if include_empty {
        for name in files.list(&saltenv, Listing::EmptyDirs)?.iter().filter(|name| name.starts_with(&path)) {
            if let Some(dir) = place(cx, name, &saltenv) {
                std::fs::create_dir_all(&dir)?;
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
    let files = cx.host.files();
    let all = files.list(&saltenv, Listing::Files)?;
    all.iter()
        .map(|name| Ok(or_false(files.cache_file(name, &saltenv)?.map(|p| p.to_string_lossy().into_owned()))))
        .collect()
}

/// Copies a file of this machine into the cache.
///
/// CLI Example: salt '*' cp.cache_local_file /etc/hosts
#[exec]
pub(super) fn cache_local_file(cx: &Cx, path: String) -> Result<String> {
    if !Path::new(&path).exists() {
        return Ok(String::new());
    }
    let known = found(cx, &path, "base");
    if !known.is_empty() && std::fs::read(&known).ok() == std::fs::read(&path).ok() {
        return Ok(known);
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    let dest = join(cx.opts.str("cachedir"), &["localfiles", &parts.join("/")]);
    if let Some(folder) = Path::new(&dest).parent() {
        std::fs::create_dir_all(folder)?;
    }
    let bytes = std::fs::read(&path).map_err(|e| crate::hashutil::file_error(&e, &path))?;
    std::fs::write(&dest, bytes).map_err(|e| crate::hashutil::file_error(&e, &dest))?;
    Ok(dest)
}

/// Where the cache has or would have what a URL names.
///
/// CLI Example: salt '*' cp.cache_dest salt://my/file
#[exec]
pub(super) fn cache_dest(cx: &Cx, url: String, saltenv: Option<String>) -> Result<String> {
    let saltenv = env(cx, saltenv);
    if scheme(&url).is_empty() {
        return Ok(url);
    }
    let (path, own) = split(&url);
    let saltenv = own.unwrap_or(saltenv);
    Ok(match path.strip_prefix("salt://") {
        Some(path) => place(cx, path, &saltenv).unwrap_or_else(|| "Invalid path".into()),
        None => external(cx, &url, &saltenv),
    })
}

/// The place in the cache of what does not come from a tree: host without a password, then the path.
fn external(cx: &Cx, url: &str, saltenv: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
    let host = host.rsplit('@').next().unwrap_or_default().replace(':', "");
    let path = path.replace('?', "-");
    let safe = |part: &str| !matches!(part, "." | "..");
    if !safe(&host) || !path.split('/').all(safe) || brine_protocol::ids::SaltEnv::parse(saltenv).is_err() {
        return "Invalid path".into();
    }
    let path = if path.len() + 1 > 255 {
        crate::hashutil::hex_digest("sha256", format!("/{path}").as_bytes()).unwrap_or_default()
    } else {
        path
    };
    join(cx.opts.str("cachedir"), &["extrn_files", saltenv, &host, &path])
}

/// Where a file is in the cache; empty text where it is not.
fn found(cx: &Cx, path: &str, saltenv: &str) -> String {
    let (path, own) = split(path);
    let saltenv = own.unwrap_or_else(|| saltenv.to_owned());
    let name = path.strip_prefix("salt://").unwrap_or(&path);
    let escaped = name.starts_with('|');
    let local = name.trim_start_matches(['|', '/']);
    let local = match brine_protocol::ids::RelPath::parse(local) {
        Ok(path) => join(cx.opts.str("cachedir"), &["localfiles", path.as_str()]),
        Err(_) => String::new(),
    };
    let exists = |at: &String| !at.is_empty() && Path::new(at).exists();
    match [place(cx, name, &saltenv).unwrap_or_default(), local].into_iter().find(exists) {
        Some(at) if escaped => format!("|{at}"),
        Some(at) => at,
        None => Some(external(cx, &path, &saltenv)).filter(exists).unwrap_or_default(),
    }
}

/// Where a file is in the cache; empty text where it is not.
///
/// CLI Example: salt '*' cp.is_cached salt://path/to/file
#[exec]
pub(super) fn is_cached(cx: &Cx, path: String, saltenv: Option<String>) -> Result<String> {
    Ok(found(cx, &path, &env(cx, saltenv)))
}

/// The checksum of a file of the tree, or of one on this machine.
///
/// CLI Example: salt '*' cp.hash_file salt://path/to/file
#[exec]
pub(super) fn hash_file(cx: &Cx, path: String, saltenv: Option<String>) -> Result {
    let (path, own) = split(&path);
    let saltenv = own.unwrap_or_else(|| env(cx, saltenv));
    let file = match path.strip_prefix("salt://") {
        Some(path) => cx.host.files().cache_file(path, &saltenv)?.map(|p| p.to_string_lossy().into_owned()),
        None => Some(path.clone()).filter(|path| Path::new(path).is_file()),
    };
    let Some(file) = file else {
        if path.starts_with("salt://") {
            return Ok("".into());
        }
        tracing::warn!("specified file {path} is not present to generate hash: Unsupported path: {path}");
        return Ok(Map::new().into());
    };
    let form = cx.opts.str("hash_type");
    let form = if form.is_empty() { "sha256" } else { form };
    let sum = hash::of_file(&file, form)?;
    // In the order of stock's file server, and of its client for files on this machine.
    Ok(if path.starts_with("salt://") {
        map! {"hash_type" => form, "hsum" => sum}
    } else {
        map! {"hsum" => sum, "hash_type" => form}
    }
    .into())
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
