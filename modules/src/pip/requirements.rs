//! Files of requirements: fetched, and copied where another user may read them.

use super::run::Place;
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::posixpath::{abspath, basename, dirname, join};
use brine_core::text::{python_os_error, python_str};
use brine_core::{Map, Value, map};
use std::path::Path;

/// Files of requirements as arguments of pip, and what is to go afterwards.
pub(super) enum Prepared {
    /// Arguments, and the folder that is removed with this.
    Ready(Vec<String>, Option<tempfile::TempDir>),
    /// What the function returns instead.
    Missing(Map),
}

fn cached(cx: &Cx, path: &str, saltenv: &Value) -> Result<Option<String>> {
    let (plain, query) = path.trim_start_matches("salt://").split_once('?').map_or((path.trim_start_matches("salt://"), ""), |p| p);
    // An environment in the address goes over the caller's.
    let named = query.split('&').find_map(|part| part.strip_prefix("saltenv="));
    let saltenv = named.map_or_else(|| saltenv.clone(), Value::from);
    let args = || Args::positional([Value::from(path), saltenv.clone()]);
    let found = |value: Value| value.as_str().filter(|path| !path.is_empty()).map(str::to_owned);
    let listed = cx.call("cp.list_master", Args::positional([saltenv.clone()]))?;
    if !listed.as_list().unwrap_or_default().iter().any(|known| known.as_str() == Some(plain)) {
        return Ok(None);
    }
    let known = found(cx.call("cp.is_cached", args())?);
    if let Some(known) = known {
        let here = cx.call("cp.hash_file", Args::positional([Value::from(known.as_str()), saltenv.clone()]))?;
        if cx.call("cp.hash_file", args())? == here {
            return Ok(Some(known));
        }
    }
    Ok(found(cx.call("cp.cache_file", args())?))
}

/// A file below a folder and those that it names with `-r`.
fn chain(folder: &str, file: &str, seen: &mut Vec<String>) -> Result<()> {
    let path = join(folder, &[file]);
    if seen.contains(&path) {
        return Ok(());
    }
    let contents = std::fs::read_to_string(&path).map_err(|e| {
        let kind = if e.kind() == std::io::ErrorKind::NotFound { "FileNotFoundError" } else { "OSError" };
        CallError::exception(kind, python_os_error(&e, file))
    })?;
    seen.push(path);
    for line in contents.lines() {
        let line = match line.find('#') {
            Some(at) if at == 0 || line[..at].ends_with(char::is_whitespace) => &line[..at],
            _ => line,
        };
        let named = ["-r ", "--requirement ", "--requirement="].iter().find_map(|option| line.split_once(option));
        if let Some((_, named)) = named {
            chain(folder, &join(dirname(file), &[named.trim()]), seen)?;
        }
    }
    Ok(())
}

/// The arguments of pip for files of requirements. A user who cannot read them gets copies.
pub(super) fn prepare(cx: &Cx, place: &Place, given: Option<Value>, saltenv: &Value) -> Result<Prepared> {
    let files: Vec<String> = match given {
        None => return Ok(Prepared::Ready(Vec::new(), None)),
        Some(Value::Str(text)) => text.split(',').map(|file| file.trim().to_owned()).collect(),
        Some(Value::List(list)) => list.iter().map(python_str).collect(),
        Some(_) => return Err(CallError::exception("TypeError", "requirements must be a string or list")),
    };
    let mut args = Vec::new();
    let mut copies: Option<tempfile::TempDir> = None;
    for file in files {
        let mut file = file;
        if file.starts_with("salt://") {
            file = match cached(cx, &file, saltenv)? {
                Some(cached) => cached,
                None => {
                    let comment = format!("pip requirements file '{file}' not found");
                    return Ok(Prepared::Missing(map! {"result" => false, "comment" => comment}));
                }
            };
        }
        if let Some(user) = place.user.as_ref().filter(|user| user.truthy()) {
            let dir = match copies.take() {
                Some(dir) => dir,
                None => tempfile::tempdir()?,
            };
            let folder = dir.path().to_string_lossy().into_owned();
            let own = |path: &str| {
                cx.call("file.chown", Args::positional([Value::from(path), user.clone(), Value::Nil]))
            };
            own(&folder)?;
            let cwd = place.cwd.as_ref().map(python_str);
            let mut all = Vec::new();
            match &cwd {
                Some(cwd) => chain(cwd, &file, &mut all)?,
                None => chain(dirname(&abspath(&file)), basename(&file), &mut all)?,
            }
            for path in &all {
                let copy = join(&folder, &[basename(path)]);
                if !Path::new(&copy).exists() {
                    std::fs::copy(path, &copy)?;
                }
                own(&copy)?;
            }
            file = join(&folder, &[basename(&file)]);
            copies = Some(dir);
        }
        args.extend(["--requirement".to_owned(), file]);
    }
    Ok(Prepared::Ready(args, copies))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_name_others() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        std::fs::write(at("a"), "x==1 # -r none\n-r b\n# -r none\n").unwrap();
        std::fs::write(at("b"), "--requirement=a\ny\n").unwrap();
        let mut all = Vec::new();
        chain(&dir.path().to_string_lossy(), "a", &mut all).unwrap();
        assert_eq!(all, [at("a"), at("b")]);
        let error = chain("/nowhere", "c", &mut all).unwrap_err();
        assert_eq!(error.text(), "[Errno 2] No such file or directory: 'c'");
    }
}
