//! What a URL names, brought to the cache, to a place, or into memory: files of the tree, of this machine, of servers elsewhere.

use super::{ftp, http};
use crate::fault::file_error;
use crate::url::{Url, external, split_env};
use brine_core::call::{CallError, Cx, Result};
use brine_core::files::Want;
use std::path::{Path, PathBuf};

/// Where it is to go.
#[derive(Clone, Copy, Debug)]
pub enum Dest<'a> {
    /// The cache.
    Cache,
    /// A file, or into a folder.
    At(&'a str),
    /// Nowhere: its contents are the result.
    Memory,
}

/// What is to be brought.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The URL.
    pub url: &'a str,
    /// The environment, where the URL names none.
    pub saltenv: &'a str,
    /// Where to.
    pub dest: Dest<'a>,
    /// Make the folders of `dest`.
    pub makedirs: bool,
    /// Another `cachedir` than the option's: absolute, or below that one.
    pub cachedir: Option<&'a str>,
    /// The checksum that a copy in the cache must have to be used again.
    pub source_hash: Option<&'a str>,
    /// Whether the certificates of servers are checked.
    pub verify_ssl: bool,
    /// Whether a server is asked if the file has changed since.
    pub use_etag: bool,
}

impl<'a> Order<'a> {
    /// A URL into the cache, as most want it.
    #[must_use]
    pub fn new(url: &'a str, saltenv: &'a str) -> Self {
        Self {
            url,
            saltenv,
            dest: Dest::Cache,
            makedirs: true,
            cachedir: None,
            source_hash: None,
            verify_ssl: true,
            use_etag: false,
        }
    }
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Got {
    /// There is no such file, or no folder to put it in.
    Nothing,
    /// A server elsewhere has it, but there is no folder to put it in.
    NoFolder,
    /// It is here.
    At(PathBuf),
    /// Its contents.
    Bytes(Vec<u8>),
}

/// Stock's `MinionError`.
pub(super) fn minion_error(text: impl Into<String>) -> CallError {
    CallError::exception("salt.exceptions.MinionError", text.into())
}

/// Brings what a URL names.
///
/// # Errors
/// `MinionError` where a server does not give it or its scheme is none of ours; what the tree's files say.
pub fn get_url(cx: &Cx, order: &Order<'_>) -> Result<Got> {
    let url = Url::parse(order.url, false);
    let dest = match order.dest {
        Dest::At(dest) if Path::new(dest).is_dir() || dest.ends_with('/') => {
            Some(Path::new(dest).join(last(order.url, &url)))
        }
        Dest::At(dest) => Some(PathBuf::from(dest)),
        Dest::Cache | Dest::Memory => None,
    };
    let got = match url.scheme.as_str() {
        "salt" => tree(cx, order, dest.as_deref())?,
        "" | "file" => return local(order, &url),
        // A drive letter is none here.
        scheme if scheme.len() == 1 => Err(not_absolute(order.url))?,
        "http" | "https" | "ftp" => return elsewhere(cx, order, &url, dest),
        scheme @ ("s3" | "swift") => Err(minion_error(format!(
            "Could not fetch from {}. Exception: {scheme}:// is not supported",
            order.url
        )))?,
        _ => Err(minion_error(format!("Error: Unsupported url scheme: {} reading {}", order.url, url.path)))?,
    };
    let Some(at) = got else { return Ok(Got::Nothing) };
    match order.dest {
        Dest::Memory => std::fs::read(&at).map(Got::Bytes).map_err(|e| file_error(&e, &at)),
        _ => Ok(Got::At(at)),
    }
}

/// The name of a file in the folder that it is put into.
fn last<'a>(text: &'a str, url: &Url) -> &'a str {
    if !url.query.is_empty() || url.path.len() > 1 && !url.path.ends_with('/') || url.scheme == "salt" {
        return text.rsplit('/').next().unwrap_or_default();
    }
    "index.html"
}

fn tree(cx: &Cx, order: &Order<'_>, dest: Option<&Path>) -> Result<Option<PathBuf>> {
    let (url, own) = split_env(order.url);
    let saltenv = own.as_deref().unwrap_or(order.saltenv);
    let want = Want { dest, makedirs: order.makedirs, gzip: None, cachedir: order.cachedir };
    cx.host.files().get_file(&url, saltenv, &want)
}

fn not_absolute(path: &str) -> CallError {
    CallError::execution(format!("Path '{path}' is not absolute"))
}

/// A file of this machine stays where it is.
fn local(order: &Order<'_>, url: &Url) -> Result<Got> {
    let path = format!("{}{}", url.netloc, url.path);
    let path = path.trim_end_matches('/');
    if !path.starts_with('/') {
        return Err(not_absolute(path));
    }
    match order.dest {
        Dest::Memory => std::fs::read(path).map(Got::Bytes).map_err(|e| file_error(&e, Path::new(path))),
        _ => Ok(Got::At(path.into())),
    }
}

fn elsewhere(cx: &Cx, order: &Order<'_>, url: &Url, dest: Option<PathBuf>) -> Result<Got> {
    let is_ftp = url.scheme == "ftp";
    let dest = match (order.dest, dest) {
        (Dest::Memory, _) if is_ftp => return ftp::read(cx, order, url).map(Got::Bytes),
        (Dest::Memory, _) => return http::read(cx, order, url).map(Got::Bytes),
        (_, Some(dest)) => {
            if !super::ready(&dest, order.makedirs)? {
                return Ok(Got::NoFolder);
            }
            dest
        }
        _ => {
            let cachedir = cx.opts.path("cachedir").join(order.cachedir.unwrap_or_default());
            let place = external(&cachedir, order.url, order.saltenv)
                .ok_or_else(|| minion_error(format!("Invalid path: {}", order.url)))?;
            if order.source_hash.is_some_and(|hash| has(&place, hash)) {
                return Ok(Got::At(place));
            }
            crate::place::folder(&cachedir.join("extrn_files"), &place)
                .map_err(|e| file_error(&e, &place))?;
            place
        }
    };
    if is_ftp {
        ftp::fetch(cx, order, url, &dest)?
    } else {
        http::fetch(cx, order, url, &dest)?
    }
    Ok(Got::At(dest))
}

/// Whether a file has a checksum, whose kind is known by its length. It may stand behind `sha256=`.
fn has(file: &Path, hash: &str) -> bool {
    let hash = hash.rsplit('=').next().unwrap_or_default();
    let form = match hash.len() {
        32 => "md5",
        40 => "sha1",
        56 => "sha224",
        64 => "sha256",
        96 => "sha384",
        128 => "sha512",
        _ => return false,
    };
    crate::sum::of_file(file, form).is_ok_and(|sum| sum.as_deref() == Some(hash))
}
