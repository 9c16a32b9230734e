//! Checksums of archives, kept below the cache directory: what one was when it was unpacked last.

use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::posixpath::relpath;
use brine_core::text::python_str;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A checksum: its kind and itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sum {
    pub(super) form: String,
    pub(super) sum: String,
}

fn own_form(cx: &Cx) -> String {
    cx.opts.get("hash_type").map_or_else(|| "sha256".into(), python_str)
}

/// Where the checksum of an archive is kept.
fn place(cx: &Cx, path: &str) -> PathBuf {
    let cache = cx.opts.path("cachedir");
    let below = format!("{}.hash", relpath(path, &cache.to_string_lossy()));
    let root = cache.join("archive_hash");
    if below.get(2..3) == Some("/") {
        // Not in the cache: what has two letters and a slash in front is taken for that, too, as in stock.
        return root.join("local").join(path.trim_start_matches('/'));
    }
    root.join(below)
}

fn lines(path: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| line.split_once(':')).map(|(form, sum)| (form.into(), sum.into())).collect()
}

/// The checksum that is kept of an archive, of the kind of another, or of the minion's own kind.
pub(super) fn read(cx: &Cx, path: &str, like: Option<&Sum>) -> Option<Sum> {
    let form = like.map_or_else(|| own_form(cx), |like| like.form.clone());
    let found = lines(&place(cx, path)).into_iter().find(|(own, _)| *own == form);
    found.map(|(form, sum)| Sum { form, sum })
}

/// Keeps the checksum that an archive has now.
pub(super) fn update(cx: &Cx, path: &str) -> Result<()> {
    let form = own_form(cx);
    let sum = python_str(&cx.call("file.get_hash", Args::positional([path, form.as_str()]))?);
    let place = place(cx, path);
    let mut lines = lines(&place);
    match lines.iter_mut().find(|(own, _)| *own == form) {
        Some(line) => line.1 = sum,
        None => lines.push((form, sum)),
    }
    let text: String = lines.iter().map(|(form, sum)| format!("{form}:{sum}\n")).collect();
    let folder = place.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)
        .map_err(|e| CallError::exception("OSError", brine_core::text::python_os_error(&e, &folder.to_string_lossy())))?;
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut new| {
        new.write_all(text.as_bytes())?;
        new.persist(&place).map_err(|e| e.error)
    });
    if let Err(e) = written {
        tracing::warn!("Failed to update checksum for {path}: {e}");
    }
    Ok(())
}
