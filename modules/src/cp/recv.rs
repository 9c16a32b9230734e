//! The minion's side of `salt-cp`: files that come as arguments of a job. Where they go is the caller's word, as in stock:
//! who may call this may write any file the minion may.

use brine_core::text::python_os_error;
use crate::hashutil::decode;
use brine_core::call::{Cx, Result, exec};
use brine_core::text::{python_repr, python_str};
use brine_core::{Map, Value};
use flate2::read::MultiGzDecoder;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The largest size of a chunk, unpacked: `salt-cp` sends some 100 KB.
const LARGEST: u64 = 256 << 20;

/// Receives small files from `salt-cp`; not for the command line.
///
/// CLI Example: salt '*' cp.recv
#[exec]
pub(super) fn recv(_cx: &Cx, files: Map, dest: String) -> Result {
    let mut done = Map::new();
    for (path, data) in &files {
        let path = python_str(path);
        let name = base(&path);
        let target = if name == base(&dest) && !Path::new(&dest).is_dir() {
            dest.clone()
        } else if Path::new(&dest).is_dir() {
            join(&dest, name)
        } else if Path::new(parent(&dest)).is_dir() {
            dest.clone()
        } else {
            return Ok("Destination unavailable".into());
        };
        let text = match data {
            Value::Bytes(bytes) => bytes.to_vec(),
            other => python_str(other).into_bytes(),
        };
        let written = fs::write(&target, text).is_ok();
        done.insert(target, written);
    }
    Ok(done.into())
}

/// Receives a piece of a file from `salt-cp`; not for the command line. Without a chunk, an empty directory is made.
///
/// CLI Example: salt '*' cp.recv_chunked
#[exec]
pub(super) fn recv_chunked(
    cx: &Cx,
    dest: String,
    chunk: Value,
    #[default(false)] append: bool,
    #[default(true)] compressed: bool,
    mode: Option<i64>,
) -> Result {
    cx.set_retcode(0);
    let failed = |e: io::Error, path: &str| {
        cx.set_retcode(1);
        Ok(Value::from(python_os_error(&e, path)))
    };
    if chunk == Value::Nil {
        return match make_dirs(&dest) {
            Ok(()) => Ok(true.into()),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                let file = Path::new(&dest).is_file();
                Ok(if file { "Path exists and is a file".into() } else { true.into() })
            }
            Err(e) => failed(e, &dest),
        };
    }
    let encoded = match &chunk {
        Value::Bytes(bytes) => bytes.to_vec(),
        other => python_str(other).into_bytes(),
    };
    let packed = decode(&encoded)?;
    let open = || {
        let mut options = OpenOptions::new();
        options.create(true).append(append).write(true).truncate(!append).open(&dest)
    };
    let file = match open() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            if let Err(e) = make_dirs(parent(&dest)) {
                return failed(e, parent(&dest));
            }
            open()
        }
        other => other,
    };
    let mut file = match file {
        Ok(file) => file,
        Err(e) => return failed(e, &dest),
    };
    let bytes = if compressed {
        match unpack(&packed) {
            Ok(bytes) => bytes,
            Err(e) => {
                cx.set_retcode(1);
                return Ok(e.to_string().into());
            }
        }
    } else {
        packed
    };
    if let Err(e) = file.write_all(&bytes) {
        return failed(e, &dest);
    }
    if let (false, Some(mode)) = (append, mode) {
        let mode = u32::try_from(mode).unwrap_or(0o600) & 0o7777;
        if let Err(e) = fs::set_permissions(&dest, Permissions::from_mode(mode)) {
            return failed(e, &dest);
        }
    }
    Ok(true.into())
}

fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
    if !packed.starts_with(&[0x1f, 0x8b]) {
        let start = Value::Bytes(packed[..packed.len().min(2)].into());
        return Err(io::Error::other(format!("Not a gzipped file ({})", python_repr(&start))));
    }
    let mut bytes = Vec::new();
    MultiGzDecoder::new(packed).take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("the chunk is too large when unpacked"));
    }
    Ok(bytes)
}

/// Python's `os.makedirs`: what is there already is an error.
fn make_dirs(path: &str) -> io::Result<()> {
    if Path::new(path).exists() {
        return Err(io::Error::from_raw_os_error(nix::errno::Errno::EEXIST as i32));
    }
    fs::create_dir_all(path)
}

/// Python's `os.path.basename`.
fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// Python's `os.path.dirname`.
fn parent(path: &str) -> &str {
    let Some((head, _)) = path.rsplit_once('/') else { return "" };
    let trimmed = head.trim_end_matches('/');
    if trimmed.is_empty() && path.starts_with('/') { "/" } else { trimmed }
}

fn join(dir: &str, name: &str) -> String {
    if dir.ends_with('/') { format!("{dir}{name}") } else { format!("{dir}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_as_in_python() {
        assert_eq!((base("/a/b"), base("/a/"), base("a")), ("b", "", "a"));
        assert_eq!((parent("/a/b"), parent("/a"), parent("a"), parent("/a/b/")), ("/a", "/", "", "/a/b"));
        assert_eq!((join("/a", "b"), join("/a/", "b")), ("/a/b".into(), "/a/b".into()));
    }

    #[test]
    fn what_is_no_gzip_is_named() {
        assert_eq!(unpack(b"ab").unwrap_err().to_string(), "Not a gzipped file (b'ab')");
        assert!(unpack(&[0x1f, 0x8b, 0, 0]).is_err());
    }
}
