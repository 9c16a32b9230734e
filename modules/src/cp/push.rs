//! Files of this machine given to the master, where it takes them (`file_recv`).

use crate::python::path::{basename, realpath};
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::target::fnmatch;
use brine_core::{Value, map};
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::time::Duration;

/// The bytes of a piece, where the option `file_buffer_size` says nothing.
const PIECE: usize = 262_144;
/// More than this is not held for one piece.
const LARGEST: usize = 64 << 20;

/// Gives a file to the master.
///
/// CLI Example: salt '*' cp.push /etc/fstab
#[exec]
pub(super) fn push(
    cx: &Cx,
    path: String,
    #[default(false)] keep_symlinks: bool,
    upload_path: Option<String>,
    #[default(false)] remove_source: bool,
) -> Result {
    give(cx, path, keep_symlinks, upload_path.as_deref(), remove_source)
}

fn give(cx: &Cx, path: String, keep_symlinks: bool, upload: Option<&str>, remove: bool) -> Result {
    if path.contains("../") || !path.starts_with('/') {
        return Ok(false.into());
    }
    let path = if keep_symlinks { path } else { realpath(&path) };
    if !Path::new(&path).is_file() {
        return Ok(false.into());
    }
    let name = match upload.filter(|upload| !upload.is_empty()) {
        Some(upload) if upload.contains("../") => return Ok(false.into()),
        Some(upload) => crate::python::path::normpath(upload.trim_start_matches('/')),
        None => crate::python::path::normpath(path.trim_start_matches('/')),
    };
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty()).collect();
    let failed = |e: std::io::Error| crate::hashutil::file_error(&e, &path);
    let mut file = File::open(&path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let piece = cx.opts.int("file_buffer_size").and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    let mut buffer = vec![0; piece.unwrap_or(PIECE).min(LARGEST)];
    let timeout = cx.opts.float("request_channel_timeout").filter(|s| *s > 0.0 && *s < 1e6).unwrap_or(60.0);
    let mut sent = false;
    loop {
        cx.cancel.check()?;
        let at = file.stream_position().map_err(failed)?;
        let data = fill(&mut file, &mut buffer).map_err(failed)?;
        if data == 0 && sent {
            break;
        }
        let load = map! {
            "cmd" => "_file_recv", "id" => cx.opts.str("id"), "path" => parts.clone(), "size" => size,
            "loc" => at, "data" => Value::Bytes(buffer[..data].to_vec()),
        };
        let taken = cx.host.master_request(load, Duration::from_secs_f64(timeout))?;
        if !taken.truthy() {
            tracing::error!(
                "cp.push Failed transfer failed. Ensure master has 'file_recv' set to 'True' and that the file is not larger \
                 than the 'file_recv_max_size' setting on the master."
            );
            return Ok(taken);
        }
        sent = true;
    }
    if remove && let Err(e) = std::fs::remove_file(&path) {
        tracing::error!("cp.push failed to remove file '{path}': {e}");
        return Ok(false.into());
    }
    Ok(true.into())
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut all = 0;
    while all < buffer.len() {
        match file.read(&mut buffer[all..])? {
            0 => break,
            n => all += n,
        }
    }
    Ok(all)
}

/// Gives a folder to the master, or those of its files whose names match `glob`.
///
/// CLI Example: salt '*' cp.push_dir /etc/modprobe.d/ glob='*.conf'
#[exec]
pub(super) fn push_dir(cx: &Cx, path: String, glob: Option<String>, upload_path: Option<String>) -> Result {
    if path.contains("../") || !path.starts_with('/') {
        return Ok(false.into());
    }
    let path = realpath(&path);
    if Path::new(&path).is_file() {
        return give(cx, path, false, upload_path.as_deref(), false);
    }
    let mut files = Vec::new();
    walk(&path, &mut files, 0)?;
    if let Some(glob) = &glob {
        files.retain(|file| fnmatch(basename(file), glob));
    }
    if files.is_empty() {
        return Ok(false.into());
    }
    for file in files {
        let upload = upload_path.as_deref().map(|upload| {
            let rest = file.strip_prefix(&path).unwrap_or(&file).trim_matches('/');
            format!("/{}/{rest}", upload.trim_matches('/'))
        });
        let taken = give(cx, file, false, upload.as_deref(), false)?;
        if !taken.truthy() {
            return Ok(taken);
        }
    }
    Ok(true.into())
}

/// All files below a folder; links to folders are not followed.
fn walk(dir: &str, files: &mut Vec<String>, depth: usize) -> Result<()> {
    if depth > 200 {
        return Err(CallError::execution(format!("{dir} is too deep")));
    }
    let Ok(entries) = std::fs::read_dir(dir) else { return Ok(()) };
    let mut dirs = Vec::new();
    for entry in entries.flatten() {
        let path = format!("{}/{}", dir.trim_end_matches('/'), entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            dirs.push(path);
        } else if !(kind.is_symlink() && Path::new(&path).is_dir()) {
            files.push(path);
        }
    }
    dirs.iter().try_for_each(|dir| walk(dir, files, depth + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_testing::Around;
    use brine_core::{Map, Opts, Registry};
    use std::sync::{Arc, Mutex};

    #[test]
    fn a_file_is_given_in_pieces() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().canonicalize().unwrap().join("f");
        std::fs::write(&file, "0123456789").unwrap();
        let path = file.to_string_lossy().into_owned();
        let loads = Arc::new(Mutex::new(Vec::new()));
        let cx = |takes: bool| {
            let opts = Arc::new(Opts::new(map! {"id" => "m1", "file_buffer_size" => 4}));
            let loads: Arc<Mutex<Vec<Map>>> = loads.clone();
            let master = Around::master(move |load| {
                loads.lock().unwrap().push(load);
                Ok(takes.into())
            });
            Cx::new(opts, Arc::new(Registry::new(&[])), Arc::new(master))
        };
        assert_eq!(give(&cx(true), path.clone(), false, Some("/a//b"), false).unwrap(), true.into());
        let told: Vec<(i128, usize)> = std::mem::take(&mut *loads.lock().unwrap())
            .iter()
            .map(|load| {
                assert_eq!(load.get("path"), Some(&vec!["a", "b"].into()));
                let Some(Value::Bytes(data)) = load.get("data") else { panic!("no data") };
                let Some(Value::Int(at)) = load.get("loc") else { panic!("no place") };
                (*at, data.len())
            })
            .collect();
        assert_eq!(told, [(0, 4), (4, 4), (8, 2)]);
        assert_eq!(give(&cx(false), path.clone(), false, None, true).unwrap(), false.into());
        assert_eq!(loads.lock().unwrap().len(), 1);
        assert_eq!(give(&cx(true), path.clone(), false, None, true).unwrap(), true.into());
        assert!(!file.exists());
        for bad in ["relative", "/a/../b", "/nonexistent"] {
            assert_eq!(give(&cx(true), bad.into(), false, None, false).unwrap(), false.into(), "{bad}");
        }
    }
}
