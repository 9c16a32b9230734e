//! What `user`, `group` and `shadow` share: the programs that change the databases of accounts, run as lists of arguments,
//! and the text of a database put in place as a whole.

pub(crate) use crate::settings::code;
use brine_core::call::{Args, Cx, Result};
use brine_core::{Map, Value};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The full path of a program that must be there.
pub(crate) fn program(name: &str) -> Result<Value> {
    crate::settings::program(name).map(Value::Str)
}

/// Adds the option that names another root, if one is given.
pub(crate) fn in_root(words: &mut Vec<Value>, option: &str, root: Option<&str>) {
    if let Some(root) = root {
        words.extend([option.into(), root.into()]);
    }
}

fn args(words: Vec<Value>) -> Args {
    Args::positional([words]).with("python_shell", false)
}

/// Runs it; `cmd.run`.
pub(crate) fn run(cx: &Cx, words: Vec<Value>) -> Result<Value> {
    cx.call("cmd.run", args(words))
}

/// Runs what has a secret among its arguments or in its output; nothing of it is logged.
pub(crate) fn run_secretly(cx: &Cx, words: Vec<Value>) -> Result<Value> {
    cx.call("cmd.run", args(words).with("output_loglevel", "quiet"))
}

/// Its return code; `cmd.retcode`.
pub(crate) fn retcode(cx: &Cx, words: Vec<Value>) -> Result<i64> {
    Ok(cx.call("cmd.retcode", args(words))?.as_int().unwrap_or(1))
}

/// Its return code, output and errors; `cmd.run_all`.
pub(crate) fn run_all(cx: &Cx, words: Vec<Value>) -> Result<Map> {
    crate::tools::all_of(cx, args(words))
}

/// A path of the machine, in another root if one is given.
pub(crate) fn rooted(root: Option<&str>, path: &str) -> PathBuf {
    match root.filter(|root| !root.is_empty()) {
        Some(root) => Path::new(root).join(path.trim_start_matches('/')),
        None => PathBuf::from(path),
    }
}

/// Replaces the contents of a file as a whole: it keeps mode and owner, and nobody sees half of it or its new contents
/// with a wider mode.
pub(crate) fn rewrite(path: &Path, contents: &[u8]) -> Result<()> {
    let failed = |e: std::io::Error| crate::hashutil::file_error(&e, &path.to_string_lossy());
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = real.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new().prefix(".salt.").tempfile_in(folder).map_err(failed)?;
    new.write_all(contents).map_err(failed)?;
    new.as_file().sync_all().map_err(failed)?;
    brine_files::put(new.path(), &real).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_rewritten_file_keeps_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shadow");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        rewrite(&link, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn programs_and_roots() {
        assert_eq!(
            program("no-such-tool").unwrap_err().to_string(),
            "Command 'no-such-tool' cannot be found"
        );
        assert_eq!(rooted(Some("/mnt"), "/etc/shadow"), Path::new("/mnt/etc/shadow"));
        assert_eq!(rooted(None, "/etc/shadow"), Path::new("/etc/shadow"));
    }
}
