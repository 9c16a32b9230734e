//! Filters on paths and files of the machine that renders, and on its users.

use super::text::text_of;
use brine_core::posixpath::normpath;
use brine_jinja::{State, Table};
use brine_python::{Args, Kind, Obj, PyErr, R, Signature, need_items, repr, truth};
use std::ffi::OsStr;
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub(super) fn add(table: &mut Table) {
    table.insert("which", which);
    table.insert("path_join", path_join);
    table.insert("is_empty", is_empty);
    table.insert("is_text_file", is_text_file);
    table.insert("is_bin_file", is_bin_file);
    table.insert("list_files", list_files);
    table.insert("get_uid", get_uid);
}

/// A path as `salt.utils.files.fopen` takes it.
pub(super) fn path_of(obj: &Obj) -> R<PathBuf> {
    if let Some(undefined) = brine_jinja::Undefined::find(obj) {
        return Err(undefined.fail());
    }
    for descriptor in 0..3 {
        if !matches!(obj, Obj::Str(_)) && brine_python::eq(obj, &Obj::Int(descriptor))? {
            return Err(PyErr::ty(format!("{} is not a permitted file descriptor", brine_python::str(obj)?)));
        }
    }
    let bytes = match obj {
        Obj::Bytes(bytes) => bytes.to_vec(),
        _ => match obj.as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => {
                return Err(PyErr::ty(format!(
                    "expected str, bytes or os.PathLike object, not {}",
                    super::data::kind_name(obj)
                )));
            }
        },
    };
    if bytes.contains(&0) {
        return Err(PyErr::value("embedded null byte"));
    }
    Ok(PathBuf::from(OsStr::from_bytes(&bytes)))
}

/// `[Errno 2] No such file or directory: '/x'`, as the subclass of `OSError` that it is.
pub(super) fn os_error(e: &std::io::Error, path: &Obj) -> PyErr {
    let kind = match e.kind() {
        ErrorKind::NotFound => "FileNotFoundError",
        ErrorKind::PermissionDenied => "PermissionError",
        ErrorKind::IsADirectory => "IsADirectoryError",
        ErrorKind::NotADirectory => "NotADirectoryError",
        _ => "OSError",
    };
    let number = e.raw_os_error().unwrap_or_default();
    let text = nix::errno::Errno::from_raw(number).desc();
    PyErr::new(Kind::Other(kind), format!("[Errno {number}] {text}: {}", repr(path).unwrap_or_default()))
}

/// What `os.stat` and its kin say of a value that is no path.
fn stat_path(obj: &Obj, function: &str) -> R<PathBuf> {
    match obj {
        Obj::Bytes(_) => path_of(obj).map_err(|e| null_in(e, function)),
        _ if obj.as_str().is_some() => path_of(obj),
        Obj::Bool(_) | Obj::Int(_) => {
            Ok(PathBuf::from(format!("/proc/self/fd/{}", brine_python::index(obj)?)))
        }
        _ => Err(PyErr::ty(format!(
            "{function}: path should be string, bytes, os.PathLike or integer, not {}",
            super::data::kind_name(obj)
        ))),
    }
}

fn null_in(e: PyErr, function: &str) -> PyErr {
    match e.kind() {
        Kind::ValueError => PyErr::value(format!("{function}: embedded null character in path")),
        _ => e,
    }
}

/// The path that `os.path.isfile` asks about; one that cannot be is none.
fn file_path(obj: &Obj) -> R<Option<PathBuf>> {
    match stat_path(obj, "stat") {
        Ok(path) => Ok(Some(path)),
        Err(e) if e.kind() == Kind::ValueError => Ok(None),
        Err(e) => Err(e),
    }
}

fn executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
        && nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok()
}

const PLACES: [&str; 6] = ["/sbin", "/bin", "/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];

fn which(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("which", 0, &["exe"], 0);
    let a = SIG.bind(args)?;
    if !truth(a.at(0))? {
        tracing::error!("No executable was passed to be searched by salt.utils.path.which()");
        return Ok(Obj::None);
    }
    if file_path(a.at(0))?.is_some_and(|path| executable(&path)) {
        return Ok(a.at(0).clone());
    }
    let name = text_of(a.at(0))?;
    let name = name.as_str().unwrap_or_default();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut places: Vec<&str> = path.split(':').collect();
    places.extend(PLACES.iter().filter(|p| !path.split(':').any(|q| q == **p)));
    for place in places {
        let joined = join(&[place, name]);
        if executable(Path::new(&joined)) {
            return Ok(joined.into());
        }
    }
    Ok(Obj::None)
}

/// `salt.utils.path.join`: later parts that are absolute count as relative.
pub(crate) fn join(parts: &[&str]) -> String {
    let mut parts = parts.iter().map(|p| normpath(p));
    let Some(mut out) = parts.next() else { return String::new() };
    for part in parts {
        let part = part.trim_start_matches('/');
        if !out.is_empty() && !out.ends_with('/') {
            out.push('/');
        }
        out.push_str(part);
    }
    normpath(&out)
}

fn path_join(_: &State, args: &Args) -> R {
    let parts = args.pos.iter().map(text_of).collect::<R<Vec<_>>>()?;
    let unknown: Vec<_> =
        args.kw.iter().filter(|(n, _)| !n.starts_with("__") && &**n != "use_posixpath").collect();
    if !unknown.is_empty() {
        let mut shown = Vec::new();
        for (name, value) in unknown {
            shown.push(format!("{name}={}", brine_python::str(value)?));
        }
        return Err(PyErr::new(
            Kind::Other("SaltInvocationError"),
            format!("The following keyword arguments are not valid: {}", shown.join(", ")),
        ));
    }
    let parts: Vec<&str> = parts.iter().filter_map(Obj::as_str).collect();
    Ok(join(&parts).into())
}

fn is_empty(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("is_empty", 0, &["filename"], 1);
    let path = stat_path(SIG.bind(args)?.at(0), "stat")?;
    Ok(path.metadata().is_ok_and(|m| m.len() == 0).into())
}

fn first_bytes(path: &Path, n: u64) -> Option<Vec<u8>> {
    let mut block = Vec::new();
    std::fs::File::open(path).ok()?.take(n).read_to_end(&mut block).ok()?;
    Some(block)
}

/// Whether more than 30 percent of what is there is none of the characters of text.
fn mostly_binary(block: &[u8], controls: &[u8]) -> bool {
    let odd = block.iter().filter(|b| !(32..127).contains(*b) && !controls.contains(b)).count();
    odd as f64 / block.len() as f64 > 0.30
}

fn is_text_file(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("is_text", 0, &["fp_", "blocksize"], 1);
    let a = SIG.bind(args)?;
    let path = path_of(a.at(0))?;
    if path.is_dir() || std::fs::File::open(&path).is_err() {
        return Ok(false.into());
    }
    let size = match a.get(1) {
        None => 512,
        Some(Obj::None) => -1,
        Some(size) => brine_python::index(size).map_err(|e| no_count(e, size))?,
    };
    let size = u64::try_from(size).unwrap_or(u64::MAX).min(1 << 26);
    let Some(block) = first_bytes(&path, size) else { return Ok(false.into()) };
    Ok(if block.contains(&0) {
        false
    } else {
        block.is_empty() || std::str::from_utf8(&block).is_ok() || !mostly_binary(&block, b"\n\r\t\x0c\x08")
    }
    .into())
}

/// What `read` says of a count that is none.
pub(super) fn no_count(e: PyErr, count: &Obj) -> PyErr {
    match e.kind() {
        Kind::TypeError => {
            PyErr::ty(format!("argument should be integer or None, not '{}'", count.type_name()))
        }
        _ => e,
    }
}

fn is_bin_file(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("is_binary", 0, &["path"], 1);
    let a = SIG.bind(args)?;
    let Some(path) = file_path(a.at(0))?.filter(|path| path.is_file()) else {
        return Ok(false.into());
    };
    let Some(block) = first_bytes(&path, 2048) else { return Ok(false.into()) };
    let Ok(text) = std::str::from_utf8(&block) else { return Ok(true.into()) };
    if text.is_empty() {
        return Ok(false.into());
    }
    let odd = text.chars().filter(|c| !(' '..='~').contains(c) && !"\n\r\t\u{8}".contains(*c)).count();
    Ok((text.contains('\0') || odd as f64 / text.chars().count() as f64 > 0.30).into())
}

fn list_files(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("list_files", 0, &["directory"], 1);
    let a = SIG.bind(args)?;
    brine_python::hash(a.at(0))?;
    let root = stat_path(a.at(0), "scandir")?;
    let mut out = vec![a.at(0).clone()];
    let mut seen = std::collections::HashSet::new();
    let mut open = vec![root];
    while let Some(dir) = open.pop() {
        use std::os::unix::fs::MetadataExt;
        // Links are followed, but no directory twice on one way.
        let Ok(meta) = dir.metadata() else { continue };
        if !seen.insert((meta.dev(), meta.ino())) {
            continue;
        }
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            need_items(1, size_of::<Obj>() + path.as_os_str().len())?;
            out.push(Obj::from(path.to_string_lossy().into_owned()));
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    Ok(Obj::list(out))
}

fn get_uid(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("get_uid", 0, &["user"], 0);
    let a = SIG.bind(args)?;
    let Some(user) = a.some(0) else { return Ok(Obj::from(nix::unistd::geteuid().as_raw())) };
    let Some(name) = user.as_str() else {
        return Err(PyErr::ty(format!("getpwnam() argument must be str, not {}", user.type_name())));
    };
    if name.contains('\0') {
        return Err(PyErr::value("embedded null byte"));
    }
    let found = nix::unistd::User::from_name(name).ok().flatten();
    Ok(found.map_or(Obj::None, |user| Obj::from(user.uid.as_raw())))
}
