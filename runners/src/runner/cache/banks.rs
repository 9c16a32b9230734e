//! Banks of the cache: directories below `cachedir`, with a msgpack file for each key, as stock's `localfs` has them.
//!
//! A bank is a relative path below `cachedir` and a key one name, whoever asks; another `cachedir` is for those alone
//! who run this in a process of their own. The job store, which lies there too, is no bank.

use std::path::PathBuf;

use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::{Map, Value};
use brine_protocol::msgpack::{Dialect, decode, encode};
use brine_store::fs::Dir;

use crate::places::{own_path, relative};

/// No larger entry is read.
const LARGEST: u64 = 64 << 20;

fn failed(what: &str, e: impl std::fmt::Display) -> CallError {
    CallError::exception("salt.exceptions.SaltCacheError", format!("{what}: {e}"))
}

/// The bank's directory.
fn bank(cx: &Cx, name: &str, cachedir: Option<String>) -> Result<Dir> {
    let driver = cx.opts.str("cache");
    if !matches!(driver, "" | "localfs") {
        return Err(CallError::execution(format!("The cache driver '{driver}' is not supported")));
    }
    let own = cx.opts.path("cachedir");
    let root = match cachedir.map(PathBuf::from) {
        Some(other) if other != own => {
            own_path(cx, "cachedir")?;
            other
        }
        _ => own,
    };
    let refuse = || CallError::invocation(format!("'{name}' is no bank"));
    let path = relative(name).filter(|path| path.components().next() != Some("job_store")).ok_or_else(refuse)?;
    let mut dir = Dir::at(root);
    for component in path.components() {
        dir = dir.sub(component)?;
        if std::fs::symlink_metadata(dir.path()).is_ok_and(|meta| !meta.is_dir()) {
            return Err(refuse());
        }
    }
    Ok(dir)
}

/// Store data under a key of a bank.
///
/// CLI Example: salt-run cache.store mycache mykey 'The time has come the walrus said'
#[exec(name = "store")]
pub(super) fn store(cx: &Cx, bank: String, key: String, data: Value, cachedir: Option<String>) -> Result<()> {
    let dir = self::bank(cx, &bank, cachedir)?;
    let base = dir.path().display().to_string();
    dir.ensure(0o755).map_err(|e| failed(&format!("The cache directory, {base}, could not be created"), e))?;
    let written = dir.write(&format!("{key}.p"), &encode(&data, Dialect::New), 0o600);
    written.map_err(|e| failed(&format!("There was an error writing the cache file, {base}"), e))
}

/// The banks and keys in a bank.
///
/// CLI Example: salt-run cache.list cloud/active/ec2/myec2
#[exec(name = "list")]
pub(super) fn list_(cx: &Cx, bank: String, cachedir: Option<String>) -> Result<Vec<String>> {
    let dir = self::bank(cx, &bank, cachedir)?;
    let mut names: Vec<String> =
        dir.names()?.into_iter().map(|name| name.strip_suffix(".p").map_or(name.clone(), str::to_owned)).collect();
    names.extend(dir.dirs()?);
    names.sort();
    Ok(names)
}

/// The data under a key of a bank; an empty dict if there is none.
///
/// CLI Example: salt-run cache.fetch cloud/active/ec2/myec2 myminion
#[exec]
pub(super) fn fetch(cx: &Cx, bank: String, key: String, cachedir: Option<String>) -> Result {
    let dir = self::bank(cx, &bank, cachedir.clone())?;
    let read = |dir: &Dir, name: &str| -> Result<Option<Value>> {
        let path = dir.path().join(name).display().to_string();
        let bytes = dir.read(name, LARGEST);
        let bytes = bytes.map_err(|e| failed(&format!("There was an error reading the cache file \"{path}\""), e))?;
        bytes.map(|bytes| decode(&bytes).map_err(|e| failed(&path, e))).transpose()
    };
    if let Some(found) = read(&dir, &format!("{key}.p"))? {
        return Ok(found);
    }
    // A bank may also be one file that holds all its keys.
    let (Some(above), Some(name)) = (dir.path().parent(), dir.path().file_name().and_then(|name| name.to_str())) else {
        return Ok(Map::new().into());
    };
    match read(&Dir::at(above), &format!("{name}.p"))? {
        None => Ok(Map::new().into()),
        Some(whole) => whole.get(&key).cloned().ok_or_else(|| {
            CallError::exception("KeyError", brine_core::text::python_repr(&key.clone().into()))
        }),
    }
}

/// Remove a key of a bank; without a key, the bank with all that is in it. `False` if there is no such thing.
///
/// CLI Example: salt-run cache.flush cloud/active/ec2/myec2 myminion
#[exec]
pub(super) fn flush(cx: &Cx, bank: String, key: Option<String>, cachedir: Option<String>) -> Result<bool> {
    let dir = self::bank(cx, &bank, cachedir)?;
    let shown = dir.path().display().to_string();
    let removed = match key {
        Some(key) => dir.remove(&format!("{key}.p")),
        None if !dir.path().is_dir() => Ok(false),
        None => std::fs::remove_dir_all(dir.path()).map(|()| true),
    };
    removed.map_err(|e| failed(&format!("There was an error removing \"{shown}\""), e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call, list};
    use crate::run::Kind;
    use brine_core::call::Args;
    use brine_core::map;

    #[test]
    fn banks_hold_data_and_stay_below_the_cache() {
        let tmp = tempfile::tempdir().unwrap();
        let fake = Fake::default();
        let cx = fake.cx(Kind::Runner, tmp.path(), Map::new());
        let get = |fun: &str, args: &[&str]| call(&cx, fun, Args::positional(args.iter().copied()));
        call(&cx, "cache.store", Args::positional(["a/b", "k"]).with("data", map! {"x" => 1})).unwrap();
        assert!(tmp.path().join("cache/a/b/k.p").exists());
        assert_eq!(get("cache.fetch", &["a/b", "k"]).unwrap(), map! {"x" => 1}.into());
        assert_eq!(get("cache.fetch", &["a/b", "none"]).unwrap(), Map::new().into());
        get("cache.store", &["a/b/c", "other", "d"]).unwrap();
        assert_eq!(get("cache.list", &["a/b"]).unwrap(), list(["c", "k"]));
        assert_eq!(get("cache.list", &["none"]).unwrap(), list([]));
        // The whole bank `a/b/k` is a file here.
        assert_eq!(get("cache.fetch", &["a/b/k", "x"]).unwrap(), 1.into());
        assert_eq!(get("cache.flush", &["a/b", "k"]).unwrap(), true.into());
        assert_eq!(get("cache.flush", &["a/b", "k"]).unwrap(), false.into());
        assert_eq!(get("cache.flush", &["a"]).unwrap(), true.into());
        assert!(!tmp.path().join("cache/a").exists());
        std::fs::create_dir_all(tmp.path().join("outside")).unwrap();
        std::os::unix::fs::symlink(tmp.path().join("outside"), tmp.path().join("cache/link")).unwrap();
        for bank in ["..", "../outside", "/etc", "", ".", "job_store", "link", "link/x", "a/../.."] {
            for (fun, args) in [
                ("cache.store", vec![bank, "k", "v"]),
                ("cache.list", vec![bank]),
                ("cache.fetch", vec![bank, "k"]),
                ("cache.flush", vec![bank]),
            ] {
                assert!(get(fun, &args).is_err(), "{fun} {bank:?}");
            }
        }
        for key in ["../k", "a/b", "/etc/x"] {
            assert!(get("cache.store", &["a", key, "v"]).is_err(), "{key}");
        }
        assert!(tmp.path().join("outside").exists());
    }

    #[test]
    fn another_directory_is_for_the_callers_own_process() {
        let tmp = tempfile::tempdir().unwrap();
        let elsewhere = tmp.path().join("x").display().to_string();
        let store = |fake: &Fake| {
            let cx = fake.cx(Kind::Runner, tmp.path(), Map::new());
            call(&cx, "cache.store", Args::positional(["b", "k", "v", elsewhere.as_str()]))
        };
        assert!(store(&Fake::default()).unwrap_err().to_string().contains("'cachedir'"));
        store(&Fake { own_process: true, ..Fake::default() }).unwrap();
        assert!(tmp.path().join("x/b/k.p").exists());
    }
}
