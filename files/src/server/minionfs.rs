//! The backend `minionfs`: files that minions have pushed to the master (`file_recv`, `cp.push`), below the id of each.

use super::listing::{Listings, Rules};
use crate::backend::{Backend, Found, Listed};
use crate::ignore::{Ignore, allowed};
use brine_core::call::Result;
use brine_core::text::python_str;
use brine_core::{Opts, Value};
use brine_protocol::ids::{MinionId, RelPath, SaltEnv};
use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Pushed files.
pub(super) struct MinionFs {
    minions: PathBuf,
    env: String,
    mountpoint: String,
    whitelist: Vec<String>,
    blacklist: Vec<String>,
    ignore: Ignore,
    listings: Listings,
    all: Mutex<Option<Kept>>,
}

/// The listing of each minion's files, and what came of them.
type Kept = (Vec<(String, Arc<Listed>)>, Arc<Listed>);

impl MinionFs {
    /// Reads the options; none while minions may not push.
    pub(super) fn new(opts: &Opts) -> Option<Self> {
        let texts = |key: &str| match opts.get(key) {
            Some(Value::List(list)) => list.iter().map(python_str).collect(),
            Some(Value::Str(text)) if !text.is_empty() => vec![text.clone()],
            _ => Vec::new(),
        };
        let mountpoint = opts.str("minionfs_mountpoint");
        let env = opts.str("minionfs_env");
        opts.flag("file_recv").then(|| Self {
            minions: opts.path("cachedir").join("minions"),
            env: if env.is_empty() { "base".into() } else { env.into() },
            mountpoint: mountpoint.strip_prefix("salt://").unwrap_or(mountpoint).trim_matches('/').into(),
            whitelist: texts("minionfs_whitelist"),
            blacklist: texts("minionfs_blacklist"),
            ignore: Ignore::new(opts),
            listings: Listings::keeping(usize::MAX),
            all: Mutex::default(),
        })
    }

    fn is_exposed(&self, minion: &str) -> bool {
        MinionId::parse(minion).is_ok() && allowed(minion, &self.whitelist, &self.blacklist)
    }

    /// Where a path may lie: a minion's directory of files, and the file in it. No link is followed.
    fn place(&self, path: &RelPath, saltenv: &SaltEnv) -> Option<(PathBuf, PathBuf)> {
        if saltenv.as_str() != self.env || path.as_str().rsplit('/').next() == Some("top.sls") {
            return None;
        }
        let below = match self.mountpoint.as_str() {
            "" => path.as_str(),
            mountpoint => path.as_str().strip_prefix(mountpoint)?.strip_prefix('/')?,
        };
        let (minion, file) = below.split_once('/')?;
        if !self.is_exposed(minion) {
            return None;
        }
        let root = self.minions.join(minion).join("files");
        let full = root.join(file);
        (!self.ignore.hides(&full.to_string_lossy())).then_some((root, full))
    }

    fn exposed(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.minions).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| self.is_exposed(name)).collect();
        names.sort();
        names
    }

    fn mounted(&self, minion: &str, path: &str) -> String {
        let parts = [self.mountpoint.as_str(), minion, path];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
    }
}

/// Rules for all that lies in a minion's directory: links are not followed, and what is hidden is decided by the path as it is seen.
fn plain() -> Rules {
    Rules { ignore: Ignore::default(), follow: false, no_links: true }
}

impl Backend for MinionFs {
    fn name(&self) -> &'static str {
        "minionfs"
    }

    fn envs(&self) -> Result<Vec<String>> {
        Ok(vec![self.env.clone()])
    }

    fn find(&self, path: &RelPath, saltenv: &SaltEnv) -> Result<Option<Found>> {
        let Some((root, full)) = self.place(path, saltenv) else { return Ok(None) };
        Ok(super::open::look(&full, Some(&root))?.map(|(_, meta)| Found { full, meta }))
    }

    fn open(&self, path: &RelPath, saltenv: &SaltEnv) -> Result<Option<(File, Metadata)>> {
        let Some((root, full)) = self.place(path, saltenv) else { return Ok(None) };
        Ok(super::open_regular(&full, Some(&root))?)
    }

    /// Directories below each minion's, but not that one itself; never empty ones apart, nor links.
    fn list(&self, saltenv: &SaltEnv) -> Result<Arc<Listed>> {
        if saltenv.as_str() != self.env {
            return Ok(Arc::default());
        }
        let mut parts = Vec::new();
        for minion in self.exposed() {
            let root: &Path = &self.minions.join(&minion).join("files");
            let own = self.listings.of(&minion, &[root.to_owned()], &plain())?;
            parts.push((minion, own));
        }
        let mut kept = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, all)) = &*kept
            && of.len() == parts.len()
            && of.iter().zip(&parts).all(|(a, b)| a.0 == b.0 && Arc::ptr_eq(&a.1, &b.1))
        {
            return Ok(all.clone());
        }
        let mut all = Listed::default();
        for (minion, own) in &parts {
            let seen =
                |path: &String| Some(self.mounted(minion, path)).filter(|path| !self.ignore.hides(path));
            all.files.extend(own.files.iter().filter_map(seen));
            all.dirs.extend(own.dirs.iter().map(|path| self.mounted(minion, path)));
        }
        let all = Arc::new(all);
        *kept = Some((parts, all.clone()));
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;
    use std::os::unix::fs::symlink;

    #[test]
    fn pushed_files_are_seen_below_their_minions() {
        let dir = tempfile::tempdir().unwrap();
        for (id, file) in [("m1", "etc/a"), ("m1", "etc/top.sls"), ("m2", "b"), ("m3", "c"), (".x", "d")] {
            let at = dir.path().join("minions").join(id).join("files").join(file);
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            fs::write(at, file).unwrap();
        }
        fs::write(dir.path().join("minions/m1/data.p"), "secret").unwrap();
        symlink("../data.p", dir.path().join("minions/m1/files/out")).unwrap();
        let opts = |more: brine_core::Map| {
            let mut opts =
                map! {"cachedir" => dir.path().to_string_lossy().into_owned(), "file_recv" => true};
            opts.update(more);
            Opts::new(opts)
        };
        let fs = MinionFs::new(&opts(map! {"minionfs_blacklist" => vec!["m3"]})).unwrap();
        let env = SaltEnv::parse("base").unwrap();
        let has = |fs: &MinionFs, path: &str, env: &SaltEnv| {
            fs.find(&RelPath::parse(path).unwrap(), env).unwrap().is_some()
        };
        assert!(has(&fs, "m1/etc/a", &env) && has(&fs, "m2/b", &env));
        for none in ["m1/etc/top.sls", "m3/c", ".x/d", "m1/out", "m1/data.p", "m1", "a/b/c"] {
            assert!(!has(&fs, none, &env), "{none}");
        }
        assert!(!has(&fs, "m1/etc/a", &SaltEnv::parse("dev").unwrap()));
        let all = fs.list(&env).unwrap();
        assert_eq!(all.files, ["m1/etc/a", "m1/etc/top.sls", "m2/b"]);
        assert_eq!(all.dirs, ["m1/etc"]);

        let more = map! {
            "minionfs_mountpoint" => "salt://pushed/by", "minionfs_env" => "dev", "minionfs_whitelist" => vec!["m1"],
            "file_ignore_glob" => vec!["*/top.sls"],
        };
        let fs = MinionFs::new(&opts(more)).unwrap();
        let dev = SaltEnv::parse("dev").unwrap();
        assert!(has(&fs, "pushed/by/m1/etc/a", &dev));
        assert!(!has(&fs, "pushed/by/m2/b", &dev) && !has(&fs, "m1/etc/a", &dev));
        assert_eq!(fs.envs().unwrap(), ["dev"]);
        assert_eq!(fs.list(&dev).unwrap().files, ["pushed/by/m1/etc/a"]);
        assert!(MinionFs::new(&opts(map! {"file_recv" => false})).is_none());
    }
}
