//! Whether there is something at a path: `absent` sees to it, `exists` and `missing` only look.

use super::common::error;
use brine_core::call::{Args, Cx, KwArgs, Result, exec};
use brine_core::map;
use brine_core::posixpath::expanduser;
use brine_core::state::Outcome;
use std::path::Path;

/// See to it that there is nothing at a path. A directory goes with all that is in it.
///
/// name: the path
#[exec]
pub(super) fn absent(cx: &Cx, name: String, kwargs: KwArgs) -> Result<Outcome> {
    let _unread = kwargs;
    let name = expanduser(&name);
    if name.is_empty() {
        return Ok(error(&name, "Must provide name to file.absent"));
    }
    if !name.starts_with('/') {
        return Ok(error(&name, format!("Specified file {name} is not an absolute path")));
    }
    if name == "/" {
        return Ok(error(&name, "Refusing to make \"/\" absent"));
    }
    let path = Path::new(&name);
    let (word, small) = if path.is_file() || path.is_symlink() {
        ("File", "file")
    } else if path.is_dir() {
        ("Directory", "directory")
    } else {
        return Ok(Outcome::ok(name.clone(), format!("File {name} is not present")));
    };
    let changes = map! {"removed" => name.clone()};
    if cx.test {
        return Ok(Outcome::would(name.clone(), format!("{word} {name} is set for removal")).with_changes(changes));
    }
    match cx.call("file.remove", Args::positional([name.clone()]).with("force", true)) {
        Ok(_) => Ok(Outcome::ok(name.clone(), format!("Removed {small} {name}")).with_changes(changes)),
        Err(e) if e.is_execution() && small == "file" => Ok(error(&name, e.text())),
        Err(e) => Err(e),
    }
}

/// Succeed only if there is something at a path. Nothing is made.
///
/// name: the path
#[exec]
pub(super) fn exists(name: String, kwargs: KwArgs) -> Result<Outcome> {
    let _unread = kwargs;
    let name = expanduser(&name);
    if name.is_empty() {
        return Ok(error(&name, "Must provide name to file.exists"));
    }
    if !Path::new(&name).exists() {
        return Ok(error(&name, format!("Specified path {name} does not exist")));
    }
    Ok(Outcome::ok(name.clone(), format!("Path {name} exists")))
}

/// Succeed only if there is nothing at a path. Nothing is removed.
///
/// name: the path
#[exec]
pub(super) fn missing(name: String, kwargs: KwArgs) -> Result<Outcome> {
    let _unread = kwargs;
    let name = expanduser(&name);
    if name.is_empty() {
        return Ok(error(&name, "Must provide name to file.missing"));
    }
    if Path::new(&name).exists() {
        return Ok(error(&name, format!("Specified path {name} exists")));
    }
    Ok(Outcome::ok(name.clone(), format!("Path {name} is missing")))
}
